"""Schedules as if: a version that rules a whole period, rules whose dates lie in it, one version in another's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from programs.engine.terms import Clause, Rule, Schedule, Terms

DATES = "dates"
YEARS = 200  # So far dates are moved at most.


@dataclass(frozen=True, slots=True)
class Dated:
    """A rule with dates: the days it has, and those it is tested on. ``years`` 0: it was not moved."""

    rule: str
    name: str
    years: int
    first: date | None
    last: date | None
    fires: bool  # Whether any of these days lies in the period.
    movable: bool = False  # Whether whole years would bring it there.


def ruled_by(published: Schedule, terms: Terms, *, since: datetime) -> Schedule:
    """Return the schedule in which ``terms`` rule from a moment on, after what had been in force before it."""
    before = [version for version in published.versions if version.starts_at <= since]
    if before and before[-1].version_id == terms.version_id and before[-1] == terms:
        return Schedule(tuple(before))
    kept = [version for version in before if version.starts_at < since and version.version_id != terms.version_id]
    return Schedule((*kept, replace(terms, starts_at=since)))


def in_place_of(schedule: Schedule, places: Mapping[UUID, Terms]) -> Schedule:
    """Return the schedule with other terms in the places of versions, each under the id and from the moment of the old.

    So a fold finds its way by the versions that were published, and judges by those that stand in for them.
    """
    versions = [
        replace(places[one.version_id], version_id=one.version_id, starts_at=one.starts_at, number=one.number)
        if one.version_id in places
        else one
        for one in schedule.versions
    ]
    return Schedule(tuple(versions))


def moved(terms: Terms, *, first_day: date, last_day: date, moves: bool) -> tuple[Terms, list[Dated]]:
    """Return the terms with dated rules moved by whole years into the period (if ``moves``), and what became of each.

    A rule that has a day in the period already stays where it is, as does one that no whole year brings there.
    """
    found: list[Dated] = []
    rules: list[Rule] = []
    for rule in terms.rules:
        window = _window(rule.clauses)
        if window is None:
            rules.append(rule)
            continue
        wanted = _years(window, first_day, last_day)
        years = wanted if moves else 0
        changed = replace(rule, clauses=tuple(_shifted(clause, years) for clause in rule.clauses)) if years else rule
        rules.append(changed)
        low, high = _window(changed.clauses) or window
        fires = _meets((low, high), first_day, last_day)
        found.append(Dated(rule.code, rule.name, years, _day(low), _day(high), fires, wanted != years))
    return replace(terms, rules=tuple(rules)), found


Window = tuple[int, int]
"""The first and the last day as ordinals; 0 and ``FAR`` where there is none."""
FAR = date.max.toordinal()


def _window(clauses: Sequence[Clause]) -> Window | None:
    """Return the days on which all conditions of dates hold; None without any. What is excluded says nothing here."""
    dated = [clause for clause in clauses if clause.kind == DATES and not clause.negated]
    if not dated:
        return None
    return max(one.least or 0 for one in dated), min(one.most or FAR for one in dated)


def _meets(window: Window, first_day: date, last_day: date) -> bool:
    low, high = max(window[0], first_day.toordinal()), min(window[1], last_day.toordinal())
    return low <= high


def _years(window: Window, first_day: date, last_day: date) -> int:
    """Return the whole years that bring most of the window into the period; the fewest of those that do."""
    if _meets(window, first_day, last_day) or window[0] > window[1]:
        return 0
    known = window[0] or window[1]
    middle = first_day.year - date.fromordinal(min(known, FAR)).year
    best, most = 0, 0
    for years in sorted(range(middle - 2, middle + last_day.year - first_day.year + 3), key=abs):
        low, high = (_later(end, years) for end in window)
        overlap = min(high, last_day.toordinal()) - max(low, first_day.toordinal()) + 1
        if overlap > most:
            best, most = years, overlap
    return best if abs(best) <= YEARS else 0


def _shifted(clause: Clause, years: int) -> Clause:
    if clause.kind != DATES or clause.negated:
        return clause
    return replace(
        clause,
        least=_later(clause.least, years) if clause.least is not None else None,
        most=_later(clause.most, years) if clause.most is not None else None,
    )


def _later(ordinal: int, years: int) -> int:
    """Return the same day so many years later, 29 February becoming the 28th; what has no end keeps none."""
    if ordinal in (0, FAR):
        return ordinal
    day = date.fromordinal(ordinal)
    year = min(max(day.year + years, date.min.year), date.max.year)
    try:
        return day.replace(year=year).toordinal()
    except ValueError:
        return day.replace(year=year, day=28).toordinal()


def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal not in (0, FAR) else None
