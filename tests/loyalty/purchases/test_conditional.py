"""Conditional requests: what is known is not sent again, and nobody overwrites what they have not seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from loyalty.purchases.accrual import accrue_batch
from programs.models import Membership
from tests.factories import make_member, make_shop
from tests.factories.events import an_event, make_event_shop
from tests.loyalty.api.client import Till, a_purchase

MEMBER = "external_id:42"


@pytest.fixture
def till(db):
    return _till()


def _till():
    program = make_shop()
    make_member(program=program, external_id="42", first_name="Ana")
    return Till(program)


def _known(till, address):
    return till.get(address).headers["ETag"]


def test_member_who_is_known_is_answered_with_304_without_a_body(till):
    etag = _known(till, f"members/{MEMBER}/")

    answer = till.get(f"members/{MEMBER}/", If_None_Match=etag)

    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("change", ["name", "purchase", "status"])
def test_member_who_has_changed_is_sent_again(till, change):
    etag = _known(till, f"members/{MEMBER}/")
    if change == "name":
        till.send("PATCH", f"members/{MEMBER}/", {"first_name": "Eva"})
    elif change == "purchase":
        till.post("purchases/", a_purchase(member=MEMBER))
        accrue_batch()
    else:
        Membership.objects.update(status=Membership.Status.BLOCKED)

    answer = till.get(f"members/{MEMBER}/", If_None_Match=etag)

    assert answer.status_code == 200
    assert answer.headers["ETag"] != etag


def test_purchase_is_sent_again_once_it_is_accrued_and_then_known(till):
    till.post("purchases/", a_purchase(member=MEMBER))
    recorded = _known(till, "purchases/r-1/")
    assert till.get("purchases/r-1/", If_None_Match=recorded).status_code == 304
    accrue_batch()

    answer = till.get("purchases/r-1/", If_None_Match=recorded)

    assert (answer.status_code, answer.json()["status"]) == (200, "accrued")
    assert till.get("purchases/r-1/", If_None_Match=answer.headers["ETag"]).status_code == 304


def test_return_and_event_are_known_like_a_purchase(db):
    program = make_event_shop()
    make_member(program=program, external_id="42")
    till = Till(program)
    till.post("purchases/", a_purchase())
    till.post("refunds/", {"external_id": "f-1", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"})
    till.post("events/", an_event())

    for address in ("refunds/f-1/", "events/e-1/"):
        assert till.get(address, If_None_Match=_known(till, address)).status_code == 304


def test_unknown_member_is_not_found_whatever_is_known(till):
    assert till.get("members/external_id:43/", If_None_Match="*").status_code == 404


def test_change_of_the_member_that_was_read_is_taken_and_gives_the_new_tag(till):
    etag = _known(till, f"members/{MEMBER}/")

    answer = till.send("PATCH", f"members/{MEMBER}/", {"first_name": "Eva"}, If_Match=etag)

    assert (answer.status_code, answer.json()["first_name"]) == (200, "Eva")
    assert answer.headers["ETag"] == _known(till, f"members/{MEMBER}/") != etag


def test_change_of_a_member_who_has_changed_is_refused_and_changes_nothing(till):
    etag = _known(till, f"members/{MEMBER}/")
    till.send("PATCH", f"members/{MEMBER}/", {"first_name": "Eva"})

    answer = till.send("PATCH", f"members/{MEMBER}/", {"last_name": "Kos"}, If_Match=etag)

    assert (answer.status_code, answer.json()["code"]) == (412, "precondition-failed")
    shown = till.get(f"members/{MEMBER}/").json()
    assert (shown["first_name"], shown["last_name"]) == ("Eva", None)


def test_change_without_a_condition_and_of_whatever_there_is_is_taken(till):
    assert till.send("PATCH", f"members/{MEMBER}/", {"first_name": "Eva"}).status_code == 200
    assert till.send("PATCH", f"members/{MEMBER}/", {"first_name": "Ida"}, If_Match="*").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_changes_made_at_once_to_one_state_the_first_alone_is_taken():
    till = _till()
    etag = _known(till, f"members/{MEMBER}/")
    start = Barrier(4)

    def change(number):
        start.wait()
        try:
            return till.send("PATCH", f"members/{MEMBER}/", {"first_name": f"Eva{number}"}, If_Match=etag).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(change, range(4)))

    assert sorted(statuses) == [200, 412, 412, 412]
