"""Guests' receipts: claimed once, within the program's days, and then as if the member had shown the card."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import IntegrityError, connections, transaction

from loyalty.ledger.models import Account, Standing
from loyalty.ledger.verify import verify
from loyalty.purchases.accrual import accrue_batch
from loyalty.purchases.models import Activity, GuestReceipt
from loyalty.rewards import guesses
from programs import codes
from programs.models import Membership, Program
from tests.factories import RuleSpec, make_member, make_program, make_shop, make_version
from tests.factories.events import publish
from tests.loyalty.api.client import Till, a_purchase

MEMBER, OTHER = {"member": "external_id:42"}, {"member": "external_id:43"}
BOUGHT = datetime(2026, 3, 29, 8, 15, tzinfo=UTC)  # When ``a_purchase`` happens.
SOON = BOUGHT + timedelta(days=1)


@pytest.fixture
def program(db):
    return _program()


def _program():
    program = make_shop(timezone="Europe/Zagreb", clock=SOON)
    for name in ("42", "43"):
        make_member(program=program, external_id=name, joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    return program


@pytest.fixture
def till(program):
    return Till(program)


def a_refund(external_id="f-1", **fields):
    return {"external_id": external_id, "purchase": "r-1", "occurred_at": "2026-03-29T12:00:00Z", **fields}


def _bought(till, **fields):
    """Return the code of a guest's new purchase."""
    answer = till.post("purchases/", a_purchase(**fields))
    assert answer.status_code == 201, answer.json()
    return answer.json()["receipt_code"]


def _claim(till, code, body=None):
    return till.post(f"receipts/{code}/claim/", body or MEMBER)


def _refusal(answer):
    return answer.status_code, answer.json()["code"]


def _drain():
    while accrue_batch().moved:
        pass


def _available(name="42"):
    return Account.objects.get(membership__external_id=name, kind=Account.Kind.AVAILABLE).balance


# --- Codes -----------------------------------------------------------------------------------------------------------


def test_guests_purchase_has_a_code_and_a_members_has_none(till):
    code = _bought(till)

    assert codes.shown(codes.normal(code)) == code
    assert till.post("purchases/", a_purchase()).json()["receipt_code"] == code
    assert till.get("purchases/r-1/").json()["receipt_code"] == code
    assert [row["receipt_code"] for row in till.get("purchases/").json()["results"]] == [code]
    assert till.post("purchases/", a_purchase("r-2", **MEMBER)).json()["receipt_code"] is None
    assert GuestReceipt.objects.count() == 1


def test_each_guest_of_a_batch_has_a_code_of_their_own(till):
    till.post("purchases/batch/", {"purchases": [a_purchase(str(n)) for n in range(30)]})

    assert len({row["receipt_code"] for row in till.get("purchases/").json()["results"]}) == 30


def test_code_that_another_receipt_has_is_drawn_again(till, monkeypatch):
    taken = codes.normal(_bought(till))
    drawn = iter([taken, taken, codes.new_code()])
    monkeypatch.setattr(codes, "new_code", lambda: next(drawn))

    assert codes.normal(_bought(till, external_id="r-2")) not in (None, taken)


def test_code_is_unique_in_a_program_and_who_claimed_has_a_time(till, program):
    _bought(till)
    _bought(till, external_id="r-2")
    first, second = GuestReceipt.objects.all()

    for broken, name in [
        ({"code": second.code}, "purchases_receipt_code_unique|purchases_guestreceipt.code"),
        ({"claimed_at": SOON}, "purchases_receipt_claimed_by_somebody_at_some_time"),
    ]:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            GuestReceipt.objects.filter(pk=first.pk).update(**broken)


# --- Claims ----------------------------------------------------------------------------------------------------------


def test_claimed_purchase_is_the_members_and_earns_what_it_would_have(till):
    code = _bought(till, store="s1")

    answer = _claim(till, f" {code.lower().replace('-', '')} ")
    _drain()

    body = answer.json()
    assert (answer.status_code, body["status"], body["external_id"]) == (200, "recorded", "r-1")
    assert (body["member"]["external_id"], body["receipt_code"]) == ("42", None)
    shown = till.get("purchases/r-1/").json()
    assert (shown["status"], shown["awards"][0]["amount"], shown["store"]) == ("accrued", "10", "s1")
    assert (_available(), _available("43")) == (10, 0)
    assert verify(programs=list(Program.objects.all())).faults == []


def test_claim_again_by_the_same_member_is_the_same_and_another_is_refused(till):
    code = _bought(till)
    _claim(till, code)
    _drain()
    card = Membership.objects.get(external_id="42").card

    again = _claim(till, code, {"member": card})

    assert (again.status_code, again.json()["status"]) == (200, "accrued")
    assert _refusal(_claim(till, code, OTHER)) == (409, "receipt-claimed")
    assert _available() == 10
    assert till.post("purchases/", a_purchase()).json()["member"]["external_id"] == "42"


def test_claim_stays_the_members_when_they_are_blocked_or_the_days_are_over(till):
    code = _bought(till)
    _claim(till, code)
    Membership.objects.filter(external_id="42").update(status="blocked")
    Program.objects.update(clock=SOON + timedelta(days=99))

    assert _claim(till, code).status_code == 200


@pytest.mark.parametrize(("status", "code"), [("blocked", "member-blocked"), ("closed", "member-closed")])
def test_member_who_may_not_earn_cannot_claim(till, status, code):
    receipt = _bought(till)
    Membership.objects.update(status=status)

    assert _refusal(_claim(till, receipt)) == (409, code)


def test_unknown_member_cannot_claim_and_the_receipt_stays_open(till):
    code = _bought(till)

    refused = _claim(till, code, {"member": "external_id:44"})

    assert _refusal(refused) == (404, "unknown-member")
    assert refused.json()["errors"][0]["pointer"] == "/member"
    assert _claim(till, code).status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "required", "/member"),
        ({"member": ""}, "too-short", "/member"),
        ({"member": 42}, "wrong-type", "/member"),
        ({"member": "\x00"}, "nul-character", "/member"),
        ({**MEMBER, "code": "x"}, "unknown-field", "/code"),
    ],
)
def test_bad_claim_is_refused_with_its_place(till, body, code, pointer):
    answer = till.post(f"receipts/{_bought(till)}/claim/", body)

    assert _refusal(answer) == (400, code)
    assert answer.json()["errors"][0]["pointer"] == pointer


# --- For how long ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "status"),
    [
        ("2026-04-12T21:59:59Z", 200),  # The fourteenth day ends at midnight in Zagreb.
        ("2026-04-12T22:00:00Z", 409),
    ],
)
def test_receipt_can_be_claimed_to_the_end_of_the_fourteenth_day(till, now, status):
    code = _bought(till)
    Program.objects.update(clock=datetime.fromisoformat(now))

    answer = _claim(till, code)

    assert answer.status_code == status
    assert answer.json().get("code") == (None if status == 200 else "claim-too-late")


@pytest.mark.parametrize(("days", "later", "status"), [(0, 0, 409), (1, 1, 200), (1, 2, 409), (60, 59, 200)])
def test_program_says_for_how_many_days(db, days, later, status):
    program = make_program(clock=BOUGHT)
    publish(make_version(program=program, is_published=False), claim_days=days)
    make_member(program=program, external_id="42")
    till = Till(program)
    code = _bought(till)
    Program.objects.update(clock=BOUGHT + timedelta(days=later))

    assert _claim(till, code).status_code == status


# --- Judged by its day -----------------------------------------------------------------------------------------------


def test_claimed_purchase_is_judged_by_the_version_of_its_day(db):
    program = make_program(clock=SOON)
    make_version(program=program, rules=[RuleSpec(rate="1")])
    make_version(program=program, rules=[RuleSpec(rate="5")], in_force_from=BOUGHT + timedelta(hours=1))
    make_member(program=program, external_id="42")
    till = Till(program)

    _claim(till, _bought(till))
    _drain()

    assert _available() == 10


def test_claim_before_joining_moves_joining_back_to_the_purchase(till, program):
    make_member(program=program, external_id="44", joined_at=SOON)

    _claim(till, _bought(till), {"member": "external_id:44"})
    _drain()

    assert Membership.objects.get(external_id="44").joined_at == BOUGHT
    assert till.get("members/external_id:44/").json()["tier"]["since"] == "2026-03-29"


def test_claimed_purchase_counts_towards_the_tier_like_any_late_one(till):
    till.post("purchases/", a_purchase("later", occurred_at="2026-03-29T20:00:00Z", **MEMBER))
    code = _bought(till, total="350.00")
    _drain()
    _claim(till, code)
    _drain()

    assert till.get("members/external_id:42/").json()["tier"]["code"] == "silver"
    assert Standing.objects.get(membership__external_id="42").credit == {
        "spend": {"2026": 36_099},
        "unit:points": {"2026": 360},
        "visits": {"2026": 2},
    }


# --- Returns ---------------------------------------------------------------------------------------------------------

LINES = [{"amount": "40.00"}, {"amount": "30.50"}, {"amount": "29.50"}]


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_partial_returns_before_and_after_the_claim_leave_what_a_member_would_have(till, when):
    code = _bought(till, total="100.00", lines=LINES)
    parts = [a_refund("f-1", lines=[{"line": 1}]), a_refund("f-2", lines=[{"line": 3, "amount": "9.50"}])]
    claimed_after = {"before": 2, "between": 1, "after": 0}[when]
    for number in range(3):
        if number == claimed_after:
            _claim(till, code)
        if number < 2:
            till.post("refunds/", parts[number])
        if when != "before":
            _drain()
    _drain()

    assert _available() == 50
    assert {row["status"] for row in till.get("refunds/").json()["results"]} == {"accrued"}
    assert {row["member"]["external_id"] for row in till.get("refunds/").json()["results"]} == {"42"}
    purchase = Activity.objects.purchases().get()
    assert (purchase.returned, purchase.is_void) == (4_950, False)
    assert verify(programs=list(Program.objects.all())).faults == []


def test_rest_that_comes_back_after_the_claim_takes_all_back(till):
    code = _bought(till, total="100.00", lines=LINES)
    till.post("refunds/", a_refund("f-1", lines=[{"line": 1}]))
    _claim(till, code)
    till.post("refunds/", a_refund("f-2"))
    _drain()

    assert _available() == 0
    assert Activity.objects.purchases().get().is_void is True
    assert till.get("refunds/f-2/").json()["total"] == "60.00"
    assert _refusal(till.post("refunds/", a_refund("f-3"))) == (409, "nothing-left")


def test_receipt_that_was_wholly_returned_cannot_be_claimed(till):
    code = _bought(till)
    till.post("refunds/", a_refund())

    assert _refusal(_claim(till, code)) == (409, "nothing-left")


def test_receipt_of_a_return_that_came_first_cannot_be_claimed(till):
    till.post("refunds/", a_refund())

    assert _refusal(_claim(till, _bought(till))) == (409, "nothing-left")


# --- Strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["x", "%00", "0000-0000-0001", "x" * 300])
def test_unknown_code_is_not_found(till, code):
    assert _refusal(_claim(till, code)) == (404, "unknown-receipt")


def test_code_of_another_program_is_not_found_and_a_code_never_claims_a_members_purchase(till, program):
    code = _bought(till)
    for stranger in (make_shop(business=program.business), make_shop()):
        make_member(program=stranger, external_id="42")
        assert _refusal(_claim(Till(stranger), code)) == (404, "unknown-receipt")

    assert _claim(till, code).status_code == 200


def test_codes_cannot_be_tried_out(till, broker):
    code = _bought(till)

    with time_machine.travel(time.time() // guesses.WINDOW * guesses.WINDOW, tick=False):
        tried = [_claim(till, "0000-0000-0000").status_code for _ in range(21)]
        stopped = _claim(till, code)

    assert tried == [404] * 20 + [429]
    assert (stopped.status_code, stopped.headers["Retry-After"]) == (429, "600")


def test_key_without_the_scope_cannot_claim(till, program):
    code = _bought(till)

    assert _refusal(_claim(Till(program, scopes=["purchases:read"]), code)) == (403, "scope-missing")
    assert _refusal(_claim(Till(program, secret=""), code)) == (401, "key-missing")


# --- At once ---------------------------------------------------------------------------------------------------------


def _at_once(calls):
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_of_members_who_claim_at_once_one_wins():
    program = _program()
    till = Till(program)
    code = _bought(till)

    answers = _at_once([lambda who=who: _claim(till, code, who) for who in (MEMBER, OTHER) * 3])
    _drain()

    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200] * 3 + [409] * 3
    assert {answer.json()["member"]["external_id"] for answer in answers if answer.status_code == 200} in (
        {"42"},
        {"43"},
    )
    assert sorted([_available(), _available("43")]) == [0, 10]


@pytest.mark.django_db(transaction=True)
def test_claim_and_return_at_once_never_miss_each_other():
    till = Till(_program())
    for number in range(6):
        code = _bought(till, external_id=f"r-{number}")
        refund = a_refund(f"f-{number}", purchase=f"r-{number}")
        _at_once([lambda code=code: _claim(till, code), lambda refund=refund: till.post("refunds/", refund)])
    _drain()

    assert set(Activity.objects.values_list("status", flat=True)) == {"accrued"}
    assert set(Activity.objects.purchases().values_list("is_void", flat=True)) == {True}
    assert _available() == 0
    assert verify(programs=list(Program.objects.all())).faults == []
