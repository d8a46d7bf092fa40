"""Deliveries against a real receiver: the schedule, the order, and what each answer brings."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.webhooks import delivering
from loyalty.webhooks.actions import add_endpoint, send_again, send_test, switch_off, switch_on
from loyalty.webhooks.models import Attempt, Delivery, Endpoint
from programs.models import Program
from tests.factories import make_member, make_shop, make_user
from tests.factories.activity import JOINED, drain, record
from tests.factories.receivers import receiving

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DUE_AFTER = [
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=10),
]  # fmt: skip


@pytest.fixture
def program():
    return make_shop()


@pytest.fixture
def made(program, receiver):
    """An endpoint of the program that is told of purchases, with its secret."""
    made = add_endpoint(program=program, url=receiver.url, event_types=["purchase.accrued"], by=make_user())
    program.refresh_from_db()
    return made


def buy(program, *external_ids, member=None):
    member = member or make_member(program=program, joined_at=JOINED)
    for number, external_id in enumerate(external_ids):
        record(member, external_id, 1_000, days=number)
    drain()
    return member


def bought(receiver):
    return [one["purchase"]["external_id"] for one in receiver.data("purchase.accrued")]


def deliver(at=None):
    if at is None:
        return delivering.deliver_due()
    with time_machine.travel(at, tick=False):
        return delivering.deliver_due()


def state():
    (row,) = Delivery.objects.values_list("status", "step", "tries", "answered")
    return row


def test_message_reaches_the_receiver_signed_and_is_not_sent_twice(program, made, receiver):
    buy(program, "r-1")

    assert (deliver(), deliver()) == (1, 0)

    (got,) = receiver.got
    delivery = Delivery.objects.get()
    assert got.is_signed_with(made.secret)
    assert got.id == str(delivery.message_id)
    assert set(got.json) == {"type", "timestamp", "data"}
    assert got.json["timestamp"] == delivery.message.created_at.astimezone(program.zone).isoformat()
    assert got.json["data"] == delivery.message.data
    assert state() == ("delivered", 1, 1, 204)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.answered, attempt.fault) == (1, 204, "")


def test_attempts_follow_the_schedule_to_the_second_and_end_after_the_seventh(program, made, receiver):
    receiver.status, receiver.body = 500, b"out of order"
    with time_machine.travel(NOW, tick=False):
        buy(program, "r-1")
    at = NOW
    for wait in DUE_AFTER:
        assert deliver(at) == 1
        assert Delivery.objects.get().due_at == at + wait
        assert deliver(at + wait - timedelta(microseconds=1)) == 0
        at += wait
    assert state() == ("pending", 6, 6, 500)

    assert deliver(at) == 1

    assert state() == ("given_up", 7, 7, 500)
    assert at - NOW == timedelta(hours=17, minutes=35, seconds=5)
    assert deliver(at + timedelta(days=30)) == 0
    assert [one.id for one in receiver.got] == [str(Delivery.objects.get().message_id)] * 7
    assert len({one.body for one in receiver.got}) == 1
    assert list(Attempt.objects.order_by("number").values_list("number", "answered", "answer")) == [
        (number, 500, "out of order") for number in range(1, 8)
    ]


def test_delivery_that_was_given_up_is_sent_again_with_the_whole_schedule_before_it(program, made, receiver):
    receiver.status = 500
    with time_machine.travel(NOW, tick=False):
        buy(program, "r-1")
    Delivery.objects.update(step=6, tries=6)
    deliver(NOW)
    later = NOW + timedelta(days=3)

    assert send_again(deliveries=Delivery.objects.all(), at=later, by=make_user()) == 1
    deliver(later)

    assert state() == ("pending", 1, 8, 500)
    receiver.status = 200
    assert deliver(later + timedelta(seconds=5)) == 1
    assert state() == ("delivered", 2, 9, 200)


def test_410_switches_the_endpoint_off_and_what_was_on_its_way_waits(program, made, receiver):
    receiver.status = 410
    buy(program, "r-1", "r-2")

    deliver()

    endpoint = Endpoint.objects.get()
    assert (endpoint.is_on, endpoint.disabled_reason) == (False, "gone")
    assert list(Delivery.objects.order_by("sequence").values_list("status", "tries")) == [
        ("given_up", 1),
        ("pending", 0),
    ]
    assert Program.objects.get(pk=program.pk).has_webhooks is False
    buy(program, "r-3")
    assert Delivery.objects.count() == 2

    receiver.status = 200
    switch_on(endpoint=endpoint, by=make_user())
    deliver()

    assert bought(receiver) == ["r-1", "r-2"]
    assert Program.objects.get(pk=program.pk).has_webhooks is True


def test_endpoint_that_is_off_is_sent_nothing(program, made, receiver):
    buy(program, "r-1")
    switch_off(endpoint=made.endpoint, note="They are moving", at=NOW, by=make_user())

    assert (deliver(), receiver.got) == (0, [])


def test_messages_of_a_member_are_first_tried_in_order(program, made, receiver):
    buy(program, *[f"r-{number}" for number in range(12)])

    deliver()

    assert bought(receiver) == [f"r-{number}" for number in range(12)]
    assert [one["sequence"] for one in receiver.data("purchase.accrued")] == list(range(1, 13))


def test_message_that_failed_holds_up_no_later_one(program, made, receiver):
    receiver.status = lambda got: 500 if got.json["data"]["purchase"]["external_id"] == "r-0" else 200
    with time_machine.travel(NOW, tick=False):
        buy(program, "r-0", "r-1", "r-2")

    assert deliver(NOW) == 3
    receiver.status = 200
    deliver(NOW + timedelta(seconds=5))

    assert bought(receiver) == ["r-0", "r-1", "r-2", "r-0"]


def test_each_endpoint_is_told_by_itself(program, made, receiver):
    with receiving() as other:
        other.status = 500
        add_endpoint(program=program, url=other.url, by=make_user())
        buy(program, "r-1")

        deliver()

        assert (bought(receiver), bought(other)) == (["r-1"], ["r-1"])
    assert sorted(Delivery.objects.filter(message__type="purchase.accrued").values_list("status", "answered")) == [
        ("delivered", 204), ("pending", 500)
    ]  # fmt: skip


def test_lease_of_a_process_that_died_runs_out_and_another_sends(program, made, receiver):
    buy(program, "r-1")
    at = datetime.now(UTC)
    (lost,) = delivering.claim(endpoint=_loaded(), most=4, at=at)

    assert delivering.claim(endpoint=_loaded(), most=4, at=at) == []
    assert deliver() == 0
    assert deliver(at + delivering.LEASE) == 1

    delivering.record([(lost, delivering.posting.Answer(500, "", "", 0.1))])  # Back from the dead.
    assert state() == ("delivered", 1, 1, 204)


def _loaded():
    return Endpoint.objects.select_related("program").get()


def test_test_goes_to_the_endpoint_whatever_it_asked_for(made, receiver):
    delivery = send_test(endpoint=_loaded(), at=NOW, by=make_user())

    deliver()

    (got,) = receiver.got
    assert (got.json["type"], got.json["data"]["endpoint"]) == ("endpoint.test", str(made.endpoint.pk))
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


def test_changed_secret_key_sends_nothing_and_says_so(program, made, receiver, settings):
    buy(program, "r-1")
    settings.SECRET_KEY = "another key, as long as it has to be, for this test"

    deliver()

    assert receiver.got == []
    assert Attempt.objects.get().fault == "no-secret"


def test_failures_in_a_row_are_counted_until_the_first_success(program, made, receiver):
    receiver.status = 500
    with time_machine.travel(NOW, tick=False):
        buy(program, "r-1", "r-2")
    deliver(NOW)
    assert (_loaded().failures, _loaded().failing_since) == (2, NOW)

    receiver.status = 200
    deliver(NOW + timedelta(seconds=5))
    assert (_loaded().failures, _loaded().failing_since) == (0, None)


def test_idle_look_costs_one_query(made):
    with CaptureQueriesContext(connection) as context:
        deliver()

    assert len(context.captured_queries) == 1
