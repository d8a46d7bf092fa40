"""Database triggers that refuse a change, in the words of PostgreSQL and of SQLite.

SQLite drops triggers when a migration rebuilds their table, so they step aside before a migration, and rooms install
theirs anew after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger: ``name`` also begins the text of its refusal; ``condition`` (SQL) is when it refuses."""

    name: str
    table: str
    event: str  # insert, update or delete
    condition: str
    because: str


def install(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Make the triggers, replacing those that are there."""
    make = _make_postgresql if connection.vendor == "postgresql" else _make_sqlite
    with connection.cursor() as cursor:
        for trigger in triggers:
            for statement in (*_drop(connection, trigger), *make(trigger)):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Drop the triggers. Only migrations that must rewrite what is frozen, and tests, have a reason to."""
    with connection.cursor() as cursor:
        for trigger in triggers:
            for statement in _drop(connection, trigger):
                cursor.execute(statement)


def step_aside(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of a SQLite database that is about to be migrated.

    There a table is rebuilt and renamed, which fails where a trigger of another table names it.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")


def missing(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """Return the names of the triggers that should be there and are not."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {row[0] for row in cursor.fetchall()}
    return [trigger.name for trigger in triggers if trigger.name not in present]


def _drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> tuple[str, ...]:
    if connection.vendor == "postgresql":
        return (
            f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}",
            f"DROP FUNCTION IF EXISTS {trigger.name}()",
        )
    return (f"DROP TRIGGER IF EXISTS {trigger.name}",)


def _message(trigger: Trigger) -> str:
    return f"{trigger.name}: {trigger.because}"


def _make_sqlite(trigger: Trigger) -> tuple[str, ...]:
    statement = (
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event.upper()} ON {trigger.table} "
        f"WHEN {trigger.condition} BEGIN SELECT RAISE(ABORT, '{_message(trigger)}'); END"
    )
    return (statement,)


def _make_postgresql(trigger: Trigger) -> tuple[str, ...]:
    row = "OLD" if trigger.event == "delete" else "NEW"
    return (
        (
            f"CREATE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {trigger.condition} THEN "
            f"RAISE EXCEPTION '{_message(trigger)}' USING ERRCODE = 'restrict_violation'; "
            f"END IF; RETURN {row}; END $$"
        ),
        (
            f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event.upper()} ON {trigger.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {trigger.name}()"
        ),
    )
