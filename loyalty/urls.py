"""All addresses."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from loyalty import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/", include("loyalty.api_urls")),
    path("", include("accounts.urls")),
    path("", include("loyalty.engagement.urls")),
    path("staff/", include("loyalty.insights.urls")),
]
