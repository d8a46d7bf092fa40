"""Tills that retry blindly: whatever is sent however often counts once. With a real web server, worker and broker."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import time_machine

from loyalty.api.models import StoredAnswer
from loyalty.api.tasks import purge_answers_task
from loyalty.ledger.models import Account, Entry, Lot, Standing
from loyalty.ledger.verify import verify
from loyalty.purchases.models import Activity, Award, Judgement, ReceiptKey
from tests.factories import make_key, make_member, make_shop
from tests.loyalty.api.client import Till, a_purchase
from tests.servers import wait_until

MEMBER = "external_id:0"
CLOCK = datetime(2026, 3, 30, tzinfo=UTC)


def _all_is_accrued():
    return not Activity.objects.filter(status=Activity.Status.RECORDED).exists()


def _books():
    """Return all that the purchases have led to."""
    return {
        "activity": list(
            Activity.objects.order_by("pk").values_list("pk", "status", "occurred_at", "posted_at", "total")
        ),
        "keys": ReceiptKey.objects.count(),
        "judgements": Judgement.objects.count(),
        "awards": sorted(Award.objects.values_list("activity_id", "rule", "amount")),
        "entries": sorted(Entry.objects.values_list("pk", "amount")),
        "lots": sorted(Lot.objects.values_list("pk", "remaining")),
        "balances": sorted(Account.objects.filter(membership__isnull=False).values_list("pk", "balance")),
        "standings": sorted((str(pk), str(credit)) for pk, credit in Standing.objects.values_list("pk", "credit")),
    }


def test_one_receipt_fifty_times_at_once_and_one_after_another_by_single_and_batch_counts_once(house):
    program = make_shop()
    make_member(program=program, external_id="0")
    _key, secret = make_key(program=program)
    body = a_purchase(member=MEMBER, store="s1", lines=[{"amount": "10.99"}])
    batch = {"purchases": [body, a_purchase("other", member="external_id:nobody"), body]}

    def send(number):
        if number % 2:
            return house.request("POST", "/api/v1/purchases/", key=secret, body=body)
        return house.request("POST", "/api/v1/purchases/batch/", key=secret, body=batch)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(40)))
    wait_until(_all_is_accrued, what="the purchase to be accrued")
    once = _books()
    later = [send(number) for number in range(10)]

    singles = [answer for answer in answers if "results" not in answer.json]
    batches = [answer for answer in answers if "results" in answer.json]
    assert (len(singles), len(batches)) == (20, 20)
    assert {answer.status for answer in singles} <= {200, 201}
    assert sum(answer.status == 201 for answer in singles) <= 1
    told = [[row["status"] for row in answer.json["results"]] for answer in batches]
    assert {(row[1], row[0] in {"recorded", "accrued"}, row[2] in {"recorded", "accrued"}) for row in told} == {
        ("refused", True, True)
    }
    assert {answer.status for answer in later} == {200}
    assert {answer.json["status"] for answer in later[1::2]} == {"accrued"}
    assert _books() == once
    assert (Activity.objects.count(), Account.objects.get(kind="available").balance) == (1, 10)


def test_offline_batch_with_repeats_sent_again_a_week_later_changes_nothing(house):
    program = make_shop(clock=CLOCK)
    for number in range(5):
        make_member(program=program, external_id=str(number), joined_at=CLOCK - timedelta(days=90))
    _key, secret = make_key(program=program)
    shuffled = random.Random(20_260_330)
    distinct = [_offline(number) for number in range(350)]
    items = distinct + shuffled.sample(distinct, 150)  # Of the 500, 30 % are repeats.

    def send():
        shuffled.shuffle(items)
        answer = house.request("POST", "/api/v1/purchases/batch/", key=secret, body={"purchases": items})
        assert answer.status == 200
        return [row["status"] for row in answer.json["results"]]

    first = send()
    wait_until(_all_is_accrued, seconds=60, what="the batch to be accrued")
    once = _books()
    now = (CLOCK + timedelta(days=7)).isoformat()
    moved = house.request("POST", "/api/v1/sandbox/clock/", key=secret, body={"now": now})
    again = send()

    assert moved.status == 200
    assert set(first) <= {"recorded", "accrued"}
    assert again == ["accrued"] * 500
    assert _books() == once
    assert Activity.objects.count() == 350
    assert Account.objects.filter(kind="available", membership__external_id="1").get().balance == sum(
        1 + number % 6 for number in range(350) if number % 7 == 1
    )
    assert verify(programs=[program]).faults == []


def _offline(number):
    """Return the body of one of many purchases, in minutes of the days before; some are guests'."""
    who = number % 7
    return a_purchase(
        f"r-{number}",
        member=f"external_id:{who}" if who < 5 else None,
        occurred_at=(CLOCK - timedelta(minutes=7 * number)).isoformat(),
        total=f"{1 + number % 6}.00",
        store=f"s{number % 3}",
    )


def test_stored_answer_is_kept_for_thirty_days_and_the_receipt_itself_for_ever(db):
    till = Till(make_shop())
    with time_machine.travel(CLOCK, tick=False) as clock:
        first = till.post("purchases/", a_purchase(), Idempotency_Key="k1")
        clock.shift(timedelta(days=29))
        purge_answers_task()
        kept = till.post("purchases/", a_purchase(), Idempotency_Key="k1")
        clock.shift(timedelta(days=2))
        purge_answers_task()
        forgotten = till.post("purchases/", a_purchase(), Idempotency_Key="k1")
        clock.shift(timedelta(days=3_000))
        natural = till.post("purchases/", a_purchase())
        other = till.post("purchases/", a_purchase(total="1.00"))

    assert (first.status_code, kept.status_code, kept.content) == (201, 201, first.content)
    assert kept.headers["Idempotent-Replayed"] == "true"
    assert (forgotten.status_code, "Idempotent-Replayed" in forgotten.headers) == (200, False)
    assert (natural.status_code, natural.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "external-id-reuse")
    assert Activity.objects.count() == 1


def test_failed_validation_stores_nothing_and_the_corrected_body_is_taken_under_the_same_key(db):
    till = Till(make_shop())

    refused = till.post("purchases/", a_purchase(total="10.999"), Idempotency_Key="k1")
    stored = StoredAnswer.objects.count(), Activity.objects.count(), ReceiptKey.objects.count()
    corrected = till.post("purchases/", a_purchase(), Idempotency_Key="k1")

    assert (refused.status_code, stored, corrected.status_code) == (400, (0, 0, 0), 201)


def test_claim_that_waits_is_answered_with_what_the_guests_purchase_earned(house):
    program = make_shop()
    make_member(program=program, external_id="0")
    _key, secret = make_key(program=program)
    bought = house.request(
        "POST", "/api/v1/purchases/", key=secret, body=a_purchase(occurred_at=datetime.now(UTC).isoformat())
    )

    answer = house.request(
        "POST",
        f"/api/v1/receipts/{bought.json['receipt_code']}/claim/",
        key=secret,
        body={"member": MEMBER},
        headers={"Prefer": "wait=10"},
    )

    assert (answer.status, answer.json["status"], answer.headers["preference-applied"]) == (200, "accrued", "wait=10")
    assert answer.json["member"]["balances"]["points"]["available"] == "10"
