"""Returns over HTTP, whole and in parts, before and after their purchase."""

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


LINES = [
    {"sku": "tea", "quantity": 3, "amount": "10.00"},
    {"sku": "cup", "amount": "8.99"},
    {"sku": "discount", "amount": "-2.00"},
]


def a_basket(**fields):
    return a_purchase(total="16.99", lines=LINES, member=MEMBER, **fields)


def test_return_of_pieces_prorates_and_the_rest_comes_back_to_the_last_cent(till):
    till.post("purchases/", a_basket())
    shown = [
        till.post("refunds/", a_refund(f"f-{number}", lines=[{"line": 1, "quantity": 1}])).json() for number in range(3)
    ]
    rest = till.post("refunds/", a_refund("f-rest")).json()
    accrue_batch()

    assert [(one["total"], one["lines"]) for one in shown] == [
        ("3.33", [{"line": 1, "quantity": "1", "amount": "3.33"}]),
        ("3.34", [{"line": 1, "quantity": "1", "amount": "3.34"}]),
        ("3.33", [{"line": 1, "quantity": "1", "amount": "3.33"}]),
    ]
    assert (rest["total"], [line["amount"] for line in rest["lines"]]) == ("6.99", ["8.99", "-2.00"])
    assert (_available(), Activity.objects.purchases().get().is_void) == (0, True)


def test_return_of_a_line_takes_what_it_earned_beyond_the_rest(till):
    till.post("purchases/", a_basket())
    accrue_batch()
    till.post("refunds/", a_refund(lines=[{"line": 2}, {"line": 3}]))
    accrue_batch()

    body = till.get("refunds/f-1/").json()

    assert (body["total"], body["awards"][0]["amount"], _available()) == ("6.99", "-6", 10)
    assert Activity.objects.purchases().get().returned == 699


def test_return_of_an_amount_of_a_purchase_without_lines(till):
    till.post("purchases/", a_purchase(member=MEMBER))
    till.post("refunds/", a_refund("f-1", amount="5.00"))
    till.post("refunds/", a_refund("f-2", amount="5.99"))
    accrue_batch()

    assert (_available(), till.post("refunds/", a_refund("f-3")).json()["code"]) == (0, "nothing-left")


def test_return_of_the_whole_amount_of_a_line_takes_its_pieces(till):
    till.post("purchases/", a_basket())

    lines = till.post("refunds/", a_refund(lines=[{"line": 1, "amount": "10.00"}])).json()["lines"]

    assert lines == [{"line": 1, "quantity": "3", "amount": "10.00"}]


@pytest.mark.parametrize(
    "lines",
    [
        [{"amount": "10.99"}, {"amount": "0.00"}],
        [{"amount": "10.99"}, {"amount": "10.99"}, {"amount": "-10.99"}],
    ],
)
@pytest.mark.parametrize("member", [MEMBER, None])
def test_purchase_stands_while_a_line_that_cost_nothing_is_kept(till, lines, member):
    till.post("purchases/", a_purchase(lines=lines, member=member))
    accrue_batch()
    till.post("refunds/", a_refund("f-1", lines=[{"line": 1}]))
    accrue_batch()
    before = Activity.objects.purchases().get().is_void

    rest = till.post("refunds/", a_refund("f-2")).json()
    accrue_batch()

    assert (before, rest["total"], len(rest["lines"])) == (False, "0.00", len(lines) - 1)
    assert Activity.objects.purchases().get().is_void is True
    assert till.post("refunds/", a_refund("f-3")).json()["code"] == "nothing-left"


def test_return_of_parts_before_the_purchase_waits_and_then_takes_them(till):
    till.post("refunds/", a_refund("f-1", lines=[{"line": 1, "quantity": "1"}]))
    till.post("refunds/", a_refund("f-2", lines=[{"line": 1, "quantity": "3"}]))
    till.post("purchases/", a_basket())
    accrue_batch()

    shown = {row["external_id"]: (row["status"], row["detail"]) for row in till.get("refunds/").json()["results"]}
    assert shown == {"f-1": ("accrued", ""), "f-2": ("failed", "More would come back than is left of this purchase")}
    assert (_available(), Activity.objects.purchases().get().returned) == (13, 333)


@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"lines": [{"line": 1, "quantity": 4}]}, 409, "exceeds-purchase", "/lines/0/quantity"),
        ({"lines": [{"line": 2, "amount": "9.00"}]}, 409, "exceeds-purchase", "/lines/0/amount"),
        ({"lines": [{"line": 1}, {"line": 1, "quantity": 1}]}, 409, "exceeds-purchase", "/lines/1/quantity"),
        ({"lines": [{"line": 4}]}, 400, "unknown-line", "/lines/0/line"),
        ({"lines": [{"line": 3}]}, 400, "negative-return", "/lines"),
        ({"amount": "1.00"}, 400, "amount-of-lines", "/amount"),
        ({"amount": "-1.00"}, 400, "negative-amount", "/amount"),
        ({"lines": [{"line": 1}], "amount": "1.00"}, 400, "lines-and-amount", "/amount"),
        ({"lines": [{"line": 1, "quantity": -1}]}, 400, "negative-quantity", "/lines/0/quantity"),
    ],
)
def test_return_that_does_not_fit_is_refused_and_nothing_is_written(till, fields, status, code, pointer):
    till.post("purchases/", a_basket())

    answer = till.post("refunds/", a_refund(**fields))

    assert (answer.status_code, [(f["pointer"], f["code"]) for f in answer.json()["errors"]]) == (
        status,
        [(pointer, code)],
    )
    assert Activity.objects.refunds().count() == 0


def test_return_of_all_goods_without_their_discount_exceeds_the_purchase(till):
    till.post("purchases/", a_basket())

    answer = till.post("refunds/", a_refund(lines=[{"line": 1}, {"line": 2}]))

    assert (answer.status_code, answer.json()["code"]) == (409, "exceeds-purchase")


def test_repeat_of_a_return_of_parts_is_the_same_and_another_part_is_refused(till):
    till.post("purchases/", a_basket())
    till.post("refunds/", a_refund(lines=[{"line": 1, "quantity": 1}]))

    again = till.post("refunds/", a_refund(lines=[{"line": 1, "quantity": "1.000"}]))
    other = till.post("refunds/", a_refund(lines=[{"line": 1, "quantity": 2}]))

    assert (again.status_code, other.status_code, other.json()["code"]) == (200, 409, "external-id-reuse")


def test_redemption_that_there_is_not_is_unknown(till):
    answer = till.post("refunds/", a_refund(redemptions=["x"]))

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-redemption")


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
