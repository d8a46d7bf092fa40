"""Keys that are bound to stores: what they leave out is theirs, what is another's is refused."""

from __future__ import annotations

import pytest

from loyalty.purchases.models import Activity
from programs.models import Store
from tests.factories import make_member, make_shop
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture
def program(db):
    program = make_shop()
    make_member(program=program, external_id="42")
    return program


def _quote(**fields):
    body = a_purchase(**fields)
    del body["external_id"]
    return body


def _refusal(answer):
    body = answer.json()
    return answer.status_code, body["code"], [fault["pointer"] for fault in body.get("errors", [])]


def test_purchase_without_store_is_of_the_keys_single_one(program):
    till = Till(program, stores=["s1"])

    assert till.post("purchases/", a_purchase()).json()["store"] == "s1"
    assert till.post("purchases/", a_purchase("r-2", store="s1")).json()["store"] == "s1"
    assert till.post("quotes/", _quote()).status_code == 200


def test_purchase_of_another_store_is_refused_and_so_is_its_quote(program):
    till = Till(program, stores=["s1", "s2"])

    assert _refusal(till.post("purchases/", a_purchase(store="s3"))) == (403, "store-not-allowed", ["/store"])
    assert _refusal(till.post("quotes/", _quote(store="s3"))) == (403, "store-not-allowed", ["/store"])
    assert (Activity.objects.count(), Store.objects.filter(code="s3").exists()) == (0, False)


def test_key_of_several_stores_has_to_name_one(program):
    till = Till(program, stores=["s1", "s2"])

    assert _refusal(till.post("purchases/", a_purchase())) == (400, "store-required", ["/store"])
    assert _refusal(till.post("quotes/", _quote())) == (400, "store-required", ["/store"])
    assert till.post("purchases/", a_purchase(store="s2")).json()["store"] == "s2"


def test_in_a_batch_only_the_purchase_of_another_store_is_refused(program):
    till = Till(program, stores=["s1"])

    body = {"purchases": [a_purchase("a"), a_purchase("b", store="s2"), a_purchase("c", store="s1")]}
    results = till.post("purchases/batch/", body).json()["results"]

    assert [(row["status"], row.get("code")) for row in results] == [
        ("accrued", None),
        ("refused", "store-not-allowed"),
        ("accrued", None),
    ]
    assert set(Activity.objects.values_list("store__code", flat=True)) == {"s1"}


def test_repeat_by_a_key_without_stores_is_the_same_purchase(program):
    first = Till(program, stores=["s1"]).post("purchases/", a_purchase())

    again = Till(program).post("purchases/", a_purchase())

    assert (again.status_code, again.json()) == (200, first.json())
