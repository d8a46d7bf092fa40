from datetime import UTC, date, datetime

import pytest

from programs.engine.dates import days_later, end_after_months, months_later, start_of, window_start
from tests.programs.engine.shop import NEW_YORK, PRAGUE


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 12, 15), 12, date(2026, 12, 15)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
    ],
)
def test_months_later_missing_date_becomes_the_months_last(day, months, later):
    assert months_later(day, months) == later


def test_end_after_months_is_the_close_of_the_same_date_in_the_zone():
    late_evening_in_new_york = datetime(2025, 3, 16, 3, 30, tzinfo=UTC)

    assert end_after_months(late_evening_in_new_york, 12, NEW_YORK) == datetime(2026, 3, 16, 4, tzinfo=UTC)


def test_days_later_keeps_the_time_of_day_over_a_change_of_clocks():
    before = datetime(2025, 3, 20, 9, tzinfo=UTC)  # Ten in Prague; two hours from UTC after 30 March.

    assert days_later(before, 14, PRAGUE) == datetime(2025, 4, 3, 8, tzinfo=UTC)


def test_start_of_day_is_the_zones_midnight():
    assert start_of(date(2026, 1, 1), NEW_YORK) == datetime(2026, 1, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(("window", "name"), [("day", "2025-12-31"), ("month", "2025-12"), ("year", "2025")])
def test_window_start_goes_by_the_zone(window, name):
    assert window_start(datetime(2026, 1, 1, 2, tzinfo=UTC), window, NEW_YORK) == name
