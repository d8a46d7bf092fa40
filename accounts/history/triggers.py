"""Database triggers that refuse to change or delete what was written about changes of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import triggers as database_triggers
from accounts.history.models import Change
from accounts.triggers import Trigger

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = Change._meta.db_table
BECAUSE = "written once, never changed"
FORGETTABLE = "by_id"  # Becomes null when the person is deleted.


def install(connection: BaseDatabaseWrapper) -> None:
    """Make all triggers, replacing those that are there."""
    database_triggers.install(connection, triggers(connection))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers; only tests have a reason to."""
    database_triggers.remove(connection, triggers(connection))


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that should be there and are not."""
    return database_triggers.missing(connection, triggers(connection))


def triggers(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Return every trigger, in the words of this database."""
    unlike = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    columns = [field.column for field in Change._meta.concrete_fields if field.column != FORGETTABLE]
    differs = [f"NEW.{column} {unlike} OLD.{column}" for column in columns]
    differs.append(f"(NEW.{FORGETTABLE} IS NOT NULL AND NEW.{FORGETTABLE} {unlike} OLD.{FORGETTABLE})")
    return [
        Trigger(f"{TABLE}_refuses_update", TABLE, "update", " OR ".join(differs), BECAUSE),
        Trigger(f"{TABLE}_refuses_delete", TABLE, "delete", "1 = 1", BECAUSE),
    ]
