"""What one of the currency gives: said only where it is so for every purchase of the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts import formats
from loyalty.engagement.members import Visit
from programs.engine.terms import RATE_SCALE, Rule

PROPORTIONAL = frozenset({"per_amount", "percent"})


@dataclass(frozen=True, slots=True)
class Rate:
    """What one of the currency gives: ``$1`` gives ``1.25 points``, or so many percent back."""

    given: str
    each: str = ""
    tier: str = ""


def rate(visit: Visit) -> Rate | None:
    """Return the rate that holds for every purchase of the member today; None where none does."""
    rule = _standing_rule(visit)
    return _written(visit, rule, visit.view.tier.code if visit.view.tier else "") if rule is not None else None


def rate_above(visit: Visit) -> Rate | None:
    """Return the rate of the next tier, named; None where it is the same."""
    rule, held, following = _standing_rule(visit), visit.view.tier, visit.view.next_tier
    if rule is None or held is None or following is None or rule.rate_for(following.code) == rule.rate_for(held.code):
        return None
    return _written(visit, rule, following.code, named=following.name)


def _standing_rule(visit: Visit) -> Rule | None:
    """Return the one rule that gives the card's unit for a purchase today, if it counts each of its cents alike."""
    rules = [
        rule
        for rule in visit.view.terms.rules
        if rule.unit == visit.unit.code and rule.trigger == "purchase" and _runs_on(rule, visit.at.date())
    ]
    if len(rules) != 1 or rules[0].effect not in PROPORTIONAL:
        return None
    rule = rules[0]
    group = visit.view.terms.groups.get(rule.group)
    is_bound = rule.clauses or rule.line_rates or rule.caps or (group is not None and group.caps)
    return None if is_bound else rule


def _runs_on(rule: Rule, day: date) -> bool:
    """Whether the rule's dates let it judge purchases of a day."""
    for clause in rule.clauses:
        if clause.kind != "dates":
            continue
        least, most = clause.least or day.toordinal(), clause.most or day.toordinal()
        if (least <= day.toordinal() <= most) == clause.negated:
            return False
    return True


def _written(visit: Visit, rule: Rule, tier: str, *, named: str = "") -> Rate:
    value = Decimal(rule.rate_for(tier)) / RATE_SCALE
    if rule.effect == "percent":
        return Rate(given=formats.percent(value / 100, decimals=_decimals(value)), tier=named)
    one = formats.money(10**visit.view.terms.digits, visit.membership.program.currency, drop_cents=True)
    units = f"{formats.rate(value)}{formats.NO_BREAK}{formats.unit_name(visit.unit, value)}"
    return Rate(given=units, each=one, tier=named)


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
