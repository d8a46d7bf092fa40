from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from loyalty.ledger.signals import book_written, members_joined
from loyalty.purchases.signals import activity_judged, activity_set_aside
from loyalty.rewards.signals import redemption_reserved, voucher_redeemed


class WebhooksConfig(AppConfig):
    name = "loyalty.webhooks"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Other systems")

    def ready(self) -> None:
        # After the room of rewards, which stands below: its rows are written when this hears of the same book.
        members_joined.connect(tell_of_enrolments, dispatch_uid="webhooks.tell_of_enrolments")
        book_written.connect(tell_of_what_fell_due, dispatch_uid="webhooks.tell_of_what_fell_due")
        activity_judged.connect(tell_of_judgements, dispatch_uid="webhooks.tell_of_judgements")
        activity_set_aside.connect(tell_of_shelved, dispatch_uid="webhooks.tell_of_shelved")
        redemption_reserved.connect(tell_of_reservation, dispatch_uid="webhooks.tell_of_reservation")
        voucher_redeemed.connect(tell_of_used_voucher, dispatch_uid="webhooks.tell_of_used_voucher")


def tell_of_enrolments(*, memberships: Any, schedules: Any, **_news: Any) -> None:
    """Tell who joined."""
    from loyalty.webhooks import news  # noqa: PLC0415 -- models are not ready when this module is read

    news.tell_of_enrolments(memberships, schedules)


def tell_of_what_fell_due(*, book: Any, results: Any, **_news: Any) -> None:
    """Tell what folds without a verdict came to."""
    from loyalty.webhooks import news  # noqa: PLC0415 -- models are not ready when this module is read

    news.tell_of_folds(book, results, judged=False)


def tell_of_judgements(*, book: Any, results: Any, **_news: Any) -> None:
    """Tell what was judged, and what else came of it."""
    from loyalty.webhooks import news  # noqa: PLC0415 -- models are not ready when this module is read

    news.tell_of_folds(book, results, judged=True)


def tell_of_shelved(*, activity: Any, **_news: Any) -> None:
    """Tell that a purchase could not be judged."""
    from loyalty.webhooks import news  # noqa: PLC0415 -- models are not ready when this module is read

    news.tell_of_shelved(activity)


def tell_of_reservation(*, redemption: Any, **_news: Any) -> None:
    """Tell that units were set aside for a reward."""
    from loyalty.webhooks import news  # noqa: PLC0415 -- models are not ready when this module is read

    news.tell_of_reservation(redemption)


def tell_of_used_voucher(*, voucher: Any, **_news: Any) -> None:
    """Tell that a voucher was used."""
    from loyalty.webhooks import news  # noqa: PLC0415 -- models are not ready when this module is read

    news.tell_of_used_voucher(voucher)
