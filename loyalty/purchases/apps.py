from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class PurchasesConfig(AppConfig):
    name = "loyalty.purchases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # This room is migrated last, so the tables of the ledger are there too.
        post_migrate.connect(install_triggers, sender=self, dispatch_uid="purchases.triggers")


def install_triggers(*, using: str, **_news: Any) -> None:
    """Have the database itself refuse to change what was written about value."""
    from loyalty.ledger import triggers  # noqa: PLC0415 -- models are not ready when this module is read

    triggers.install(connections[using])
