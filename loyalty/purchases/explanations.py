"""Why an activity gave what it gave: the kept facts as text, in the language in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from loyalty.purchases import obstacles
from loyalty.purchases.models import Award, Judgement
from programs.engine.terms import RATE_SCALE, Terms
from programs.models import Program, Unit
from programs.terms import terms_of

THOUSANDTHS = 3  # Digits of a quantity.

WINDOWS: dict[str, Callable[[], str]] = {
    "purchase": lambda: _("in one purchase"),
    "day": lambda: _("in one day"),
    "week": lambda: _("in one week"),
    "month": lambda: _("in one month"),
    "quarter": lambda: _("in one quarter"),
    "year": lambda: _("in one year"),
    "program_year": lambda: _("in one year of the program"),
    "lifetime": lambda: _("in all"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation. ``units`` in smallest steps, signed; ``cut_by`` names the window of what cut it."""

    rule: str
    name: str
    fired: bool
    text: str
    unit: Unit
    units: int
    cut_by: str | None = None


def explain(
    judgement: Judgement,
    *,
    program: Program,
    units: Mapping[str, Unit],
    awards: Iterable[Award] = (),
    terms: Terms | None = None,
) -> list[Reason]:
    """Return why each rule of the version gave or did not give; ``units`` are the program's, by code.

    Of a return: what it took back, by rule, from its ``awards``. ``terms`` are those that it was judged by, if they
    are not a published version's.
    """
    if "purchase" in judgement.facts:
        return _taken_back(judgement, awards, program=program)
    teller = _Teller(judgement, program=program, units=units, terms=terms)
    return [teller.reason(finding) for finding in teller.findings]


def explain_award(award: Award, *, judgement: Judgement | None, program: Program) -> str:
    """Return the reason of one award in words."""
    if judgement is None or "purchase" in judgement.facts:
        return _change(award)
    teller = _Teller(judgement, program=program, units={award.unit.code: award.unit})
    return next((teller.text(one, award.unit) for one in teller.findings if one["rule"] == award.rule), "")


def counted_towards_tier(judgement: Judgement) -> int:
    """Return the spend, in minor units, that the activity added to the member's tier credit."""
    spend: Iterable[int] = judgement.facts.get("credit", {}).get("spend", {}).values()
    return sum(spend)


# --- Returns ---------------------------------------------------------------------------------------------------


def _taken_back(judgement: Judgement, awards: Iterable[Award], *, program: Program) -> list[Reason]:
    """Return what a return took back by rule; with the last one of a unit what became of units no longer there."""
    names = {rule.code: rule.name for rule in terms_of(judgement.version_id).rules}
    shown = list(awards)
    last = {award.unit_id: award for award in shown}
    return [
        Reason(
            rule=award.rule,
            name=names.get(award.rule, award.rule),
            fired=True,
            text=_change(award) + (_not_there(judgement, award.unit, program) if award is last[award.unit_id] else ""),
            unit=award.unit,
            units=award.amount,
        )
        for award in shown
    ]


def _change(award: Award) -> str:
    return _("Taken back with the return") if award.amount < 0 else _("Given: what is left earns more")


def _not_there(judgement: Judgement, unit: Unit, program: Program) -> str:
    waived = judgement.facts.get("waived", {}).get(unit.code, 0)
    owed = judgement.facts.get("remembered", {}).get(unit.code, 0)
    text = ""
    if waived:
        units = formats.units(unit, waived, currency=program.currency)
        text += _("; not taken, because expired or waived: %(units)s") % {"units": units}
    if owed:
        units = formats.units(unit, owed, currency=program.currency)
        text += _("; spent before, so taken out of the next ones: %(units)s") % {"units": units}
    return text


# --- What was given, and what not --------------------------------------------------------------------------------


class _Teller:
    """Tells the findings of one judgement."""

    def __init__(
        self, judgement: Judgement, *, program: Program, units: Mapping[str, Unit], terms: Terms | None = None
    ) -> None:
        self.judgement = judgement
        self.known_terms = terms
        self.currency = program.currency
        self.units = units
        self.findings: Sequence[Mapping[str, Any]] = judgement.facts.get("findings", ())

    @property
    def terms(self) -> Terms:
        """The terms it was judged by; read only where a condition is to be named."""
        return self.known_terms or terms_of(self.judgement.version_id)

    def reason(self, finding: Mapping[str, Any]) -> Reason:
        """Return one rule's line."""
        unit = self.units[finding["unit"]]
        return Reason(
            rule=finding.get("rule", ""),  # A draft's rule may have no code yet.
            name=finding.get("name", ""),
            fired=finding["units"] > 0,
            text=self.text(finding, unit),
            unit=unit,
            units=finding["units"],
            cut_by=finding.get("cut_by"),
        )

    def text(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return the sum that can be checked by head, or what was in the way."""
        reason = finding["reason"]
        if reason in OBSTACLES:
            return OBSTACLES[reason](self, finding)
        if reason == "limit_used":
            return self._limit_used(finding, unit)
        calculation = self._calculation(finding, unit)
        if reason == "rounded_away":
            return _("%(calculation)s: less than the smallest step") % {"calculation": calculation}
        return self._cut(calculation, finding, unit) if reason == "cut" else calculation

    def not_met(self, finding: Mapping[str, Any]) -> str:
        """Return which condition did not hold."""
        return obstacles.not_met(
            finding.get("clause", ""), rule=finding["rule"], terms=self.terms, currency=self.currency
        )

    def no_lines(self, finding: Mapping[str, Any]) -> str:
        """Return what no line of the purchase was."""
        return obstacles.no_lines(rule=finding["rule"], terms=self.terms)

    def nothing(self, finding: Mapping[str, Any]) -> str:
        """Return what there was none of."""
        if not finding["rate"]:
            return _("It gives nothing in this tier")
        if finding["effect"] == "bonus":
            return _("There is nothing to add to")
        if finding["effect"] in PIECES:
            return _("The purchase has no pieces that count")
        return _("The purchase has no amount that earns")

    # --- Limits --------------------------------------------------------------------------------------------------

    def _limit_used(self, finding: Mapping[str, Any], unit: Unit) -> str:
        if finding.get("cap_scope") == "program":
            return _("The program's budget of %(limit)s %(window)s is used up") % self._limit(finding, unit)
        return _("The limit of %(limit)s %(window)s is used up") % self._limit(finding, unit)

    def _cut(self, calculation: str, finding: Mapping[str, Any], unit: Unit) -> str:
        told = {"calculation": calculation, **self._limit(finding, unit)}
        if finding.get("cap_scope") == "program":
            return _("%(calculation)s; the program's budget of %(limit)s %(window)s cut the rest") % told
        return _("%(calculation)s; the limit of %(limit)s %(window)s cut the rest") % told

    def _limit(self, finding: Mapping[str, Any], unit: Unit) -> dict[str, str]:
        limit, counts = finding["limit"], finding.get("cap_counts", "amount")
        if counts == "units":
            written = formats.units(unit, limit, currency=self.currency)
        elif counts == "times":
            written = ngettext("%(count)d time", "%(count)d times", limit) % {"count": limit}
        else:
            written = formats.money(limit, self.currency, drop_cents=True)
        return {"limit": written, "window": WINDOWS[finding["cut_by"]]()}

    # --- Sums ----------------------------------------------------------------------------------------------------

    def _calculation(self, finding: Mapping[str, Any], unit: Unit) -> str:
        return SUMS.get(finding["effect"], _Teller.per_amount)(self, finding, unit)

    def per_amount(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return an amount times a rate."""
        rate, (amount, counted) = _rate(finding["rate"]), self._counted(finding)
        product = _("%(amount)s × %(rate)s") % {"amount": amount, "rate": formats.rate(rate)}
        return self._rounded(product, counted * rate, finding, unit, at_several=amount)

    def percent(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return a share of an amount."""
        rate, (amount, counted) = _rate(finding["rate"]), self._counted(finding)
        product = _("%(rate)s of %(amount)s") % {"rate": _share(rate), "amount": amount}
        return self._rounded(product, counted * rate / 100, finding, unit, at_several=amount)

    def multiplier(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return an amount times another rule's rate, so many times."""
        rules = {rule.code: rule for rule in self.terms.rules}
        of, own = rules[finding["of"]], rules[finding["rule"]]
        times, (amount, counted) = _rate(finding["rate"]), self._counted(finding)
        rate = _rate(of.rate_for(self.judgement.tier) if own.of_tier_rate else of.rate)
        if of.effect == "percent":
            told = {"rate": _share(rate), "amount": amount, "times": formats.rate(times)}
            product = _("%(rate)s of %(amount)s × %(times)s") % told
            return self._rounded(product, counted * rate * times / 100, finding, unit, at_several=amount)
        told = {"rate": formats.rate(rate), "amount": amount, "times": formats.rate(times)}
        product = _("%(amount)s × %(rate)s × %(times)s") % told
        return self._rounded(product, counted * rate * times, finding, unit, at_several=amount)

    def _counted(self, finding: Mapping[str, Any]) -> tuple[str, Decimal]:
        counted = finding["counted"]
        return formats.money(counted, self.currency), Decimal(counted).scaleb(-formats.minor_digits(self.currency))

    def bonus(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return a share of what another rule gave."""
        rate = _rate(finding["rate"])
        base = next((one["units"] for one in self.findings if one["rule"] == finding.get("of")), 0)
        given = formats.units(unit, base, currency=self.currency)
        product = _("%(rate)s of %(amount)s") % {"rate": _share(rate), "amount": given}
        return self._rounded(product, formats.steps(unit, base) * rate / 100, finding, unit, at_several=given)

    def fixed(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return what is given whatever the amount."""
        steps = int(_rate(finding["rate"]).scaleb(unit.precision))
        return _("Fixed award of %(units)s") % {"units": formats.units(unit, steps, currency=self.currency)}

    def pieces(self, finding: Mapping[str, Any], unit: Unit) -> str:
        """Return pieces times a rate."""
        rate = _rate(finding["rate"])
        pieces = Decimal(finding.get("pieces") or 0).scaleb(-THOUSANDTHS)
        quantity = formats.rate(pieces)
        product = _("Quantity %(quantity)s × %(rate)s") % {"quantity": quantity, "rate": formats.rate(rate)}
        return self._rounded(product, pieces * rate, finding, unit, at_several=quantity)

    def _rounded(self, product: str, exact: Decimal, finding: Mapping[str, Any], unit: Unit, *, at_several: str) -> str:
        """Return the product, and what it comes to where that is not what was given."""
        steps = exact.scaleb(unit.precision)
        is_cut = finding["reason"] == "cut" and finding.get("cap_counts", "amount") != "amount"
        if not is_cut and int(steps) != finding["units"]:
            return _("%(amount)s at the rates of its lines") % {"amount": at_several}
        if steps == int(steps):
            return product
        return _("%(product)s = %(exact)s, rounded down") % {"product": product, "exact": formats.rate(exact)}


PIECES = frozenset({"per_item", "stamp"})
SUMS: Mapping[str, Callable[[_Teller, Mapping[str, Any], Unit], str]] = {
    "percent": _Teller.percent,
    "multiplier": _Teller.multiplier,
    "bonus": _Teller.bonus,
    "fixed": _Teller.fixed,
    "per_item": _Teller.pieces,
    "stamp": _Teller.pieces,
}
OBSTACLES: Mapping[str, Callable[[_Teller, Mapping[str, Any]], str]] = {
    "nothing": _Teller.nothing,
    "not_met": _Teller.not_met,
    "no_lines": _Teller.no_lines,
    "beaten": lambda _teller, _finding: _("Another rule gave more"),
    "taken": lambda _teller, _finding: _("The rules before it counted all of it"),
}


def _rate(scaled: int) -> Decimal:
    return Decimal(scaled) / RATE_SCALE


def _share(rate: Decimal) -> str:
    exponent = rate.normalize().as_tuple().exponent
    return formats.percent(rate / 100, decimals=max(0, -int(exponent)))
