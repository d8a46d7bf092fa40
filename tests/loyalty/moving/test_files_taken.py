"""What becomes of a file: its header, its steps, workers that stop, twins, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from loyalty.ledger.models import Account, OpeningBalance
from loyalty.ledger.verify import verify
from loyalty.moving import actions, members, tasks
from loyalty.moving.models import Moving, MovingFault, MovingFile
from loyalty.purchases.models import Activity
from programs.models import Membership
from tests.factories import make_member, make_shop
from tests.factories.activity import drain
from tests.factories.events import make_event_shop
from tests.loyalty.moving.sheets import check, counts, csv_of, faults, move


def many(count):
    return csv_of("external_id,balance:points", *(f"m{n},{n + 1}" for n in range(count)))


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 4)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("email,colour,balance:ponts", [("colour", "unknown-column"), ("balance:ponts", "unknown-unit")]),
        ("first_name", [("", "no-key-column")]),
        ("email,earned_at:points,tier_until", [("earned_at:points", "lone-column"), ("tier_until", "lone-column")]),
    ],
)
def test_header_that_means_nothing_is_refused_with_every_column_at_fault(header, found):
    moving = check(make_shop(), csv_of(header, "x"))

    assert moving.status == "unreadable"
    assert [(row, column, code) for row, column, _value, code in faults(moving)] == [
        (1, column, code) for column, code in found
    ]
    assert MovingFile.objects.count() == 0


@pytest.mark.django_db
def test_file_is_confirmed_once_and_only_after_its_check():
    moving = actions.take_file(program=make_shop(), kind="members", body=many(2), file_name="m.csv", by=None)
    with pytest.raises(actions.NotCheckedError):
        actions.confirm(moving=moving, by=None)
    actions.go_on(moving_id=moving.pk, seconds=9)

    actions.confirm(moving=moving, by=None)

    with pytest.raises(actions.NotCheckedError):
        actions.confirm(moving=moving, by=None)
    with pytest.raises(actions.NotCheckedError):
        actions.discard(moving=moving, by=None)


@pytest.mark.django_db
def test_who_goes_on_after_a_worker_was_killed_does_the_rest_and_nothing_twice(small_batches, monkeypatch):
    program = make_shop()
    moving = actions.confirm(moving=check(program, many(11)), by=None)
    enrol, calls = members._enrol, []

    def killed(*given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise SystemExit  # In the middle of the second batch.
        enrol(*given, **more)

    monkeypatch.setattr(members, "_enrol", killed)
    with pytest.raises(SystemExit):
        actions.go_on(moving_id=moving.pk, seconds=60)
    moving.refresh_from_db()
    after_the_kill = (moving.status, moving.place, Membership.objects.count())
    Moving.objects.update(touched_at=datetime.now(UTC) - timedelta(minutes=5))

    assert tasks.sweep_task() == 1
    assert tasks.go_on_task(moving_id=str(moving.pk)) is True
    moving.refresh_from_db()
    assert after_the_kill == ("moving", 4, 4)
    assert (moving.status, counts(moving), OpeningBalance.objects.count()) == ("done", (11, 0, 0, 0), 11)
    assert verify(programs=[program]).faults == []


@pytest.mark.django_db
def test_step_stops_when_its_time_is_over_and_says_that_there_is_more(small_batches):
    moving = actions.take_file(program=make_shop(), kind="members", body=many(9), file_name="m.csv", by=None)

    assert [actions.go_on(moving_id=moving.pk, seconds=0) for _nth in range(3)] == [False, False, True]
    moving.refresh_from_db()
    assert (moving.status, counts(moving)) == ("checked", (9, 0, 0, 0))


@pytest.mark.django_db(transaction=True)
def test_same_file_moved_in_by_many_at_once_counts_once(small_batches):
    program = make_shop()
    waiting = [actions.confirm(moving=check(program, many(30)), by=None) for _nth in range(3)]

    def work(number):
        try:
            return actions.go_on(moving_id=waiting[number % 3].pk, seconds=60)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    for moving in waiting:
        moving.refresh_from_db()
    assert [moving.status for moving in waiting] == ["done"] * 3
    assert tuple(map(sum, zip(*map(counts, waiting), strict=True))) == (30, 0, 60, 0)
    assert sum(Account.objects.filter(membership__isnull=False).values_list("balance", flat=True)) == 465
    assert verify(programs=[program]).faults == []


@pytest.mark.django_db(transaction=True)
def test_file_and_till_that_enrol_the_same_people_at_once_make_each_once(small_batches):
    program = make_shop()
    moving = actions.confirm(moving=check(program, many(30)), by=None)

    def work(number):
        try:
            if number == 0:
                return actions.go_on(moving_id=moving.pk, seconds=60)
            return [make_member(program=program, external_id=f"m{n}") for n in range(number, 30, 3)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    moving.refresh_from_db()
    assert (moving.status, moving.counts["bad"], Membership.objects.count()) == ("done", 0, 30)
    assert sum(OpeningBalance.objects.values_list("amount", flat=True)) == 465
    assert verify(programs=[program]).faults == []


@pytest.mark.django_db
@pytest.mark.parametrize(("is_joining_rewarded", "events"), [(False, 0), (True, 1)])
def test_joining_is_rewarded_only_where_staff_say_so(is_joining_rewarded, events):
    program = make_event_shop(welcome=5)

    move(program, csv_of("external_id,balance:points", "a,7"), is_joining_rewarded=is_joining_rewarded)
    drain()

    assert Activity.objects.count() == events
    assert Account.objects.get(kind="available").balance == 7 + 5 * events


@pytest.mark.django_db
def test_random_card_number_that_is_taken_is_met_by_another_try(monkeypatch):
    moving = actions.confirm(moving=check(make_shop(), many(2)), by=None)
    cards = iter(["123456789015", "123456789015", "123456789015", "400000000002"])
    monkeypatch.setattr(members, "new_card", lambda: next(cards))

    actions.go_on(moving_id=moving.pk, seconds=60)

    moving.refresh_from_db()
    assert counts(moving) == (2, 0, 0, 0)


@pytest.mark.django_db
def test_row_that_the_database_refuses_is_named_and_the_others_move_in(monkeypatch):
    moving = actions.confirm(moving=check(make_shop(), many(3)), by=None)
    monkeypatch.setattr(members, "new_card", lambda: "123456789015")

    actions.go_on(moving_id=moving.pk, seconds=60)

    moving.refresh_from_db()
    assert (moving.status, counts(moving)) == ("done", (1, 0, 0, 2))
    assert faults(moving) == [(3, "", "", "not-written"), (4, "", "", "not-written")]


@pytest.mark.django_db
def test_what_names_people_is_deleted_a_week_after_the_last_step():
    moving = check(make_shop(), csv_of("email", "a@example.test", "nobody"))
    actions.tidy(now=datetime.now(UTC) + timedelta(days=6))
    kept = (MovingFile.objects.count(), MovingFault.objects.count())

    actions.tidy(now=datetime.now(UTC) + timedelta(days=8))

    moving.refresh_from_db()
    assert (kept, MovingFile.objects.count(), MovingFault.objects.count(), moving.status) == ((1, 1), 0, 0, "stopped")


@pytest.mark.django_db
def test_file_that_no_worker_can_go_on_with_is_given_up_after_a_day():
    moving = actions.confirm(moving=check(make_shop(), many(2)), by=None)

    actions.tidy(now=datetime.now(UTC) + timedelta(days=2))

    moving.refresh_from_db()
    assert (moving.status, actions.go_on(moving_id=moving.pk, seconds=9), Membership.objects.count()) == (
        "stopped",
        True,
        0,
    )
