"""The stretches of time that figures are about: a window up to now, and the equal one before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """The ``days`` up to ``end``, with the same number of days before them to compare with."""

    end: datetime
    days: int

    @property
    def start(self) -> datetime:
        """Where this window begins and the previous one ends."""
        return self.end - timedelta(days=self.days)

    @property
    def previous_start(self) -> datetime:
        """Where the previous window begins."""
        return self.end - timedelta(days=2 * self.days)


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def last_weeks(*, today: date, count: int) -> list[date]:
    """Return the Mondays of the last ``count`` weeks, oldest first; the last one is still running."""
    running = week_of(today)
    return [running - timedelta(weeks=back) for back in range(count - 1, -1, -1)]
