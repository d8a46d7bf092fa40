"""Says what a tier asks for and brings, and the switches of the ladder."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from accounts import formats
from programs.changes.words import Lines, Words, months
from programs.content import ConditionContent, Content, TierContent, TrialContent
from programs.models import ProgramVersion, TierBenefit, TierCondition

Measure, Window = TierCondition.Measure, TierCondition.Window


def tier_lines(tier: TierContent, words: Words) -> Lines:
    """Return all that is said of a tier."""
    lines = {_("Name"): tier.name, _("Place from below"): str(tier.rank)}
    if tier.by_invitation:
        lines[_("Given")] = _("by invitation only")
    return lines | asked_lines(tier, words) | benefit_lines(tier)


def asked_lines(tier: TierContent, words: Words) -> Lines:
    """Return what a tier asks for."""
    return {condition_name(given, words): threshold_in_words(given, words) for given in tier.conditions}


def benefit_lines(tier: TierContent) -> Lines:
    """Return what a tier brings beside its rates."""
    kinds = dict(TierBenefit.Kind.choices)
    return {
        _("Benefit “%(benefit)s”") % {"benefit": given.name}: ": ".join(
            part for part in (str(kinds[TierBenefit.Kind(given.kind)]), given.detail) if part
        )
        for given in tier.benefits
    }


def condition_name(condition: ConditionContent, words: Words) -> str:
    """Return what a condition measures: “Spend in a calendar year, at least”."""
    said = {"measure": _measure(condition.measure, condition.unit, words), "months": condition.months or 0}
    if condition.measure == Measure.YEARS:
        name = _("Years in the tier or above, at least")
    elif condition.window == Window.ROLLING:
        name = _("%(measure)s in the last %(time)s, at least") % {**said, "time": months(condition.months or 0)}
    elif condition.window == Window.ANNIVERSARY:
        name = _("%(measure)s in a year of membership, at least") % said
    elif condition.window == Window.LIFETIME:
        name = _("%(measure)s since joining, at least") % said
    else:
        name = _("%(measure)s in a calendar year, at least") % said
    return _("For life: %(condition)s") % {"condition": name} if condition.for_life else name


def measured(condition: ConditionContent, words: Words) -> str:
    """Return what a condition measures, without how much of it: “Spend in a calendar year”."""
    said = {"measure": _measure(condition.measure, condition.unit, words), "time": months(condition.months or 0)}
    if condition.measure == Measure.YEARS:
        return _("Years in the tier or above")
    names = {
        Window.ROLLING: _("%(measure)s in the last %(time)s"),
        Window.ANNIVERSARY: _("%(measure)s in a year of membership"),
        Window.LIFETIME: _("%(measure)s since joining"),
        Window.CALENDAR_YEAR: _("%(measure)s in a calendar year"),
    }
    return names[Window(condition.window)] % said


def threshold_in_words(condition: ConditionContent, words: Words) -> str:
    """Return how much a condition asks for."""
    return _needed(condition.measure, condition.unit, condition.threshold, words)


def _measure(measure: str, unit: str, words: Words) -> str:
    if measure == Measure.UNITS:
        name = words.unit(unit)
        return _("%(units)s earned") % {"units": name[:1].upper() + name[1:]}
    return str(Measure(measure).label)


def _needed(measure: str, unit: str, need: Decimal, words: Words) -> str:
    if measure == Measure.SPEND:
        return words.amount(need)
    return words.units_of(unit, need) if unit else formats.rate(need)


def trial_lines(trial: TrialContent, words: Words) -> Lines:
    """Return what is said of the trial."""
    lines = {
        _("Tier"): words.tiers.get(trial.tier, trial.tier),
        _("Kept by, at least"): _("%(measure)s: %(need)s")
        % {
            "measure": _measure(trial.measure, trial.unit, words),
            "need": _needed(trial.measure, trial.unit, trial.need, words),
        },
        _("Kept for"): months(trial.months),
    }
    if trial.once_in_months:
        lines[_("At most once in")] = months(trial.once_in_months)
    return lines


def switch_lines(terms: Content) -> Lines:
    """Return the version's own switches; months and days only where they have a meaning."""
    lines = {
        _("Tax"): _earns(terms.tax_earns),
        _("The part paid with units"): _earns(terms.paid_part_earns),
        _("Units spent on what is returned"): _("come back") if terms.redeemed_come_back else _("stay spent"),
        _("The program's year begins in"): str(ProgramVersion.Month(terms.year_starts).label),
        _("A tier is held"): str(ProgramVersion.TierValidity(terms.tier_validity).label),
        _("A member falls"): str(ProgramVersion.TierFall(terms.tier_fall).label),
        _("What reaches a tier earns at"): _("the new tier") if terms.reaching_earns_new else _("the old tier"),
        _("Grace of a tier"): months(terms.tier_grace_months) if terms.tier_grace_months else _("none"),
        _("Losses need a notice"): _notice(terms),
    }
    if terms.tier_validity == ProgramVersion.TierValidity.MONTHS:
        lines[_("A tier is held for")] = months(terms.tier_months)
    return lines


def _earns(earns: bool) -> str:
    return _("earns") if earns else _("does not earn")


def _notice(terms: Content) -> str:
    if not terms.needs_notice:
        return _("no")
    return _("yes, days before: %(count)d") % {"count": terms.notice_days}
