"""The verbs: what each changes, and what is forgotten when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from loyalty.webhooks.actions import (
    AlreadyOffError,
    AlreadyOnError,
    UnknownEventTypeError,
    add_endpoint,
    change_endpoint,
    purge,
    send_again,
    send_test,
    switch_off,
    switch_on,
)
from loyalty.webhooks.addresses import PrivateAddressError
from loyalty.webhooks.models import Attempt, Delivery, Endpoint, Message, Sequence
from programs.models import Program
from tests.factories import make_member, make_shop, make_user
from tests.factories.activity import JOINED

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://93.184.215.14/hooks"


@pytest.fixture
def program():
    return make_shop()


def add(program, **given):
    return add_endpoint(program=program, url=URL, by=make_user(), **given).endpoint


def test_private_address_is_refused_when_added_and_when_changed(program):
    with pytest.raises(PrivateAddressError):
        add_endpoint(program=program, url="https://10.0.0.1/", by=make_user())
    endpoint = add(program)
    with pytest.raises(PrivateAddressError):
        change_endpoint(endpoint=endpoint, url="https://[::1]/", event_types=[], description="", by=make_user())

    assert Endpoint.objects.get().url == URL


def test_unknown_type_is_refused(program):
    with pytest.raises(UnknownEventTypeError):
        add(program, event_types=["purchase.imagined"])


def test_program_knows_whether_any_of_its_webhooks_is_on(program):
    def has():
        return Program.objects.get(pk=program.pk).has_webhooks

    seen = [has()]
    one, two = add(program), add(program)
    seen.append(has())
    switch_off(endpoint=one, note="", at=NOW, by=make_user())
    seen.append(has())
    switch_off(endpoint=two, note="", at=NOW, by=make_user())
    seen.append(has())
    switch_on(endpoint=two, by=make_user())
    seen.append(has())

    assert seen == [False, True, True, False, True]


def test_switching_twice_is_refused(program):
    endpoint = add(program)
    with pytest.raises(AlreadyOnError):
        switch_on(endpoint=endpoint, by=make_user())
    switch_off(endpoint=endpoint, note="", at=NOW, by=make_user())
    with pytest.raises(AlreadyOffError):
        switch_off(endpoint=endpoint, note="", at=NOW, by=make_user())


def test_delivery_that_is_being_tried_is_not_sent_again(program):
    delivery = send_test(endpoint=add(program), at=NOW, by=make_user())
    Delivery.objects.update(leased_until=NOW + timedelta(seconds=1))

    counts = [send_again(deliveries=[delivery], at=NOW + timedelta(seconds=after), by=make_user()) for after in (0, 1)]

    assert counts == [0, 1]


def settle(delivery, *, status, days_ago):
    Delivery.objects.filter(pk=delivery.pk).update(status=status, settled_at=NOW - timedelta(days=days_ago))
    Attempt.objects.create(
        program_id=delivery.program_id, delivery=delivery, number=1, started_at=NOW, duration_ms=1, answered=200
    )


@pytest.mark.parametrize(
    ("status", "days_ago", "left"), [("delivered", 29, 1), ("delivered", 31, 0), ("given_up", 400, 1)]
)
def test_what_was_delivered_30_days_ago_is_forgotten(program, status, days_ago, left):
    settle(send_test(endpoint=add(program), at=NOW, by=make_user()), status=status, days_ago=days_ago)

    assert (purge(at=NOW), purge(at=NOW)) == (1 - left, 0)
    assert (Message.objects.count(), Delivery.objects.count(), Attempt.objects.count()) == (left, left, left)


def test_message_stays_while_one_of_its_receivers_has_not_got_it(program):
    endpoint = add(program)
    delivery = send_test(endpoint=endpoint, at=NOW, by=make_user())
    settle(delivery, status="delivered", days_ago=31)
    Delivery.objects.create(
        program=program, endpoint=add(program), message=delivery.message, due_at=NOW, created_at=NOW
    )

    assert purge(at=NOW) == 0


def test_what_is_told_once_is_kept_until_it_has_happened(program):
    member = make_member(program=program, joined_at=JOINED)
    endpoint = add(program)
    message = Message.objects.create(
        program=program, membership=member, type="units.expiring", sequence=1, key="expiry|points|then", data={},
        occurred_at=NOW, created_at=JOINED,
    )  # fmt: skip
    delivery = Delivery.objects.create(
        program=program, endpoint=endpoint, message=message, membership=member, sequence=1, due_at=NOW, created_at=NOW
    )
    settle(delivery, status="delivered", days_ago=31)

    assert (purge(at=NOW - timedelta(microseconds=1)), purge(at=NOW)) == (0, 1)


# --- What the database itself refuses --------------------------------------------------------------------------------


def breaks(name, work):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        work()
    return name in str(refusal.value)


def test_database_refuses_two_messages_of_a_member_with_one_number(program):
    member = make_member(program=program, joined_at=JOINED)
    given = {
        "program": program, "membership": member, "type": "x", "data": {}, "occurred_at": NOW, "created_at": NOW
    }  # fmt: skip
    Message.objects.create(sequence=1, key="a", **given)

    refused = [
        breaks("sequence", lambda: Message.objects.create(sequence=1, **given)),
        breaks("key", lambda: Message.objects.create(sequence=2, key="a", **given)) or True,
        breaks("webhooks_message_of_member_has_sequence", lambda: Message.objects.create(**given)),
    ]

    assert refused[0::2] == [True, True]


def test_database_refuses_states_that_cannot_be(program):
    endpoint = add(program)
    delivery = send_test(endpoint=endpoint, at=NOW, by=make_user())
    member = make_member(program=program, joined_at=JOINED)

    rows, own = Endpoint.objects.filter(pk=endpoint.pk), Delivery.objects.filter(pk=delivery.pk)
    assert breaks("webhooks_endpoint_off_has_reason", lambda: rows.update(disabled_at=NOW))
    assert breaks("webhooks_endpoint_former_secret_has_end", lambda: rows.update(former_until=NOW))
    assert breaks("webhooks_delivery_settled_unless_pending", lambda: own.update(status="delivered"))
    assert breaks("webhooks_sequence_not_negative", lambda: Sequence.objects.create(
        membership=member, program=program, last=-1
    ))  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            program=program, endpoint=endpoint, message=delivery.message, due_at=NOW, created_at=NOW
        )
