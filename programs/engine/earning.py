"""What one purchase earns: the rules of a version, one after another, each with its explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from programs.engine.dates import window_start
from programs.engine.terms import RATE_SCALE, Cap, Rule, Terms


@dataclass(frozen=True, slots=True)
class Award:
    """What one rule gave, in smallest steps of the unit."""

    rule: str
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a rule gave what it gave. ``reason`` is a code; amounts in minor units, rate in ten-thousandths.

    Reasons: earned, cut (a limit let only ``counted`` of ``amount`` through), limit_used (nothing was left),
    nothing (the purchase has no amount that earns), rounded_away (less than one smallest step).
    """

    rule: str
    name: str
    unit: str
    effect: str
    reason: str
    amount: int
    counted: int
    rate: int
    units: int
    cut_by: str | None = None
    limit: int | None = None

    @property
    def fired(self) -> bool:
        """Whether the rule gave anything."""
        return self.units > 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome for one purchase. ``found`` and ``consumed`` are counters of limits, by their key."""

    awards: tuple[Award, ...]
    findings: tuple[Finding, ...]
    found: Mapping[str, int]
    consumed: Mapping[str, int]


def evaluate(*, terms: Terms, amount: int, occurred_at: datetime, tier: str, counters: Mapping[str, int]) -> Evaluation:
    """Return what ``amount`` minor units earn for a member of ``tier``; each award is rounded down once."""
    assert amount >= 0, amount
    found: dict[str, int] = {}
    consumed: dict[str, int] = {}
    findings: list[Finding] = []
    for rule in terms.rules:
        counted, cutter = _counted(rule, amount, occurred_at, counters, found, terms)
        rate = rule.rate_for(tier)
        units = units_for(amount=counted, rate=rate, effect=rule.effect, digits=terms.digits, precision=_p(rule, terms))
        for cap in rule.caps:
            if cap.window != "purchase" and counted:
                key = counter_key(rule, cap, occurred_at, terms)
                consumed[key] = counted
        findings.append(
            Finding(
                rule=rule.code,
                name=rule.name,
                unit=rule.unit,
                effect=rule.effect,
                reason=_reason(amount=amount, counted=counted, units=units),
                amount=amount,
                counted=counted,
                rate=rate,
                units=units,
                cut_by=cutter.window if cutter else None,
                limit=cutter.amount if cutter else None,
            )
        )
    awards = tuple(Award(f.rule, f.unit, f.units) for f in findings if f.fired)
    return Evaluation(awards=awards, findings=tuple(findings), found=found, consumed=consumed)


def earning_amount(*, terms: Terms, total: int, tax: int, returned: int = 0) -> int:
    """Return what earns of a total after some was returned: without its share of tax, where tax does not."""
    left = total - returned
    if terms.tax_earns or not total:
        return left
    return left - (2 * tax * left + total) // (2 * total)


def units_for(*, amount: int, rate: int, effect: str, digits: int, precision: int) -> int:
    """Return the smallest steps of the unit that an amount in minor units is worth, rounded down."""
    scale = 10**digits * RATE_SCALE * (100 if effect == "percent" else 1)
    return int(amount * rate * 10**precision // scale)


def counter_key(rule: Rule, cap: Cap, occurred_at: datetime, terms: Terms) -> str:
    """Return the key under which a member's use of a limit is counted."""
    return f"{rule.code}|{cap.window}|{window_start(occurred_at, cap.window, terms.zone)}"


def _counted(
    rule: Rule,
    amount: int,
    occurred_at: datetime,
    counters: Mapping[str, int],
    found: dict[str, int],
    terms: Terms,
) -> tuple[int, Cap | None]:
    """Return how much of the amount the rule's limits let through, and the limit that cut last."""
    counted, cutter = amount, None
    for cap in rule.caps:
        left = cap.amount
        if cap.window != "purchase":
            key = counter_key(rule, cap, occurred_at, terms)
            found[key] = counters.get(key, 0)
            left = max(0, cap.amount - found[key])
        if left < counted:
            counted, cutter = left, cap
    return counted, cutter


def _reason(*, amount: int, counted: int, units: int) -> str:
    if amount == 0:
        return "nothing"
    if counted == 0:
        return "limit_used"
    if units == 0:
        return "rounded_away"
    return "cut" if counted < amount else "earned"


def _p(rule: Rule, terms: Terms) -> int:
    return terms.units[rule.unit].precision
