"""Says how a unit lives and ends."""

from __future__ import annotations

from datetime import date

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from accounts import formats
from programs.changes.words import Lines, Words, days, months
from programs.content import UnitContent
from programs.models import UnitTerms


def unit_lines(unit: UnitContent, words: Words) -> Lines:
    """Return all that is said of a unit's terms."""
    lines = {_("Expires"): _expiry(unit), _("Can be spent"): _pending(unit)}
    if unit.expiry == UnitTerms.Expiry.INACTIVITY:
        lines[_("Activity is")] = _activity(unit, words)
    for given in unit.tiers:
        name = _("Expires for members of %(tier)s") % {"tier": words.tiers.get(given.tier, given.tier)}
        lines[name] = _("after %(months)s") % {"months": months(given.months)} if given.months else _("never")
    if unit.fall_months:
        lines[_("Falling to a tier with an end")] = _("%(months)s from that day") % {"months": months(unit.fall_months)}
    if unit.debt != UnitTerms.Debt.OWE:
        lines[_("Return of units already spent")] = str(UnitTerms.Debt(unit.debt).label)
    return lines


def _expiry(unit: UnitContent) -> str:
    if unit.expiry == UnitTerms.Expiry.NONE:
        return _("never")
    if unit.expiry == UnitTerms.Expiry.FIXED:
        return _("on %(days)s") % {"days": ", ".join(_fixed_day(day.strip()) for day in unit.fixed_days.split(","))}
    lives = months(unit.expiry_months) if unit.expiry_months else days(unit.expiry_days or 0)
    said = (
        _("after %(time)s without activity") % {"time": lives}
        if unit.expiry == UnitTerms.Expiry.INACTIVITY
        else _("%(time)s after it was earned") % {"time": lives}
    )
    if not unit.round_up:
        return said
    end = str(UnitTerms.RoundUp(unit.round_up).label)
    return _("%(expiry)s, at %(end)s") % {"expiry": said, "end": end[:1].lower() + end[1:]}


def _fixed_day(text: str) -> str:
    """Return a fixed day in words; as it was written where it is none."""
    yearly = len(text) == len("12-31")
    try:
        day = date.fromisoformat(f"2024-{text}" if yearly else text)
    except ValueError:
        return text
    return formats.day(day, year=not yearly)


def _pending(unit: UnitContent) -> str:
    if unit.pending_until:
        return _("from %(day)s on") % {"day": formats.day(unit.pending_until)}
    return _("after %(days)s") % {"days": days(unit.pending_days)} if unit.pending_days else _("at once")


def _activity(unit: UnitContent, words: Words) -> str:
    names = {"purchase": _("a purchase"), "redemption": _("spending units"), "event": _("any event"), **words.events}
    codes = [code.strip() for code in unit.kept_alive_by.split(",") if code.strip()]
    return str(get_text_list([names.get(code, code) for code in codes], _("or")))
