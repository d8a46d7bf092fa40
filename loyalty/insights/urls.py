"""The staff's addresses."""

from django.urls import path

from loyalty.insights import views

urlpatterns = [
    path("", views.staff, name="staff"),
]
