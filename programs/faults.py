"""What stands in the way of publishing a draft, in words for the person who edits it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from programs import content
from programs.content import Content, RuleContent, TierContent
from programs.models import ProgramVersion


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend; ``where`` names the part: ``tier:CODE``, ``rule:CODE``, ``tiers``, ``rules``, ``units``."""

    message: str
    where: str


def faults_of(version: ProgramVersion) -> list[Fault]:
    """Return what must be mended before the version can be published; nothing where it may be."""
    return list(find(content.read(version)))


def find(terms: Content) -> Iterator[Fault]:
    """Yield the faults of the terms, units first, then the ladder from below, then the rules."""
    if not terms.units:
        yield Fault(_("No unit has terms: say how what members earn lives and ends."), "units")
    yield from _ladder(terms.tiers)
    if not terms.rules:
        yield Fault(_("There is no earning rule: nobody would earn anything."), "rules")
    known = {unit.unit for unit in terms.units}
    for rule in terms.rules:
        yield from _rule(rule, known)


def _ladder(tiers: tuple[TierContent, ...]) -> Iterator[Fault]:
    if not tiers:
        return
    lowest = [tier for tier in tiers if not tier.conditions]
    if not lowest:
        yield Fault(_("Every tier has a condition: one tier must be everyone's, without any."), "tiers")
    for tier in lowest[1:]:
        yield Fault(
            _("Tier “%(tier)s” has no condition, so it would belong to everyone: only the lowest may.")
            % {"tier": tier.name},
            f"tier:{tier.code}",
        )
    if lowest and tiers[0].conditions:
        yield Fault(
            _("Tier “%(tier)s” is the lowest, so it may have no condition.") % {"tier": tiers[0].name},
            f"tier:{tiers[0].code}",
        )
    for name, count in Counter(tier.name for tier in tiers).items():
        if count > 1:
            yield Fault(_("%(count)d tiers are named “%(tier)s”.") % {"count": count, "tier": name}, "tiers")
    yield from _rises(tiers)


def _rises(tiers: tuple[TierContent, ...]) -> Iterator[Fault]:
    """Yield where a tier asks for no more than the one below, measure by measure."""
    reached: dict[tuple[str, str], tuple[TierContent, Decimal]] = {}
    for tier in tiers:
        for condition in tier.conditions:
            key = (condition.measure, condition.window)
            below = reached.get(key)
            if below is not None and condition.threshold <= below[1]:
                yield Fault(
                    _("Tier “%(tier)s” asks for %(threshold)s, but “%(below)s” below it asks for %(least)s.")
                    % {
                        "tier": tier.name,
                        "threshold": f"{condition.threshold.normalize():f}",
                        "below": below[0].name,
                        "least": f"{below[1].normalize():f}",
                    },
                    f"tier:{tier.code}",
                )
            reached[key] = (tier, condition.threshold)


def _rule(rule: RuleContent, known_units: set[str]) -> Iterator[Fault]:
    if rule.unit not in known_units:
        yield Fault(
            _("Rule “%(rule)s” gives “%(unit)s”, a unit without terms in this version.")
            % {"rule": rule.name, "unit": rule.unit},
            f"rule:{rule.code}",
        )
    if rule.rate == 0 and not any(given.rate for given in rule.tier_rates):
        yield Fault(_("Rule “%(rule)s” has the rate 0: it gives nothing.") % {"rule": rule.name}, f"rule:{rule.code}")
