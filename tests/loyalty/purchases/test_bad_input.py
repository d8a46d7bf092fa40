"""Bad input, word for word: each has its problem and its place, spoils nothing else and leaves nothing half written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.api.models import StoredAnswer
from loyalty.purchases.models import Activity, GuestReceipt, ReceiptKey
from programs.models import Membership, Store
from tests.factories import make_key, make_member, make_shop
from tests.loyalty.api.client import Till, a_purchase

MEMBER = "external_id:42"
FAR_AHEAD = (datetime.now(UTC) + timedelta(hours=80)).isoformat()

# What is sent in place of a field, as JSON; the problem; its place.
BAD = {
    "a total that is a list": ({"total": b"[]"}, 400, "wrong-type", "/total"),
    "a total that is true": ({"total": b"true"}, 400, "wrong-type", "/total"),
    "a total in words": ({"total": b'"ten"'}, 400, "not-a-number", "/total"),
    "lines that are text": ({"lines": b'"none"'}, 400, "wrong-type", "/lines"),
    "a line that is a number": ({"lines": b"[7]"}, 400, "wrong-type", "/lines/0"),
    "an external_id that is a number": ({"external_id": b"7"}, 400, "wrong-type", "/external_id"),
    "attributes that are a list": ({"attributes": b"[]"}, 400, "wrong-type", "/attributes"),
    "NUL in the store": ({"store": b'"s\\u0000"'}, 400, "nul-character", "/store"),
    "NUL deep in attributes": ({"attributes": b'{"a": [{"b": "\\u0000"}]}'}, 400, "nul-character", "/attributes/a/0/b"),
    "a huge whole number": ({"total": b"9" * 60}, 400, "number-out-of-range", "/total"),
    "a whole number of 9,000 digits": ({"total": b"9" * 9_000}, 400, "number-out-of-range", "/total"),
    "a huge exponent": ({"total": b"1e999999999"}, 400, "number-out-of-range", "/total"),
    "a fraction without end": ({"total": b"0." + b"1" * 500}, 400, "number-out-of-range", "/total"),
    "a number in attributes beyond 64 bits": (
        {"attributes": b'{"n": 9223372036854775808}'},
        400,
        "number-out-of-range",
        "/attributes",
    ),
    "an amount beyond any receipt": ({"total": b'"99999999999999"'}, 400, "amount-out-of-range", "/total"),
    "10,000 lines": ({"lines": b"[" + b",".join([b'{"amount": "0.00"}'] * 10_000) + b"]"}, 400, "too-long", "/lines"),
    "attributes of 17 KB": ({"attributes": b'{"a": "' + b"x" * 17_000 + b'"}'}, 400, "too-long", "/attributes"),
    "deep nesting": (
        {"attributes": b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}"},
        400,
        "too-deep",
        "/attributes/a" + "/0" * 62,
    ),
    "attributes nested beyond what is kept": (
        {"attributes": b'{"a": [[[[[[[[]]]]]]]]}'},
        400,
        "too-deep",
        "/attributes",
    ),
    "a byte that is not UTF-8": ({"store": b'"s\xff"'}, 400, "broken-utf8", "/store"),
    "half a character": ({"store": b'"s\\ud83d"'}, 400, "broken-utf8", "/store"),
    "another currency": ({"currency": b'"USD"'}, 400, "currency-mismatch", "/currency"),
    "a total that is not the sum of its lines": (
        {"lines": b'[{"amount": "10.00"}, {"amount": "0.98"}]'},
        400,
        "total-mismatch",
        "/total",
    ),
    "a date in 1970": ({"occurred_at": b'"1970-01-01T00:00:00Z"'}, 400, "no-terms-in-force", "/occurred_at"),
    "a date in the year 1": ({"occurred_at": b'"0001-01-01T00:00:00Z"'}, 400, "date-out-of-range", "/occurred_at"),
    "a date too far ahead": ({"occurred_at": json.dumps(FAR_AHEAD).encode()}, 400, "too-far-ahead", "/occurred_at"),
    "a date without offset": ({"occurred_at": b'"2026-03-29T10:15:00"'}, 400, "offset-missing", "/occurred_at"),
    "a date that is none": ({"occurred_at": b'"2026-02-30T10:15:00Z"'}, 400, "not-a-moment", "/occurred_at"),
    "an unknown member": ({"member": b'"external_id:nobody"'}, 404, "unknown-member", "/member"),
    "a blocked card": ({"member": b'"external_id:blocked"'}, 409, "member-blocked", "/member"),
    "a closed card": ({"member": b'"external_id:closed"'}, 409, "member-closed", "/member"),
    "a member of another business": ({"member": b'"external_id:theirs"'}, 404, "unknown-member", "/member"),
    "a field that there is not": ({"price": b'"1.00"'}, 400, "unknown-field", "/price"),
    "a field that is missing": ({"currency": None}, 400, "required", "/currency"),
}
each_bad = pytest.mark.parametrize(("fields", "status", "code", "pointer"), BAD.values(), ids=BAD)


@pytest.fixture
def program(db):
    program = make_shop()
    make_member(program=program, external_id="42")
    for status in ("blocked", "closed"):
        member = make_member(program=program, external_id=status)
        Membership.objects.filter(pk=member.pk).update(status=status)
    make_member(program=make_shop(), external_id="theirs")
    return program


@pytest.fixture
def till(program):
    return Till(program)


def raw_purchase(external_id, fields):
    """Return a purchase of store "bad" as bytes, with some fields as they are given, or left out where None."""
    sound = {name: json.dumps(value).encode() for name, value in a_purchase(external_id, store="bad").items()}
    given = {name: value for name, value in {**sound, **fields}.items() if value is not None}
    return b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in given.items()) + b"}"


def _written():
    models = (Activity, ReceiptKey, GuestReceipt, StoredAnswer)
    return [model.objects.count() for model in models], list(Store.objects.values_list("code", flat=True))


@each_bad
def test_bad_purchase_is_refused_with_its_problem_and_place_and_writes_nothing(till, fields, status, code, pointer):
    answer = till.post("purchases/", raw=raw_purchase("bad", fields), Idempotency_Key="k1")

    body = answer.json()
    assert (answer.status_code, body["code"], body["type"]) == (status, code, f"/api/problems/{code}/")
    assert [(fault["pointer"], fault["code"]) for fault in body["errors"]] == [(pointer, code)]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert till.client.get(body["type"]).status_code == 200
    assert _written() == ([0, 0, 0, 0], [])


@each_bad
def test_in_a_batch_only_the_bad_purchase_fails(till, fields, status, code, pointer):
    good, last = raw_purchase("good", {"store": b'"s1"'}), raw_purchase("last", {"store": b'"s2"'})
    raw = b'{"purchases": [' + b", ".join([good, raw_purchase("bad", fields), last]) + b"]}"

    answer = till.post("purchases/batch/", raw=raw)

    assert answer.status_code == 200, answer.json()
    first, bad, second = answer.json()["results"]
    assert [(row["external_id"], row["status"]) for row in (first, second)] == [
        ("good", "accrued"),
        ("last", "accrued"),
    ]
    assert (bad["status"], bad["code"]) == ("refused", code)
    assert bad["detail"].startswith(f"{pointer}: ")
    assert bad["external_id"] == (None if "external_id" in fields else "bad")
    assert _written() == ([2, 2, 2, 0], ["s1", "s2"])


@pytest.mark.parametrize("address", ["purchases/", "purchases/batch/", "refunds/", "events/", "members/", "quotes/"])
def test_ten_megabytes_are_too_large_wherever_they_are_sent(till, address):
    answer = till.post(address, raw=b'{"a": "' + b"x" * 10 * 1024 * 1024 + b'"}')

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert _written() == ([0, 0, 0, 0], [])


@pytest.mark.parametrize(
    "raw",
    [b"{", b'{"purchases": [', b"\xff\xfe", b"[" * 200_000, b'{"purchases": [' + b"[" * 200_000],
    ids=["half", "half a batch", "no UTF-8 at all", "200,000 brackets", "200,000 brackets in a batch"],
)
@pytest.mark.parametrize("address", ["purchases/", "purchases/batch/"])
def test_body_that_cannot_be_read_at_all_is_refused_as_a_whole(till, address, raw):
    answer = till.post(address, raw=raw)

    assert (answer.status_code, answer.json()["code"]) == (400, "too-deep" if b"[[" in raw else "unreadable")
    assert _written() == ([0, 0, 0, 0], [])


def test_key_of_another_business_is_told_nothing_of_this_one(till, program):
    card = Membership.objects.get(external_id="42").card
    code = till.post("purchases/", a_purchase()).json()["receipt_code"]
    theirs = make_shop()
    make_member(program=theirs, external_id="42")
    stranger = Till(theirs)

    answers = {
        "purchase": stranger.get("purchases/r-1/"),
        "no purchase": stranger.get("purchases/r-9/"),
        "card": stranger.get(f"members/{card}/"),
        "no card": stranger.get("members/0000/"),
        "bought with it": stranger.post("purchases/", a_purchase("x", member=card)),
        "bought with none": stranger.post("purchases/", a_purchase("x", member="0000")),
        "receipt": stranger.post(f"receipts/{code}/claim/", {"member": MEMBER}),
        "no receipt": stranger.post("receipts/0000-0000-0001/claim/", {"member": MEMBER}),
    }

    for one, none in [
        ("purchase", "no purchase"),
        ("card", "no card"),
        ("bought with it", "bought with none"),
        ("receipt", "no receipt"),
    ]:
        assert answers[one].status_code == answers[none].status_code == 404
        assert answers[one].json() == answers[none].json()
    assert stranger.post("purchases/", a_purchase()).status_code == 201  # The same external_id is free there.


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("purchases/", a_purchase("r-2", member=MEMBER)),
        ("refunds/", {"external_id": "f-1", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"}),
        ("events/", {"external_id": "e-1", "member": MEMBER, "type": "x", "occurred_at": "2026-04-01T00:00:00Z"}),
        ("members/", {"external_id": "44"}),
    ],
)
def test_revoked_key_writes_nothing(program, address, body):
    key, secret = make_key(program=program, revoked_at=datetime.now(UTC))

    answer = Till(program, secret=secret).post(address, body)

    assert (answer.status_code, answer.json()["code"], key.is_usable) == (401, "key-unknown", False)
    assert _written() == ([0, 0, 0, 0], [])
