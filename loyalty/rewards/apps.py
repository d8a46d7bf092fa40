from typing import Any

from django.apps import AppConfig

from loyalty.ledger.signals import book_written


class RewardsConfig(AppConfig):
    name = "loyalty.rewards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        book_written.connect(keep_up, dispatch_uid="rewards.keep_up")


def keep_up(*, book: Any, results: Any, **_news: Any) -> None:
    """Write what a fold did to redemptions and vouchers, in its own transaction."""
    from loyalty.rewards import writing  # noqa: PLC0415 -- models are not ready when this module is read

    writing.keep_up(book, results)
