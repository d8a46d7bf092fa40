from typing import Any

from django.apps import AppConfig

from programs.signals import version_published


class LedgerConfig(AppConfig):
    name = "loyalty.ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        version_published.connect(plan_review, dispatch_uid="ledger.plan_review")


def plan_review(*, version: Any, **_news: Any) -> None:
    """Have every member reviewed when a newly published version comes into force."""
    from loyalty.ledger import actions  # noqa: PLC0415 -- models are not ready when this module is read

    actions.plan_review(version=version)
