"""Idempotency-Key: judged before anything else, and only for answers worth keeping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.api import idempotency
from loyalty.api.models import StoredAnswer
from loyalty.api.tasks import purge_answers_task
from loyalty.purchases.models import Activity
from tests.factories import make_shop
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture
def till(db):
    return Till(make_shop())


def test_same_key_and_body_gets_the_stored_answer(till):
    first = till.post("purchases/", a_purchase(), Idempotency_Key="k1")
    again = till.post("purchases/", a_purchase(), Idempotency_Key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    "same",
    [
        {"total": "10.990"},
        {"total": 10.99},
        {"occurred_at": "2026-03-29T08:15:00Z"},
        {"member": None, "lines": None},
        {"attributes": None},
    ],
)
def test_body_of_the_same_value_is_the_same_body(till, same):
    till.post("purchases/", a_purchase(), Idempotency_Key="k1")

    again = till.post("purchases/", a_purchase(**same), Idempotency_Key="k1")

    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "other", [{"total": "10.98"}, {"external_id": "r-2"}, {"attributes": {"total": "1.0"}}, {"total": "nonsense"}]
)
def test_same_key_with_another_body_is_refused_before_the_body_is_judged(till, other):
    till.post("purchases/", a_purchase(), Idempotency_Key="k1")

    again = till.post("purchases/", a_purchase(**other), Idempotency_Key="k1")

    assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reuse")


def test_same_key_at_another_address_is_refused(till):
    till.post("members/", {}, Idempotency_Key="k1")

    assert till.post("purchases/batch/", {}, Idempotency_Key="k1").status_code == 422


def test_numbers_within_attributes_compare_by_value_and_texts_as_they_are(till):
    till.post("purchases/", a_purchase(attributes={"n": 1.0, "total": "1.0"}), Idempotency_Key="k1")

    same = till.post("purchases/", a_purchase(attributes={"n": 1, "total": "1.0"}), Idempotency_Key="k1")
    other = till.post("purchases/", a_purchase(attributes={"n": 1, "total": "1"}), Idempotency_Key="k1")

    assert (same.status_code, other.status_code) == (201, 422)


def test_refused_body_stores_nothing_and_may_be_corrected_under_its_key(till):
    refused = till.post("purchases/", a_purchase(total="-1.00"), Idempotency_Key="k1")
    corrected = till.post("purchases/", a_purchase(), Idempotency_Key="k1")

    assert (refused.status_code, corrected.status_code) == (400, 201)
    assert "Idempotent-Replayed" not in corrected.headers


def test_key_belongs_to_its_program(till):
    other = Till(make_shop())
    till.post("purchases/", a_purchase(), Idempotency_Key="k1")

    answer = other.post("purchases/", a_purchase("r-9"), Idempotency_Key="k1")

    assert (answer.status_code, answer.json()["external_id"]) == (201, "r-9")


@pytest.mark.parametrize("key", ["", "x" * 256, "ž"])
def test_key_that_is_none_is_refused(till, key):
    answer = till.post("purchases/", a_purchase(), Idempotency_Key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-idempotency-key")


def test_twin_in_flight_is_told_to_wait_and_a_dead_one_is_taken_over(db):
    program, now = make_shop(), datetime.now(UTC)
    asked = {"program": program, "key": "k1", "path": "/x", "body": {}}
    first = idempotency.claim(**asked, now=now)

    with pytest.raises(idempotency.InFlightError):
        idempotency.claim(**asked, now=now + timedelta(seconds=59))
    second = idempotency.claim(**asked, now=now + timedelta(seconds=61))
    idempotency.keep(first, status=201, body=b"late")
    idempotency.keep(second, status=201, body=b"right")

    assert idempotency.claim(**asked, now=now + timedelta(days=1)) == idempotency.Replay(status=201, body=b"right")


def test_answers_are_forgotten_after_thirty_days(db):
    program, now = make_shop(), datetime.now(UTC)
    for age in (29, 31):
        StoredAnswer.objects.create(
            program=program, key=str(age), request_digest=b"", created_at=now - timedelta(days=age)
        )

    assert purge_answers_task() == 1
    assert [answer.key for answer in StoredAnswer.objects.all()] == ["29"]
