from dataclasses import replace
from datetime import UTC, datetime

import pytest

from programs.engine.dates import window_start
from programs.engine.earning import budget_keys
from programs.engine.limits import Limit, counter_key
from programs.engine.terms import Cap, Group
from tests.programs.engine.shop import PRAGUE, cashback

LATE = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # 1 March in Prague, a Sunday.


@pytest.mark.parametrize(
    ("window", "name"),
    [
        ("day", "2026-03-01"),
        ("week", "2026-W09"),
        ("month", "2026-03"),
        ("quarter", "2026-Q1"),
        ("year", "2026"),
        ("lifetime", "ever"),
    ],
)
def test_window_is_named_after_its_start_in_the_zone(window, name):
    assert window_start(LATE, window, PRAGUE) == name


@pytest.mark.parametrize(
    ("moment", "starts", "name"),
    [
        (datetime(2026, 1, 31, 22, 59, tzinfo=UTC), 2, "2025-02"),
        (datetime(2026, 1, 31, 23, 0, tzinfo=UTC), 2, "2026-02"),
        (datetime(2026, 12, 31, tzinfo=UTC), 2, "2026-02"),
        (datetime(2026, 7, 1, tzinfo=UTC), 1, "2026-01"),
    ],
)
def test_programs_year_begins_with_its_month(moment, starts, name):
    assert window_start(moment, "program_year", PRAGUE, starts) == name


@pytest.mark.parametrize(
    ("moment", "week"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-W01"),
        (datetime(2027, 1, 3, 12, tzinfo=UTC), "2026-W53"),
        (datetime(2024, 12, 30, 12, tzinfo=UTC), "2025-W01"),
    ],
)
def test_week_belongs_to_the_year_of_its_thursday(moment, week):
    assert window_start(moment, "week", PRAGUE) == week


@pytest.mark.parametrize(
    ("owner", "cap", "key"),
    [
        ("base", Cap("month", 9), "base|month|2026-03"),
        ("base", Cap("month", 9, "units"), "base#units|month|2026-03"),
        ("base", Cap("lifetime", 9, "times"), "base#times|lifetime|ever"),
        ("@events", Cap("program_year", 9, "units"), "@events#units|program_year|2026-02"),
        ("base", Cap("day", 9, "amount", "program"), "program|base|day|2026-03-01"),
        ("@events", Cap("quarter", 9, "times", "program"), "program|@events#times|quarter|2026-Q1"),
        ("visit", Cap("day", 1, "times", per="place"), "visit#times|day|2026-03-01|brno"),
        ("visit", Cap("day", 1, "times", per="seat"), "visit#times|day|2026-03-01|"),
    ],
)
def test_counter_key_keeps_its_form(owner, cap, key):
    window = window_start(LATE, cap.window, PRAGUE, year_starts=2)

    assert counter_key(Limit(owner, cap), window, {"Place": " BRNO"}) == key


def test_budget_keys_are_those_of_the_whole_program_with_the_tightest_limit():
    rule = cashback().rules[0]
    rules = (
        replace(rule, group="all", caps=(Cap("month", 5, "units", "program"), Cap("month", 3, "units", "program"))),
        replace(rule, code="other", group="all", caps=(Cap("month", 9), Cap("purchase", 9, scope="program"))),
        replace(rule, code="visit", trigger="event", caps=(Cap("day", 7, "times", "program", "place"),)),
    )
    groups = {"all": Group("all", "All", "all", (Cap("year", 90, "units", "program"), Cap("day", 4, "times")))}
    terms = replace(cashback(), rules=rules, groups=groups)

    assert budget_keys(terms=terms, occurred_at=LATE, attributes={"place": "Brno"}) == {
        "program|default#units|month|2026-03": 3,
        "program|@all#units|year|2026": 90,
        "program|visit#times|day|2026-03-01|brno": 7,
    }
