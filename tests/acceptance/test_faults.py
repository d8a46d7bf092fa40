"""Whatever is killed in the middle of a load and started again, the end is the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.acceptance.loads import (
    ALL_HOUSEHOLDS,
    House,
    assert_as_computed,
    finished,
    part_of_sample,
    scheduled,
)

SHIFT_DAYS = 3103
PRESENT = datetime(2026, 7, 2, 4, tzinfo=UTC)

households = pytest.mark.parametrize("households", [12, pytest.param(ALL_HOUSEHOLDS, marks=pytest.mark.acceptance)])


@households
@pytest.mark.parametrize("victim", ["worker", "broker", "web"])
def test_load_with_a_killed_process_ends_as_computed(house, tmp_path, victim, households):
    file = part_of_sample(tmp_path, households=households)
    shop = House.with_preset(house, "beauty_insider", clock=PRESENT.isoformat())

    with scheduled(house):
        load = shop.start_replay(file, "--shift-days", SHIFT_DAYS, "--connections", 2)
        shop.wait_for(accrued=5 * households, load=load)
        house.kill(victim)
        time.sleep(1)
        house.start(victim)
        printed = finished(load)

    assert "failed 0\nrefused 0" in printed
    assert_as_computed(shop, [file], shift_days=SHIFT_DAYS, present=PRESENT)
    shop.verify()


def test_load_that_is_itself_killed_is_taken_up_by_a_repeat(house, tmp_path):
    file = part_of_sample(tmp_path, households=5)
    shop = House.with_preset(house, "beauty_insider", clock=PRESENT.isoformat())
    load = shop.start_replay(file, "--shift-days", SHIFT_DAYS, "--connections", 1)
    shop.wait_for(accrued=20, load=load)
    load.kill()
    load.communicate()

    shop.replay(file, "--shift-days", SHIFT_DAYS)

    assert_as_computed(shop, [file], shift_days=SHIFT_DAYS, present=PRESENT)
    shop.verify()
