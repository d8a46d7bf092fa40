from django.apps import AppConfig


class RehearsalsConfig(AppConfig):
    name = "loyalty.rehearsals"
    default_auto_field = "django.db.models.BigAutoField"
