from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin
from django.db import connections
from django.db.models.signals import pre_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pre_migrate.connect(let_triggers_step_aside, sender=self, dispatch_uid="accounts.triggers")


def let_triggers_step_aside(*, using: str, plan: Any, **_news: Any) -> None:
    """Clear the way for migrations; each room installs its triggers when they are done."""
    from accounts import triggers  # noqa: PLC0415 -- read when it is needed

    if plan:
        triggers.step_aside(connections[using])


class AdminConfig(django_admin.AdminConfig):
    """The admin, with a site of ours that asks the table of roles who may open it."""

    default = False
    default_site = "accounts.admin_base.RoleAdminSite"
