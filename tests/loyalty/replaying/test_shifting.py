from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty.replaying.shifting import shift_to

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "last",
    [
        datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC),  # 23:01 on 31 December there.
        datetime(2017, 12, 31, 5, 1, tzinfo=UTC),  # One minute past midnight there, in winter.
        datetime(2017, 7, 1, 4, 30, tzinfo=UTC),  # Half past midnight there, in summer.
        datetime(2017, 7, 2, 3, 30, tzinfo=UTC),
    ],
)
@pytest.mark.parametrize("day", [date(2026, 7, 15), date(2026, 1, 15), date(2026, 3, 9), date(2026, 11, 1)])
def test_shift_moves_by_whole_days_onto_the_day_in_summer_and_winter(last, day):
    shift = shift_to(day, last=last, zone=NEW_YORK)

    assert shift % timedelta(days=1) == timedelta(0)
    assert (last + shift).astimezone(NEW_YORK).date() == day


def test_shift_onto_a_day_that_lacks_the_hour_ends_the_day_before():
    last = datetime(2017, 7, 1, 4, 30, tzinfo=UTC)

    shift = shift_to(date(2026, 3, 8), last=last, zone=NEW_YORK)

    assert (last + shift).astimezone(NEW_YORK).date() == date(2026, 3, 7)
