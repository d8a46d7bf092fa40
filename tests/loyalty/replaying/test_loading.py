from __future__ import annotations

from datetime import UTC, datetime, timedelta

from loyalty.replaying.lanes import BATCH_LINES, BATCH_PURCHASES, batches
from loyalty.replaying.loading import deal
from loyalty.replaying.reading import Line, Purchase


def purchases(*, members: list[str], lines: int = 1) -> list[Purchase]:
    line = Line(sku="", name="", category="", brand="", quantity="", amount="1.00")
    return [
        Purchase(
            row=number,
            external_id=str(number),
            member=member,
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
            currency="USD",
            total=f"{lines}.00",
            store="",
            lines=[line] * lines,
        )
        for number, member in enumerate(members)
    ]


def test_deal_keeps_each_member_in_one_hand_and_in_order():
    given = purchases(members=[str(number % 17) for number in range(200)])

    hands = deal(given, hands=5)

    assert sorted(purchase.row for hand in hands for purchase in hand) == list(range(200))
    for hand in hands:
        assert [purchase.row for purchase in hand] == sorted(purchase.row for purchase in hand)
    owners = [{purchase.member for purchase in hand} for hand in hands]
    assert sum(map(len, owners)) == len(set.union(*owners)) == 17


def test_deal_spreads_guests():
    assert len(deal(purchases(members=[""] * 200), hands=5)) == 5


def test_batches_are_bounded_by_purchases_and_by_lines():
    assert [len(batch) for batch in batches(purchases(members=["1"] * 450))] == [BATCH_PURCHASES, BATCH_PURCHASES, 50]
    assert [len(batch) for batch in batches(purchases(members=["1"] * 9, lines=BATCH_LINES // 4))] == [4, 4, 1]
    assert [len(batch) for batch in batches(purchases(members=["1"] * 2, lines=BATCH_LINES + 1))] == [1, 1]
