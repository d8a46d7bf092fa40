"""A sandbox's clock and the loading of a history, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from programs.models import Program
from tests.factories import make_program, make_shop
from tests.loyalty.api.client import Till, a_purchase

START = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_clock_moves_forward_and_is_told_in_the_programs_zone():
    till = Till(make_shop(clock=START, timezone="Asia/Tokyo"))

    moved = till.post("sandbox/clock/", {"now": "2022-03-01T00:00:00Z"})
    again = till.post("sandbox/clock/", {"now": "2022-03-01T00:00:00Z"})

    assert (moved.status_code, again.status_code) == (200, 200)
    assert moved.json() == {"now": "2022-03-01T09:00:00+09:00"}
    assert Program.objects.get().clock == datetime(2022, 3, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_clock_never_goes_back():
    answer = Till(make_shop(clock=START)).post("sandbox/clock/", {"now": "2021-12-31T23:59:59Z"})

    assert (answer.status_code, answer.json()["code"]) == (409, "clock-backwards")
    assert Program.objects.get().clock == START


@pytest.mark.django_db
def test_live_program_cannot_be_told_the_time():
    answer = Till(make_shop()).post("sandbox/clock/", {"now": "2030-01-01T00:00:00Z"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-a-sandbox")
    assert Program.objects.get().clock is None


@pytest.mark.django_db
def test_sandbox_by_the_real_clock_gets_its_own_when_it_is_told_a_later_time():
    till = Till(make_program(is_sandbox=True))

    assert till.post("sandbox/clock/", {"now": "2022-01-01T00:00:00Z"}).json()["code"] == "clock-backwards"
    assert till.post("sandbox/clock/", {"now": "2090-01-01T00:00:00Z"}).status_code == 200
    assert Program.objects.get().clock == datetime(2090, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "code"), [("2022-03-01T00:00:00", "offset-missing"), ("soon", "not-a-moment"), (None, "wrong-type")]
)
def test_clock_is_told_a_moment_with_an_offset(now, code):
    answer = Till(make_shop(clock=START)).post("sandbox/clock/", {"now": now})

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.django_db
def test_backfill_is_switched_on_and_off():
    till = Till(make_shop())

    assert till.send("PUT", "backfill/", {"on": True}).json() == {"on": True}
    assert Program.objects.get().is_in_backfill is True
    assert till.send("PUT", "backfill/", {"on": False}).json() == {"on": False}
    assert Program.objects.get().backfill_touched_at is None


@pytest.mark.django_db
def test_purchases_keep_a_backfill_going_at_most_once_a_minute():
    till = Till(make_shop())
    now = datetime.now(UTC)
    for ago, is_touched in ((timedelta(seconds=30), False), (timedelta(minutes=30), True), (timedelta(hours=2), False)):
        Program.objects.update(backfill_touched_at=now - ago)
        till.post("purchases/", a_purchase(str(ago)))
        assert (Program.objects.get().backfill_touched_at >= now) is is_touched
