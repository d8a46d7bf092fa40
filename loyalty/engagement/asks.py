"""What a tier asks of a member, as a sentence: how much of what, by when, to reach or to keep it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from loyalty.engagement.members import Visit
from loyalty.ledger import measures
from loyalty.ledger.queries import MissingView
from programs.engine.dates import months_later
from programs.engine.terms import Tier


def to_reach(visit: Visit) -> str:
    """Return what the next tier asks; empty without one."""
    following = visit.view.next_tier
    if following is None:
        return ""
    asked = _timed(visit, following.missing, _tier(visit, following.code))
    if not asked:
        return _("%(tier)s is next") % {"tier": following.name}
    return _capital(_("%(ask)s to reach %(tier)s") % {"ask": asked, "tier": following.name})


def to_keep(visit: Visit) -> str:
    """Return what is still missing to keep the present tier; empty where nothing is."""
    held = visit.view.tier
    if held is None:
        return ""
    asked = _timed(visit, visit.view.keeping, _tier(visit, held.code))
    return _capital(_("%(ask)s to keep %(tier)s") % {"ask": asked, "tier": held.name}) if asked else ""


def at_the_top(visit: Visit) -> str:
    """Return what is to be said of the highest tier that can be reached."""
    held = visit.view.tier
    assert held is not None
    keep = to_keep(visit)
    if keep:
        return keep
    if held.until is not None and visit.view.keeping:
        return _once_kept(visit, held.name, held.until)
    rank = visit.view.terms.rank(held.code)
    if any(tier.by_invitation for tier in visit.view.terms.tiers[rank + 1 :]):
        return _("%(tier)s is the highest level that can be reached, and it is yours") % {"tier": held.name}
    return _("%(tier)s is the highest level, and it is yours") % {"tier": held.name}


def short_of_year(day: date, today: date) -> str:
    """Return a day for a sentence, with its year where that is another one."""
    return formats.day(day, year=day.year != today.year)


def _once_kept(visit: Visit, name: str, until: date) -> str:
    """Return what follows where enough was done for the time after ``until``."""
    terms, held = visit.view.terms, visit.view.tier
    windows = {condition.window for condition in _tier(visit, held.code if held else "").conditions}
    if terms.tier_validity == "next_year" and windows == {"calendar_year"}:
        anew = [MissingView(o.measure, o.need, 0, o.need, None, o.precision) for o in visit.view.keeping]
        year = months_later(until, -terms.tier_grace_months).year
        words = {"ask": formats.listed([_ask(visit, one) for one in anew]), "year": year, "tier": name}
        return _capital(_("%(ask)s in %(year)s to keep %(tier)s after that") % words)
    return _("%(tier)s stays yours after %(day)s") % {"tier": name, "day": short_of_year(until, visit.at.date())}


def _tier(visit: Visit, code: str) -> Tier:
    return visit.view.terms.tiers[visit.view.terms.rank(code)]


def _timed(visit: Visit, missing: Sequence[MissingView], tier: Tier) -> str:
    """Return what is missing, each part with its time where these differ; empty where nothing is."""
    months = [condition.months if condition.window == "rolling" else 0 for condition in tier.conditions]
    spans = months if len(months) == len(missing) else [0] * len(missing)
    asked = [
        (_ask(visit, one), one.by, _span(one, span)) for one, span in zip(missing, spans, strict=True) if one.missing
    ]
    times = {(by, span) for _asked, by, span in asked}
    if len(times) == 1:
        ((by, span),) = times
        return _within(visit, formats.listed([ask for ask, _by, _span in asked]), by, span)
    return formats.listed([_within(visit, ask, by, span) for ask, by, span in asked])


def _span(one: MissingView, months: int) -> int:
    """Return within how many months it has to be done; 0 where a last day says more, or one purchase is enough."""
    return 0 if one.by is not None or one.need == 1 else months


def _within(visit: Visit, ask: str, by: date | None, months: int) -> str:
    if by is not None:
        return _("%(ask)s by %(day)s") % {"ask": ask, "day": short_of_year(by, visit.at.date())}
    if months:
        words = {"ask": ask, "number": formats.number(months)}
        return ngettext("%(ask)s within %(number)s month", "%(ask)s within %(number)s months", months) % words
    return ask


def _ask(visit: Visit, one: MissingView) -> str:
    """Return one part in the imperative, its first letter small."""
    currency = visit.membership.program.currency
    units = {unit.code: unit for unit in visit.units}
    number = measures.figure(one.measure, one.missing, units=units, currency=currency)
    words = {"number": number}
    if one.measure == measures.VISITS:
        if one.need == 1:
            return _("make a purchase")
        if one.have > 0:
            return ngettext("make %(number)s more purchase", "make %(number)s more purchases", one.missing) % words
        return ngettext("make %(number)s purchase", "make %(number)s purchases", one.missing) % words
    if one.measure == measures.YEARS:
        if one.have > 0:
            return ngettext("qualify in %(number)s more year", "qualify in %(number)s more years", one.missing) % words
        return ngettext("qualify in %(number)s year", "qualify in %(number)s years", one.missing) % words
    if one.measure == measures.SPEND:
        return (_("spend %(amount)s more") if one.have > 0 else _("spend %(amount)s")) % {"amount": number}
    unit = units[one.measure]
    if unit.is_money:
        return (_("earn %(amount)s more") if one.have > 0 else _("earn %(amount)s")) % {"amount": number}
    words["units"] = formats.unit_name(unit, formats.steps(unit, one.missing))
    return (_("earn %(number)s more %(units)s") if one.have > 0 else _("earn %(number)s %(units)s")) % words


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
