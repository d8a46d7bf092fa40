"""The customer's addresses."""

from django.urls import path

from loyalty.engagement import views

urlpatterns = [
    path("", views.home, name="home"),
    path("history/", views.history_page, name="history"),
    path("card/", views.card, name="card"),
    path("profile/", views.profile, name="profile"),
    path("program/", views.choose, name="choose_program"),
]
