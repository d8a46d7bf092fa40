"""Everyone at once: what there is, is given out exactly, with real threads and connections on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections

from loyalty.api.problems import ProblemError
from loyalty.ledger.models import Account
from loyalty.ledger.verify import verify
from loyalty.purchases import accrual
from loyalty.rewards import actions, pools
from loyalty.rewards.models import PoolCode, Redemption, RewardStock, Voucher
from programs.engine.state import Ask
from tests.factories import make_key
from tests.factories.members import make_members
from tests.loyalty.presets.stage import Stage, reward

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16
JOINED = datetime(2025, 1, 1, tzinfo=UTC)


def at_once(count: int, work: Callable[[int], object], threads: int = THREADS) -> Counter:
    """Do work 0, 1, … in many threads; return how often each came out, a refusal as its code."""

    def run(number: int) -> object:
        try:
            return work(number)
        except ProblemError as problem:
            return problem.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return Counter(pool.map(run, range(count)))


def test_thousand_claims_on_a_hundred_items_give_exactly_a_hundred():
    stage = Stage("coffee_stars")
    stage.revise(reward("free_addon", stock=100))
    members = make_members(1_000, program=stage.program, joined_at=JOINED)
    key = make_key(program=stage.program)[0]

    came_out = at_once(
        1_000,
        lambda number: actions.reserve(membership=members[number], reward="free_addon", ask=Ask(), by=key).status,
    )

    assert came_out == {"reserved": 100, "sold-out": 900}
    assert Redemption.objects.count() == 100
    assert RewardStock.objects.get().claimed == 100
    assert stage.books() == []


def test_sixty_four_redemptions_of_one_balance_spend_it_exactly():
    stage = Stage("coffee_stars")
    stage.buy("2025-03-01", "500.00")
    ana = stage.program.memberships.get()
    ana.program = stage.program
    key = make_key(program=stage.program)[0]

    def redeem(_number: int) -> str:
        row = actions.reserve(membership=ana, reward="stars_25", ask=Ask(), by=key)
        row.membership.program = stage.program
        return actions.capture(redemption=row, by=key).status

    came_out = at_once(64, redeem, threads=64)

    assert came_out == {"captured": 20, "not-enough-units": 44}
    balances = dict(Account.objects.filter(membership=ana).values_list("kind", "balance"))
    assert (balances["available"], balances["held"]) == (0, 0)
    assert stage.books() == []


def test_codes_of_a_pool_are_handed_out_once_each():
    stage = Stage("coffee_stars")
    stage.revise(reward("free_addon", kind="pool", pool="partner"))
    pools.add_codes(
        program=stage.program, pool="partner", codes=[pools.PoolRow(f"CODE-{n}") for n in range(20)], by=None
    )
    members = make_members(40, program=stage.program, joined_at=JOINED)
    key = make_key(program=stage.program)[0]

    def redeem(number: int) -> str:
        row = actions.reserve(membership=members[number], reward="free_addon", ask=Ask(), by=key)
        return actions.capture(redemption=row, by=key).status

    assert at_once(40, redeem) == {"captured": 20, "sold-out": 20}
    assert set(PoolCode.objects.values_list("state", flat=True)) == {"issued"}
    assert len(set(Voucher.objects.values_list("code", flat=True))) == 20


def test_capture_release_and_time_out_at_once_settle_once():
    stage = Stage("coffee_stars")
    stage.buy("2025-03-01", "1000.00")
    rows = [stage.reserve("stars_25") for _ in range(12)]
    key = make_key(program=stage.program)[0]

    def settle(number: int) -> str:
        row = Redemption.objects.select_related("membership__program").get(pk=rows[number // 3]["id"])
        verb = (actions.capture, actions.release, actions.capture)[number % 3]
        return verb(redemption=row, by=key).status

    at_once(36, settle)

    assert set(Redemption.objects.values_list("status", flat=True)) <= {"captured", "released"}
    assert stage.books() == []


def test_voucher_used_at_once_for_many_receipts_is_good_for_one():
    stage = Stage("punch_card")
    stage.buy("2025-03-01", "675.00", {"category": "coffee", "amount": "675.00", "quantity": "9"})
    key = make_key(program=stage.program)[0]
    voucher_id = Voucher.objects.get().pk

    def use(number: int) -> str:
        row = Voucher.objects.select_related("membership__program").get(pk=voucher_id)
        return actions.redeem_voucher(voucher=row, ref=f"r-{number}", basket=None, by=key).status

    assert at_once(16, use) == {"redeemed": 1, "voucher-used": 15}


def test_spending_beside_accrual_returns_and_due_work_leaves_the_books_in_order():
    stage = Stage("punch_card")
    stage.join("ben", "2025-01-01")
    coffee = {"category": "coffee", "amount": "75.00"}
    bought = stage.buy_all([(f"2025-03-{day:02}", None, coffee | {"quantity": "5"}) for day in range(1, 11)])
    for one in bought[::3]:
        body = {"external_id": f"back-{one['external_id']}", "purchase": one["external_id"]}
        stage.till.post("refunds/", body | {"occurred_at": "2025-03-20T12:00:00Z"})
    key = make_key(program=stage.program)[0]
    ids = list(Voucher.objects.values_list("pk", flat=True))

    def work(number: int) -> str:
        if number % 3 == 0:
            accrual.accrue_batch()
            return "judged"
        if number % 3 == 1:
            accrual.run_due(program=stage.program, as_of=stage.moment("2025-03-25"))
            return "due"
        row = Voucher.objects.select_related("membership__program").get(pk=ids[number % len(ids)])
        return actions.redeem_voucher(voucher=row, ref=f"r-{number}", basket=None, by=key).status

    at_once(30, work, threads=8)
    accrual.accrue_batch()

    assert verify(programs=[stage.program]).faults == []
    statuses = Counter(Voucher.objects.values_list("status", flat=True))
    stamps = Account.objects.get(membership__external_id="ana", kind="available").balance
    assert 9 * (statuses["issued"] + statuses["redeemed"]) + stamps == 50 - 20


def test_twins_of_a_paid_purchase_and_of_its_return_are_answered_as_one():
    stage = Stage("coffee_stars")
    stage.buy("2025-03-01", "500.00")
    paid = stage.redeem("stars_60")
    body = {"external_id": "same", "member": "external_id:ana", "currency": "USD", "total": "12.00"}
    body |= {"occurred_at": "2025-03-01T12:00:00-08:00", "redemptions": [paid["id"]]}
    back = {"external_id": "back", "purchase": "same", "occurred_at": "2025-03-02T12:00:00-08:00"}

    bought = at_once(8, lambda _number: stage.till.post("purchases/", body).status_code)
    accrual.accrue_batch()
    returned = at_once(8, lambda _number: stage.till.post("refunds/", back | {"redemptions": [paid["id"]]}).status_code)
    accrual.accrue_batch()

    assert (bought, returned) == ({201: 1, 200: 7}, {201: 1, 200: 7})
    assert stage.books() == []
