from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class HistoryConfig(AppConfig):
    name = "accounts.history"
    label = "history"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(install_triggers, sender=self, dispatch_uid="history.triggers")


def install_triggers(*, using: str, **_news: Any) -> None:
    """Keep what was written about changes in the database that was just migrated."""
    from accounts.history import triggers  # noqa: PLC0415 -- models are not ready when this module is read

    triggers.install(connections[using])
