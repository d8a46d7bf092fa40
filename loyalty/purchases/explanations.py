"""Why an activity gave what it gave: the kept facts as text, in the language in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts import formats
from loyalty.purchases.models import Award, Judgement
from programs.engine.terms import RATE_SCALE
from programs.models import Program, Unit

WINDOWS: dict[str, Callable[[], str]] = {
    "purchase": lambda: _("one purchase"),
    "day": lambda: _("one day"),
    "month": lambda: _("one month"),
    "year": lambda: _("one year"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation. ``units`` in smallest steps, signed; ``cut_by`` names the limit that cut."""

    rule: str
    name: str
    fired: bool
    text: str
    unit: Unit
    units: int
    cut_by: str | None = None


def explain(judgement: Judgement, *, program: Program, units: Mapping[str, Unit]) -> list[Reason]:
    """Return why each rule of the version gave or did not give; ``units`` are the program's, by code."""
    return [
        Reason(
            rule=finding["rule"],
            name=finding["name"],
            fired=finding["units"] > 0,
            text=_text(finding, program=program, precision=units[finding["unit"]].precision),
            unit=units[finding["unit"]],
            units=finding["units"],
            cut_by=finding["cut_by"],
        )
        for finding in judgement.facts.get("findings", ())
    ]


def explain_award(award: Award, *, judgement: Judgement | None, program: Program) -> str:
    """Return the reason of one award in words."""
    if award.amount < 0:
        return _("Taken back with the return")
    findings = judgement.facts.get("findings", ()) if judgement is not None else ()
    precision = award.unit.precision
    return next((_text(f, program=program, precision=precision) for f in findings if f["rule"] == award.rule), "")


def counted_towards_tier(judgement: Judgement) -> int:
    """Return the spend, in minor units, that the activity added to the member's tier credit."""
    spend: Iterable[int] = judgement.facts.get("credit", {}).get("spend", {}).values()
    return sum(spend)


def _text(finding: Mapping[str, Any], *, program: Program, precision: int) -> str:
    """Return the sum that can be checked by head, or what was in the way."""
    reason = finding["reason"]
    if reason == "nothing":
        return _("The purchase has no amount that earns")
    window = finding["cut_by"]
    limit = formats.money(finding["limit"], program.currency, drop_cents=True) if window else ""
    if reason == "limit_used":
        return _("The limit of %(limit)s in %(window)s is used up") % {"limit": limit, "window": WINDOWS[window]()}
    calculation = _calculation(finding, program=program, precision=precision)
    if reason == "rounded_away":
        return _("%(calculation)s: less than the smallest step") % {"calculation": calculation}
    if reason == "cut":
        return _("%(calculation)s; the limit of %(limit)s in %(window)s cut the rest") % {
            "calculation": calculation,
            "limit": limit,
            "window": WINDOWS[window](),
        }
    return calculation


def _calculation(finding: Mapping[str, Any], *, program: Program, precision: int) -> str:
    counted = Decimal(finding["counted"]).scaleb(-formats.minor_digits(program.currency))
    amount = formats.money(finding["counted"], program.currency)
    rate = Decimal(finding["rate"]) / RATE_SCALE
    if finding["effect"] == "percent":
        exact = counted * rate / 100
        share = formats.percent(rate / 100, decimals=_places(rate))
        product = _("%(rate)s of %(amount)s") % {"rate": share, "amount": amount}
    else:
        exact = counted * rate
        product = _("%(amount)s × %(rate)s") % {"amount": amount, "rate": formats.rate(rate)}
    if exact == Decimal(finding["units"]).scaleb(-precision):
        return product
    return _("%(product)s = %(exact)s, rounded down") % {"product": product, "exact": formats.rate(exact)}


def _places(rate: Decimal) -> int:
    exponent = rate.normalize().as_tuple().exponent
    return max(0, -int(exponent))
