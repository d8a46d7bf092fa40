from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MovingConfig(AppConfig):
    name = "loyalty.moving"
    verbose_name = _("Moving in")
    default_auto_field = "django.db.models.BigAutoField"
