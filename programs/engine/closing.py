"""How a program ends: at one moment whatever its members still have is gone, and then nothing happens by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from programs.engine.state import Lot, NoticeDue, State
from programs.engine.terms import Schedule


def by_the_end(moments: Iterable[datetime | None], schedule: Schedule) -> list[datetime]:
    """Return those of the moments that there still are; after its end a program stands still for ever."""
    end = schedule.ends_at
    return [moment for moment in moments if moment is not None and (end is None or moment <= end)]


def end_of(lot: Lot, schedule: Schedule) -> datetime | None:
    """Return a lot's own end; None where it has none before the program's."""
    end = schedule.ends_at
    if lot.expires_at is not None and end is not None and lot.expires_at >= end:
        return None
    return lot.expires_at


def farewells(state: State, schedule: Schedule) -> list[NoticeDue]:
    """Return what the member loses at the program's end, by unit: told of beforehand, but never held back by that."""
    end = schedule.ends_at
    if end is None:
        return []
    units = sorted({lot.unit for lot in state.lots if lot.remaining > 0})
    return [NoticeDue("expiry", unit, end) for unit in units]
