"""What one purchase, event or joining earns: the rules of a version, one after another, each with its explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from programs.engine.baskets import Basket, basket_of, basket_of_event, earning_amount
from programs.engine.clauses import Context, failing, moment_of
from programs.engine.limits import budget_keys
from programs.engine.plans import plan_of
from programs.engine.stacking import Finding, Judging
from programs.engine.terms import RATE_SCALE, Terms

__all__ = [
    "Award",
    "Basket",
    "Context",
    "Evaluation",
    "Finding",
    "barred",
    "basket_of",
    "basket_of_event",
    "budget_keys",
    "earning_amount",
    "evaluate",
    "units_for",
]


@dataclass(frozen=True, slots=True)
class Award:
    """What one rule gave, in smallest steps of the unit."""

    rule: str
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome for one activity. ``found`` and ``consumed`` are counters of limits, by their key."""

    awards: tuple[Award, ...]
    findings: tuple[Finding, ...]
    found: Mapping[str, int]
    consumed: Mapping[str, int]


def barred(*, terms: Terms, basket: Basket, context: Context) -> dict[str, str]:
    """Return the rules whose standing conditions do not hold, each with the kind of the first that does not.

    It is kept with the judgement, so that a return is judged alike without what is known of the member.
    """
    moment = moment_of(terms=terms, basket=basket, context=context)
    return {
        planned.rule.code: kind
        for planned in plan_of(terms, basket.trigger, basket.event).rules
        if planned.standing and (kind := failing(planned.standing, moment)) is not None
    }


def evaluate(
    *, terms: Terms, basket: Basket, tier: str, barred: Mapping[str, str], counters: Mapping[str, int]
) -> Evaluation:
    """Return what a basket earns for a member of ``tier``; each award is rounded down once.

    Rules for other triggers are not spoken of. Awards and findings come in the rules' order.
    """
    plan = plan_of(terms, basket.trigger, basket.event)
    judging = Judging(terms=terms, basket=basket, tier=tier, barred=barred, counters=counters)
    for planned in plan.rules:
        if planned.rule.code not in barred:
            judging.usage.note(planned.limits)
    for slot in plan.slots:
        judging.judge(slot)
    findings = tuple(judging.findings[planned.place] for planned in plan.rules)
    return Evaluation(
        awards=tuple(Award(one.rule, one.unit, one.units) for one in findings if one.fired),
        findings=findings,
        found=judging.usage.found,
        consumed=judging.usage.consumed,
    )


def units_for(*, amount: int, rate: int, effect: str, digits: int, precision: int) -> int:
    """Return the smallest steps of the unit that an amount in minor units is worth, rounded down."""
    scale = 10**digits * RATE_SCALE * (100 if effect == "percent" else 1)
    return int(amount * rate * 10**precision // scale)
