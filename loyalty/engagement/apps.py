from django.apps import AppConfig


class EngagementConfig(AppConfig):
    name = "loyalty.engagement"
    default_auto_field = "django.db.models.BigAutoField"
