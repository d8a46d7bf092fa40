"""A real year goes through the HTTP API and a real worker, and ends as worked out from the file alone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.acceptance.loads import ALL_HOUSEHOLDS, House, assert_as_computed, part_of_sample, read_rows, write_rows

# The year then runs from 1 July 2025 to 1 July 2026: it spans a New Year, and a sandbox stays there for ever.
SHIFT_DAYS = 3103
PRESENT = datetime(2026, 7, 2, 4, tzinfo=UTC)

households = pytest.mark.parametrize("households", [30, pytest.param(ALL_HOUSEHOLDS, marks=pytest.mark.acceptance)])


@households
def test_year_ends_as_computed_and_a_repeat_changes_nothing(house, tmp_path, households):
    file = part_of_sample(tmp_path, households=households)
    shop = House.with_preset(house, "beauty_insider", clock=PRESENT.isoformat())

    first = shop.replay(file, "--shift-days", SHIFT_DAYS)
    assert_as_computed(shop, [file], shift_days=SHIFT_DAYS, present=PRESENT)
    members = shop.members()
    summary = shop.verify()

    assert shop.replay(file, "--shift-days", SHIFT_DAYS) == first
    assert shop.members() == members
    assert shop.verify() == summary


def test_year_of_cashback_ends_as_computed(house, tmp_path):
    file = part_of_sample(tmp_path, households=8)
    present = datetime(2026, 6, 25, 4, tzinfo=UTC)
    shop = House.with_preset(house, "cashback", clock=present.isoformat())

    shop.replay(file, "--shift-days", SHIFT_DAYS - 10)

    assert_as_computed(shop, [file], shift_days=SHIFT_DAYS - 10, present=present)
    shop.verify()


def test_year_moved_to_now_stays_where_the_first_load_put_it(house, tmp_path):
    file = part_of_sample(tmp_path, households=5)
    shop = House.with_preset(house, "beauty_insider")
    first = shop.replay(file, "--shift-to-now", "--limit", 40)
    last = max(row["timestamp_utc"] for row in read_rows(file))
    until = datetime.fromisoformat(last).astimezone(shop.program.zone).date()
    shift_days = round((yesterday_of(shop) - until).days)

    again = shop.replay(file, "--shift-to-now")

    assert first.splitlines() == ["accrued 40", "failed 0", "refused 0"]
    assert_as_computed(shop, [file], shift_days=shift_days)
    assert shop.replay(file, "--shift-to-now") == again


@pytest.mark.parametrize("households", [10, pytest.param(ALL_HOUSEHOLDS, marks=pytest.mark.acceptance)])
def test_year_by_eight_connections_and_in_another_order_of_members_ends_the_same(house, tmp_path, households):
    file = part_of_sample(tmp_path, households=households)
    rows = read_rows(file)
    members = sorted({row["household_id"] for row in rows}, key=lambda member: member[::-1], reverse=True)
    groups = [set(members[start::3]) for start in range(3)]
    begins = datetime(2025, 7, 1, 4, tzinfo=UTC)  # The sandbox's clock stands: members' purchases carry them along.
    shop = House.with_preset(house, "beauty_insider", clock=begins.isoformat())

    for number, group in enumerate(groups):
        part = write_rows(tmp_path / f"group{number}.csv.gz", [row for row in rows if row["household_id"] in group])
        shop.replay(part, "--shift-days", SHIFT_DAYS, "--connections", 8)

    assert_as_computed(shop, [file], shift_days=SHIFT_DAYS, present=begins)
    shop.verify()


def yesterday_of(shop: House) -> date:
    """Return yesterday in the program's zone."""
    today = datetime.now(UTC).astimezone(shop.program.zone).date()
    return date.fromordinal(today.toordinal() - 1)
