"""Tills that wait for the outcome, with a real worker, a real broker and a real web server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.factories import make_key, make_member, make_shop
from tests.loyalty.api.client import a_purchase


def test_tills_that_wait_are_answered_with_what_was_earned(house):
    program = make_shop()
    for number in range(6):
        make_member(program=program, external_id=str(number))
    _key, secret = make_key(program=program)

    def buy(number):
        body = a_purchase(f"r-{number}", member=f"external_id:{number}", total="100.00")
        return house.request("POST", "/api/v1/purchases/", key=secret, body=body, headers={"Prefer": "wait=10"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(buy, range(6)))

    assert [answer.status for answer in answers] == [201] * 6
    assert {answer.headers["preference-applied"] for answer in answers} == {"wait=10"}
    for answer in answers:
        assert answer.json["status"] == "accrued"
        assert [award["amount"] for award in answer.json["awards"]] == ["100"]
        assert answer.json["member"]["balances"]["points"]["available"] == "100"


def test_till_that_waits_for_a_return_before_its_purchase_is_told_that_it_waits(house):
    program = make_shop()
    _key, secret = make_key(program=program)
    body = {"external_id": "f-1", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"}

    answer = house.request("POST", "/api/v1/refunds/", key=secret, body=body, headers={"Prefer": "wait=10"})

    assert (answer.status, answer.json["status"]) == (201, "waiting")


def test_purchase_is_taken_while_the_broker_is_down(house):
    program = make_shop()
    make_member(program=program, external_id="42")
    _key, secret = make_key(program=program)
    house.kill("broker")

    answer = house.request("POST", "/api/v1/purchases/", key=secret, body=a_purchase(member="external_id:42"))

    assert (answer.status, answer.json["status"]) == (201, "recorded")
