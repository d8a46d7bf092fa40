"""Pages by keyset: complete, without repeats, in both directions."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.factories import make_shop
from tests.loyalty.api.client import Till, a_purchase

API = "http://testserver/api/v1/"


@pytest.fixture
def till(db):
    till = Till(make_shop())
    for count in (3, 4):
        batch = [a_purchase(f"r-{count}-{place}") for place in range(count)]
        till.post("purchases/batch/", {"purchases": batch})
    return till


def _walk(till, address, side):
    pages = []
    while address is not None:
        page = till.get(address).json()
        pages.append([row["external_id"] for row in page["results"]])
        address = page[side] and page[side].removeprefix(API)
    return pages


def test_pages_followed_forward_give_every_row_once_newest_first(till):
    (everything,) = _walk(till, "purchases/", "next")

    pages = _walk(till, "purchases/?page_size=3", "next")

    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(chain(*pages)) == everything
    assert {name[:3] for name in everything[:4]} == {"r-4"}


def test_pages_followed_back_are_the_same_pages(till):
    first = till.get("purchases/?page_size=3").json()
    second = till.get(first["next"].removeprefix(API)).json()
    last = till.get(second["next"].removeprefix(API)).json()

    back = till.get(last["previous"].removeprefix(API)).json()
    start = till.get(back["previous"].removeprefix(API)).json()

    assert (last["next"], first["previous"], start["previous"]) == (None, None, None)
    assert back["results"] == second["results"]
    assert start["results"] == first["results"]
    assert start["next"] is not None


def test_row_written_meanwhile_neither_repeats_nor_hides_another(till):
    first = till.get("purchases/?page_size=3").json()
    till.post("purchases/", a_purchase("r-new"))

    rest = _walk(till, first["next"].removeprefix(API), "next")

    assert len(list(chain(*rest))) == 4


@pytest.mark.parametrize("cursor", ["x", "%00", "bm9uc2Vuc2U", "ž", "eA" * 300])
def test_cursor_that_is_none_is_refused(till, cursor):
    answer = till.get(f"purchases/?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-cursor")


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", "99999999999999999999", "٣"])
def test_page_size_out_of_range_is_refused(till, size):
    answer = till.get(f"purchases/?page_size={size}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-page-size")


def test_page_is_never_larger_than_two_hundred(till):
    till.post("purchases/batch/", {"purchases": [a_purchase(f"x-{number}") for number in range(200)]})

    assert len(till.get("purchases/?page_size=1000").json()["results"]) == 200


def test_list_takes_the_same_queries_for_one_row_and_for_many(till, django_assert_num_queries):
    till.get("purchases/")
    with django_assert_num_queries(5):
        till.get("purchases/?page_size=1")
    with django_assert_num_queries(5):
        till.get("purchases/?page_size=7")
