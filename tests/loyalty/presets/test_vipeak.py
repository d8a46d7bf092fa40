"""VIPeak as published: tiers by what was bought in twelve months, held a year, kept by what follows."""

from __future__ import annotations

import pytest

from loyalty.ledger.grants import NoReasonError
from programs.models import TierRate
from tests.loyalty.presets.stage import Stage, available, earned, held, next_expiry, refused, tier

pytestmark = pytest.mark.django_db
SUMMIT_SPEND = "1000000.00"


@pytest.fixture
def stage():
    return Stage("vipeak")


def test_pioneer_buying_for_1000_earns_1500(stage):
    _reaching, bought = stage.buy_all([("2025-03-10", "7000.00"), ("2025-03-11", "1000.00")])

    assert earned(bought) == {"base": "1500"}


def test_explorer_is_permanent_from_joining_on(stage):
    assert held(stage.member()) == ("explorer", "2025-01-01", None)


@pytest.mark.parametrize(
    ("spend", "reached", "points"),
    [
        ("1.00", "blazer", "1000"),
        ("3499.99", "blazer", "1000"),
        ("3500.00", "adventurer", "1200"),
        ("6999.99", "adventurer", "1200"),
        ("7000.00", "pioneer", "1500"),
        (SUMMIT_SPEND, "pioneer", "1500"),
    ],
)
def test_tier_is_reached_at_exactly_its_spend_and_earns_its_rate(stage, spend, reached, points):
    reaching = stage.buy("2025-03-10", spend)
    assert (earned(reaching), tier(reaching["member"])) == ({"base": spend.split(".")[0]}, reached)

    assert earned(stage.buy("2025-03-10 12:01", "1000.00")) == {"base": points}


def test_spend_twelve_months_apart_does_not_add_up(stage):
    *_first, last = stage.buy_all([("2025-03-10", "3000.00"), ("2026-03-10 00:00", "500.00")])

    assert held(last["member"]) == ("blazer", "2026-03-10", "2027-03-09")


def test_spend_twelve_months_less_a_day_apart_adds_up(stage):
    *_first, last = stage.buy_all([("2025-03-10", "3000.00"), ("2026-03-09 23:59", "500.00")])

    assert held(last["member"]) == ("adventurer", "2026-03-09", "2027-03-08")


def test_tier_holds_one_year_from_the_day_it_was_reached(stage):
    bought = stage.buy("2025-03-10", "7000.00")

    assert held(bought["member"]) == ("pioneer", "2025-03-10", "2026-03-09")
    assert tier(stage.at("2026-03-09 23:59:59")) == "pioneer"
    assert held(stage.at("2026-03-10 00:00")) == ("explorer", "2025-01-01", None)


@pytest.mark.parametrize(
    ("later", "then"),
    [
        (["7000.00"], "pioneer"),
        (["3000.00", "4000.00"], "pioneer"),
        (["6999.99"], "adventurer"),
        (["3500.00"], "adventurer"),
        (["3499.99"], "blazer"),
    ],
)
def test_tier_is_kept_by_what_follows_else_it_falls_to_what_that_reaches(stage, later, then):
    stage.buy("2025-03-10 10:00", "7000.00")
    days = ["2025-03-10 10:01", "2026-03-09 23:59:59"][-len(later) :]
    stage.buy_all(list(zip(days, later, strict=True)))

    assert held(stage.at("2026-03-10 00:00")) == (then, "2026-03-10", "2027-03-09")


def test_renewed_tier_is_kept_by_what_follows_the_renewal_alone(stage):
    stage.buy_all([("2025-03-10", "7000.00"), ("2026-03-09", "7000.00"), ("2026-03-10 00:00", "3500.00")])

    assert tier(stage.at("2027-03-09 23:59:59")) == "pioneer"
    assert held(stage.at("2027-03-10 00:00")) == ("adventurer", "2027-03-10", "2028-03-09")


def test_higher_tier_is_reached_with_what_reached_the_lower_one(stage):
    stage.buy_all([("2025-03-10", "3500.00"), ("2025-06-01", "3500.00")])

    assert held(stage.member()) == ("pioneer", "2025-06-01", "2026-05-31")


def test_tier_reached_on_29_february_ends_with_the_day_before_28_february(stage):
    assert held(stage.buy("2028-02-29", "3500.00")["member"]) == ("adventurer", "2028-02-29", "2029-02-27")


def test_points_live_twelve_months_each_lot_by_itself(stage):
    stage.buy_all([("2025-03-10", "100.00"), ("2025-06-10", "40.00")])

    member = stage.member()
    assert next_expiry(member, "points") == ("100", "2026-03-11T00:00:00+08:00")
    assert available(stage.at("2026-03-10 23:59:59"), "points") == "140"
    assert available(stage.at("2026-03-11 00:00"), "points") == "40"
    assert next_expiry(stage.member(), "points") == ("40", "2026-06-11T00:00:00+08:00")
    assert available(stage.at("2026-06-11 00:00"), "points") == "0"


def test_summit_comes_by_invitation_with_a_reason_and_an_end(stage):
    stage.buy("2025-03-10", "100.00")
    stage.give_tier("summit", "invitation", "2025-04-01", "2025-09-30", reason="Guides the club")

    bought = stage.buy("2025-04-02", "1000.00")

    assert held(bought["member"]) == ("summit", "2025-04-01", "2025-09-30")
    assert earned(bought) == {"base": "1500"}
    assert held(stage.at("2025-10-01 00:00"))[::2] == ("blazer", "2026-03-09")


def test_tier_under_summit_goes_on_being_kept_or_lost(stage):
    stage.buy_all([("2025-03-10", "7000.00"), ("2025-09-10", "3500.00")])
    stage.give_tier("summit", "invitation", "2026-02-01", "2026-06-30")

    assert held(stage.at("2026-06-30 23:59:59"))[::2] == ("summit", "2026-06-30")
    assert held(stage.at("2026-07-01 00:00"))[::2] == ("adventurer", "2027-03-09")


def test_summit_is_refused_without_a_reason(stage):
    with pytest.raises(NoReasonError):
        stage.give_tier("summit", "invitation", "2025-04-01", "2025-09-30", reason=" ")


def test_summit_earns_otherwise_where_its_rate_says_so(stage):
    stage.revise(lambda draft: TierRate.objects.filter(rule__version=draft, tier__code="summit").update(rate="2"))
    stage.give_tier("summit", "invitation", "2025-04-01", "2025-09-30")

    assert earned(stage.buy("2025-04-02", "1000.00")) == {"base": "2000"}


def test_return_takes_back_points_and_the_tier_they_reached(stage):
    bought = stage.buy("2025-03-10", "7000.00")

    back = stage.give_back(bought, "2025-03-20", amount="3500.00")

    assert earned(back) == {"base": "-3500"}
    assert held(back["member"]) == ("adventurer", "2025-03-10", "2026-03-09")
    assert available(back["member"], "points") == "3500"


# --- Rewards ---------------------------------------------------------------------------------------------------------


def pioneer(stage):
    """Make Ana a Pioneer with 8,500 points and a birthday in June."""
    stage.till.send("PATCH", "members/external_id:ana/", {"birth_date": "1990-06-15"})
    stage.buy_all([("2025-03-10", "7000.00"), ("2025-03-11", "1000.00")])


def test_1200_points_pay_120_of_a_basket_of_400_and_not_more(stage):
    pioneer(stage)

    most = stage.reserve("points_cash", amount="120.00", basket_total="400.00")

    assert (most["units"], most["value"], most["unit"]) == ("1200", "120.00", "points")
    beyond = stage.ask("points_cash", amount="121.00", basket_total="400.00")
    assert refused(beyond) == (409, "basket-share")
    assert beyond.json()["detail"] == "With this basket it may be at most HK$120.00."


def test_points_pay_whole_dollars_of_a_basket_that_is_told(stage):
    pioneer(stage)

    assert refused(stage.ask("points_cash", amount="10.50", basket_total="400.00")) == (400, "amount-step")
    assert refused(stage.ask("points_cash", amount="10.00")) == (400, "required")
    assert refused(stage.ask("points_cash", basket_total="400.00")) == (400, "required")
    assert refused(stage.ask("points_cash", amount="0.00", basket_total="400.00")) == (400, "not-positive")


def test_part_paid_with_points_does_not_earn_and_spent_points_do_not_come_back(stage):
    pioneer(stage)
    paid = stage.redeem("points_cash", amount="120.00", basket_total="400.00")
    assert available(stage.member(), "points") == "7300"

    bought = stage.buy("2025-03-12", "400.00", redemptions=[paid["id"]])
    assert (earned(bought), bought["paid"]) == ({"base": "420"}, "120.00")

    stage.give_back(bought, "2025-03-13", redemptions=[paid["id"]])
    assert available(stage.member(), "points") == "7300"
    assert stage.till.get(f"redemptions/{paid['id']}/").json()["status"] == "captured"
    assert stage.books() == []


def test_oldest_points_are_spent_first(stage):
    stage.buy_all([("2025-03-10", "100.00"), ("2025-05-10", "100.00")])

    stage.redeem("points_cash", amount="15.00", basket_total="400.00")

    assert next_expiry(stage.member(), "points") == ("50", "2026-05-11T00:00:00+08:00")


@pytest.mark.parametrize(
    ("spend", "percent"), [("1.00", "10"), ("3500.00", "20"), ("7000.00", "30"), (SUMMIT_SPEND, "30")]
)
def test_birthday_discount_goes_by_tier_once_in_the_birthday_month(spend, percent):
    stage = Stage("vipeak", birth_date="1990-06-15")
    stage.buy("2025-03-10", spend)
    assert stage.rewards()["birthday_discount"]["percent"] == percent
    early = stage.ask("birthday_discount", basket_total="1000.00")
    assert refused(early) == (409, "not-open")
    assert stage.rewards()["birthday_discount"]["opens_at"] == "2025-06-01T00:00:00+08:00"

    stage.at("2025-06-01 00:00")
    discount = stage.redeem("birthday_discount", basket_total="1000.00")

    assert (discount["units"], discount["percent"], discount["value"]) == ("0", percent, f"{int(percent) * 10}.00")
    assert refused(stage.ask("birthday_discount")) == (409, "limit-reached")
    stage.at("2025-07-01 00:00")
    assert refused(stage.ask("birthday_discount")) == (409, "not-open")


def test_birthday_discount_of_the_invited_is_that_of_pioneer():
    stage = Stage("vipeak", birth_date="1990-06-15")
    stage.give_tier("summit", "invitation", "2025-06-02", "2025-12-31")

    assert stage.rewards()["birthday_discount"]["percent"] == "30"


def test_explorer_has_no_birthday_discount():
    stage = Stage("vipeak", birth_date="1990-06-15")
    stage.at("2025-06-02")

    answer = stage.ask("birthday_discount")

    assert refused(answer) == (409, "tier-too-low")
    assert answer.json()["detail"] == "This is for members from Blazer on."


def test_birthday_discount_needs_a_birthday(stage):
    stage.buy("2025-03-10", "10.00")

    answer = stage.ask("birthday_discount")

    assert refused(answer) == (409, "not-open")
    assert answer.json()["detail"] == "It is for the birthday, which is not known."
