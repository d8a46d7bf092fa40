"""Faults of the version's own switches: how long a tier is held, the trial, notices."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from programs.content import Content, TrialContent
from programs.faults.fault import Fault, Known, unknown
from programs.models import ProgramVersion

MOST_CLAIM_DAYS = 366


def find(terms: Content, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with the switches."""
    for message in (*_switches(terms), *_trial(terms.trial, terms, known)):
        yield Fault(message, "terms")


def _switches(terms: Content) -> Iterator[str]:
    choices = (
        (_("A tier is held"), terms.tier_validity, ProgramVersion.TierValidity.values),
        (_("A member falls"), terms.tier_fall, ProgramVersion.TierFall.values),
    )
    for what, value, possible in choices:
        if wrong := unknown(what, value, possible):
            yield wrong
    if terms.year_starts not in ProgramVersion.Month.values:
        yield _("The program's year begins in month %(month)d: a year has 12.") % {"month": terms.year_starts}
    if terms.tier_validity == ProgramVersion.TierValidity.MONTHS and terms.tier_months < 1:
        yield _("A tier is held for 0 months: nobody would have it. Say at least 1.")
    if not 0 <= terms.claim_days <= MOST_CLAIM_DAYS:
        yield _("A guest's receipt can be claimed for %(count)d days: say 0 to %(most)d.") % {
            "count": terms.claim_days,
            "most": MOST_CLAIM_DAYS,
        }
    if terms.needs_notice and terms.notice_days < 1:
        yield _("Losses need a notice, but no day lies between notice and loss. Say at least 1.")


def _trial(trial: TrialContent | None, terms: Content, known: Known) -> Iterator[str]:
    if trial is None:
        return
    tier = next((tier for tier in terms.tiers if tier.code == trial.tier), None)
    said = {"tier": tier.name if tier else trial.tier, "unit": known.unit(trial.unit)}
    if tier is None:
        yield _("The trial gives tier “%(tier)s”, which this version does not have.") % said
    elif tier == terms.tiers[0]:
        yield _("The trial gives tier “%(tier)s”, the lowest, which everyone has.") % said
    if wrong := unknown(_("The trial is kept by"), trial.measure, ProgramVersion.TrialMeasure.values):
        yield wrong
    if trial.measure == ProgramVersion.TrialMeasure.UNITS and trial.unit not in {unit.unit for unit in terms.units}:
        yield _("The trial is kept by “%(unit)s”, a unit without terms in this version.") % said
    if trial.need <= 0:
        yield _("The trial of tier “%(tier)s” asks for 0, so everyone would keep it: ask for more.") % said
    if trial.months < 1:
        yield _("The trial of tier “%(tier)s” is kept for 0 months: say at least 1.") % said
