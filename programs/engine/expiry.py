"""When units end: so long after they were earned, on fixed days, or for want of activity."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from programs.engine.dates import after, local_day, months_later
from programs.engine.state import State
from programs.engine.terms import Terms, UnitTerms


def lot_end(how: UnitTerms, *, tier: str, earned_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment at which units earned by a member of ``tier`` are gone; None where the lot has no own end."""
    if how.expiry == "rolling":
        return _lives_until(how, tier=tier, start=earned_at, zone=zone)
    if how.expiry == "fixed":
        last = _next_fixed_day(how.fixed_days, local_day(earned_at, zone))
        return after(last, zone) if last is not None else None
    return None


def inactivity_end(*, state: State, terms: Terms, unit: str) -> datetime | None:
    """Return when the unit is forfeited unless the member is active before; None where nothing is at stake."""
    how = terms.units.get(unit)
    if how is None or how.expiry != "inactivity":
        return None
    if state.balance(unit, "available") <= 0 and state.balance(unit, "pending") <= 0:
        return None
    bought = state.active_at if "purchase" in how.kept_alive_by else None
    known = [bought, state.moments.get(f"kept:{unit}"), state.moments.get(f"opened:{unit}")]
    start = max((moment for moment in known if moment is not None), default=None)
    end = _lives_until(how, tier=state.tier, start=start, zone=terms.zone) if start is not None else None
    spared = state.moments.get(f"spared:{unit}")
    return max(end, spared) if end is not None and spared is not None else end


def forfeited_at(
    how: UnitTerms, *, tier: str, earned_at: datetime, later: Iterable[datetime], zone: ZoneInfo
) -> datetime | None:
    """Return when units of a past day had ended before the member was next active; None while activity kept them.

    ``later`` are the moments of activity after it, in order. What follows the last of them is for the present to say.
    """
    if how.expiry != "inactivity":
        return None
    alive = earned_at
    for moment in later:
        end = _lives_until(how, tier=tier, start=alive, zone=zone)
        if end is None:
            return None
        if moment >= end:
            return end
        alive = moment
    return None


def ends_in(how: UnitTerms, tier: str) -> bool:
    """Whether the unit has an end at all for members of this tier."""
    return how.expiry != "none" and how.tier_months.get(tier, 0) is not None


def _lives_until(how: UnitTerms, *, tier: str, start: datetime, zone: ZoneInfo) -> datetime | None:
    months = how.tier_months.get(tier, how.expiry_months) if how.tier_months else how.expiry_months
    if months is None and (tier in how.tier_months or how.expiry_days is None):
        return None
    last = local_day(start, zone)
    last = months_later(last, months) if months is not None else last + timedelta(days=how.expiry_days or 0)
    return after(_rounded_up(last, how.round_up), zone)


def _rounded_up(day: date, to: str) -> date:
    """Return the last day of the month, quarter or year that ``day`` lies in."""
    if not to:
        return day
    last_month = {"month": day.month, "quarter": (day.month + 2) // 3 * 3, "year": 12}[to]
    return months_later(date(day.year, last_month, 1), 1) - timedelta(days=1)


def _next_fixed_day(fixed: Iterable[str], day: date) -> date | None:
    """Return the first of the fixed days that is not before ``day``; None where all are past."""
    found = []
    for text in fixed:
        if len(text) > len("12-31"):
            found.append(date.fromisoformat(text))
            continue
        month, number = (int(part) for part in text.split("-"))
        for year in (day.year, day.year + 1):
            last = (months_later(date(year, month, 1), 1) - timedelta(days=1)).day
            found.append(date(year, month, min(number, last)))
    return min((one for one in found if one >= day), default=None)
