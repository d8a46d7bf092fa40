"""Schedules as if: dates moved by whole years, a version that rules a period, one in another's place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from loyalty.rehearsals.schedules import in_place_of, moved, ruled_by
from programs.engine.terms import Clause, Rule, Schedule, Terms, UnitTerms

PERIOD = {"first_day": date(2024, 12, 1), "last_day": date(2025, 11, 30)}


def terms(number, year=2020, *clauses):
    return Terms(
        version_id=UUID(int=number),
        number=number,
        starts_at=datetime(year, 1, 1, tzinfo=UTC),
        zone=ZoneInfo("UTC"),
        digits=2,
        tax_earns=False,
        units={"points": UnitTerms("points")},
        tiers=(),
        rules=(Rule("winter", "Winter", "points", "per_amount", 10_000, clauses=clauses),),
    )


def dates(first, last, *, negated=False):
    ends = [date.fromisoformat(end).toordinal() if end else None for end in (first, last)]
    return Clause("dates", negated, least=ends[0], most=ends[1])


@pytest.mark.parametrize(
    ("first", "last", "years", "shown"),
    [
        ("2026-01-04", "2026-03-30", -1, ("2025-01-04", "2025-03-30")),
        ("2026-11-20", "2026-12-10", -1, ("2025-11-20", "2025-12-10")),
        ("2025-03-01", "2025-04-01", 0, ("2025-03-01", "2025-04-01")),
        ("2020-02-29", "2020-02-29", 5, ("2025-02-28", "2025-02-28")),
        ("2027-05-01", None, -3, ("2024-05-01", None)),
        (None, "2023-05-01", 3, (None, "2026-05-01")),
    ],
)
def test_rule_is_moved_by_as_few_years_as_bring_most_of_it_into_the_period(first, last, years, shown):
    changed, (rule,) = moved(terms(1, 2020, dates(first, last)), **PERIOD, moves=True)

    ends = [end and date.fromisoformat(end) for end in shown]
    assert (rule.years, [rule.first, rule.last], rule.fires) == (years, ends, True)
    assert changed.rules[0].clauses == (dates(*shown),)


@pytest.mark.parametrize("clauses", [(), (dates("2030-01-01", "2030-02-01", negated=True),)])
def test_rule_without_dates_of_its_own_is_left_alone(clauses):
    before = terms(1, 2020, *clauses)

    assert moved(before, **PERIOD, moves=True) == (before, [])


def test_rule_that_no_whole_year_brings_into_a_short_period_stays_and_never_fires():
    short = {"first_day": date(2025, 2, 1), "last_day": date(2025, 2, 20)}
    before = terms(1, 2020, dates("2026-04-04", "2026-04-28"))

    changed, (rule,) = moved(before, **short, moves=True)

    assert (changed, rule.years, rule.fires, rule.movable) == (before, 0, False, False)


def test_draft_rules_from_the_first_day_after_what_was_in_force_before():
    first, second, draft = terms(1, 2020), terms(2, 2025), terms(3, 2027)
    since = datetime(2025, 6, 1, tzinfo=UTC)

    found = ruled_by(Schedule((first, second)), draft, since=since)

    assert found.versions == (first, second, replace(draft, starts_at=since))


def test_version_in_force_as_the_period_begins_rules_it_as_it_was_published():
    first, second = terms(1, 2020), terms(2, 2025)

    assert ruled_by(Schedule((first, second)), second, since=datetime(2025, 6, 1, tzinfo=UTC)).versions == (
        first,
        second,
    )


def test_right_terms_stand_under_the_id_and_from_the_moment_of_the_wrong_ones():
    wrong, right = terms(1, 2020), terms(2, 2025, dates("2025-01-01", None))

    found = in_place_of(Schedule((wrong, right)), {wrong.version_id: right})

    stand_in, last = found.versions
    assert (stand_in.version_id, stand_in.starts_at, stand_in.rules) == (
        wrong.version_id,
        wrong.starts_at,
        right.rules,
    )
    assert last == right
