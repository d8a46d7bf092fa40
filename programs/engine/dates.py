"""Days, months and years of a program's time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LAST_DAY = date(2999, 12, 31)
"""The last day that people may name as an end: what is counted from it must still be a date."""


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day that ``moment`` falls on in the zone."""
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day in the zone."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def after(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant at which ``day``, as a last day included, is over."""
    return start_of(day + timedelta(days=1), zone)


def months_later(day: date, months: int) -> date:
    """Return the same date ``months`` later; a date that month lacks becomes its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def end_after_months(moment: datetime, months: int, zone: ZoneInfo) -> datetime:
    """Return the end of what lives ``months`` from ``moment``: the close of the same date, that much later."""
    return after(months_later(local_day(moment, zone), months), zone)


def days_later(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the same time of day ``days`` later, by the zone's clocks."""
    local = moment.astimezone(zone)
    return (local + timedelta(days=days)).astimezone(UTC)


def months_between(start: date, day: date) -> int:
    """Return how many whole months lie between two days; 0 where the second is the earlier."""
    months = (day.year - start.year) * 12 + day.month - start.month
    if months > 0 and months_later(start, months) > day:
        months -= 1
    return max(0, months)


def days_from_birthdays(birth: date, day: date) -> list[int]:
    """Return how many days lie from the birthdays around ``day`` to it; less than 0 where one is still to come.

    Who was born on 29 February has the birthday on the 28th in other years.
    """
    years = [year for year in (day.year - 1, day.year, day.year + 1) if MINYEAR <= year <= MAXYEAR]
    birthdays = [date(year, birth.month, min(birth.day, monthrange(year, birth.month)[1])) for year in years]
    return [(day - birthday).days for birthday in birthdays]


def window_start(moment: datetime, window: str, zone: ZoneInfo, year_starts: int = 1) -> str:
    """Return the name of the window that ``moment`` falls in; the program's year begins with the month ``year_starts``.

    A day 2026-03-01, a week 2026-W09 (ISO), a month 2026-03, a quarter 2026-Q1, a year 2026, a program's year 2026-02
    (the year and month in which it began), a lifetime "ever".
    """
    return window_of(local_day(moment, zone), window, year_starts)


def window_of(day: date, window: str, year_starts: int = 1) -> str:
    """Return the name of the window that a day falls in: see ``window_start``."""
    if window == "day":
        return day.isoformat()
    if window == "month":
        return f"{day.year}-{day.month:02}"
    if window == "year":
        return str(day.year)
    if window == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    if window == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    if window == "program_year":
        return f"{day.year - (day.month < year_starts)}-{year_starts:02}"
    if window == "lifetime":
        return "ever"
    raise KeyError(window)


def window_after(day: date, window: str, year_starts: int = 1) -> date | None:
    """Return the first day of the window that follows the one ``day`` falls in; None for a lifetime."""
    if window == "day":
        return day + timedelta(days=1)
    if window == "week":
        return day + timedelta(days=7 - day.weekday())
    months = {"month": 1, "quarter": 3 - (day.month - 1) % 3, "year": 13 - day.month}
    months["program_year"] = (year_starts - day.month - 1) % 12 + 1
    return months_later(day.replace(day=1), months[window]) if window in months else None
