"""Database triggers that keep a published version as it was published, whatever code tries to change it.

SQLite drops triggers when a migration rebuilds their table, so they are installed anew after every migrate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from programs.models import ProgramVersion, Rule, RuleCap, Tier, TierCondition, TierRate, UnitTerms

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

# From a part of a version to the version: the column that points up, and the table that it passes on the way.
PARTS: dict[type[Model], tuple[str, type[Model] | None]] = {
    UnitTerms: ("version_id", None),
    Tier: ("version_id", None),
    Rule: ("version_id", None),
    TierCondition: ("tier_id", Tier),
    TierRate: ("rule_id", Rule),
    RuleCap: ("rule_id", Rule),
}
EVENTS = ("insert", "update", "delete")
VERSION = ProgramVersion._meta.db_table
FORGETTABLE = "published_by_id"  # Becomes null when the person is deleted; nothing else ever changes.


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger: ``name`` also begins the text of its refusal; ``condition`` is when it refuses."""

    name: str
    table: str
    event: str
    condition: str


def install(connection: BaseDatabaseWrapper) -> None:
    """Make all triggers, replacing those that are there."""
    make = _make_postgresql if connection.vendor == "postgresql" else _make_sqlite
    with connection.cursor() as cursor:
        for trigger in triggers(connection):
            for statement in (*_drop(connection, trigger), *make(trigger)):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers. Only migrations that must rewrite published terms, and tests, have a reason to."""
    with connection.cursor() as cursor:
        for trigger in triggers(connection):
            for statement in _drop(connection, trigger):
                cursor.execute(statement)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that should be there and are not."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {row[0] for row in cursor.fetchall()}
    return [trigger.name for trigger in triggers(connection) if trigger.name not in present]


def triggers(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """Yield every trigger, in the words of this database."""
    for model, (column, via) in PARTS.items():
        table = model._meta.db_table
        for event in EVENTS:
            rows = {"insert": ["NEW"], "update": ["OLD", "NEW"], "delete": ["OLD"]}[event]
            condition = " OR ".join(_is_published(f"{row}.{column}", via) for row in rows)
            yield Trigger(name=f"{table}_frozen_{event}", table=table, event=event, condition=condition)
    was_published = "OLD.status = 'published'"
    yield Trigger(
        name=f"{VERSION}_frozen_update",
        table=VERSION,
        event="update",
        condition=f"{was_published} AND ({_differs(connection)})",
    )
    yield Trigger(name=f"{VERSION}_frozen_delete", table=VERSION, event="delete", condition=was_published)


def _is_published(pointer: str, via: type[Model] | None) -> str:
    """Return the condition that the version which ``pointer`` leads to is published."""
    if via is not None:
        pointer = f"(SELECT version_id FROM {via._meta.db_table} WHERE id = {pointer})"
    return f"EXISTS (SELECT 1 FROM {VERSION} WHERE id = {pointer} AND status = 'published')"


def _differs(connection: BaseDatabaseWrapper) -> str:
    """Return the condition that an update of a version changes anything but forgets who published it."""
    unlike = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    columns = [field.column for field in ProgramVersion._meta.concrete_fields]
    parts = [f"NEW.{column} {unlike} OLD.{column}" for column in columns if column != FORGETTABLE]
    forgets = f"(NEW.{FORGETTABLE} IS NOT NULL AND NEW.{FORGETTABLE} {unlike} OLD.{FORGETTABLE})"
    return " OR ".join([*parts, forgets])


def _drop(connection: BaseDatabaseWrapper, trigger: Trigger) -> tuple[str, ...]:
    if connection.vendor == "postgresql":
        return (
            f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}",
            f"DROP FUNCTION IF EXISTS {trigger.name}()",
        )
    return (f"DROP TRIGGER IF EXISTS {trigger.name}",)


def _message(trigger: Trigger) -> str:
    return f"{trigger.name}: a published version never changes"


def _make_sqlite(trigger: Trigger) -> tuple[str, ...]:
    return (
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event.upper()} ON {trigger.table} "
        f"WHEN {trigger.condition} BEGIN SELECT RAISE(ABORT, '{_message(trigger)}'); END",
    )


def _make_postgresql(trigger: Trigger) -> tuple[str, ...]:
    row = "OLD" if trigger.event == "delete" else "NEW"
    return (
        f"CREATE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {trigger.condition} THEN "
        f"RAISE EXCEPTION '{_message(trigger)}' USING ERRCODE = 'restrict_violation'; "
        f"END IF; RETURN {row}; END $$",
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event.upper()} ON {trigger.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {trigger.name}()",
    )
