from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.engine.state import Purchase, Refund
from programs.engine.terms import UnitTerms
from tests.programs.engine.shop import Shop, beauty, cashback, ladder

JOINED = datetime(2022, 1, 1, 17, tzinfo=UTC)


def day(text: str, hour: int = 17) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC, hour=hour)


def awards(shop):
    return [verdict.awards for outcome in shop.outcomes for verdict in outcome.verdicts]


# --- Tiers ---------------------------------------------------------------------------------------------------------


def test_tier_reached_counts_from_the_next_purchase():
    shop = Shop(beauty(), joined_at=JOINED)

    shop.buy(day("2022-01-31"), 35_000)
    shop.buy(day("2022-01-31"), 1_099)

    assert shop.points == 350 + 13


def test_tier_reached_holds_to_the_end_of_the_next_year():
    shop = Shop(beauty(), joined_at=JOINED)

    shop.buy(day("2022-01-31"), 35_000)

    assert (shop.state.tier, shop.state.tier_since, shop.state.tier_until) == (
        "vib",
        date(2022, 1, 31),
        date(2023, 12, 31),
    )


def test_tier_one_cent_below_is_not_reached():
    shop = Shop(beauty(), joined_at=JOINED)

    shop.buy(day("2022-05-05"), 34_999)

    assert shop.state.tier == "insider"


def test_tier_not_reached_again_falls_to_what_the_last_full_year_reached():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-03-01"), 100_000)
    shop.buy(day("2023-03-01"), 40_000)

    shop.take(until=datetime(2024, 1, 1, 5, tzinfo=UTC))

    assert (shop.state.tier, shop.state.tier_since, shop.state.tier_until) == (
        "vib",
        date(2024, 1, 1),
        date(2024, 12, 31),
    )
    assert [change.reason for outcome in shop.outcomes for change in outcome.tier_changes] == [
        "joined",
        "reached",
        "fell",
    ]


def test_tier_one_moment_before_the_year_ends_is_still_held():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-03-01"), 100_000)

    shop.take(until=datetime(2024, 1, 1, 4, 59, tzinfo=UTC))

    assert shop.state.tier == "rouge"


def test_tier_after_a_return_is_the_higher_of_this_and_the_last_years_spend():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-03-01"), 35_000)
    big = shop.buy(day("2023-03-01"), 100_000)

    shop.give_back(big, day("2023-03-02"), 100_000)

    assert (shop.state.tier, shop.state.tier_until) == ("vib", date(2023, 12, 31))


def test_tier_under_new_terms_is_reviewed_when_they_come_into_force():
    later = beauty(number=2, starts_at=day("2022-07-01"), tiers=ladder(vib=20_000))
    shop = Shop(beauty(), later, joined_at=JOINED)
    shop.buy(day("2022-03-01"), 25_000)
    assert shop.state.tier == "insider"

    shop.take(until=day("2022-07-01"))

    assert (shop.state.tier, shop.state.tier_since) == ("vib", date(2022, 7, 1))
    assert shop.outcomes[-1].tier_changes[0].reason == "terms"


def test_late_purchase_is_judged_by_the_tier_of_its_own_day():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-06-01"), 35_000)

    shop.buy(day("2022-05-01"), 10_000)
    late = shop.outcomes[-1].verdicts[0]

    assert (late.tier, late.awards) == ("insider", (("base", "points", 100),))


def test_late_purchase_that_reaches_a_tier_counts_from_its_own_day():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-06-01"), 30_000)

    shop.buy(day("2022-05-01"), 5_000)

    assert (shop.state.tier, shop.state.tier_since) == ("vib", date(2022, 5, 1))


def test_late_purchases_of_a_past_year_are_judged_as_if_they_had_come_in_time():
    told = [
        (day("2019-03-01"), 36_000),
        (day("2019-04-01"), 1_099),
        (day("2020-04-01"), 1_099),
        (day("2021-04-01"), 1_099),
    ]
    in_time, late = Shop(beauty(), joined_at=day("2019-01-01")), Shop(beauty(), joined_at=day("2019-01-01"))
    late.take(until=day("2024-06-01"))

    for at, total in told:
        in_time.buy(at, total)
        late.buy(at, total)

    assert [o.verdicts[0].tier for o in late.outcomes if o.verdicts] == ["insider", "vib", "vib", "insider"]
    assert awards(late) == awards(in_time)
    assert late.state.tier == "insider"


def test_purchase_before_joining_moves_joining_back():
    shop = Shop(beauty(), joined_at=JOINED)

    shop.buy(day("2021-12-24"), 1_000)

    assert (shop.state.joined_at, shop.state.tier_since) == (day("2021-12-24"), date(2021, 12, 24))


def test_purchase_before_the_first_terms_is_refused_and_the_rest_goes_on():
    shop = Shop(beauty(starts_at=day("2022-01-01", 0)), joined_at=JOINED)
    early, good = Purchase(shop.new_id(), day("2021-06-01"), 500), Purchase(shop.new_id(), day("2022-06-01"), 500)

    outcome = shop.take(early, good)

    assert (outcome.refused, shop.points) == ({early.id: "no-version-in-force"}, 5)


# --- Expiry --------------------------------------------------------------------------------------------------------


def test_inactivity_forfeits_after_the_same_date_twelve_months_later():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-02-10"), 5_000)

    shop.take(until=datetime(2023, 2, 11, 4, 59, 59, tzinfo=UTC))
    assert shop.points == 50
    shop.take(until=datetime(2023, 2, 11, 5, tzinfo=UTC))

    assert (shop.points, shop.postings) == (0, ["earn", "expire"])


def test_inactivity_purchase_keeps_all_points_alive():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-02-10"), 5_000)
    shop.buy(day("2023-02-10"), 100)

    shop.take(until=day("2024-02-10"))

    assert shop.points == 51


def test_inactivity_that_ended_late_points_before_the_next_purchase_ends_them_at_once():
    shop = Shop(beauty(), joined_at=day("2019-12-01"))
    shop.buy(day("2022-01-05"), 10_000)

    shop.buy(day("2020-01-05"), 5_000)

    assert (shop.points, shop.postings) == (100, ["earn", "earn", "expire"])
    assert shop.outcomes[-1].postings[-1].occurred_at == datetime(2021, 1, 6, 5, tzinfo=UTC)


def test_inactivity_did_not_end_late_points_that_later_purchases_kept_alive():
    shop = Shop(beauty(), joined_at=day("2019-12-01"))
    for at in ("2020-11-01", "2021-10-01", "2022-09-01"):
        shop.buy(day(at), 10_000)

    shop.buy(day("2020-01-05"), 5_000)

    assert shop.points == 350


def test_inactivity_purchase_after_the_end_revives_nothing():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(day("2022-02-10"), 5_000)

    shop.buy(day("2023-02-11"), 100)

    assert (shop.points, shop.postings) == (1, ["earn", "expire", "earn"])


def test_rolling_lot_ends_by_itself_earliest_first():
    shop = Shop(beauty(unit=UnitTerms("points", 0, "rolling", 12)), joined_at=JOINED)
    shop.buy(day("2022-02-10"), 5_000)
    shop.buy(day("2022-03-10"), 7_000)

    shop.take(until=day("2023-02-12"))

    assert shop.points == 70


def test_rolling_lot_of_a_purchase_too_old_is_written_and_expired_at_once():
    shop = Shop(beauty(unit=UnitTerms("points", 0, "rolling", 12)), joined_at=JOINED)
    shop.take(until=day("2025-01-01"))

    shop.buy(day("2022-02-10"), 5_000)

    assert (shop.points, shop.postings) == (0, ["earn", "expire"])


# --- Pending ---------------------------------------------------------------------------------------------------------


def test_pending_arrives_fourteen_days_after_the_purchase():
    shop = Shop(cashback(), joined_at=JOINED)
    shop.buy(day("2022-02-10"), 10_000)
    assert (shop.state.balance("cash", "pending"), shop.state.balance("cash", "available")) == (100, 0)

    shop.take(until=day("2022-02-24"))

    assert (shop.state.balance("cash", "pending"), shop.state.balance("cash", "available")) == (0, 100)


def test_pending_of_a_late_purchase_arrives_at_once():
    shop = Shop(cashback(), joined_at=JOINED)
    shop.take(until=day("2022-05-01"))

    shop.buy(day("2022-02-10"), 10_000)

    assert (shop.state.balance("cash", "available"), shop.postings) == (100, ["earn", "mature"])


# --- Refunds -------------------------------------------------------------------------------------------------------


def test_refund_in_the_same_fold_ends_as_if_there_had_been_no_purchase():
    shop = Shop(beauty(), joined_at=JOINED)
    one = Purchase(shop.new_id(), day("2022-02-10"), 40_000)

    shop.take(one, Refund(shop.new_id(), day("2022-02-11"), one.id, {0: (0, one.total)}))

    assert (shop.points, shop.state.tier, shop.state.credit, shop.state.active_at) == (
        0,
        "insider",
        {},
        None,
    )


def test_refund_without_its_purchase_waits():
    shop = Shop(beauty(), joined_at=JOINED)
    refund = Refund(shop.new_id(), day("2022-02-11"), shop.new_id(), {0: (0, 100)})

    assert shop.take(refund).waiting == [refund.id]


def test_refund_gives_the_month_of_a_limit_back():
    shop = Shop(cashback(), joined_at=JOINED)
    buys = [Purchase(shop.new_id(), day(f"2022-02-{n:02}"), 50_000) for n in range(1, 7)]

    shop.take(*buys, Refund(shop.new_id(), day("2022-02-08"), buys[0].id, {0: (0, buys[0].total)}))
    shop.buy(day("2022-02-09"), 50_000)

    assert shop.state.balance("cash", "pending") == 3_000


def test_refund_of_expired_points_takes_nothing_twice():
    shop = Shop(beauty(), joined_at=JOINED)
    one = Purchase(shop.new_id(), day("2022-02-10"), 5_000)

    outcome = shop.take(one, Refund(shop.new_id(), day("2023-06-01"), one.id, {0: (0, one.total)}))

    assert (shop.points, outcome.verdicts[1].facts["waived"]) == (0, {"points": 50})


def test_refund_of_the_latest_purchase_ends_inactivity_where_it_would_have_ended():
    shop = Shop(beauty(), joined_at=JOINED)
    first = Purchase(shop.new_id(), day("2022-02-10"), 5_000)
    second = Purchase(shop.new_id(), day("2023-01-10"), 3_000)

    shop.take(first, second, Refund(shop.new_id(), day("2023-06-01"), second.id, {0: (0, second.total)}))

    assert shop.points == 0  # Without the second purchase the first one's points ended in February 2023.


# --- Laws ------------------------------------------------------------------------------------------------------------

TERMS = {
    "inactivity": beauty(),
    "rolling": beauty(unit=UnitTerms("points", 0, "rolling", 3)),
    "pending": beauty(unit=UnitTerms("points", 0, "rolling", 2, pending_days=10)),
    "tax": beauty(tax_earns=True),
}
HISTORY = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 60_000), st.booleans()), max_size=25)


def story(shop, history, *, in_order=True):
    """Purchases at (day, total), some of them returned some days later; each in its place."""
    buys = [(Purchase(shop.new_id(), JOINED + timedelta(days=n), total), back) for n, total, back in history]
    told = [one for one, _ in buys]
    told += [
        Refund(shop.new_id(), one.occurred_at + timedelta(days=20), one.id, {0: (0, one.total)})
        for one, back in buys
        if back
    ]
    return sorted(told, key=lambda one: (one.occurred_at, one.id)) if in_order else told


def end(shop):
    state = shop.state
    lots = sorted((lot.unit, lot.remaining, lot.earned_at, lot.matures_at) for lot in state.lots if lot.remaining)
    balances = {key: balance for key, balance in state.balances.items() if balance}
    credit = {year: spend for year, spend in state.credit.get("spend", {}).items() if spend}
    return balances, lots, state.tier, state.tier_until, credit, state.active_at


@pytest.mark.parametrize("name", TERMS)
@given(history=HISTORY)
@settings(max_examples=60, deadline=None)
def test_books_of_any_history_balance(name, history):
    shop = Shop(TERMS[name], joined_at=JOINED)

    shop.take(*story(shop, history), until=JOINED + timedelta(days=1_000))

    totals: dict[str, int] = {}
    for outcome in shop.outcomes:
        for posting in outcome.postings:
            assert sum(move.amount for move in posting.moves) == 0
            for move in posting.moves:
                totals[move.account] = totals.get(move.account, 0) + move.amount
    for account in ("available", "pending"):
        assert totals.get(account, 0) == shop.state.balance("points", account)
    open_lots = sum(lot.remaining for lot in shop.state.lots if lot.account == "available")
    assert max(0, shop.points) == open_lots
    assert -totals.get("issued", 0) == sum(total for account, total in totals.items() if account != "issued")
    for lot in shop.state.lots:
        assert 0 <= lot.remaining <= lot.remaining + lot.expired + lot.reversed <= lot.amount


@pytest.mark.parametrize("name", TERMS)
@given(history=HISTORY)
@settings(max_examples=40, deadline=None)
def test_folding_in_one_go_equals_folding_day_by_day(name, history):
    at_once, by_day = Shop(TERMS[name], joined_at=JOINED), Shop(TERMS[name], joined_at=JOINED)
    last = JOINED + timedelta(days=1_000)
    told = story(at_once, [(n, total, False) for n, total, _ in history])

    at_once.take(*told, until=last)
    for one in told:
        by_day.take(until=one.occurred_at - timedelta(seconds=1))
        by_day.take(one)
    by_day.take(until=last)

    assert end(at_once) == end(by_day)
    assert at_once.postings == by_day.postings


@pytest.mark.parametrize("name", TERMS)
@given(history=HISTORY)
@settings(max_examples=40, deadline=None)
def test_purchase_returned_at_once_leaves_no_trace(name, history):
    with_returns, without = Shop(TERMS[name], joined_at=JOINED), Shop(TERMS[name], joined_at=JOINED)
    told = []
    for n, total, back in sorted(history):
        one = Purchase(with_returns.new_id(), JOINED + timedelta(days=n), total)
        told += [one, Refund(with_returns.new_id(), one.occurred_at, one.id, {0: (0, one.total)})] if back else [one]
        if not back:
            without.take(one)

    last = JOINED + timedelta(days=900)
    with_returns.take(*told, until=last)
    without.take(until=last)

    assert end(with_returns)[:5] == end(without)[:5]
    assert with_returns.state.counters == without.state.counters
