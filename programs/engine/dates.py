"""Days, months and years of a program's time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


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


def window_start(moment: datetime, window: str, zone: ZoneInfo) -> str:
    """Return the name of the day, month or year that ``moment`` falls in: 2026-11-22, 2026-11 or 2026."""
    day = local_day(moment, zone).isoformat()
    return {"day": day, "month": day[:7], "year": day[:4]}[window]
