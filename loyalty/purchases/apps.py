from django.apps import AppConfig


class PurchasesConfig(AppConfig):
    name = "loyalty.purchases"
    default_auto_field = "django.db.models.BigAutoField"
