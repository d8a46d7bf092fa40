"""Purchases over HTTP: written once, judged later, shown as the contract says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import connection

from loyalty.ledger.models import Transaction
from loyalty.purchases.accrual import accrue_batch
from loyalty.purchases.models import Activity, ReceiptKey
from programs.models import Membership, Store
from tests.factories import make_member, make_program, make_shop, make_version
from tests.loyalty.api.client import Till, a_purchase

MEMBER = "external_id:42"
LINE = {"amount": "10.99"}


@pytest.fixture
def program(db):
    program = make_shop(timezone="Europe/Zagreb")
    make_member(program=program, external_id="42", email="ana@example.test")
    return program


@pytest.fixture
def till(program):
    return Till(program)


def _refusal(answer):
    body = answer.json()
    return answer.status_code, body["code"], [(fault["pointer"], fault["code"]) for fault in body.get("errors", [])]


def test_purchase_is_recorded_and_shown_in_the_programs_zone(till):
    answer = till.post(
        "purchases/",
        a_purchase(
            member=MEMBER,
            occurred_at="2026-03-29T08:15:00Z",
            tax="1.99",
            lines=[
                {
                    "sku": "a",
                    "name": "Soap",
                    "category": "care",
                    "brand": "B",
                    "tags": ["new"],
                    "quantity": 1.5,
                    "amount": 12,
                },
                {"amount": "-1.01", "quantity": "0", "attributes": {"coupon": "X", "none": None}},
            ],
            store="s1",
            channel="web",
            terminal="t9",
            attributes={"basket": 7},
        ),
    )
    body = answer.json()

    assert answer.status_code == 201
    shown = {name: body[name] for name in body.keys() - {"id", "member", "posted_at"}}
    assert shown == {
        "external_id": "r-1",
        "kind": "purchase",
        "type": None,
        "status": "recorded",
        "occurred_at": "2026-03-29T10:15:00+02:00",
        "currency": "EUR",
        "total": "10.99",
        "tax": "1.99",
        "lines": [
            {
                "sku": "a",
                "name": "Soap",
                "category": "care",
                "brand": "B",
                "tags": ["new"],
                "quantity": "1.5",
                "amount": "12.00",
            },
            {"quantity": "0", "amount": "-1.01", "attributes": {"coupon": "X"}},
        ],
        "store": "s1",
        "channel": "web",
        "terminal": "t9",
        "purchase": None,
        "receipt_code": None,
        "paid": "0.00",
        "redemptions": [],
        "vouchers": [],
        "attributes": {"basket": 7},
        "awards": [],
        "explanation": [],
        "detail": "",
    }
    assert body["member"]["external_id"] == "42"
    assert Store.objects.get().code == "s1"


def test_accrued_purchase_shows_what_it_earned_and_why(till):
    till.post("purchases/", a_purchase(member=MEMBER))
    accrue_batch()

    body = till.get("purchases/r-1/").json()

    assert body["status"] == "accrued"
    assert body["awards"] == [
        {"unit": "points", "amount": "10", "rule": "base", "reason": "€10.99 × 1 = 10.99, rounded down"}
    ]
    assert body["explanation"] == [{"rule": "base", "fired": True, "reason": "€10.99 × 1 = 10.99, rounded down"}]
    assert body["member"]["balances"]["points"]["available"] == "10"


def test_guests_purchase_is_accrued_at_once_and_earns_nothing(till):
    body = till.post("purchases/", a_purchase()).json()

    assert (body["status"], body["member"], body["awards"]) == ("accrued", None, [])
    assert Transaction.objects.count() == 0


@pytest.mark.parametrize("total", ["0.00", 0, "0"])
def test_purchase_of_nothing_is_taken(till, total):
    assert till.post("purchases/", a_purchase(member=MEMBER, total=total)).json()["total"] == "0.00"


def test_member_is_named_by_card_however_it_is_typed(till, program):
    card = Membership.objects.get().card
    typed = f"{card[:4]} {card[4:8]}-{card[8:]}"

    first = till.post("purchases/", a_purchase(member=typed))
    again = till.post("purchases/", a_purchase(member=card))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["member"]["card"] == card


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"total": "10.990"},
        {"total": 10.99},
        {"occurred_at": "2026-03-29T08:15:00Z"},
        {"member": None, "tax": None, "lines": None, "attributes": None, "redemptions": [], "vouchers": None},
    ],
)
def test_repeat_of_the_same_value_counts_once_and_shows_the_present_state(till, same):
    first = till.post("purchases/", a_purchase())

    again = till.post("purchases/", a_purchase(**same))

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (Activity.objects.count(), ReceiptKey.objects.count()) == (1, 1)


def test_repeat_shows_that_it_was_accrued_meanwhile_even_to_a_blocked_member(till):
    till.post("purchases/", a_purchase(member=MEMBER))
    accrue_batch()
    Membership.objects.update(status=Membership.Status.BLOCKED)

    again = till.post("purchases/", a_purchase(member=MEMBER))

    assert (again.status_code, again.json()["status"]) == (200, "accrued")


@pytest.mark.parametrize(
    "other",
    [
        {"total": "10.98"},
        {"member": MEMBER},
        {"occurred_at": "2026-03-29T10:15:01+02:00"},
        {"lines": [LINE]},
        {"store": "s2"},
        {"attributes": {"a": 1}},
        {"tax": "0.00"},
    ],
)
def test_external_id_with_another_body_is_refused(till, other):
    till.post("purchases/", a_purchase())

    assert _refusal(till.post("purchases/", a_purchase(**other))) == (409, "external-id-reuse", [])


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"total": "10.98", "lines": [LINE]}, "total-mismatch", "/total"),
        ({"total": "-0.01"}, "negative-total", "/total"),
        ({"total": "-1.00", "lines": [{"amount": "-1.00"}]}, "negative-total", "/total"),
        ({"total": "10.999"}, "too-precise", "/total"),
        ({"total": None}, "required", "/total"),
        ({"total": []}, "wrong-type", "/total"),
        ({"total": "1e3"}, "not-a-number", "/total"),
        ({"total": "99999999999999"}, "amount-out-of-range", "/total"),
        ({"occurred_at": "2026-03-29T10:15:00"}, "offset-missing", "/occurred_at"),
        ({"occurred_at": "soon"}, "not-a-moment", "/occurred_at"),
        ({"occurred_at": "1989-12-31T23:59:59Z"}, "no-terms-in-force", "/occurred_at"),
        ({"currency": "USD"}, "currency-mismatch", "/currency"),
        ({"currency": "euro"}, "too-long", "/currency"),
        ({"tax": "11.00"}, "bad-tax", "/tax"),
        ({"tax": "-0.01"}, "bad-tax", "/tax"),
        ({"external_id": ""}, "too-short", "/external_id"),
        ({"external_id": "x" * 129}, "too-long", "/external_id"),
        ({"external_id": 7}, "wrong-type", "/external_id"),
        ({"store": "x" * 65}, "too-long", "/store"),
        ({"total_": "1"}, "unknown-field", "/total_"),
        ({"lines": [LINE, {"sku": "a"}]}, "required", "/lines/1/amount"),
        ({"lines": [{**LINE, "quantity": "-1"}]}, "negative-quantity", "/lines/0/quantity"),
        ({"lines": [{**LINE, "quantity": "0.0001"}]}, "too-precise", "/lines/0/quantity"),
        ({"lines": [{**LINE, "price": "1"}]}, "unknown-field", "/lines/0/price"),
        ({"lines": [{"amount": "0.00"}] * 1001}, "too-long", "/lines"),
        ({"attributes": {"a": "x" * 17_000}}, "too-long", "/attributes"),
        ({"attributes": {"a": [[[[[[[[[]]]]]]]]]}}, "too-deep", "/attributes"),
        ({"attributes": {"a": 2**63}}, "number-out-of-range", "/attributes"),
        ({"attributes": {"a": "\x00"}}, "nul-character", "/attributes/a"),
        ({"external_id": "\x00"}, "nul-character", "/external_id"),
    ],
)
def test_bad_content_is_refused_with_its_place_and_writes_nothing(till, fields, code, pointer):
    answer = till.post("purchases/", a_purchase(**fields))

    assert _refusal(answer) == (400, code, [(pointer, code)])
    assert (Activity.objects.count(), ReceiptKey.objects.count()) == (0, 0)


def test_unknown_member_redemption_and_voucher_are_not_found(till):
    unknown = _refusal(till.post("purchases/", a_purchase(member="external_id:43")))

    assert unknown == (404, "unknown-member", [("/member", "unknown-member")])
    assert _refusal(till.post("purchases/", a_purchase(member="1234")))[:2] == (404, "unknown-member")
    assert _refusal(till.post("purchases/", a_purchase(redemptions=["x"])))[:2] == (404, "unknown-redemption")
    assert _refusal(till.post("purchases/", a_purchase(vouchers=["x"])))[:2] == (404, "unknown-voucher")


@pytest.mark.parametrize(("status", "code"), [("blocked", "member-blocked"), ("closed", "member-closed")])
def test_member_who_may_not_earn_is_refused(till, status, code):
    Membership.objects.update(status=status)

    assert _refusal(till.post("purchases/", a_purchase(member=MEMBER)))[:2] == (409, code)


def test_thousand_lines_are_taken(till):
    lines = [{"amount": "0.01"}] * 1000

    assert till.post("purchases/", a_purchase(total="10.00", lines=lines)).status_code == 201


@pytest.mark.parametrize(
    ("currency", "total", "shown"), [("JPY", "1000.0", "1000"), ("KWD", "1.0005", None), ("KWD", "1", "1.000")]
)
def test_amounts_have_the_digits_of_the_currency(db, currency, total, shown):
    answer = Till(make_shop(currency=currency)).post("purchases/", a_purchase(currency=currency, total=total))

    assert (answer.json().get("total"), answer.status_code) == (shown, 201 if shown else 400)


def test_time_a_little_ahead_waits_for_its_moment_and_one_too_far_ahead_is_refused(till):
    now = datetime.now(UTC)
    soon, late = now + timedelta(hours=71), now + timedelta(hours=73)

    taken = till.post("purchases/", a_purchase(member=MEMBER, occurred_at=soon.isoformat()))
    refused = till.post("purchases/", a_purchase("r-2", member=MEMBER, occurred_at=late.isoformat()))

    assert taken.status_code == 201
    assert Activity.objects.get().due_at == soon
    assert accrue_batch().judged == 0
    assert _refusal(refused)[:2] == (400, "too-far-ahead")


def test_sandbox_with_its_own_clock_takes_any_later_date_at_once(db):
    program = make_shop(clock=datetime(2022, 1, 1, tzinfo=UTC))
    make_member(program=program, external_id="42")
    till = Till(program)

    till.post("purchases/", a_purchase(member=MEMBER, occurred_at="2031-05-01T00:00:00Z"))
    accrue_batch()
    member = till.get(f"members/{MEMBER}/").json()

    assert member["as_of"] == "2031-05-01T00:00:00+00:00"
    assert member["balances"]["points"]["available"] == "10"


def test_program_without_terms_takes_nothing(db):
    program = make_program()
    make_version(program=program, is_published=False)

    assert _refusal(Till(program).post("purchases/", a_purchase()))[:2] == (400, "no-terms-in-force")


@pytest.mark.parametrize("name", ["a/b c", "ž%/?", "line\nfeed", "batch", "..", "x" * 128])
def test_purchase_is_read_under_whatever_external_id_it_has(till, name):
    till.post("purchases/", a_purchase(name))

    answer = till.get(f"purchases/{quote(name, safe='')}/")

    assert answer.status_code == (405 if name == "batch" else 200)


def test_unknown_purchase_is_not_found(till):
    for name in ("r-9", "%00", "x" * 200):
        assert till.get(f"purchases/{name}/").status_code == 404


def test_wait_that_nobody_ends_answers_with_the_status_as_it_stands(till):
    answer = till.post("purchases/", a_purchase(member=MEMBER), Prefer="wait=0")

    assert (answer.json()["status"], answer.headers["Preference-Applied"]) == ("recorded", "wait=0")


def test_wait_for_what_is_settled_answers_at_once(till):
    answer = till.post("purchases/", a_purchase(), Prefer="wait=10")

    assert (answer.json()["status"], answer.headers["Preference-Applied"]) == ("accrued", "wait=10")


def test_wait_for_what_is_not_due_yet_answers_at_once(till):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    answer = till.post("purchases/", a_purchase(member=MEMBER, occurred_at=soon), Prefer="wait=10")

    assert answer.json()["status"] == "recorded"


# --- Batches ------------------------------------------------------------------------------------------------------


def test_batch_answers_in_order_and_each_item_stands_alone(till):
    till.post("purchases/", a_purchase("old", member=MEMBER))
    accrue_batch()

    answer = till.post(
        "purchases/batch/",
        {
            "purchases": [
                a_purchase("a", member=MEMBER),
                a_purchase("b", member="external_id:nobody"),
                a_purchase("old", member=MEMBER),
                a_purchase("old"),
                a_purchase("c", total="1.234"),
                a_purchase("a", member=MEMBER),
                a_purchase("a"),
                a_purchase("b"),
                {},
                "nonsense",
                a_purchase("d"),
            ]
        },
    )

    assert answer.status_code == 200
    assert [(row["external_id"], row["status"], row.get("code")) for row in answer.json()["results"]] == [
        ("a", "recorded", None),
        ("b", "refused", "unknown-member"),
        ("old", "accrued", None),
        ("old", "refused", "external-id-reuse"),
        ("c", "refused", "too-precise"),
        ("a", "recorded", None),
        ("a", "refused", "external-id-reuse"),
        ("b", "accrued", None),
        (None, "refused", "required"),
        (None, "refused", "wrong-type"),
        ("d", "accrued", None),
    ]
    assert dict(Activity.objects.values_list("external_id", "position")) == {"old": 0, "a": 0, "b": 7, "d": 10}


def test_batch_of_nothing_is_taken_and_one_of_too_many_refused(till):
    many = [a_purchase(str(number)) for number in range(1001)]

    assert till.post("purchases/batch/", {"purchases": []}).json() == {"results": []}
    assert _refusal(till.post("purchases/batch/", {"purchases": many}))[:2] == (413, "too-large")
    assert Activity.objects.count() == 0


def _batch(count, prefix):
    return {
        "purchases": [
            a_purchase(f"{prefix}-{number}", member=MEMBER, store=f"s{number % 5}", lines=[LINE])
            for number in range(count)
        ]
    }


@pytest.mark.parametrize("count", [1, 200])
def test_batch_takes_the_same_queries_for_one_purchase_and_for_two_hundred(
    till, count, django_assert_num_queries, is_postgresql
):
    till.post("purchases/batch/", _batch(5, "warm"))

    pieces = 0 if is_postgresql or count == 1 else 6  # SQLite takes at most 999 values in a statement.
    with django_assert_num_queries(10 + is_postgresql + pieces):
        till.post("purchases/batch/", _batch(count, "new"))
    with django_assert_num_queries(5 + is_postgresql):
        till.post("purchases/batch/", _batch(count, "new"))


@pytest.fixture
def is_postgresql():
    return int(connection.vendor == "postgresql")
