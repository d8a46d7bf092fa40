from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "loyalty.api"
    default_auto_field = "django.db.models.BigAutoField"
    label = "api"
