"""Database triggers that refuse to change or delete what was once written about value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

from accounts import triggers as database_triggers
from accounts.triggers import Trigger

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

WRITTEN_ONCE = (
    "ledger.Transaction",
    "ledger.Entry",
    "ledger.OpeningBalance",
    "ledger.OpeningTier",
    "purchases.Judgement",
    "purchases.Rejudgement",
    "purchases.Award",
    "purchases.ReceiptKey",
    "rehearsals.Adjustment",
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make all triggers, replacing those that are there."""
    database_triggers.install(connection, triggers())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers; only tests have a reason to."""
    database_triggers.remove(connection, triggers())


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that should be there and are not."""
    return database_triggers.missing(connection, triggers())


def triggers() -> list[Trigger]:
    """Return every trigger of the books."""
    tables = [apps.get_model(label)._meta.db_table for label in WRITTEN_ONCE]
    condition = "1 = 1"
    return [
        Trigger(f"{table}_refuses_{event}", table, event, condition, "written once, never changed")
        for table in tables
        for event in ("update", "delete")
    ]
