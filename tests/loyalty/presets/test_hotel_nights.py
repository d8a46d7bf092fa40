"""Hotel Nights as published: points to spend, and nights that make the level."""

from __future__ import annotations

import pytest

from loyalty.ledger.grants import TrialTooSoonError
from tests.loyalty.presets.stage import Stage, available, earned, held, next_expiry, rule, terms, tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage("hotel_nights")


def stay(nights, amount="1.00", brand="Grand Atlas"):
    return {"category": "stay", "quantity": str(nights), "amount": amount, "brand": brand}


ROOMS = [stay(2, "100.00"), stay(4, "100.00"), stay(1, "100.00"), stay(3, "100.00")]


def test_platinum_paying_200_at_a_full_service_brand_earns_2000_and_1000(stage):
    _reaching, bought = stage.buy_all([("2025-03-01", None, stay(50)), ("2025-03-02", None, stay(1, "200.00"))])

    assert earned(bought) == {"base": "2000", "tier_bonus": "1000", "nights": "1"}


@pytest.mark.parametrize(
    ("brand", "points"),
    [("Grand Atlas", "1000"), ("Residence Inn", "500"), ("TownePlace", "500"), ("Executive Apartments", "250")],
)
def test_base_points_go_by_the_brand(stage, brand, points):
    assert earned(stage.buy("2025-03-01", None, stay(2, "100.00", brand))) == {"base": points, "nights": "2"}


@pytest.mark.parametrize(
    ("nights", "level", "bonus"),
    [
        (9, "member", {}),
        (10, "silver", {"tier_bonus": "33"}),
        (24, "silver", {"tier_bonus": "33"}),
        (25, "gold", {"tier_bonus": "83"}),
        (50, "platinum", {"tier_bonus": "166"}),
        (75, "titanium", {"tier_bonus": "249"}),
        (100, "titanium", {"tier_bonus": "249"}),
    ],
)
def test_level_is_reached_at_exactly_its_nights_and_its_bonus_is_of_the_rounded_base(stage, nights, level, bonus):
    reaching = stage.buy("2025-03-01", None, stay(nights))
    assert tier(reaching["member"]) == level

    assert earned(stage.buy("2025-03-02", "33.39")) == {"base": "333", **bonus}


@pytest.mark.parametrize(
    ("amount", "level"), [("22999.99", "titanium"), ("23000.00", "ambassador"), ("23000.01", "ambassador")]
)
def test_ambassador_needs_100_nights_and_23000_in_the_same_year(stage, amount, level):
    assert tier(stage.buy("2025-03-01", None, stay(100, amount))["member"]) == level


def test_ambassador_does_not_join_nights_and_spend_of_two_years(stage):
    stage.buy_all([("2025-12-31", "23000.00"), ("2026-01-01", None, stay(100))])

    assert tier(stage.member()) == "titanium"


def test_first_three_rooms_earn_points_and_the_longest_counts_nights(stage):
    dinner = {"category": "dining", "amount": "50.00"}

    bought = stage.buy(
        "2025-03-01", None, stay(2, "100.00"), dinner, stay(4, "100.00"), stay(1, "100.00"), stay(3, "100.00")
    )

    assert earned(bought) == {"base": "3500", "nights": "4"}


def test_all_rooms_earn_points_and_nights_where_the_settings_say_so(stage):
    stage.revise(rule("base", conditions={"first_lines": ""}))
    assert earned(stage.buy("2025-03-01", None, *ROOMS)) == {"base": "4000", "nights": "4"}

    stage.revise(rule("nights", pieces="sum"))

    assert earned(stage.buy("2025-03-02", None, *ROOMS)) == {"base": "4000", "nights": "10"}


def test_nights_stand_for_the_calendar_year(stage):
    bought = stage.buy("2025-12-30", None, stay(3, "10.00"))

    assert next_expiry(bought["member"], "nights") == ("3", "2026-01-01T00:00:00-05:00")
    then = stage.at("2026-01-01 00:00")
    assert (available(then, "nights"), available(then, "points")) == ("0", "100")


@pytest.mark.parametrize(("year", "last"), [(2025, "2027-02-28"), (2026, "2028-02-29")])
def test_level_holds_to_the_last_of_february_after_the_next_year(stage, year, last):
    bought = stage.buy(f"{year}-05-01", None, stay(50))

    assert held(bought["member"]) == ("platinum", f"{year}-05-01", last)
    assert tier(stage.at(f"{last} 23:59:59")) == "platinum"
    assert held(stage.at(f"{year + 2}-03-01 00:00")) == ("member", "2025-01-01", None)


def test_bonus_is_that_of_the_level_up_to_its_last_day(stage):
    _reaching, last, later = stage.buy_all(
        [("2025-05-01", None, stay(50)), ("2027-02-28 23:59", "10.00"), ("2027-03-01 00:00", "10.00")]
    )

    assert [earned(last), earned(later)] == [{"base": "100", "tier_bonus": "50"}, {"base": "100"}]


def test_next_level_names_all_that_it_asks_for_and_by_when(stage):
    member = stage.buy("2025-03-01", None, stay(80, "800.00"))["member"]

    assert member["next_tier"]["code"] == "ambassador"
    assert member["next_tier"]["missing"] == [
        {"measure": "spend", "need": "23000.00", "have": "800.00", "missing": "22200.00", "by": "2025-12-31"},
        {"measure": "nights", "need": "100", "have": "80", "missing": "20", "by": "2025-12-31"},
    ]


def test_level_holds_to_the_end_of_the_next_year_where_there_is_no_grace(stage):
    stage.revise(terms(tier_grace_months=0))

    assert held(stage.buy("2025-05-01", None, stay(50))["member"]) == ("platinum", "2025-05-01", "2026-12-31")


def test_level_falls_to_what_the_last_full_year_reaches(stage):
    stage.buy_all([("2025-05-01", None, stay(75)), ("2026-05-01", None, stay(25))])

    assert held(stage.at("2027-03-01 00:00")) == ("gold", "2027-03-01", "2028-02-29")


def test_soft_landing_loses_a_level_one_step_at_a_time(stage):
    stage.revise(terms(tier_fall="one_step"))
    stage.buy("2025-05-01", None, stay(75))

    assert tier(stage.at("2027-03-01 00:00")) == "platinum"
    assert tier(stage.at("2028-02-29 23:59:59")) == "platinum"
    assert tier(stage.at("2028-03-01 00:00")) == "gold"


@pytest.mark.parametrize(
    ("years", "nights", "level"),
    [
        (5, 50, "silver"),
        (5, 49, "member"),
        (4, 63, "member"),
        (7, 58, "gold"),
        (6, 70, "silver"),
        (10, 60, "platinum"),
        (9, 70, "gold"),
    ],
)
def test_level_is_for_life_after_so_many_nights_and_years(years, nights, level):
    stage = Stage("hotel_nights", "2012-01-01 00:00")
    stage.buy_all([(f"{year}-05-01", None, stay(nights)) for year in range(2012, 2012 + years)])

    then = stage.at(f"{2012 + years + 1}-03-01 00:00")

    assert (tier(then), then["tier"]["until"]) == (level, None)


def test_trial_with_15_nights_keeps_platinum_a_year(stage):
    stage.buy("2025-03-31", None, stay(1))
    stage.give_tier("platinum", "trial", "2025-04-01", "2025-06-30")
    assert held(stage.at("2025-04-01"))[::2] == ("platinum", "2025-06-30")

    stage.buy_all([("2025-05-01", None, stay(10)), ("2025-06-30 23:59", None, stay(5))])

    assert held(stage.member())[::2] == ("platinum", "2026-06-30")
    assert tier(stage.at("2025-07-01 00:00")) == "platinum"
    assert tier(stage.at("2026-07-01 00:00")) == "silver"


@pytest.mark.parametrize(("before", "within", "level"), [(0, 14, "silver"), (25, 14, "gold"), (5, 4, "member")])
def test_trial_not_kept_ends_in_the_level_by_nights(stage, before, within, level):
    if before:
        stage.buy("2025-03-31", None, stay(before))
    stage.give_tier("platinum", "trial", "2025-04-01", "2025-06-30")

    stage.buy_all([("2025-06-30", None, stay(within)), ("2025-07-01 00:00", "1.00")])

    assert tier(stage.at("2025-07-01 12:00")) == level


def test_trial_is_given_once_in_three_years(stage):
    stage.give_tier("platinum", "trial", "2025-04-01", "2025-06-30")

    with pytest.raises(TrialTooSoonError):
        stage.give_tier("platinum", "trial", "2028-03-31", "2028-06-30")
    stage.give_tier("platinum", "trial", "2028-04-01", "2028-06-30")

    assert held(stage.member()) == ("platinum", "2028-04-01", "2028-06-30")


def test_points_are_forfeited_after_24_months_without_activity(stage):
    bought = stage.buy("2025-03-15", None, stay(1, "100.00"))

    assert next_expiry(bought["member"], "points") == ("1000", "2027-03-16T00:00:00-04:00")
    assert available(stage.at("2027-03-15 23:59:59"), "points") == "1000"
    assert available(stage.at("2027-03-16 00:00"), "points") == "0"


def test_return_of_the_longest_room_takes_back_its_points_bonus_and_nights(stage):
    _reaching, bought = stage.buy_all([("2025-03-01", None, stay(10)), ("2025-03-02", None, *ROOMS)])
    assert earned(bought) == {"base": "3000", "tier_bonus": "300", "nights": "4"}

    back = stage.give_back(bought, "2025-03-03", lines=[{"line": 2}])

    assert earned(back) == {"nights": "-1"}  # The fourth room is now among the first three.
    assert earned(stage.give_back(bought, "2025-03-04")) == {"base": "-3000", "tier_bonus": "-300", "nights": "-3"}
