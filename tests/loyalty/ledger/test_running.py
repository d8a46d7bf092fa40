"""What a paused or closed program takes, over HTTP and in the books."""

from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty.ledger.models import Account, Notice, Standing
from loyalty.ledger.running import ProgramClosedError, ProgramPausedError, check_may_spend
from loyalty.ledger.verify import verify
from loyalty.purchases.accrual import run_due
from loyalty.purchases.models import Activity
from programs import lifecycle
from programs.models import Program, UnitTerms
from programs.outstanding import outstanding_of
from tests.factories import UnitSpec, make_member, make_program, make_shop, make_version
from tests.factories.activity import drain
from tests.loyalty.api.client import Till, a_purchase

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAST_DAY = date(2026, 3, 31)
OVER = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(clock=START)


@pytest.fixture
def member(program):
    return make_member(program=program, external_id="ana", joined_at=START)


def at(days=0, hours=0):
    return (START + timedelta(days=days, hours=hours)).isoformat()


def move(program, moment):
    run_due(program=Program.objects.get(pk=program.pk), as_of=moment)


def buys(program, number="r-1", **fields):
    body = a_purchase(number, **{"member": "external_id:ana", "total": "100.00", "occurred_at": at(), **fields})
    return Till(program).post("purchases/", body)


def available(program):
    return Till(program).get("members/external_id:ana/").json()["balances"]["points"]


def close(program, last_day=LAST_DAY):
    return lifecycle.close(program=program, last_day=last_day, by=None)


# --- Paused -------------------------------------------------------------------------------------------------------


def test_paused_program_takes_nobody_new_and_answers_who_is_known(program, member):
    lifecycle.pause(program=program, by=None)

    refused = Till(program).post("members/", {"external_id": "new"})
    known = Till(program).post("members/", {"external_id": "ana"})

    assert (refused.status_code, refused.json()["code"], known.status_code) == (409, "program-paused", 200)
    assert Till(program).get("members/external_id:ana/").json()["status"] == "active"


def test_paused_program_writes_receipts_down_and_judges_them_when_it_goes_on(program, member):
    lifecycle.pause(program=program, by=None)
    move(program, START + timedelta(days=10))

    taken = buys(program, occurred_at=at(days=5))
    drain()
    assert (taken.status_code, taken.json()["status"], available(program)["available"]) == (201, "recorded", "0")

    lifecycle.resume(program=program, by=None)
    drain()
    assert available(program)["available"] == "100"


def test_purchase_made_during_a_pause_is_judged_by_the_terms_of_its_day(program, member):
    make_version(program=program, in_force_from=START + timedelta(days=3))
    lifecycle.pause(program=program, by=None)
    buys(program, "r-1", occurred_at=at(days=1))
    buys(program, "r-2", occurred_at=at(days=5))
    move(program, START + timedelta(days=9))
    lifecycle.resume(program=program, by=None)
    drain()

    rows = Activity.objects.order_by("occurred_at").values_list("judgement__version__number", flat=True)
    assert list(rows) == [1, 2]


def test_units_that_a_purchase_in_the_pause_kept_alive_are_still_there_when_it_goes_on():
    program = make_program(clock=START)
    make_version(program=program, units=[UnitSpec(expiry=UnitTerms.Expiry.INACTIVITY, expiry_months=1)])
    make_member(program=program, external_id="ana", joined_at=START)
    buys(program, "r-1", occurred_at=at())
    drain()
    lifecycle.pause(program=program, by=None)
    buys(program, "r-2", occurred_at=at(days=20))
    move(program, START + timedelta(days=40))  # Beyond what the first purchase would have kept alive.

    assert available(program)["available"] == "100"
    lifecycle.resume(program=program, by=None)
    drain()
    assert available(program)["available"] == "200"


def test_pause_lets_what_fell_due_in_it_happen_on_its_own_day_when_it_goes_on():
    program = make_program(clock=START)
    make_version(program=program, units=[UnitSpec(expiry=UnitTerms.Expiry.ROLLING, expiry_months=1)])
    make_member(program=program, external_id="ana", joined_at=START)
    buys(program)
    drain()
    lifecycle.pause(program=program, by=None)
    move(program, START + timedelta(days=60))
    assert available(program)["available"] == "100"

    lifecycle.resume(program=program, by=None)

    assert available(program)["available"] == "0"
    (expired, *_others) = Till(program).get("members/external_id:ana/entries/").json()["results"]
    assert (expired["kind"], expired["occurred_at"][:10]) == ("expire", "2026-04-02")


def test_paused_program_quotes(program, member):
    lifecycle.pause(program=program, by=None)
    body = a_purchase(member="external_id:ana", total="100.00", occurred_at=at())
    del body["external_id"]

    answer = Till(program).post("quotes/", body)

    assert (answer.status_code, answer.json()["awards"][0]["amount"]) == (200, "100")


# --- Closed -------------------------------------------------------------------------------------------------------


def test_closed_program_takes_no_purchase_event_or_member(program, member):
    close(program)
    till = Till(program)
    quote = a_purchase(member="external_id:ana", occurred_at=at(hours=1))
    del quote["external_id"]

    answers = [
        buys(program, occurred_at=at(hours=1)),
        till.post(
            "events/", {"external_id": "e-1", "member": "external_id:ana", "type": "review", "occurred_at": at(hours=1)}
        ),
        till.post("members/", {"external_id": "new"}),
        till.post("quotes/", quote),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "program-closed")] * 4
    assert Activity.objects.count() == 0


def test_receipt_of_before_the_close_is_taken_for_72_hours(program, member):
    close(program)
    move(program, START + timedelta(hours=72))
    in_time = buys(program, "r-1", occurred_at=at(hours=-1))
    move(program, START + timedelta(hours=73))
    too_late = buys(program, "r-2", occurred_at=at(hours=-1))
    repeated = buys(program, "r-1", occurred_at=at(hours=-1))

    assert (in_time.status_code, too_late.status_code, repeated.status_code) == (201, 409, 200)


def test_batch_to_a_closed_program_names_what_was_refused(program, member):
    close(program)

    answer = Till(program).post("purchases/batch/", {"purchases": [a_purchase(occurred_at=at(hours=1))]})

    (result,) = answer.json()["results"]
    assert (answer.status_code, result["status"], result["code"]) == (200, "refused", "program-closed")


def test_closed_program_takes_returns_and_ends_what_is_left_after_its_last_day(program, member):
    buys(program)
    drain()
    close(program)
    assert available(program)["next_expiry"] == {"amount": "100", "at": "2026-04-01T00:00:00+00:00"}

    returned = Till(program).post(
        "refunds/", {"external_id": "g-1", "purchase": "r-1", "occurred_at": at(days=2), "amount": "40.00"}
    )
    drain()
    assert (returned.status_code, available(program)["available"]) == (201, "60")

    move(program, OVER)

    (expired, *_others) = Till(program).get("members/external_id:ana/entries/").json()["results"]
    assert (expired["kind"], expired["amount"], expired["occurred_at"][:16]) == ("expire", "-60", "2026-04-01T00:00")
    assert (available(program)["available"], Standing.objects.get().due_at) == ("0", None)
    assert verify(programs=[program]).faults == []


def test_undone_close_leaves_units_as_the_terms_have_them(program, member):
    buys(program)
    drain()
    close(program)
    move(program, START + timedelta(days=1))
    lifecycle.reopen(program=program, by=None)
    move(program, OVER + timedelta(days=1))

    assert available(program) == {"available": "100", "pending": "0", "held": "0", "next_expiry": None}


def test_undone_close_takes_back_the_notices_that_were_not_sent():
    program = make_program(clock=START)
    version = make_version(program=program, is_published=False)
    version.needs_notice = True
    version.status, version.in_force_from, version.published_at = "published", START, START
    version.save()
    make_member(program=program, external_id="ana", joined_at=START)
    buys(program)
    drain()
    close(program)
    move(program, START + timedelta(days=5))
    assert [notice.ends_at for notice in Notice.objects.all()] == [OVER]

    lifecycle.reopen(program=program, by=None)

    assert Notice.objects.count() == 0


@pytest.mark.parametrize(("days", "may"), [(0, True), (30, True), (31, False)])
def test_units_of_a_closed_program_can_be_spent_up_to_its_last_day(program, days, may):
    close(program)
    Program.objects.update(clock=START + timedelta(days=days))
    found = Program.objects.get()

    if may:
        check_may_spend(found)
    else:
        with pytest.raises(ProgramClosedError):
            check_may_spend(found)


def test_nothing_is_spent_in_a_paused_program(program):
    with pytest.raises(ProgramPausedError):
        check_may_spend(lifecycle.pause(program=program, by=None))


@pytest.mark.parametrize("members", [1, 3])
def test_what_is_outstanding_is_told_at_the_same_cost(program, members, django_assert_num_queries):
    for number in range(members):
        make_member(program=program, external_id=f"m-{number}")
    Account.objects.filter(kind="available", membership__isnull=False).update(balance=50)
    Account.objects.filter(kind="pending", membership__isnull=False).update(balance=7)

    with django_assert_num_queries(3):
        lines = outstanding_of(program)

    assert [(line.what, line.amount) for line in lines] == [
        ("Points that can be spent", f"{50 * members}\u00a0points"),
        ("Points on their way", f"{7 * members}\u00a0points"),
    ]
