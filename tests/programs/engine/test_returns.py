"""Returns of parts: whatever the order and the sizes, the law holds to the last unit."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.engine.earning import earning_amount
from programs.engine.state import Purchase, Refund
from programs.engine.terms import UnitTerms
from tests.programs.engine.shop import Shop, beauty, cashback

JOINED = datetime(2022, 1, 1, 17, tzinfo=UTC)
NOON = datetime(2022, 3, 1, 17, tzinfo=UTC)


def taken(shop):
    return sum(units for o in shop.outcomes for v in o.verdicts for _rule, _unit, units in v.awards if units < 0)


def test_return_of_a_part_takes_what_the_part_earned_beyond_the_rest():
    shop = Shop(beauty(), joined_at=JOINED)
    one = shop.buy(NOON, 1_099)

    shop.give_back(one, NOON + timedelta(days=1), 1_050)

    assert (shop.points, nonzero(shop.state.credit["spend"]), shop.state.active_at) == (0, {"2022": 49}, NOON)


def test_return_of_the_last_part_voids_the_purchase():
    shop = Shop(beauty(), joined_at=JOINED)
    one = shop.buy(NOON, 1_000)
    first = shop.give_back(one, NOON + timedelta(days=1), 400)

    second = shop.give_back(one, NOON + timedelta(days=2), 600)

    assert [first.returned[one.id], second.returned[one.id]] == [(400, False), (1_000, True)]
    assert (shop.points, shop.state.active_at) == (0, None)


def test_return_of_a_purchase_cut_by_a_limit_takes_only_what_was_given():
    shop = Shop(cashback(pending_days=0), joined_at=JOINED)
    one = shop.buy(NOON, 60_000)

    shop.give_back(one, NOON + timedelta(days=1), 10_000)
    assert (shop.state.balance("cash", "available"), shop.state.counters) == (500, {"default|month|2022-03": 50_000})
    shop.give_back(one, NOON + timedelta(days=2), 10_000)

    assert (shop.state.balance("cash", "available"), shop.state.counters) == (400, {"default|month|2022-03": 40_000})


def test_return_of_spent_points_leaves_a_debt_that_the_next_points_pay():
    shop = Shop(beauty(), joined_at=JOINED)
    one = shop.buy(NOON, 10_000)
    for lot in shop.state.lots:  # As a redemption would.
        lot.remaining -= 80
    shop.state.balances["points", "available"] -= 80

    shop.give_back(one, NOON + timedelta(days=1), 5_000)
    assert shop.points == -30
    shop.buy(NOON + timedelta(days=2), 4_000)

    assert (shop.points, sum(lot.remaining for lot in shop.state.lots)) == (10, 10)


def test_returns_of_expired_points_are_waived_once_in_parts():
    shop = Shop(beauty(unit=UnitTerms("points", 0, "rolling", 1)), joined_at=JOINED)
    one = shop.buy(NOON, 10_000)
    shop.take(until=NOON + timedelta(days=60))

    waived = [
        shop.give_back(one, NOON + timedelta(days=61 + n), part).verdicts[0].facts["waived"]
        for n, part in enumerate([3_000, 7_000])
    ]

    assert (shop.points, waived) == (0, [{"points": 30}, {"points": 70}])


def nonzero(amounts):
    return {key: amount for key, amount in amounts.items() if amount}


TERMS = {"points": beauty(), "cash": cashback(pending_days=0), "pending": cashback()}
PARTS = st.lists(st.integers(0, 30_000), max_size=6)


@pytest.mark.parametrize("name", TERMS)
@given(earlier=st.lists(st.integers(0, 90_000), max_size=5), parts=PARTS, rest=st.integers(0, 30_000))
@settings(max_examples=60, deadline=None)
def test_returns_with_nothing_in_between_end_as_if_the_rest_alone_had_been_bought(name, earlier, parts, rest):
    with_returns, plain = Shop(TERMS[name], joined_at=JOINED), Shop(TERMS[name], joined_at=JOINED)
    for shop in (with_returns, plain):
        for number, total in enumerate(earlier):
            shop.buy(JOINED + timedelta(days=number), total)
    one = Purchase(with_returns.new_id(), NOON, sum(parts) + rest)

    with_returns.take(one, *(Refund(with_returns.new_id(), NOON, one.id, {0: (0, part)}) for part in parts))
    plain.buy(NOON, rest)

    assert nonzero(with_returns.state.balances) == nonzero(plain.state.balances)
    assert nonzero(with_returns.state.counters) == nonzero(plain.state.counters)
    assert (with_returns.state.tier, with_returns.state.tier_until) == (plain.state.tier, plain.state.tier_until)
    assert sum(with_returns.state.credit.get("spend", {}).values()) == sum(plain.state.credit.get("spend", {}).values())


@pytest.mark.parametrize("name", TERMS)
@given(parts=PARTS, later=st.lists(st.integers(0, 90_000), max_size=5), days=st.lists(st.integers(1, 500), max_size=6))
@settings(max_examples=60, deadline=None)
def test_returns_in_any_parts_take_exactly_what_the_purchase_gave(name, parts, later, days):
    shop = Shop(TERMS[name], joined_at=JOINED)
    one = shop.buy(NOON, sum(parts))
    given_units = sum(units for _rule, _unit, units in shop.outcomes[-1].verdicts[0].awards)
    for number, total in enumerate(later):
        shop.buy(NOON + timedelta(days=40 * number + 1), total)

    for number, part in enumerate(parts):
        shop.give_back(one, NOON + timedelta(days=days[number] if number < len(days) else 7), part)

    assert taken(shop) == -given_units
    for account in ("available", "pending"):
        for unit in ("points", "cash"):
            lots = sum(x.remaining for x in shop.state.lots if (x.unit, x.account) == (unit, account))
            assert max(0, shop.state.balance(unit, account)) == lots


@given(total=st.integers(0, 10**9), parts=st.lists(st.integers(0, 10**8), max_size=5), share=st.integers(0, 100))
def test_tax_of_what_is_left_is_its_share_and_none_at_the_end(total, parts, share):
    total = max(total, sum(parts))
    tax = total * share // 100
    returned = 0
    for part in parts:
        returned += part
        left = earning_amount(terms=beauty(), total=total, tax=tax, returned=returned)
        assert 0 <= left <= total - returned
    assert earning_amount(terms=beauty(), total=total, tax=tax, returned=total) == 0
    assert earning_amount(terms=beauty(), total=total, tax=tax) == total - tax
