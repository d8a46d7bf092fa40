from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.models.signals import post_migrate

from loyalty.ledger.signals import book_opened, members_joined, units_wanted
from programs.signals import outstanding_asked, state_changed, version_published


class PurchasesConfig(AppConfig):
    name = "loyalty.purchases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # This room is migrated last, so the tables of the ledger are there too.
        post_migrate.connect(install_triggers, sender=self, dispatch_uid="purchases.triggers")
        version_published.connect(review_soon, dispatch_uid="purchases.review_soon")
        members_joined.connect(record_enrolments, dispatch_uid="purchases.record_enrolments")
        units_wanted.connect(judge_now, dispatch_uid="purchases.judge_now")
        book_opened.connect(complete_credit, dispatch_uid="purchases.complete_credit")
        state_changed.connect(go_on, dispatch_uid="purchases.go_on")
        outstanding_asked.connect(outstanding, dispatch_uid="purchases.outstanding")


def review_soon(*, version: Any, **_news: Any) -> None:
    """Have the workers review the members under new terms at once, not only when the scheduler next looks."""
    from loyalty.purchases.tasks import ask_for_due_work  # noqa: PLC0415 -- models are not ready when this is read

    transaction.on_commit(lambda: ask_for_due_work(version.program_id))


def record_enrolments(*, memberships: Any, schedules: Any, is_joining_rewarded: bool, **_news: Any) -> None:
    """Write the joining of new members as an event where their program's terms reward it."""
    if not is_joining_rewarded:
        return
    from loyalty.purchases import events  # noqa: PLC0415 -- models are not ready when this module is read

    events.record_enrolments(memberships=memberships, schedules=schedules)


def judge_now(*, membership: Any, **_news: Any) -> None:
    """Judge what is recorded of a member before its units are spent."""
    from loyalty.purchases import accrual  # noqa: PLC0415 -- models are not ready when this module is read

    accrual.accrue_now(membership=membership)


def complete_credit(*, book: Any, schedules: Any, **_news: Any) -> None:
    """Bring the tier credit of members up to what their program's terms ask for."""
    from loyalty.purchases import credits  # noqa: A004, PLC0415 -- models are not ready when this module is read

    credits.complete(book, schedules)


def go_on(*, program: Any, **_news: Any) -> None:
    """Have the workers judge what waited in a program, and do what has fallen due there."""
    from loyalty.purchases.tasks import ask_for_due_work, nudge  # noqa: PLC0415 -- models are not ready here

    if not program.is_paused:
        transaction.on_commit(nudge)
        transaction.on_commit(lambda: ask_for_due_work(program.pk))


def outstanding(*, program: Any, **_news: Any) -> Any:
    """Say how much activity of a program is not judged yet."""
    from loyalty.purchases import program_actions  # noqa: PLC0415 -- models are not ready when this module is read

    return program_actions.outstanding(program)


def install_triggers(*, using: str, **_news: Any) -> None:
    """Have the database itself refuse to change what was written about value."""
    from loyalty.ledger import triggers  # noqa: PLC0415 -- models are not ready when this module is read

    triggers.install(connections[using])
