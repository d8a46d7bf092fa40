"""Faults of the ladder of tiers: what it asks for, and what staff may give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from programs.content import ConditionContent, Content, TierContent
from programs.faults.fault import Fault, Known, unknown
from programs.models import TierBenefit, TierCondition

Measure, Window = TierCondition.Measure, TierCondition.Window


def find(terms: Content, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with the ladder, from below."""
    if not terms.tiers:
        return
    yield from _lowest(terms.tiers)
    for name, count in Counter(tier.name for tier in terms.tiers).items():
        if count > 1:
            yield Fault(_("%(count)d tiers are named “%(tier)s”.") % {"count": count, "tier": name}, "tiers")
    units = {unit.unit for unit in terms.units}
    for tier in terms.tiers:
        for message in _tier(tier, units, known):
            yield Fault(message, f"tier:{tier.code}")
    yield from _rises(terms.tiers)


def _lowest(tiers: tuple[TierContent, ...]) -> Iterator[Fault]:
    """Yield where it is not exactly the lowest tier that is everyone's."""
    lowest, *others = tiers
    everyones = [tier for tier in tiers if not tier.conditions and not tier.by_invitation]
    if lowest.by_invitation:
        yield Fault(
            _("Tier “%(tier)s” is the lowest, so it is everyone's: it cannot be by invitation only.")
            % {"tier": lowest.name},
            f"tier:{lowest.code}",
        )
    elif not everyones:
        yield Fault(_("Every tier has a condition: one tier must be everyone's, without any."), "tiers")
    for tier in everyones:
        if tier in others and lowest in everyones:
            yield Fault(
                _("Tier “%(tier)s” has no condition, so it would belong to everyone: only the lowest may.")
                % {"tier": tier.name},
                f"tier:{tier.code}",
            )
    if everyones and lowest.conditions:
        yield Fault(
            _("Tier “%(tier)s” is the lowest, so it may have no condition.") % {"tier": lowest.name},
            f"tier:{lowest.code}",
        )


def _tier(tier: TierContent, units: set[str], known: Known) -> Iterator[str]:
    said = {"tier": tier.name}
    ordinary = [condition for condition in tier.conditions if not condition.for_life]
    if tier.by_invitation and tier.conditions:
        yield _("Tier “%(tier)s” is by invitation only, so it may have no condition.") % said
    elif tier.conditions and not ordinary:
        yield (
            _("Tier “%(tier)s” says only what makes it last for life: say also what reaches it in the first place.")
            % said
        )
    for condition in tier.conditions:
        yield from _condition(condition, said, units, known)
        if condition.measure == Measure.YEARS:
            yield from _years(condition, ordinary, said)
    for benefit in tier.benefits:
        if wrong := unknown(_("Benefit of tier “%(tier)s”") % said, benefit.kind, TierBenefit.Kind.values):
            yield wrong


def _condition(condition: ConditionContent, said: dict[str, str], units: set[str], known: Known) -> Iterator[str]:
    what = _("Condition of tier “%(tier)s”") % said
    for value, choices in ((condition.measure, Measure.values), (condition.window, Window.values)):
        if wrong := unknown(what, value, choices):
            yield wrong
    if condition.measure == Measure.UNITS and not condition.unit:
        yield _("Tier “%(tier)s” counts units, but not which: choose the unit.") % said
    if condition.unit and condition.unit not in units:
        yield _("Tier “%(tier)s” counts “%(unit)s”, a unit without terms in this version.") % {
            **said,
            "unit": known.unit(condition.unit),
        }
    if condition.window == Window.ROLLING and not condition.months:
        yield _("Tier “%(tier)s” looks back over so many months, but how many is not said.") % said
    if condition.threshold <= 0:
        yield _("Tier “%(tier)s” asks for 0, which everyone has: ask for more.") % said
    if not _is_whole(condition, known):
        yield _("Tier “%(tier)s” asks for %(threshold)s, which cannot be counted so finely.") % {
            **said,
            "threshold": f"{condition.threshold.normalize():f}",
        }


def _is_whole(condition: ConditionContent, known: Known) -> bool:
    if condition.measure == Measure.SPEND:
        return known.is_whole(condition.threshold)
    if condition.measure == Measure.UNITS:
        return not condition.unit or known.is_whole(condition.threshold, unit=condition.unit)
    return condition.threshold == condition.threshold.to_integral_value()


def _years(condition: ConditionContent, ordinary: list[ConditionContent], said: dict[str, str]) -> Iterator[str]:
    others = [other for other in ordinary if other.measure != Measure.YEARS]
    if not condition.for_life:
        yield _("Tier “%(tier)s” counts its own years to be reached: years can only make it last for life.") % said
    elif not others or any(other.window != Window.CALENDAR_YEAR for other in others):
        yield (
            _(
                "Tier “%(tier)s” lasts for life after some years of it, which can only be counted "
                "where all that reaches it goes by calendar year."
            )
            % said
        )


def _rises(tiers: tuple[TierContent, ...]) -> Iterator[Fault]:
    """Yield where a tier asks for no more than the one below, measure by measure and window by window."""
    reached: dict[tuple[object, ...], tuple[TierContent, Decimal]] = {}
    for tier in tiers:
        for given in tier.conditions:
            key = (given.measure, given.unit, given.window, given.months, given.for_life)
            below = reached.get(key)
            if below is not None and given.threshold <= below[1]:
                yield Fault(
                    _("Tier “%(tier)s” asks for %(threshold)s, but “%(below)s” below it asks for %(least)s.")
                    % {
                        "tier": tier.name,
                        "threshold": f"{given.threshold.normalize():f}",
                        "below": below[0].name,
                        "least": f"{below[1].normalize():f}",
                    },
                    f"tier:{tier.code}",
                )
            reached[key] = (tier, given.threshold)
