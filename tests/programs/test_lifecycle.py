from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.history.models import Change
from programs import actions, lifecycle
from programs.models import Program
from tests.factories import make_shop, make_user

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(timezone="Europe/Prague", clock=CLOCK)


def state_of(program):
    found = Program.objects.get(pk=program.pk)
    return found.status, found.status_since, found.status_by, found.ends_at


def written():
    return list(Change.objects.order_by("at", "id").values_list("action", "by__email", "lines"))


def test_pause_and_resume_are_written_down_and_safe_to_repeat(program):
    person = make_user(email="ann@example.test")

    for _twice in range(2):
        lifecycle.pause(program=program, by=person)
    assert state_of(program) == ("paused", CLOCK, person, None)
    for _twice in range(2):
        lifecycle.resume(program=program, by=person)

    assert state_of(program) == ("active", CLOCK, person, None)
    assert written() == [("paused", person.email, []), ("resumed", person.email, [])]


def test_close_ends_with_the_last_day_in_the_programs_zone_and_can_be_undone_until_then(program):
    closed = lifecycle.close(program=program, last_day=date(2026, 3, 31), by=None)

    assert closed.ends_at == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert (closed.last_day, closed.is_over) == (date(2026, 3, 31), False)
    assert lifecycle.close(program=program, last_day=date(2026, 3, 31), by=None).ends_at == closed.ends_at
    lifecycle.reopen(program=program, by=None)
    assert state_of(program) == ("active", CLOCK, None, None)
    assert written() == [
        ("closed", None, [["Last day of spending", "", "31\u00a0March\u00a02026"]]),
        ("reopened", None, []),
    ]


def test_close_of_a_paused_program_is_possible(program):
    lifecycle.pause(program=program, by=None)

    assert lifecycle.close(program=program, last_day=CLOCK.date(), by=None).status == "closed"


def test_close_cannot_be_undone_once_the_last_day_is_over(program):
    lifecycle.close(program=program, last_day=CLOCK.date(), by=None)
    Program.objects.filter(pk=program.pk).update(clock=CLOCK + timedelta(days=1))

    with pytest.raises(lifecycle.WrongStateError):
        lifecycle.reopen(program=program, by=None)


@pytest.mark.parametrize("last_day", [date(2026, 2, 28), date(3000, 1, 1)])
def test_close_with_an_impossible_last_day_is_refused(program, last_day):
    with pytest.raises(lifecycle.LastDayError):
        lifecycle.close(program=program, last_day=last_day, by=None)
    assert state_of(program)[0] == "active"


@pytest.mark.parametrize("verb", [lifecycle.pause, lifecycle.resume])
def test_closed_program_can_neither_be_paused_nor_go_on(program, verb):
    lifecycle.close(program=program, last_day=CLOCK.date(), by=None)

    with pytest.raises(lifecycle.WrongStateError):
        verb(program=program, by=None)


def test_closed_program_is_not_closed_again_with_another_day(program):
    lifecycle.close(program=program, last_day=CLOCK.date(), by=None)

    with pytest.raises(lifecycle.WrongStateError):
        lifecycle.close(program=program, last_day=date(2027, 1, 1), by=None)


def test_paused_program_is_not_reopened(program):
    lifecycle.pause(program=program, by=None)

    with pytest.raises(lifecycle.WrongStateError):
        lifecycle.reopen(program=program, by=None)


def test_closed_program_takes_no_new_terms(program):
    draft = actions.start_draft(program=program, by=None)
    lifecycle.close(program=program, last_day=CLOCK.date(), by=None)

    with pytest.raises(actions.MomentError):
        actions.publish(version=draft, by=None)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"status": "asleep"}, "programs_program_known_state"),
        ({"status": "closed", "status_since": CLOCK}, "programs_program_closed_has_end"),
        ({"ends_at": CLOCK}, "programs_program_closed_has_end"),
        ({"status": "paused"}, "programs_program_state_has_moment"),
    ],
)
def test_database_refuses_a_state_that_is_not_whole(program, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Program.objects.filter(pk=program.pk).update(**fields)
