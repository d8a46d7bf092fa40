from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True
    default_auto_field = "django.db.models.BigAutoField"


class AdminConfig(django_admin.AdminConfig):
    """The admin, with a site of ours that asks the table of roles who may open it."""

    default = False
    default_site = "accounts.admin_base.RoleAdminSite"
