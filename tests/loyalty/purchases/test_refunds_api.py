"""Whole returns over HTTP, before and after their purchase."""

from __future__ import annotations

import pytest

from loyalty.ledger.models import Account
from loyalty.purchases.accrual import accrue_batch
from loyalty.purchases.models import Activity
from tests.factories import make_member, make_shop
from tests.loyalty.api.client import Till, a_purchase

MEMBER = "external_id:42"


def a_refund(external_id="f-1", **fields):
    return {"external_id": external_id, "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z", **fields}


@pytest.fixture
def till(db):
    program = make_shop()
    make_member(program=program, external_id="42")
    return Till(program)


def _available():
    return Account.objects.get(kind=Account.Kind.AVAILABLE).balance


def test_return_takes_back_all_that_the_purchase_earned(till):
    till.post("purchases/", a_purchase(member=MEMBER, store="s1"))
    accrue_batch()

    answer = till.post("refunds/", a_refund())
    accrue_batch()
    body = till.get("refunds/f-1/").json()

    assert (answer.status_code, answer.json()["status"]) == (201, "recorded")
    assert (body["status"], body["kind"], body["purchase"], body["total"]) == ("accrued", "refund", "r-1", "10.99")
    assert body["awards"] == [
        {"unit": "points", "amount": "-10", "rule": "base", "reason": "Taken back with the return"}
    ]
    assert _available() == 0
    assert [row["external_id"] for row in till.get("refunds/").json()["results"]] == ["f-1"]


def test_return_before_its_purchase_waits_and_then_takes_back(till):
    waiting = till.post("refunds/", a_refund()).json()
    till.post("purchases/", a_purchase(member=MEMBER))
    accrue_batch()

    assert (waiting["status"], waiting["member"], waiting["total"]) == ("waiting", None, None)
    assert till.get("refunds/f-1/").json()["status"] == "accrued"
    assert till.get("refunds/f-1/").json()["member"]["external_id"] == "42"
    assert _available() == 0


def test_return_dated_before_its_purchase_is_judged_after_it(till):
    till.post("purchases/", a_purchase(member=MEMBER))
    till.post("refunds/", a_refund(occurred_at="2026-01-01T00:00:00Z"))
    accrue_batch()

    assert _available() == 0


def test_of_two_returns_waiting_for_one_purchase_the_second_finds_nothing(till):
    till.post("refunds/", a_refund("f-1"))
    till.post("refunds/", a_refund("f-2"))
    till.post("purchases/", a_purchase(member=MEMBER))
    accrue_batch()

    shown = {row["external_id"]: (row["status"], row["detail"]) for row in till.get("refunds/").json()["results"]}
    assert shown == {"f-1": ("accrued", ""), "f-2": ("failed", "Nothing is left of this purchase")}


@pytest.mark.parametrize("member", [MEMBER, None])
def test_second_return_of_a_purchase_is_refused_even_before_the_first_is_judged(till, member):
    till.post("purchases/", a_purchase(member=member))
    till.post("refunds/", a_refund("f-1"))

    answer = till.post("refunds/", a_refund("f-2"))

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-left")


def test_return_of_a_guests_purchase_is_done_at_once(till):
    till.post("purchases/", a_purchase())

    body = till.post("refunds/", a_refund()).json()

    assert (body["status"], body["member"], body["total"]) == ("accrued", None, "10.99")
    purchase = Activity.objects.purchases().get()
    assert (purchase.is_void, purchase.returned) == (True, 1099)


def test_guests_purchase_that_comes_after_its_return_is_void_at_once(till):
    till.post("refunds/", a_refund())
    till.post("purchases/", a_purchase())

    assert till.get("refunds/f-1/").json()["status"] == "accrued"
    assert Activity.objects.purchases().get().is_void is True


def test_repeat_is_the_same_return_and_another_body_is_refused(till):
    till.post("purchases/", a_purchase())
    till.post("refunds/", a_refund())

    again = till.post("refunds/", a_refund(occurred_at="2026-04-01T02:00:00+02:00", lines=None, amount=None))
    other = till.post("refunds/", a_refund(purchase="r-2"))

    assert (again.status_code, again.json()["status"]) == (200, "accrued")
    assert (other.status_code, other.json()["code"]) == (409, "external-id-reuse")


def test_purchase_and_return_may_share_an_external_id(till):
    till.post("purchases/", a_purchase("same"))

    assert till.post("refunds/", a_refund("same", purchase="same")).status_code == 201


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({"lines": [{"line": 1}]}, "/lines"), ({"amount": "1.00"}, "/amount"), ({"redemptions": ["x"]}, "/redemptions")],
)
def test_partial_return_is_refused_for_now(till, fields, pointer):
    answer = till.post("refunds/", a_refund(**fields))

    assert answer.status_code == 400
    assert [(f["pointer"], f["code"]) for f in answer.json()["errors"]] == [(pointer, "partial-refund-unsupported")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"occurred_at": "2026-04-01T00:00:00"}, "offset-missing"),
        ({"occurred_at": "2526-04-01T00:00:00Z"}, "too-far-ahead"),
        ({"purchase": ""}, "too-short"),
        ({"member": MEMBER}, "unknown-field"),
    ],
)
def test_bad_return_is_refused(till, fields, code):
    answer = till.post("refunds/", a_refund(**fields))

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_return_of_another_programs_purchase_only_waits(till):
    till.post("purchases/", a_purchase())
    other = Till(make_shop())

    assert other.post("refunds/", a_refund()).json()["status"] == "waiting"
