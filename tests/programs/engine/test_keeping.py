"""What keeps a tier: told so that who does just that keeps it, and who does less does not."""

from datetime import date

import pytest

from programs.engine.keeping import given_by, keeping
from programs.engine.terms import Condition, Tier
from tests.programs.engine.shop import Shop, beauty
from tests.programs.engine.test_ladder import JOINED, at, nights, peak, stay


def asked(shop):
    terms = shop.schedule.at(shop.state.as_of)
    return [(one.measure, one.have, one.missing, one.by) for one in keeping(state=shop.state, terms=terms)]


def tier_after(shop, day):
    shop.take(until=at(day))
    return shop.state.tier


@pytest.mark.parametrize(("short", "tier"), [(0, "adventurer"), (1, "blazer")])
def test_tier_held_for_months_asks_for_what_follows_its_begin(short, tier):
    shop = Shop(peak(tiers=peak().tiers[:3]), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 400_000)
    shop.buy(at("2022-06-01"), 100_000)

    assert asked(shop) == [("spend", 100_000, 250_000, date(2023, 3, 14))]
    shop.buy(at("2023-03-14"), 250_000 - short)

    assert tier_after(shop, "2023-03-16") == tier


@pytest.mark.parametrize(("short", "tier"), [(0, "silver"), (1, "member")])
def test_tier_of_years_asks_for_what_its_last_year_lacks(short, tier):
    shop = Shop(nights(), joined_at=JOINED)
    stay(shop, at("2022-03-15"), 12)
    shop.take(until=at("2023-06-01"))

    assert asked(shop) == [("unit:nights", 0, 10, date(2023, 12, 31))]
    stay(shop, at("2023-12-30"), 10 - short)

    assert tier_after(shop, "2024-03-02") == tier


def test_tier_in_its_grace_is_kept_up_to_its_last_day():
    shop = Shop(nights(), joined_at=JOINED)
    stay(shop, at("2022-03-15"), 12)
    shop.take(until=at("2024-02-01"))

    assert asked(shop) == [("unit:nights", 0, 10, date(2024, 2, 29))]
    stay(shop, at("2024-02-29"), 10)

    assert tier_after(shop, "2024-03-02") == "silver"


def test_every_condition_of_a_tier_is_asked_for():
    shop = Shop(nights(), joined_at=JOINED)
    stay(shop, at("2022-03-15"), 100, total=2_300_000)
    stay(shop, at("2023-03-15"), 30, total=500_000)

    assert asked(shop) == [
        ("unit:nights", 30, 70, date(2023, 12, 31)),
        ("spend", 500_000, 1_800_000, date(2023, 12, 31)),
    ]


def test_what_was_reached_this_year_is_fulfilled():
    shop = Shop(beauty(), joined_at=JOINED)
    shop.buy(at("2022-03-15"), 40_000)

    assert asked(shop) == [("spend", 40_000, 0, date(2022, 12, 31))]


def test_lowest_tier_and_one_without_an_end_ask_for_nothing():
    lasting = (Tier("low", "Low"), Tier("high", "High", (Condition("spend", "lifetime", 10_000),)))
    shop = Shop(peak(tiers=lasting, tier_validity="as_reached"), joined_at=JOINED)
    low = asked(shop)

    shop.buy(at("2022-03-15"), 20_000)

    assert (low, shop.state.tier, shop.state.tier_until, asked(shop)) == ([], "high", None, [])


@pytest.mark.parametrize(("short", "tier"), [(0, "platinum"), (1, "silver")])
def test_trial_asks_for_what_keeps_it(short, tier):
    shop = Shop(nights(), joined_at=JOINED)
    shop.grant("platinum", at("2022-03-01"), date(2022, 5, 31), "trial")
    stay(shop, at("2022-04-01"), 4)

    assert given_by(state=shop.state, terms=shop.schedule.versions[0]).kind == "trial"
    assert asked(shop) == [("unit:nights", 4, 11, date(2022, 5, 31))]
    stay(shop, at("2022-05-31"), 11 - short)

    assert tier_after(shop, "2022-06-02") == tier


def test_tier_given_asks_for_nothing_and_names_its_grant():
    shop = Shop(peak(), joined_at=JOINED)
    shop.grant("summit", at("2022-03-01"), date(2022, 8, 31), "invitation")

    assert given_by(state=shop.state, terms=shop.schedule.versions[0]).kind == "invitation"
    assert asked(shop) == []


def test_tier_given_and_reached_as_well_rests_on_what_was_reached():
    shop = Shop(peak(), joined_at=JOINED)
    shop.grant("adventurer", at("2022-03-01"), date(2022, 4, 30))

    shop.buy(at("2022-03-15"), 350_000)

    assert given_by(state=shop.state, terms=shop.schedule.versions[0]) is None
    assert asked(shop) == [("spend", 0, 350_000, date(2023, 3, 14))]
