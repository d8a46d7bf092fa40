from typing import Any

from django.apps import AppConfig

from loyalty.ledger.signals import book_written
from programs.signals import outstanding_asked


class RewardsConfig(AppConfig):
    name = "loyalty.rewards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        book_written.connect(keep_up, dispatch_uid="rewards.keep_up")
        outstanding_asked.connect(outstanding, dispatch_uid="rewards.outstanding")


def keep_up(*, book: Any, results: Any, **_news: Any) -> None:
    """Write what a fold did to redemptions and vouchers, in its own transaction."""
    from loyalty.rewards import writing  # noqa: PLC0415 -- models are not ready when this module is read

    writing.keep_up(book, results)


def outstanding(*, program: Any, **_news: Any) -> Any:
    """Say how many vouchers of a program can still be used."""
    from loyalty.rewards import queries  # noqa: PLC0415 -- models are not ready when this module is read

    return queries.outstanding(program)
