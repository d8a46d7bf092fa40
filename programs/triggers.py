"""Database triggers that keep a published version as it was published, whatever code tries to change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accounts import triggers as database_triggers
from accounts.triggers import Trigger
from programs.models import (
    EventType,
    ProgramVersion,
    Reward,
    RewardClause,
    RewardLimit,
    RewardTier,
    Rule,
    RuleCap,
    RuleClause,
    RuleGroup,
    RuleLineRate,
    Tier,
    TierBenefit,
    TierCondition,
    TierExpiry,
    TierRate,
    UnitTerms,
)

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

# From a part of a version to the version: each column that points up, and the table that it passes on the way.
PARTS: dict[type[Model], dict[str, type[Model] | None]] = {
    UnitTerms: {"version_id": None},
    Tier: {"version_id": None},
    EventType: {"version_id": None},
    RuleGroup: {"version_id": None},
    Rule: {"version_id": None},
    TierExpiry: {"unit_terms_id": UnitTerms},
    TierCondition: {"tier_id": Tier},
    TierBenefit: {"tier_id": Tier},
    TierRate: {"rule_id": Rule},
    RuleCap: {"rule_id": Rule, "group_id": RuleGroup},
    RuleClause: {"rule_id": Rule},
    RuleLineRate: {"rule_id": Rule},
    Reward: {"version_id": None},
    RewardTier: {"reward_id": Reward},
    RewardLimit: {"reward_id": Reward},
    RewardClause: {"reward_id": Reward},
}
EVENTS = ("insert", "update", "delete")
VERSION = ProgramVersion._meta.db_table
BECAUSE = "a published version never changes"
FORGETTABLE = "published_by_id"  # Becomes null when the person is deleted; nothing else ever changes.


def install(connection: BaseDatabaseWrapper) -> None:
    """Make all triggers, replacing those that are there."""
    database_triggers.install(connection, triggers(connection))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers. Only migrations that must rewrite published terms, and tests, have a reason to."""
    database_triggers.remove(connection, triggers(connection))


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that should be there and are not."""
    return database_triggers.missing(connection, triggers(connection))


def triggers(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """Yield every trigger, in the words of this database."""
    for model, pointers in PARTS.items():
        table = model._meta.db_table
        for event in EVENTS:
            rows = {"insert": ["NEW"], "update": ["OLD", "NEW"], "delete": ["OLD"]}[event]
            condition = " OR ".join(
                _is_published(f"{row}.{column}", via) for row in rows for column, via in pointers.items()
            )
            yield Trigger(
                name=f"{table}_frozen_{event}", table=table, event=event, condition=condition, because=BECAUSE
            )
    was_published = "OLD.status = 'published'"
    yield Trigger(
        name=f"{VERSION}_frozen_update",
        table=VERSION,
        event="update",
        condition=f"{was_published} AND ({_differs(connection)})",
        because=BECAUSE,
    )
    yield Trigger(
        name=f"{VERSION}_frozen_delete", table=VERSION, event="delete", condition=was_published, because=BECAUSE
    )


def _is_published(pointer: str, via: type[Model] | None) -> str:
    """Return the condition that the version which ``pointer`` leads to is published."""
    if via is not None:
        pointer = f"(SELECT version_id FROM {via._meta.db_table} WHERE id = {pointer})"  # noqa: S608 -- our own names
    return f"EXISTS (SELECT 1 FROM {VERSION} WHERE id = {pointer} AND status = 'published')"  # noqa: S608 -- same


def _differs(connection: BaseDatabaseWrapper) -> str:
    """Return the condition that an update of a version changes anything but forgets who published it."""
    unlike = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    columns = [field.column for field in ProgramVersion._meta.concrete_fields]
    parts = [f"NEW.{column} {unlike} OLD.{column}" for column in columns if column != FORGETTABLE]
    forgets = f"(NEW.{FORGETTABLE} IS NOT NULL AND NEW.{FORGETTABLE} {unlike} OLD.{FORGETTABLE})"
    return " OR ".join([*parts, forgets])
