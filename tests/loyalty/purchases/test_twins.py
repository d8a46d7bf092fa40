"""The same receipt posted by many tills at the same moment, on real connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from loyalty.api.models import StoredAnswer
from loyalty.purchases.models import Activity, ReceiptKey
from programs.models import Membership, Store
from tests.factories import make_member, make_shop
from tests.loyalty.api.client import Till, a_purchase

TILLS = 8
pytestmark = pytest.mark.django_db(transaction=True)


def _at_once(calls):
    """Make all the calls at the same moment, each on a thread and a connection of its own."""
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_one_receipt_posted_at_once_is_written_once():
    program = make_shop()
    make_member(program=program, external_id="42")
    tills = [Till(program) for _ in range(TILLS)]
    body = a_purchase(member="external_id:42", store="s1")

    answers = _at_once([lambda till=till: till.post("purchases/", body) for till in tills])

    assert sorted(answer.status_code for answer in answers) == [200] * (TILLS - 1) + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (Activity.objects.count(), ReceiptKey.objects.count(), Store.objects.count()) == (1, 1, 1)


def test_overlapping_batches_in_any_order_write_each_receipt_once():
    program = make_shop()
    tills = [Till(program) for _ in range(4)]
    batch = [a_purchase(f"r-{number}", store=f"s{number}") for number in range(40)]
    bodies = [batch, batch[::-1], batch[20:] + batch[:20], batch[::2] + batch[1::2]]

    answers = _at_once(
        [
            lambda till=till, body=body: till.post("purchases/batch/", {"purchases": body})
            for till, body in zip(tills, bodies, strict=True)
        ]
    )

    assert [answer.status_code for answer in answers] == [200] * 4
    assert {row["status"] for answer in answers for row in answer.json()["results"]} == {"accrued"}
    assert (Activity.objects.count(), ReceiptKey.objects.count(), Store.objects.count()) == (40, 40, 40)


def test_purchase_and_its_return_posted_at_once_never_miss_each_other():
    program = make_shop()
    tills = [Till(program) for _ in range(2)]
    for number in range(10):
        refund = {"external_id": f"f-{number}", "purchase": f"r-{number}", "occurred_at": "2026-04-01T00:00:00Z"}
        _at_once(
            [
                lambda number=number: tills[0].post("purchases/", a_purchase(f"r-{number}")),
                lambda refund=refund: tills[1].post("refunds/", refund),
            ]
        )

    assert set(Activity.objects.values_list("kind", "status", "is_void")) == {
        ("purchase", "accrued", True),
        ("refund", "accrued", False),
    }


def test_one_purchase_returned_at_once_by_many_is_returned_once():
    program = make_shop()
    tills = [Till(program) for _ in range(4)]
    tills[0].post("purchases/", a_purchase())

    answers = _at_once(
        [
            lambda till=till, number=number: till.post(
                "refunds/", {"external_id": f"f-{number}", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"}
            )
            for number, till in enumerate(tills)
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


def test_one_person_enrolled_at_once_by_many_becomes_one_member():
    program = make_shop()
    tills = [Till(program) for _ in range(TILLS)]
    body = {"external_id": "42", "email": "ana@example.test"}

    answers = _at_once([lambda till=till: till.post("members/", body) for till in tills])

    assert sorted(answer.status_code for answer in answers) == [200] * (TILLS - 1) + [201]
    assert Membership.objects.count() == 1


def test_one_idempotency_key_used_at_once_does_the_work_once():
    program = make_shop()
    tills = [Till(program) for _ in range(TILLS)]

    answers = _at_once([lambda till=till: till.post("members/", {}, Idempotency_Key="k") for till in tills])

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert 201 in {answer.status_code for answer in answers}
    assert (Membership.objects.count(), StoredAnswer.objects.count()) == (1, 1)
