"""Everyone at once, and processes that die: on both databases, with the real worker where it matters."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from loyalty.purchases import accrual
from loyalty.webhooks import delivering
from loyalty.webhooks.actions import add_endpoint
from loyalty.webhooks.models import Attempt, Delivery, Message
from loyalty.webhooks.models import Sequence as LastNumber
from tests.factories import make_member, make_shop, make_user
from tests.factories.activity import JOINED, drain, record
from tests.factories.members import make_members
from tests.factories.receivers import receiving
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


@pytest.fixture
def program():
    return make_shop()


def listen(program, url, *event_types):
    made = add_endpoint(program=program, url=url, event_types=event_types, by=make_user())
    program.refresh_from_db()
    return made


def at_once(work, threads=THREADS):
    """Let so many threads do the work, each on its own connection, and return what each came to."""

    def run(_number):
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_numbers_of_a_member_have_no_gap_whoever_counts(program, private_allowed):
    listen(program, "http://127.0.0.1:9/hooks")
    members = make_members(4, program=program, joined_at=JOINED)
    for number in range(20):
        for member in members:
            record(member, f"r-{member.external_id}-{number}", 1_000, days=number)

    def accrue_all():
        for member in members:
            accrual.accrue_now(membership=member)
        drain()

    at_once(accrue_all)

    for member in members:
        told = Message.objects.filter(membership=member).order_by("sequence")
        numbers = list(told.values_list("sequence", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert LastNumber.objects.get(membership=member).last == len(numbers)
        bought = told.filter(type="purchase.accrued").order_by("created_at")
        assert [one.data["purchase"]["external_id"] for one in bought] == [
            f"r-{member.external_id}-{number}" for number in range(20)
        ]


def test_many_senders_send_each_message_once_and_a_members_in_order(program, receiver):
    together, most, guard = Counter(), Counter(), threading.Lock()

    def watch(got):
        member = got.json["data"]["member"]["external_id"]
        with guard:
            together[member] += 1
            most[member] = max(most[member], together[member])
        with guard:
            together[member] -= 1
        return 200

    receiver.status = watch
    listen(program, receiver.url, "purchase.accrued")
    members = make_members(5, program=program, joined_at=JOINED)
    for number in range(6):
        for member in members:
            record(member, f"{member.external_id}-{number}", 1_000, days=number)
    drain()

    made = at_once(delivering.deliver_due)

    assert sum(made) == Attempt.objects.count() == len(receiver.got) == 30
    assert Counter(one.id for one in receiver.got).most_common(1)[0][1] == 1
    assert set(Delivery.objects.values_list("status", "tries")) == {("delivered", 1)}
    for member in members:
        own = [one["sequence"] for one in receiver.data("purchase.accrued") if one["member"]["id"] == str(member.pk)]
        assert own == sorted(own)
    assert set(most.values()) == {1}


def test_receiver_that_does_not_answer_does_not_hold_up_another_programs(program, receiver):
    released, listening = threading.Event(), threading.Event()

    def hang(_got):
        listening.set()
        released.wait(20)
        return 200

    other = make_shop()
    with receiving() as dead:
        dead.status = hang
        listen(program, dead.url, "purchase.accrued")
        listen(other, receiver.url, "purchase.accrued")
        for number in range(12):
            record(make_member(program=program, joined_at=JOINED), f"dead-{number}", 1_000)
            record(make_member(program=other, joined_at=JOINED), f"r-{number}", 1_000)
        drain()
        sending = threading.Thread(target=lambda: (delivering.deliver_due(), connections.close_all()))
        sending.start()
        try:
            wait_until(lambda: len(receiver.got) == 12, what="the receiver that answers")
            assert listening.is_set()
            assert len(dead.got) == 0
        finally:
            released.set()
            sending.join(30)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_real_sender_delivers_what_was_committed_though_no_nudge_came(worker, private_allowed, monkeypatch):
    """The row is there and the process that wrote it is gone: the sweep finds it."""
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "1")
    program = make_shop()
    with receiving() as receiver:
        made = listen(program, receiver.url, "purchase.accrued")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("loyalty.webhooks.tasks.nudge", lambda: None)
            record(make_member(program=program, joined_at=JOINED), "r-1", 1_000)
            drain()
        assert Delivery.objects.get().status == "pending"
        try:
            worker.start("sender", "scheduler")
            got = wait_until(lambda: receiver.got, seconds=40, what="the sweep")[0]
            wait_until(lambda: Delivery.objects.get().status == "delivered", what="the answer to be written")
        finally:
            worker.stop("scheduler", "sender")
        assert got.is_signed_with(made.secret)


def test_real_sender_is_nudged_on_commit(worker, private_allowed, monkeypatch):
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "1")
    program = make_shop()
    with receiving() as receiver:
        listen(program, receiver.url, "purchase.accrued")
        try:
            worker.start("sender")
            record(make_member(program=program, joined_at=JOINED), "r-1", 1_000)
            drain()
            wait_until(lambda: receiver.got, seconds=30, what="the nudge")
            wait_until(lambda: Delivery.objects.get().status == "delivered", what="the answer to be written")
        finally:
            worker.stop("sender")
