"""Coffee Stars as published: levels by Stars of twelve months, and Stars that end at the lowest level only."""

from __future__ import annotations

import pytest

from tests.loyalty.presets.stage import Stage, available, earned, held, next_expiry, refused, rule, tier, unit

pytestmark = pytest.mark.django_db
DAY = {"dates": "2026-05-01..2026-05-01"}


@pytest.fixture
def stage():
    return Stage("coffee_stars", "2025-12-01 00:00")


@pytest.mark.parametrize(
    ("first", "level", "stars"),
    [
        ("499.99", "green", "10"),
        ("500.00", "gold", "12"),
        ("2499.99", "gold", "12"),
        ("2500.00", "reserve", "17"),
    ],
)
def test_level_is_reached_at_exactly_its_stars_and_earns_its_rate(stage, first, level, stars):
    reaching = stage.buy("2026-03-10", first)
    assert (earned(reaching), tier(reaching["member"])) == ({"base": first.split(".")[0]}, level)

    assert earned(stage.buy("2026-03-10 12:01", "10.00")) == {"base": stars}


def test_stars_and_not_spend_make_the_level(stage):
    _first, second, third = stage.buy_all([("2026-03-10", "500.00"), ("2026-03-11", "1666.00"), ("2026-03-12", "0.83")])

    assert [earned(second), earned(third)] == [{"base": "1999"}, {}]
    assert available(third["member"], "stars") == "2499"
    assert tier(third["member"]) == "gold"
    assert tier(stage.buy("2026-03-13", "1.00")["member"]) == "reserve"


def test_greens_stars_of_15_december_are_gone_on_1_july(stage):
    bought = stage.buy("2025-12-15", "30.00")

    assert next_expiry(bought["member"], "stars") == ("30", "2026-07-01T00:00:00-07:00")
    assert available(stage.at("2026-06-30 23:59:59"), "stars") == "30"
    assert available(stage.at("2026-07-01 00:00"), "stars") == "0"


def test_activity_moves_the_end_of_all_stars(stage):
    stage.buy_all([("2025-12-15", "30.00"), ("2026-06-30 23:59", "5.00")])

    assert next_expiry(stage.member(), "stars") == ("35", "2027-01-01T00:00:00-08:00")
    assert available(stage.at("2026-12-31 23:59:59"), "stars") == "35"
    assert available(stage.at("2027-01-01 00:00"), "stars") == "0"


def test_activity_at_the_very_end_revives_nothing(stage):
    _old, new = stage.buy_all([("2025-12-15", "30.00"), ("2026-07-01 00:00", "5.00")])

    assert (available(new["member"], "stars"), new["member"]["as_of"]) == ("5", "2026-07-01T00:00:00-07:00")


def test_return_does_not_move_the_end(stage):
    bought = stage.buy("2025-12-15", "30.00")

    back = stage.give_back(bought, "2026-06-20", amount="10.00")

    assert next_expiry(back["member"], "stars") == ("20", "2026-07-01T00:00:00-07:00")


def test_golds_stars_never_expire_and_old_ones_get_six_months_on_falling_to_green(stage):
    bought = stage.buy("2026-01-10", "500.00")
    assert held(bought["member"]) == ("gold", "2026-01-10", "2027-01-09")
    assert next_expiry(bought["member"], "stars") is None

    fallen = stage.at("2027-01-10 00:00")

    assert held(fallen) == ("green", "2025-12-01", None)
    assert next_expiry(fallen, "stars") == ("500", "2027-07-11T00:00:00-07:00")
    assert available(stage.at("2027-07-10 23:59:59"), "stars") == "500"
    assert available(stage.at("2027-07-11 00:00"), "stars") == "0"


def test_stars_get_other_months_on_falling_where_the_setting_says_so(stage):
    stage.revise(unit("stars", fall_months=1))
    stage.buy("2026-01-10", "500.00")

    assert next_expiry(stage.at("2027-01-10 00:00"), "stars") == ("500", "2027-02-11T00:00:00-08:00")


@pytest.mark.parametrize(
    ("later", "then"),
    [("416.66", "green"), ("416.67", "gold")],  # At 1.2 for each dollar: 499 and 500 Stars.
)
def test_level_is_kept_by_the_stars_that_follow_it(stage, later, then):
    stage.buy_all([("2026-01-10", "500.00"), ("2027-01-09 23:59", later)])

    assert tier(stage.at("2027-01-10 00:00")) == then


def test_renewed_level_holds_twelve_months_from_the_next_day(stage):
    stage.buy_all([("2026-01-10", "500.00"), ("2026-06-01", "500.00")])

    assert held(stage.at("2027-01-10 00:00")) == ("gold", "2027-01-10", "2028-01-09")


def test_double_star_day_adds_the_base_rate_once_more(stage):
    stage.revise(rule("double_star_day", is_on=True, conditions=DAY))
    _reaching, gold, after = stage.buy_all(
        [("2026-04-01", "500.00"), ("2026-05-01", "10.00"), ("2026-05-02 00:00", "10.00")]
    )

    assert earned(gold) == {"base": "12", "double_star_day": "10"}
    assert earned(after) == {"base": "12"}


def test_double_star_day_doubles_the_levels_bonus_too_where_the_switch_says_so(stage):
    stage.revise(rule("double_star_day", is_on=True, of_tier_rate=True, conditions=DAY))
    _reaching, gold = stage.buy_all([("2026-04-01", "500.00"), ("2026-05-01", "10.00")])

    assert earned(gold) == {"base": "12", "double_star_day": "12"}


def test_return_takes_back_stars_and_the_level_they_reached(stage):
    bought = stage.buy("2026-03-10", "500.00")

    back = stage.give_back(bought, "2026-03-12", amount="0.50")

    assert (earned(back), tier(back["member"])) == ({"base": "-1"}, "green")


# --- Rewards ---------------------------------------------------------------------------------------------------------


def test_each_class_of_reward_has_its_price(stage):
    stage.buy("2026-01-10", "1000.00")

    prices = {code: (one["price"], one["kind"], one["value"]) for code, one in stage.rewards().items()}

    assert prices == {
        "stars_25": ("25", "product", None),
        "stars_60": ("60", "money_off", "2.00"),
        "stars_100": ("100", "product", None),
        "stars_200": ("200", "product", None),
        "stars_300": ("300", "product", None),
        "stars_400": ("400", "product", None),
        "free_addon": ("0", "product", None),
    }
    for code in ("stars_25", "stars_60", "stars_100", "stars_200", "stars_300"):
        assert stage.redeem(code)["units"] == prices[code][0]
    assert available(stage.member(), "stars") == "315"
    assert refused(stage.ask("stars_400")) == (409, "not-enough-units")


def test_add_on_is_free_once_a_month_for_everyone(stage):
    stage.at("2026-01-10")

    assert stage.redeem("free_addon")["units"] == "0"
    assert refused(stage.ask("free_addon")) == (409, "limit-reached")
    stage.at("2026-02-01 00:00")
    assert stage.ask("free_addon").status_code == 201


def test_redemption_moves_the_end_of_all_stars(stage):
    stage.buy("2026-01-10", "100.00")
    stage.at("2026-03-05")

    stage.redeem("stars_25")

    assert next_expiry(stage.member(), "stars") == ("75", "2026-10-01T00:00:00-07:00")


def test_stars_held_over_their_end_are_gone_when_given_free(stage):
    stage.buy("2025-12-15", "100.00")
    stage.at("2026-06-30 23:50")
    held_back = stage.reserve("stars_25")

    stage.at("2026-07-01 00:10")

    balance = stage.member()["balances"]["stars"]
    assert (balance["available"], balance["held"]) == ("0", "0")
    assert stage.till.get(f"redemptions/{held_back['id']}/").json()["status"] == "released"
    assert stage.books() == []
