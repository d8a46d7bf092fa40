"""Which parts of a rule fit its trigger and its effect: one table, by which the server clears and the page hides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from programs.faults.conditions import PURCHASE_KINDS
from programs.faults.rules import BY_LINE, OF_ANOTHER
from programs.models import ClauseKind, Rule, RuleCap

Effect, Trigger = Rule.Effect, Rule.Trigger
OF_UNITS = [Effect.FIXED.value, Effect.BONUS.value]
WITHOUT_AMOUNT = [RuleCap.Counts.UNITS.value, RuleCap.Counts.TIMES.value]
OF_ANYTHING = [kind for kind in ClauseKind.values if kind not in PURCHASE_KINDS]

FIELDS: Mapping[str, Mapping[str, list[str]]] = {
    "event": {"trigger": [Trigger.EVENT.value]},
    "of": {"effect": [effect.value for effect in OF_ANOTHER]},
    "of_tier_rate": {"effect": [Effect.MULTIPLIER.value]},
    "pieces": {"effect": [Effect.PER_ITEM.value]},
    "line_rates": {"trigger": [Trigger.PURCHASE.value], "effect": [effect.value for effect in BY_LINE]},
}
"""By field, or list of rows: the values that trigger and effect must have for it; what is not named fits always."""

CHOICES: Mapping[str, Mapping[str, list[str]]] = {
    "effect": dict.fromkeys((Trigger.EVENT.value, Trigger.ENROLMENT.value), OF_UNITS),
    "kind": dict.fromkeys((Trigger.EVENT.value, Trigger.ENROLMENT.value), OF_ANYTHING),
    "counts": dict.fromkeys((Trigger.EVENT.value, Trigger.ENROLMENT.value), WITHOUT_AMOUNT),
}
"""By field and trigger: the choices that fit; every choice where the trigger is not named."""


def fits(field: str, *, trigger: str, effect: str) -> bool:
    """Return whether a field, or a list of rows, has a meaning for a rule of this trigger and effect."""
    chosen = {"trigger": trigger, "effect": effect}
    return all(chosen[name] in values for name, values in FIELDS.get(field, {}).items())


def choice_fits(field: str, value: str, *, trigger: str) -> bool:
    """Return whether a choice has a meaning for a rule of this trigger."""
    return value in CHOICES[field].get(trigger, [value])


def table() -> dict[str, Any]:
    """Return the table as the page reads it."""
    return {"fields": FIELDS, "choices": CHOICES}
