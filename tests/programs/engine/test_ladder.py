"""Tiers of all kinds: windows, validity, renewal, falls, grace, life, grants and trials."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.engine.state import Line, Purchase, Refund
from programs.engine.terms import Clause, Condition, Rule, Terms, Tier, Trial, UnitTerms
from programs.engine.tiers import Record, next_tier
from tests.programs.engine.shop import EVER, NEW_YORK, PRAGUE, Shop, beauty, version

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
JOINED = datetime(2022, 1, 1, 4, tzinfo=UTC)


def at(text: str, hour: int = 4) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC, hour=hour)


def peak(**changes) -> Terms:
    """Rolling twelve months, held a year from the day it was reached."""
    terms = Terms(
        version_id=version(),
        number=1,
        starts_at=EVER,
        zone=HONG_KONG,
        digits=2,
        tax_earns=True,
        units={"points": UnitTerms("points", 0, "rolling", 12)},
        tiers=(
            Tier("explorer", "Explorer"),
            Tier("blazer", "Blazer", (Condition("visits", "rolling", 1),)),
            Tier("adventurer", "Adventurer", (Condition("spend", "rolling", 350_000),)),
            Tier("pioneer", "Pioneer", (Condition("spend", "rolling", 700_000),)),
            Tier("summit", "Team Summit", by_invitation=True),
        ),
        rules=(Rule("base", "Points", "points", "per_amount", 10_000, {"adventurer": 12_000, "pioneer": 15_000}),),
        tier_validity="months",
    )
    return replace(terms, **changes)


def nights(**changes) -> Terms:
    """Nights in a calendar year, held to the end of February after the next."""
    stay = (Clause("category", values=("stay",)),)
    lasting = {250: 5, 400: 7, 600: 10}

    def tier(code: str, need: int, life: int = 0, *more: Condition) -> Tier:
        for_good = (
            (Condition("unit:nights", "lifetime", life), Condition("years", "lifetime", lasting[life])) if life else ()
        )
        return Tier(code, code.title(), (Condition("unit:nights", "calendar_year", need), *more), for_good)

    terms = Terms(
        version_id=version(),
        number=1,
        starts_at=EVER,
        zone=NEW_YORK,
        digits=2,
        tax_earns=True,
        units={
            "points": UnitTerms("points", 0, "inactivity", 24),
            "nights": UnitTerms("nights", 0, "fixed", fixed_days=("12-31",), is_spendable=False),
        },
        tiers=(
            Tier("member", "Member"),
            tier("silver", 10, 250),
            tier("gold", 25, 400),
            tier("platinum", 50, 600),
            tier("titanium", 75),
            tier("ambassador", 100, 0, Condition("spend", "calendar_year", 2_300_000)),
        ),
        rules=(
            Rule("base", "Points", "points", "per_amount", 100_000),
            Rule("nights", "Nights", "nights", "per_item", 10_000, clauses=stay, pieces="largest"),
        ),
        tier_grace_months=2,
        trial=Trial("platinum", "unit:nights", 15, 12, 36),
    )
    return replace(terms, **changes)


def held(shop):
    return shop.state.tier, shop.state.tier_since, shop.state.tier_until


def stay(shop, when, pieces, total=10_000):
    return shop.buy(when, total, lines=[Line(1, total, pieces * 1_000, category="stay")])


def history(shop):
    return [(c.tier, c.reason, c.starts_at.date().isoformat()) for o in shop.outcomes for c in o.tier_changes]


# --- Held a year from the day it was reached -----------------------------------------------------------------------
def test_rolling_tier_reached_holds_a_year_from_that_day():
    shop = Shop(peak(), joined_at=JOINED)

    shop.buy(at("2022-03-15"), 350_000)

    assert held(shop) == ("adventurer", date(2022, 3, 15), date(2023, 3, 14))


def test_rolling_tier_adds_up_twelve_months_and_no_more():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 200_000)

    shop.buy(at("2023-03-15"), 150_000)
    assert shop.state.tier == "blazer"
    shop.buy(at("2024-03-14"), 200_000)

    assert held(shop) == ("adventurer", date(2024, 3, 14), date(2025, 3, 13))


def test_what_reached_a_tier_does_not_count_for_keeping_it():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15", 3), 100_000)
    shop.buy(at("2022-03-15", 4), 600_000)
    shop.buy(at("2022-03-15", 5), 350_000)

    shop.take(until=at("2023-03-15"))

    assert held(shop) == ("adventurer", date(2023, 3, 15), date(2024, 3, 14))


def test_tier_reached_again_on_its_last_day_is_renewed_from_the_next():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 700_000)
    shop.buy(datetime(2023, 3, 14, 15, 59, tzinfo=UTC), 700_000)  # One minute before midnight in Hong Kong.

    shop.take(until=at("2023-03-15"))

    assert held(shop) == ("pioneer", date(2023, 3, 15), date(2024, 3, 14))
    assert history(shop)[-1] == ("pioneer", "renewed", "2023-03-14")


def test_tier_without_any_purchase_falls_to_the_lowest():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 700_000)

    shop.take(until=at("2023-03-15"))

    assert held(shop) == ("explorer", date(2022, 1, 1), None)


def test_tier_falls_one_step_where_the_terms_say_so():
    shop = Shop(peak(tier_fall="one_step"), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 700_000)

    shop.take(until=at("2023-03-15"))
    assert held(shop) == ("adventurer", date(2023, 3, 15), date(2024, 3, 14))
    shop.take(until=at("2025-03-15"))

    assert shop.state.tier == "explorer"


def test_grace_holds_the_tier_longer_and_lets_it_be_kept():
    shop = Shop(peak(tier_grace_months=1), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 350_000)
    assert shop.state.tier_until == date(2023, 4, 14)

    shop.buy(at("2023-04-14"), 350_000)
    shop.take(until=at("2023-04-15"))

    assert held(shop) == ("adventurer", date(2023, 4, 15), date(2024, 5, 14))


def test_return_of_what_reached_a_tier_ends_as_if_it_had_never_been():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-02-01"), 360_000)
    one = shop.buy(at("2022-03-15"), 400_000)
    shop.buy(at("2022-04-01"), 10_000)
    assert shop.state.tier == "pioneer"

    shop.give_back(one, at("2022-05-01"), 100_000)

    assert held(shop) == ("adventurer", date(2022, 2, 1), date(2023, 1, 31))


def test_late_purchase_reaches_a_tier_on_its_own_day():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-06-01"), 100_000)

    shop.buy(at("2022-03-15"), 350_000)

    assert held(shop) == ("adventurer", date(2022, 3, 15), date(2023, 3, 14))
    assert history(shop)[-1] == ("adventurer", "reached", "2022-03-15")


def test_late_purchase_is_judged_by_the_tier_of_its_moment():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 700_000)
    shop.take(until=at("2023-06-01"))

    late = shop.take(Purchase(shop.new_id(), at("2023-03-14"), 100_000))

    assert late.verdicts[0].awards == (("base", "points", 1_500),)


@given(
    totals=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 400_000)), min_size=1, max_size=12),
    back=st.integers(0, 11),
    share=st.integers(0, 100),
)
@settings(max_examples=80, deadline=None)
def test_return_with_tiers_by_months_ends_as_if_only_the_rest_had_been_bought(totals, back, share):
    totals.sort()
    back %= len(totals)
    returned, plain = Shop(peak(), joined_at=JOINED), Shop(peak(), joined_at=JOINED)
    whole = []
    for number, (day, total) in enumerate(totals):
        one = returned.buy(JOINED + timedelta(days=day, minutes=number), total)
        whole.append(one)
        left = total - total * share // 100 if number == back else total
        if left or not total:
            plain.buy(one.occurred_at, left)
    part = totals[back][1] * share // 100

    if part:
        returned.give_back(whole[back], returned.state.as_of, part)
    plain.take(until=returned.state.as_of)

    assert held(returned) == held(plain)


def test_folding_tiers_by_months_in_one_go_equals_day_by_day():
    buys = [("2022-03-15", 360_000), ("2022-08-01", 400_000), ("2023-09-09", 720_000), ("2025-01-01", 100)]
    once, daily = Shop(peak(), joined_at=JOINED), Shop(peak(), joined_at=JOINED)
    once.take(*(Purchase(once.new_id(), at(day), total) for day, total in buys), until=at("2026-06-01"))

    moment = JOINED
    while moment < at("2026-06-01"):
        moment += timedelta(days=1)
        for day, total in buys:
            if at(day) == moment:
                daily.buy(moment, total)
        daily.take(until=moment)

    assert (held(once), history(once)) == (held(daily), history(daily))


# --- Calendar years, grace to the end of February, life ------------------------------------------------------------
@pytest.mark.parametrize(("year", "until"), [(2022, date(2024, 2, 29)), (2023, date(2025, 2, 28))])
def test_level_by_nights_ends_with_february_after_the_next_year(year, until):
    shop = Shop(nights(), joined_at=JOINED)

    stay(shop, at(f"{year}-05-05"), 25)

    assert held(shop) == ("gold", date(year, 5, 5), until)


def test_level_is_held_to_its_last_day_and_then_falls_to_what_was_earned():
    shop = Shop(nights(), joined_at=JOINED)
    stay(shop, at("2022-05-05"), 50)
    stay(shop, at("2023-05-05"), 10)

    shop.take(until=datetime(2024, 2, 29, 20, tzinfo=UTC))
    assert held(shop) == ("platinum", date(2022, 5, 5), date(2024, 2, 29))
    shop.take(until=datetime(2024, 3, 1, 5, tzinfo=UTC))

    assert held(shop) == ("silver", date(2024, 3, 1), date(2025, 2, 28))


def test_soft_landing_loses_one_step_at_a_time():
    shop = Shop(nights(tier_fall="one_step"), joined_at=JOINED)
    stay(shop, at("2022-05-05"), 50)

    tiers = []
    for year in (2024, 2025, 2026, 2027):
        shop.take(until=at(f"{year}-03-02"))
        tiers.append((shop.state.tier, shop.state.tier_until))

    assert tiers == [
        ("gold", date(2025, 2, 28)),
        ("silver", date(2026, 2, 28)),
        ("member", None),
        ("member", None),
    ]


def test_level_that_asks_for_two_things_needs_both():
    shop = Shop(nights(), joined_at=JOINED)
    stay(shop, at("2022-05-05"), 100, total=2_299_999)
    assert shop.state.tier == "titanium"

    stay(shop, at("2022-05-06"), 0, total=1)

    assert shop.state.tier == "ambassador"


def test_nights_show_what_counts_this_year_and_start_anew():
    shop = Shop(nights(), joined_at=JOINED)
    stay(shop, at("2022-05-05"), 25)

    shop.take(until=datetime(2023, 1, 1, 5, tzinfo=UTC))

    assert (shop.state.balance("nights", "available"), shop.state.tier) == (0, "gold")


def test_enough_nights_in_enough_years_make_a_level_for_life():
    shop = Shop(nights(), joined_at=JOINED)
    for year in range(2022, 2026):
        stay(shop, at(f"{year}-05-05"), 60)
    assert shop.state.tier_until == date(2027, 2, 28)
    stay(shop, at("2026-05-05"), 10)

    shop.take(until=at("2040-01-01"))

    assert held(shop)[::2] == ("silver", None)


# --- By hand, by invitation, on trial ------------------------------------------------------------------------------
def test_tier_by_hand_holds_to_its_end_and_then_what_was_earned_returns():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(at("2022-02-02", 17), 35_000)
    shop.grant("rouge", at("2022-03-01", 17), date(2022, 6, 30))
    assert (shop.state.tier, shop.state.tier_until) == ("rouge", date(2022, 6, 30))
    shop.buy(at("2022-03-02", 17), 1_000)

    shop.take(until=at("2022-07-01", 4))

    assert (shop.points, shop.state.tier, shop.state.tier_until) == (350 + 15, "vib", date(2023, 12, 31))
    assert [reason for _tier, reason, _day in history(shop)] == ["joined", "reached", "granted", "grant_ended"]


def test_tier_by_invitation_is_never_reached_by_credit():
    shop = Shop(peak(), joined_at=JOINED)

    shop.buy(at("2022-03-15"), 90_000_000)
    assert shop.state.tier == "pioneer"
    shop.grant("summit", at("2022-04-01"), date(2022, 12, 31), "invitation")

    assert held(shop)[::2] == ("summit", date(2022, 12, 31))
    assert history(shop)[-1][:2] == ("summit", "invited")


@pytest.mark.parametrize(("pieces", "tier", "until"), [(15, "platinum", date(2023, 6, 30)), (14, "silver", None)])
def test_trial_is_kept_a_year_where_enough_nights_fell_into_it(pieces, tier, until):
    shop = Shop(nights(), joined_at=JOINED)
    shop.grant("platinum", at("2022-04-01"), date(2022, 6, 30), "trial")

    stay(shop, at("2022-05-05"), pieces)
    shop.take(until=at("2022-07-01", 5))

    assert shop.state.tier == tier
    assert until is None or shop.state.tier_until == until


# --- Other windows -------------------------------------------------------------------------------------------------
def test_years_of_membership_run_from_the_day_of_joining():
    tiers = (Tier("one", "One"), Tier("two", "Two", (Condition("visits", "anniversary", 2),)))
    shop = Shop(beauty(tiers=tiers), joined_at=datetime(2022, 6, 15, 17, tzinfo=UTC))
    shop.buy(at("2023-06-14", 17), 100)
    shop.buy(at("2023-06-15", 17), 100)
    assert shop.state.tier == "one"

    shop.buy(at("2024-06-13", 17), 100)

    assert held(shop) == ("two", date(2024, 6, 13), date(2025, 6, 14))


def test_tier_held_while_credit_reaches_it_ends_when_the_window_moves_on():
    tiers = (Tier("one", "One"), Tier("two", "Two", (Condition("spend", "rolling", 10_000, 3),)))
    shop = Shop(replace(beauty(tiers=tiers), tier_validity="as_reached"), joined_at=JOINED)
    shop.buy(at("2022-03-10", 17), 6_000)
    shop.buy(at("2022-04-10", 17), 4_000)
    assert held(shop) == ("two", date(2022, 4, 10), date(2022, 6, 9))

    shop.take(until=at("2022-06-10", 17))

    assert held(shop)[::2] == ("one", None)


def test_next_tier_says_what_is_missing_and_by_when():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 100_000)
    shop.buy(at("2022-05-15"), 50_000)
    state = shop.state

    found = next_tier(
        terms=peak(), record=Record(state.joined_at, state.credit, state.marks), tier=state.tier, at=state.as_of
    )

    assert found is not None
    above, (missing,) = found
    assert (above.code, missing.need, missing.have, missing.missing, missing.by) == (
        "adventurer",
        350_000,
        150_000,
        200_000,
        date(2023, 3, 14),
    )


def test_invitation_is_not_the_next_tier():
    shop = Shop(peak(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 700_000)

    record = Record(shop.state.joined_at, shop.state.credit, shop.state.marks)

    assert next_tier(terms=peak(), record=record, tier="pioneer", at=shop.state.as_of) is None


# --- Units that a tier spares --------------------------------------------------------------------------------------
def coffee() -> Terms:
    return replace(
        peak(),
        zone=NEW_YORK,
        units={
            "stars": UnitTerms(
                "stars",
                0,
                "inactivity",
                6,
                round_up="month",
                tier_months={"gold": None, "reserve": None},
                fall_months=6,
            )
        },
        tiers=(
            Tier("green", "Green"),
            Tier("gold", "Gold", (Condition("unit:stars", "rolling", 500),)),
            Tier("reserve", "Reserve", (Condition("unit:stars", "rolling", 2_500),)),
        ),
        rules=(Rule("base", "Stars", "stars", "per_amount", 10_000, {"gold": 12_000, "reserve": 17_000}),),
    )


def test_units_end_six_months_after_the_month_of_the_last_activity():
    shop = Shop(coffee(), joined_at=JOINED)
    shop.buy(at("2025-12-15", 17), 1_000)

    shop.take(until=datetime(2026, 7, 1, 3, 59, tzinfo=UTC))
    assert shop.state.balance("stars", "available") == 10
    shop.take(until=datetime(2026, 7, 1, 4, tzinfo=UTC))

    assert shop.state.balance("stars", "available") == 0


def test_units_of_a_tier_that_spares_them_get_months_when_it_is_lost():
    shop = Shop(coffee(), joined_at=JOINED)
    shop.buy(at("2022-03-10", 17), 50_000)
    assert shop.state.tier == "gold"

    shop.take(until=at("2023-03-10", 17))
    assert (shop.state.tier, shop.state.balance("stars", "available")) == ("green", 500)
    shop.take(until=at("2023-09-10", 17))
    assert shop.state.balance("stars", "available") == 500
    shop.take(until=at("2023-09-11", 17))

    assert shop.state.balance("stars", "available") == 0


def test_return_in_the_same_fold_leaves_no_mark():
    shop = Shop(peak(), joined_at=JOINED)
    one = Purchase(shop.new_id(), at("2022-03-15"), 700_000)

    shop.take(one, Refund(shop.new_id(), at("2022-03-16"), one.id, {0: (0, 700_000)}))

    assert (held(shop), shop.state.marks) == (("explorer", date(2022, 1, 1), None), {})


def test_marks_that_no_window_looks_at_are_forgotten():
    shop = Shop(replace(peak(), zone=PRAGUE), joined_at=JOINED)
    for month in range(120):
        shop.buy(JOINED + timedelta(days=30 * month), 360_000)

    assert (len(shop.state.marks) <= 52, shop.state.tier) == (True, "pioneer")


# --- Nothing is lost before the member was told --------------------------------------------------------------------
def told(shop, *kinds):
    return [(n.kind, n.what) for o in shop.outcomes for n in o.notices if not kinds or n.kind in kinds]


def send(shop, when):
    shop.take(until=when)
    for key, sent in shop.state.notices.items():
        shop.state.notices[key] = sent or when
    shop.take(until=when)


def test_notice_comes_before_units_end_and_holds_them_until_it_is_sent():
    shop = Shop(replace(beauty(), needs_notice=True), joined_at=JOINED)
    shop.buy(at("2022-03-01", 17), 10_000)

    shop.take(until=at("2023-01-30", 17))
    assert told(shop) == []
    shop.take(until=at("2023-01-31", 17))
    assert told(shop) == [("expiry", "points")]
    shop.take(until=at("2023-05-05", 17))
    assert shop.points == 100
    send(shop, at("2023-05-06", 17))

    assert shop.points == 0


def test_notice_sent_in_time_lets_units_end_on_their_day():
    shop = Shop(replace(beauty(unit=UnitTerms("points", 0, "rolling", 12)), needs_notice=True), joined_at=JOINED)
    shop.buy(at("2022-03-01", 17), 10_000)
    send(shop, at("2023-02-10", 17))

    shop.take(until=datetime(2023, 3, 2, 4, 59, tzinfo=UTC))
    assert shop.points == 100
    shop.take(until=datetime(2023, 3, 2, 5, tzinfo=UTC))

    assert shop.points == 0


def test_notice_holds_a_tier_that_would_fall_and_none_is_written_for_one_that_is_kept():
    shop = Shop(peak(needs_notice=True), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 350_000)
    shop.buy(at("2022-06-15"), 350_000)
    shop.take(until=at("2023-03-20"))
    assert (held(shop)[::2], told(shop, "tier")) == (("pioneer", date(2023, 6, 14)), [])

    shop.take(until=at("2023-08-01"))
    assert (shop.state.tier, told(shop, "tier")) == ("pioneer", [("tier", "pioneer")])
    send(shop, at("2023-08-02"))

    assert held(shop)[::2] == ("explorer", None)


def test_notice_holds_a_level_by_calendar_years_too():
    shop = Shop(replace(beauty(), needs_notice=True), joined_at=JOINED)
    shop.buy(at("2022-03-01", 17), 100_000)

    shop.buy(at("2024-02-01", 17), 1_000)
    assert shop.state.tier == "rouge"
    send(shop, at("2024-02-02", 17))

    assert shop.state.tier == "insider"


# --- Debts ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("policy", "after_return", "after_next"), [("owe", -80, 20), ("remember", 0, 20), ("waive", 0, 100)]
)
def test_return_of_spent_units_follows_the_policy(policy, after_return, after_next):
    shop = Shop(beauty(unit=UnitTerms("points", debt=policy)), joined_at=JOINED)
    one = shop.buy(at("2022-03-01", 17), 10_000)
    for lot in shop.state.lots:  # As a redemption would.
        lot.remaining -= 80
    shop.state.balances["points", "available"] -= 80

    shop.give_back(one, at("2022-03-02", 17), 10_000)
    assert shop.points == after_return
    shop.buy(at("2022-03-03", 17), 10_000)

    lots = sum(lot.remaining for lot in shop.state.lots)
    assert (shop.points, lots) == (after_next, after_next)


# --- Where the purchase that reaches a tier earns at it ------------------------------------------------------------
def generous() -> Terms:
    return replace(beauty(), reaching_earns_new=True)


def test_purchase_that_reaches_a_tier_earns_at_it_where_the_terms_say_so():
    shop = Shop(generous(), joined_at=JOINED)
    shop.buy(at("2022-02-01", 17), 34_000)
    shop.buy(at("2022-02-02", 17), 1_000)

    assert shop.points == 340 + 12


def test_return_below_the_tier_that_was_reached_leaves_what_the_rest_alone_had_earned():
    shop, plain = Shop(generous(), joined_at=JOINED), Shop(generous(), joined_at=JOINED)
    for one in (shop, plain):
        one.buy(at("2022-02-01", 17), 30_000)
    bought = shop.buy(at("2022-02-02", 17), 9_000)

    shop.give_back(bought, at("2022-02-03", 17), 5_000)
    plain.buy(at("2022-02-02", 17), 4_000)

    assert (shop.points, shop.state.tier) == (plain.points, plain.state.tier) == (340, "insider")
