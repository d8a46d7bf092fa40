"""Which tier a member's credit reaches, for how long, and what the next one asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from programs.engine.dates import after, local_day, months_later, start_of
from programs.engine.state import Grant, Holding
from programs.engine.terms import Condition, Schedule, Terms, Tier

Credit = Mapping[str, Mapping[str, int]]
"""Tier credit by measure and calendar year: ``{"spend": {"2026": 35000}}``."""

Marks = Mapping[datetime, Mapping[str, int]]
"""Tier credit by the moment of the activity that brought it."""

FallsAt = Callable[[str, datetime], datetime | None]
"""When a tier that ends at a moment is really lost: later, or not yet (None), where a notice has to be sent first."""

INSTANT = timedelta(microseconds=1)
YEARS, UNIT = "years", "unit:"


@dataclass(frozen=True, slots=True)
class Record:
    """What counts towards a member's tiers. ``marks`` are complete as far back as any window looks."""

    joined_at: datetime
    credit: Credit
    marks: Marks


@dataclass(frozen=True, slots=True)
class Level:
    """The rank of a tier and the last day on which it is held; None where it has no end."""

    rank: int
    until: date | None


@dataclass(frozen=True, slots=True)
class Missing:
    """One condition of the next tier: what it needs, what is there, and the last day on which that still counts."""

    measure: str
    need: int
    have: int
    by: date | None

    @property
    def missing(self) -> int:
        """What is still to be reached."""
        return max(0, self.need - self.have)


def needs_marks(schedule: Schedule) -> bool:
    """Whether any version asks for more than credit by calendar year."""
    return any(
        terms.tier_validity != "next_year"
        or terms.trial is not None
        or any(c.window in {"rolling", "anniversary"} for tier in terms.tiers for c in tier.conditions)
        for terms in schedule.versions
    )


def counts_of(schedule: Schedule) -> int:
    """Return how much credit the terms ask for: 1, by calendar year; 2, with marks. Less is read anew from history."""
    return 2 if needs_marks(schedule) else 1


def marks_reach_back(schedule: Schedule) -> tuple[int, int]:
    """Return for how many months what was held is worked out anew, and how many before that a window looks back."""
    versions = schedule.versions
    held = max((terms.tier_months + terms.tier_grace_months for terms in versions), default=12)
    looks = [c.months for terms in versions for tier in terms.tiers for c in tier.conditions if c.window == "rolling"]
    trials = [terms.trial.months for terms in versions if terms.trial is not None]
    return max(12, held, *trials) + 12, max([24, *looks])


# --- What credit reaches -----------------------------------------------------------------------------------------


def level(*, terms: Terms, record: Record, at: datetime, before_this_year: bool = False) -> Level:
    """Return what the credit reaches at a moment under ``next_year`` or ``as_reached``, which remember nothing.

    ``before_this_year`` leaves out what only the year of ``at`` itself reached.
    """
    if terms.tier_validity == "as_reached":
        return _as_reached(terms, record, at)
    return _next_year(terms, record, at, before_this_year=before_this_year)


def for_life(*, terms: Terms, record: Record, at: datetime) -> int:
    """Return the rank of the highest tier that is the member's for good; 0 for none."""
    best = 0
    for rank, tier in enumerate(terms.tiers):
        if tier.life and all(_have(c, rank, terms, record, at) >= c.need for c in tier.life):
            best = rank
    return best


def reached(*, terms: Terms, record: Record, at: datetime) -> int:
    """Return the rank of the highest tier whose conditions hold at a moment."""
    best = 0
    for rank, tier in enumerate(terms.tiers):
        if tier.by_invitation or (rank and not tier.conditions):
            continue
        if all(_have(c, rank, terms, record, at) >= c.need for c in tier.conditions):
            best = rank
    return best


def next_tier(*, terms: Terms, record: Record, tier: str, at: datetime) -> tuple[Tier, tuple[Missing, ...]] | None:
    """Return the tier above that can be reached, and what it still asks for; None at the top or without tiers."""
    for rank in range(terms.rank(tier) + 1, len(terms.tiers)):
        above = terms.tiers[rank]
        if not above.by_invitation and above.conditions:
            return above, asked(rank, terms=terms, record=record, at=at)
    return None


def asked(rank: int, *, terms: Terms, record: Record, at: datetime) -> tuple[Missing, ...]:
    """Return what the tier of a rank asks for, fulfilled or not, as it stands at a moment."""
    return tuple(
        Missing(c.measure, c.need, _have(c, rank, terms, record, at), _last_day_for(c, terms, record, at))
        for c in terms.tiers[rank].conditions
    )


def _have(condition: Condition, rank: int, terms: Terms, record: Record, at: datetime) -> int:
    """Return the credit that counts for a condition at a moment; what happened later does not."""
    measure, window = condition.measure, condition.window
    if measure == YEARS:
        return sum(1 for end in _ends_of_years(record, terms.zone, at) if reached_by_year(terms, record, end) >= rank)
    if window in {"calendar_year", "lifetime"}:
        day = local_day(at, terms.zone)
        years = record.credit.get(measure, {})
        later = [local_day(moment, terms.zone).year for moment in record.marks if moment > at]
        if window == "calendar_year":
            total = years.get(str(day.year), 0)
        else:
            total = sum(amount for year, amount in years.items() if int(year) <= day.year)
        if day.year not in later:
            return total
        return total - sum(
            mark.get(measure, 0)
            for moment, mark in record.marks.items()
            if moment > at and local_day(moment, terms.zone).year == day.year
        )
    first = window_begin(condition, terms, record.joined_at, local_day(at, terms.zone))
    return _sum(record.marks, measure, start_of(first, terms.zone), at)


def reached_by_year(terms: Terms, record: Record, at: datetime) -> int:
    """Return the rank that the conditions on a calendar year reach at a moment; years at a tier count by it."""
    best = 0
    for rank, tier in enumerate(terms.tiers):
        asked = [c for c in tier.conditions if c.window == "calendar_year"]
        if asked and all(_have(c, rank, terms, record, at) >= c.need for c in asked):
            best = rank
    return best


def _ends_of_years(record: Record, zone: ZoneInfo, at: datetime) -> Iterator[datetime]:
    """Yield the last moment of each calendar year with credit, the present one's being ``at``."""
    present = local_day(at, zone).year
    for year in sorted({int(year) for years in record.credit.values() for year in years}):
        if year <= present:
            yield min(at, after(date(year, 12, 31), zone) - INSTANT)


def _sum(marks: Marks, measure: str, start: datetime, until: datetime) -> int:
    return sum(mark.get(measure, 0) for moment, mark in marks.items() if start <= moment <= until)


def window_begin(condition: Condition, terms: Terms, joined_at: datetime, day: date) -> date:
    """Return the first day that counts on ``day`` for a rolling window or a year of membership."""
    if condition.window == "anniversary":
        joined = local_day(joined_at, terms.zone)
        return months_later(joined, 12 * _index_of(joined, day))
    first = months_later(day, -condition.months) + timedelta(days=1)
    while months_later(first, condition.months) <= day:
        first += timedelta(days=1)
    return first


def _index_of(joined: date, day: date) -> int:
    """Return how many whole years before ``day`` someone joined."""
    years = day.year - joined.year
    return years - (months_later(joined, 12 * years) > day)


def _last_day_for(condition: Condition, terms: Terms, record: Record, at: datetime) -> date | None:
    """Return the last day on which all that counts now still counts; None where it always will."""
    day = local_day(at, terms.zone)
    if condition.window == "calendar_year" and condition.measure != YEARS:
        return date(day.year, 12, 31)
    if condition.window == "anniversary":
        return _last_day_of(_index_of(local_day(record.joined_at, terms.zone), day), terms, record)
    if condition.window == "rolling":
        first = start_of(window_begin(condition, terms, record.joined_at, day), terms.zone)
        counted = [m for m, mark in record.marks.items() if first <= m <= at and mark.get(condition.measure)]
        if counted:
            return months_later(local_day(min(counted), terms.zone), condition.months) - timedelta(days=1)
    return None


# --- Held for the rest of its year and the next --------------------------------------------------------------------


def goes_by_membership(terms: Terms) -> bool:
    """Whether the years of this ladder are those of membership."""
    return any(c.window == "anniversary" for tier in terms.tiers for c in tier.conditions)


def _index_at(terms: Terms, record: Record, day: date) -> int:
    return _index_of(local_day(record.joined_at, terms.zone), day) if goes_by_membership(terms) else day.year


def _last_day_of(index: int, terms: Terms, record: Record) -> date:
    if not goes_by_membership(terms):
        return date(index, 12, 31)
    return months_later(local_day(record.joined_at, terms.zone), 12 * (index + 1)) - timedelta(days=1)


def held_until(terms: Terms, record: Record, since: date) -> date:
    """Return the last day of a tier that credit reached on a day: the end of the year after, and the grace."""
    last = _last_day_of(_index_at(terms, record, since) + 1, terms, record)
    return months_later(last, terms.tier_grace_months)


def _next_year(terms: Terms, record: Record, at: datetime, *, before_this_year: bool) -> Level:
    day = local_day(at, terms.zone)
    present = _index_at(terms, record, day)
    known: dict[int, int] = {}

    def reaches(index: int) -> int:
        if index not in known:
            end = after(_last_day_of(index, terms, record), terms.zone) - INSTANT
            left_out = before_this_year and index == present
            known[index] = 0 if left_out else reached(terms=terms, record=record, at=min(at, end))
        return known[index]

    def carried(index: int) -> int:
        """The rank held in a year once the grace of an older one is over."""
        if terms.tier_fall != "one_step":
            return max(reaches(index), reaches(index - 1))
        rank = 0
        for one in range(min(_first_index(terms, record, index), index), index + 1):
            rank = max(reaches(one), reaches(one - 1), rank - 1)
        return rank

    rank = carried(present)
    until = months_later(
        _last_day_of(present + 1 if reaches(present) >= rank else present, terms, record), terms.tier_grace_months
    )
    grace_ends = months_later(_last_day_of(present - 1, terms, record), terms.tier_grace_months)
    if terms.tier_grace_months and day <= grace_ends and carried(present - 1) > rank:
        rank, until = carried(present - 1), grace_ends
    return Level(rank, until if rank else None)


def _first_index(terms: Terms, record: Record, present: int) -> int:
    if goes_by_membership(terms):
        return 0
    return min((int(year) for years in record.credit.values() for year in years), default=present)


# --- Held while the credit reaches it ------------------------------------------------------------------------------


def _as_reached(terms: Terms, record: Record, at: datetime) -> Level:
    day = local_day(at, terms.zone)
    earliest = _months_before(day, terms.tier_grace_months)
    moments = [at]
    if terms.tier_grace_months:
        moments += [moment for moment in record.marks if local_day(moment, terms.zone) >= earliest and moment <= at]
        moments += list(_ends(terms, record, earliest, day))
        moments.append(after(earliest, terms.zone) - INSTANT)
    rank = max(reached(terms=terms, record=record, at=moment) for moment in moments)
    return Level(rank, _falls_after(terms, record, at, rank) if rank else None)


def _months_before(day: date, months: int) -> date:
    """Return the earliest day whose ``months`` later is not before ``day``."""
    found = months_later(day, -months)
    while months_later(found, months) < day:
        found += timedelta(days=1)
    return found


def _ends(terms: Terms, record: Record, first: date, last: date) -> Iterator[datetime]:
    """Yield the last moments of the years that end in a span of days, that it does not lie in the future."""
    for index in range(_index_at(terms, record, first), _index_at(terms, record, last)):
        yield after(_last_day_of(index, terms, record), terms.zone) - INSTANT


def _falls_after(terms: Terms, record: Record, at: datetime, rank: int) -> date | None:
    """Return the last day on which the credit reaches a rank if nothing is added; None where it always will."""
    day = local_day(at, terms.zone)
    drops = {_last_day_of(_index_at(terms, record, day), terms, record), date(day.year, 12, 31)}
    for condition in terms.tiers[rank].conditions:
        if condition.window == "rolling":
            drops |= {
                months_later(local_day(moment, terms.zone), condition.months) - timedelta(days=1)
                for moment in record.marks
            }
    for last in sorted(drop for drop in drops if drop >= _months_before(day, terms.tier_grace_months)):
        if reached(terms=terms, record=record, at=after(last, terms.zone)) < rank:
            return max(day, months_later(last, terms.tier_grace_months))
    return None


# --- Held for so many months ---------------------------------------------------------------------------------------


def risen(holding: Holding, *, terms: Terms, record: Record, at: datetime) -> Holding:
    """Return what is held after activity at a moment: a higher tier where the credit reaches one."""
    rank = reached(terms=terms, record=record, at=at)
    if rank <= terms.rank(holding.tier):
        return holding
    since = local_day(at, terms.zone)
    return Holding(terms.tiers[rank].code, since, _held_months(terms, since), at)


def ended(holding: Holding, *, terms: Terms, record: Record, at: datetime) -> Holding:
    """Return what is held from ``at`` on, when the time of a tier is over: what followed its begin decides."""
    last = at - INSTANT
    held = terms.rank(holding.tier)
    kept = 0
    for rank, tier in enumerate(terms.tiers):
        if tier.by_invitation or not tier.conditions:
            continue
        if all(have_since(c, rank, terms, record, last, holding.counts_after) >= c.need for c in tier.conditions):
            kept = rank
    if terms.tier_fall == "one_step":
        kept = max(kept, held - 1)
    if kept == 0:
        return Holding(terms.tiers[0].code)
    since = local_day(at, terms.zone)
    return Holding(terms.tiers[kept].code, since, _held_months(terms, since), last)


def replayed(
    *,
    anchor: Holding,
    anchor_at: datetime,
    schedule: Schedule,
    record: Record,
    until: datetime,
    falls_at: FallsAt,
) -> Iterator[tuple[datetime, Holding, str]]:
    """Yield what was held from which moment on, and why, as the marks alone tell it."""
    holding, now = anchor, anchor_at
    index = max(0, schedule.index_at(anchor_at))
    marks = sorted(moment for moment in record.marks if anchor_at < moment <= until)
    while True:
        terms = schedule.versions[index]
        end = after(holding.until, terms.zone) if holding.until is not None else None
        due = falls_at(holding.tier, end) if end is not None else None
        version = schedule.versions[index + 1].starts_at if index + 1 < len(schedule.versions) else None
        mark = marks[0] if marks else None
        moment = min((one for one in (version, due, mark) if one is not None), default=None)
        if moment is None or moment > until:
            return
        now = max(now, moment)
        before, reason = holding, "reached"
        if moment == version:
            index, reason = index + 1, "terms"
            holding = risen(
                adopted(holding, schedule.versions[index]), terms=schedule.versions[index], record=record, at=now
            )
        elif moment == due:
            holding = ended(holding, terms=terms, record=record, at=now)
            reason = "renewed" if holding.tier == before.tier else "fell"
        else:
            marks.pop(0)
            holding = risen(holding, terms=terms, record=record, at=now)
        if holding != before:
            yield now, holding, reason


def adopted(holding: Holding, terms: Terms) -> Holding:
    """Return a holding under new terms: a tier that they do not know is the lowest."""
    if not terms.tiers:
        return Holding("")
    known = any(tier.code == holding.tier for tier in terms.tiers)
    return holding if known else Holding(terms.tiers[0].code)


def _held_months(terms: Terms, since: date) -> date:
    last = months_later(since, terms.tier_months) - timedelta(days=1)
    return months_later(last, terms.tier_grace_months) if terms.tier_grace_months else last


def have_since(
    condition: Condition, rank: int, terms: Terms, record: Record, last: datetime, begin: datetime | None
) -> int:
    """Return the credit of a rolling window up to ``last`` that came after ``begin``; of others what they hold then."""
    if condition.window != "rolling" or begin is None:
        return _have(condition, rank, terms, record, last)
    first = window_begin(condition, terms, record.joined_at, local_day(last, terms.zone))
    return _sum(record.marks, condition.measure, max(start_of(first, terms.zone), begin + INSTANT), last)


# --- Given by staff --------------------------------------------------------------------------------------------------


def granted_until(grant: Grant, *, terms: Terms, record: Record) -> date | None:
    """Return the last day of a grant; a trial in which enough was reached is kept longer."""
    if grant.until is None or grant.kind != "trial" or terms.trial is None:
        return grant.until
    have = _sum(record.marks, terms.trial.measure, grant.starts_at, after(grant.until, terms.zone) - INSTANT)
    return months_later(grant.until, terms.trial.months) if have >= terms.trial.need else grant.until


def granted_end(grant: Grant, *, terms: Terms, record: Record) -> datetime | None:
    """Return the moment at which a grant is over; None where it has no end."""
    until = granted_until(grant, terms=terms, record=record)
    ends = [after(until, terms.zone)] if until is not None else []
    return min([*ends, *([grant.ended_at] if grant.ended_at is not None else [])], default=None)
