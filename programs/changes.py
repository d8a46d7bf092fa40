"""What a draft changes against the version before it, in words: for whoever approves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from programs.content import CapContent, ConditionContent, Content, RuleContent, TierContent, UnitContent
from programs.models import Program, ProgramVersion, Rule, RuleCap, TierCondition, Unit, UnitTerms


class Kind(StrEnum):
    """How a part differs."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the comparison; ``before`` is empty for what is new, ``after`` for what goes."""

    kind: Kind
    what: str
    detail: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Words:
    """Says the values of one program's terms: its currency, its units, the names of tiers by code."""

    currency: str
    units: Mapping[str, Unit]
    tiers: Mapping[str, str]

    def amount(self, value: Decimal) -> str:
        """An amount of purchases, as money."""
        minor = value.scaleb(get_currency_precision(self.currency))
        if minor != minor.to_integral_value():
            return f"{formats.rate(value)}{formats.NO_BREAK}{self.currency}"
        return formats.money(int(minor), self.currency)

    def rate(self, rule: RuleContent, value: Decimal) -> str:
        """What a rule gives at this rate."""
        if rule.effect == Rule.Effect.PERCENT:
            return f"{formats.rate(value)}{formats.NO_BREAK}%"
        unit = self.units.get(rule.unit)
        name = formats.unit_name(unit, value.normalize()) if unit else rule.unit
        return _("%(rate)s %(unit)s for each %(one)s") % {
            "rate": formats.rate(value),
            "unit": name,
            "one": self.amount(Decimal(1)),
        }

    def unit(self, code: str) -> str:
        """The name of many of a unit."""
        return self.units[code].name_plural if code in self.units else code


def compare(before: Content | None, after: Content, *, program: Program) -> list[Change]:
    """Return what differs, general terms first, then units, the ladder from below, and the rules in order."""
    tiers = {tier.code: tier.name for terms in (before, after) if terms for tier in terms.tiers}
    units = {unit.code: unit for unit in program.units.all()}
    words = Words(currency=program.currency, units=units, tiers=tiers)
    return list(_compare(before, after, words))


def _compare(before: Content | None, after: Content, words: Words) -> Iterator[Change]:
    old = before or Content(tax_earns=after.tax_earns, tier_validity=after.tier_validity)
    if old.tax_earns != after.tax_earns:
        yield Change(Kind.CHANGED, _("Tax"), "", _tax(old.tax_earns), _tax(after.tax_earns))
    if old.tier_validity != after.tier_validity:
        labels = dict(ProgramVersion.TierValidity.choices)
        was, becomes = str(labels[old.tier_validity]), str(labels[after.tier_validity])
        yield Change(Kind.CHANGED, _("A tier is held"), "", was, becomes)
    yield from _units(old.units, after.units, words)
    yield from _tiers(old.tiers, after.tiers, words)
    yield from _rules(old.rules, after.rules, words)


def _tax(earns: bool) -> str:
    return _("earns") if earns else _("does not earn")


def _units(old: tuple[UnitContent, ...], new: tuple[UnitContent, ...], words: Words) -> Iterator[Change]:
    was, becomes = {unit.unit: unit for unit in old}, {unit.unit: unit for unit in new}
    for code in (*was, *(code for code in becomes if code not in was)):
        yield from _differences(
            _("Unit %(unit)s") % {"unit": words.unit(code)},
            _unit_lines(was[code]) if code in was else None,
            _unit_lines(becomes[code]) if code in becomes else None,
        )


def _unit_lines(unit: UnitContent) -> dict[str, str]:
    return {_("Expires"): _expiry(unit), _("Can be spent"): _pending(unit.pending_days)}


def _expiry(unit: UnitContent) -> str:
    months = unit.expiry_months or 0
    if unit.expiry == UnitTerms.Expiry.ROLLING:
        return ngettext("%(count)d month after it was earned", "%(count)d months after it was earned", months) % {
            "count": months
        }
    if unit.expiry == UnitTerms.Expiry.INACTIVITY:
        return ngettext("after %(count)d month without activity", "after %(count)d months without activity", months) % {
            "count": months
        }
    return _("never")


def _pending(days: int) -> str:
    return ngettext("after %(count)d day", "after %(count)d days", days) % {"count": days} if days else _("at once")


def _tiers(old: tuple[TierContent, ...], new: tuple[TierContent, ...], words: Words) -> Iterator[Change]:
    was, becomes = {tier.code: tier for tier in old}, {tier.code: tier for tier in new}
    for code in (*was, *(code for code in becomes if code not in was)):
        tier = becomes.get(code) or was[code]
        yield from _differences(
            _("Tier %(tier)s") % {"tier": tier.name},
            _tier_lines(was[code], words) if code in was else None,
            _tier_lines(becomes[code], words) if code in becomes else None,
        )


def _tier_lines(tier: TierContent, words: Words) -> dict[str, str]:
    lines = {_("Name"): tier.name, _("Place from below"): str(tier.rank)}
    return lines | {condition_name(given): words.amount(given.threshold) for given in tier.conditions}


def condition_name(condition: ConditionContent) -> str:
    """Return what a condition measures: “Spend in a calendar year, at least”."""
    measures, windows = dict(TierCondition.Measure.choices), dict(TierCondition.Window.choices)
    return _("%(measure)s in a %(window)s, at least") % {
        "measure": measures[condition.measure],
        "window": str(windows[condition.window]).lower(),
    }


def _rules(old: tuple[RuleContent, ...], new: tuple[RuleContent, ...], words: Words) -> Iterator[Change]:
    was, becomes = {rule.code: rule for rule in old}, {rule.code: rule for rule in new}
    for code in (*was, *(code for code in becomes if code not in was)):
        rule = becomes.get(code) or was[code]
        yield from _differences(
            _("Rule %(rule)s") % {"rule": rule.name},
            _rule_lines(was[code], words) if code in was else None,
            _rule_lines(becomes[code], words) if code in becomes else None,
        )


def _rule_lines(rule: RuleContent, words: Words) -> dict[str, str]:
    lines = {
        _("Name"): rule.name,
        _("Order"): str(rule.position),
        _("Gives"): words.unit(rule.unit),
        _("Rate"): words.rate(rule, rule.rate),
    }
    for given in rule.tier_rates:
        lines[_("Rate for tier %(tier)s") % {"tier": words.tiers[given.tier]}] = words.rate(rule, given.rate)
    return lines | {_cap_name(cap): words.amount(cap.amount) for cap in rule.caps}


def _cap_name(cap: CapContent) -> str:
    return _("Counts at most, %(window)s") % {"window": str(dict(RuleCap.Window.choices)[cap.window]).lower()}


def _differences(what: str, old: dict[str, str] | None, new: dict[str, str] | None) -> Iterator[Change]:
    """Yield one line for a part that is new or goes, else one for each of its lines that differs."""
    if old is None:
        yield Change(Kind.ADDED, what, "", "", _together(new or {}))
    elif new is None:
        yield Change(Kind.REMOVED, what, "", _together(old), "")
    else:
        for name in (*old, *(name for name in new if name not in old)):
            if old.get(name) != new.get(name):
                yield Change(_kind(name in old, name in new), what, name, old.get(name, ""), new.get(name, ""))


def _kind(was: bool, is_there: bool) -> Kind:
    if was and is_there:
        return Kind.CHANGED
    return Kind.ADDED if is_there else Kind.REMOVED


def _together(lines: dict[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in lines.items())
