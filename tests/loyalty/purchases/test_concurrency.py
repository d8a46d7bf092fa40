"""Many workers at once, with real threads and connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from loyalty.ledger.models import Account
from loyalty.ledger.verify import verify
from loyalty.purchases import accrual
from loyalty.purchases.events import record_event
from loyalty.purchases.inputs import EventInput
from loyalty.purchases.models import Activity
from tests.factories import make_key, make_member, make_shop
from tests.factories.activity import JOINED, record
from tests.factories.events import make_event_shop

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6


def at_once(work: Callable[[int], object]) -> list[object]:
    def run(number: int) -> object:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def drain(_number: int) -> int:
    judged = idle = 0
    while idle < 20:
        report = accrual.accrue_batch()
        judged += report.judged
        idle = 0 if report.moved else idle + 1
    return judged


def test_workers_at_once_judge_everything_once():
    program = make_shop()
    members = [make_member(program=program, joined_at=JOINED) for _ in range(20)]
    for number, member in enumerate(members):
        for nth in range(6):
            record(member, f"r{number}-{nth}", 1_000 + nth, days=nth)

    judged = at_once(drain)

    assert sum(int(str(count)) for count in judged) == 120
    assert set(Activity.objects.values_list("status", flat=True)) == {"accrued"}
    assert set(Account.objects.filter(kind="available").values_list("balance", flat=True)) == {60}
    assert verify(programs=[program]).faults == []


def test_workers_and_due_work_at_once_leave_the_books_in_order():
    program = make_shop()
    members = [make_member(program=program, joined_at=JOINED) for _ in range(8)]
    for number, member in enumerate(members):
        for nth in range(4):
            record(member, f"r{number}-{nth}", 36_000, days=nth * 120)

    def work(number: int) -> object:
        return drain(number) if number % 2 else accrual.run_due(program=program, as_of=program.now())

    at_once(work)
    accrual.run_due(program=program, as_of=program.now())

    assert set(Activity.objects.values_list("status", flat=True)) == {"accrued"}
    assert verify(programs=[program]).faults == []


def test_no_referral_is_missed_however_it_meets_the_friends_purchase():
    program = make_event_shop()
    key = make_key(program=program)[0]
    referrer = make_member(program=program, external_id="referrer", joined_at=JOINED)
    friends = [make_member(program=program, external_id=f"f{n}", joined_at=JOINED) for n in range(12)]

    def work(number: int) -> object:
        for nth, friend in enumerate(friends):
            if nth % (THREADS // 2) != number // 2:
                continue
            if number % 2:
                record(friend, f"r{nth}", 1_000)
                drain(number)
            else:
                item = EventInput(
                    f"e{nth}", JOINED, "external_id:referrer", "referral", {"friend": f"external_id:f{nth}"}
                )
                record_event(program=program, item=item, by=key)
        return None

    at_once(work)
    drain(0)

    assert set(Activity.objects.values_list("status", flat=True)) == {"accrued"}
    balance = Account.objects.get(membership=referrer, kind="available").balance
    assert balance == 12 * 25
    assert verify(programs=[program]).faults == []


def test_member_locked_elsewhere_is_passed_by_and_reported():
    member = make_member(program=make_shop(), joined_at=JOINED)
    record(member, "r1", 1_000)
    if not connection.features.has_select_for_update_skip_locked:
        assert accrual.accrue_batch().judged == 1  # SQLite has no row locks: its writers queue up.
        return

    with transaction.atomic():
        accrual.ledger.lock_standings([member.pk], skip_locked=False)
        with ThreadPoolExecutor(1) as pool:
            report = pool.submit(lambda: (accrual.accrue_batch(), connections.close_all())[0]).result()

    assert (report.judged, report.locked_out) == (0, 1)
