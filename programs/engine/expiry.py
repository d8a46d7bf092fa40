"""When units are forfeited for want of activity."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from programs.engine.dates import end_after_months
from programs.engine.state import State
from programs.engine.terms import Terms, UnitTerms


def inactivity_end(*, state: State, terms: Terms, unit: str) -> datetime | None:
    """Return when the unit is forfeited unless the member is active before; None where nothing is at stake."""
    unit_terms = terms.units.get(unit)
    if unit_terms is None or unit_terms.expiry != "inactivity" or state.active_at is None:
        return None
    if state.balance(unit, "available") <= 0 and state.balance(unit, "pending") <= 0:
        return None
    assert unit_terms.expiry_months is not None
    return end_after_months(state.active_at, unit_terms.expiry_months, terms.zone)


def forfeited_at(terms: UnitTerms, earned_at: datetime, later: Iterable[datetime], zone: ZoneInfo) -> datetime | None:
    """Return when units of a past day had ended before the member was next active; None while activity kept them.

    ``later`` are the moments of activity after it, in order. What follows the last of them is for the present to say.
    """
    if terms.expiry != "inactivity":
        return None
    assert terms.expiry_months is not None
    alive = earned_at
    for moment in later:
        end = end_after_months(alive, terms.expiry_months, zone)
        if moment >= end:
            return end
        alive = moment
    return None
