"""Bodies that cannot be read: refused with the place, never a fault of ours."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from loyalty.api.decoding import Unsound, decode, decode_items, shaped
from loyalty.api.problems import InvalidError
from tests.factories import make_shop
from tests.loyalty.api.client import Till, a_purchase

UNREADABLE = [b"{", b"", b'{"a": NaN}', b"\xff", b"{} {}", b"\x00", b"'a'", b'"\n"', b"\xef\xbb\xbf{}"]


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: list[Inner]


@pytest.mark.parametrize("raw", UNREADABLE)
def test_broken_json_is_unreadable(raw):
    with pytest.raises(InvalidError) as refused:
        decode(raw)

    assert refused.value.code == "unreadable"


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        (b'{"a": ["x", "\\u0000"]}', "nul-character", "/a/1"),
        (b'{"a\\u0000": 1}', "nul-character", ""),
        (b"[" * 70 + b"]" * 70, "too-deep", "/0" * 64),
        (b"[" * 100_000, "too-deep", ""),
        (b'{"a": 1' + b"0" * 60 + b"}", "number-out-of-range", "/a"),
        (b'{"a": [0, 1' + b"0" * 9_000 + b"]}", "number-out-of-range", "/a/1"),
        (b'{"a": {"b": 1e400}}', "number-out-of-range", "/a/b"),
        (b'"\\ud800"', "broken-utf8", ""),
        (b'{"a": ["\xff"]}', "broken-utf8", "/a/0"),
        (b'{"a": "x\\ud800y"}', "broken-utf8", "/a"),
        (b'{"\xc3": 1}', "broken-utf8", ""),
        (b"1" * 5_000, "number-out-of-range", ""),
        (b"1e999999999999999999999", "number-out-of-range", ""),
        (b"1e400", "number-out-of-range", ""),
        (b"0." + b"1" * 500, "number-out-of-range", ""),
    ],
)
def test_what_no_column_can_hold_is_refused_with_its_place(raw, code, pointer):
    with pytest.raises(InvalidError) as refused:
        decode(raw)

    (fault,) = refused.value.errors
    assert (fault.code, fault.pointer) == (code, pointer)


@pytest.mark.parametrize(
    "item",
    [b'"\\u0000"', b'"\xff"', b'"\\ud800"', b"1e400", b"1" * 9_000, b"1" * 60, b"[" * 70 + b"]" * 70],
    ids=["nul", "byte", "surrogate", "fraction", "integer", "long", "deep"],
)
def test_item_that_cannot_be_taken_does_not_spoil_the_others(item):
    body = decode_items(b'{"list": [{"a": 1.50}, {"external_id": "x", "b": ' + item + b'}, "c"]}', name="list")

    good, bad, last = body["list"]
    assert (good, last) == ({"a": Decimal("1.50")}, "c")
    assert (type(bad), bad.external_id, bad.fault.pointer[:2]) == (Unsound, "x", "/b")


def test_item_whose_name_cannot_be_read_has_none():
    (item,) = decode_items(b'{"list": [{"external_id": "\xff"}]}', name="list")["list"]

    assert (item.external_id, item.fault.code, item.fault.pointer) == (None, "broken-utf8", "/external_id")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"list": [1, 2}', "unreadable"),
        (b'{"list": [1], "b": "\xff"}', "broken-utf8"),
        (b'{"list": ["\xff"], "b": "\\u0000"}', "nul-character"),
        (b'{"list": "\xff"}', "broken-utf8"),
        (b'["\\u0000"]', "nul-character"),
        (b'{"list": [' + b"[" * 100_000, "too-deep"),
    ],
)
def test_what_is_wrong_beside_the_items_refuses_the_whole(raw, code):
    with pytest.raises(InvalidError) as refused:
        decode_items(raw, name="list")

    assert refused.value.code == code


def test_fraction_is_as_exact_as_it_was_written():
    assert decode(b'{"a": 10.10}') == {"a": Decimal("10.10")}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"inner": [{"name": "a"}, {}]}, "required", "/inner/1/name"),
        ({"inner": [{"name": "a", "a/b~c": 1}]}, "unknown-field", "/inner/0/a~1b~0c"),
        ({"inner": [{"name": 1}]}, "wrong-type", "/inner/0/name"),
        ([], "wrong-type", ""),
        (None, "wrong-type", ""),
    ],
)
def test_body_of_another_shape_is_refused_with_its_place(body, code, pointer):
    with pytest.raises(InvalidError) as refused:
        shaped(body, Outer)

    (fault,) = refused.value.errors
    assert (fault.code, fault.pointer) == (code, pointer)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw", [*UNREADABLE[:1], *UNREADABLE[2:], b"[" * 100_000, b'"\\u0000"', b"[]", b"null", b"1e400"]
)
@pytest.mark.parametrize("address", ["purchases/", "purchases/batch/", "refunds/", "members/", "sandbox/clock/"])
def test_nonsense_sent_to_any_address_is_a_bad_request(address, raw):
    till = Till(make_shop())

    assert till.post(address, raw=raw).status_code == 400
    assert till.post(address, raw=raw, Idempotency_Key="k").status_code == 400


@pytest.mark.django_db
def test_body_over_ten_megabytes_is_too_large():
    till = Till(make_shop())

    answer = till.post("purchases/", raw=b'{"a": "' + b"x" * 10 * 1024 * 1024 + b'"}')

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.django_db
def test_body_of_another_media_type_is_refused():
    till = Till(make_shop())

    answer = till.client.post("/api/v1/purchases/", {"a": "b"}, headers={"Authorization": f"Bearer {till.secret}"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.django_db
def test_media_type_with_a_character_set_is_taken():
    till = Till(make_shop())

    answer = till.client.generic(
        "POST",
        "/api/v1/purchases/",
        msgspec.json.encode(a_purchase()),
        content_type="application/json; charset=utf-8",
        headers={"Authorization": f"Bearer {till.secret}"},
    )

    assert answer.status_code == 201
