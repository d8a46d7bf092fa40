"""Cashback as published: category rates with limits of their own, the rest at the default rate."""

from __future__ import annotations

import pytest

from tests.loyalty.presets.stage import Stage, available, cap, cut_by, earned, refused, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage("cashback", "2026-01-01 00:00")


def line(category, amount):
    return {"category": category, "amount": amount}


def test_300_of_travel_earn_5_50(stage):
    bought = stage.buy("2026-03-01", None, line("travel", "300.00"))

    assert earned(bought) == {"travel": "5.00", "default": "0.50"}
    assert cut_by(bought) == {"travel": "purchase"}


@pytest.mark.parametrize(
    ("lines", "awards", "cut"),
    [
        ([("travel", "250.00")], {"travel": "5.00"}, {}),
        ([("rides", "50.00")], {"rides": "1.50"}, {}),
        ([("rides", "80.00")], {"rides": "1.50", "default": "0.30"}, {"rides": "purchase"}),
        ([("food", "500.00")], {"default": "5.00"}, {}),
        ([("food", "700.00")], {"default": "5.00"}, {"default": "purchase"}),
        ([("travel", "750.01")], {"travel": "5.00", "default": "5.00"}, {"travel": "purchase", "default": "purchase"}),
        (
            [("travel", "300.00"), ("rides", "60.00"), ("food", "100.00")],
            {"travel": "5.00", "rides": "1.50", "default": "1.60"},
            {"travel": "purchase", "rides": "purchase"},
        ),
        ([("travel", "100.30"), ("travel", "100.30")], {"travel": "4.01"}, {}),
    ],
)
def test_above_a_categorys_limit_the_rest_earns_the_default_rate(stage, lines, awards, cut):
    bought = stage.buy("2026-03-01", None, *(line(*one) for one in lines))

    assert (earned(bought), cut_by(bought)) == (awards, cut)


def test_rides_above_500_a_month_earn_the_default_rate(stage):
    *first, last, anew = stage.buy_all(
        [(f"2026-03-{day:02}", None, line("rides", "50.00")) for day in range(1, 12)]
        + [("2026-04-01 00:00", None, line("rides", "50.00"))]
    )

    assert [earned(one) for one in first] == [{"rides": "1.50"}] * 10
    assert (earned(last), cut_by(last)) == ({"default": "0.50"}, {"rides": "month"})
    assert earned(anew) == {"rides": "1.50"}


def test_default_rate_earns_on_3000_a_month_and_the_explanation_says_so(stage):
    *first, cut, none, travel = stage.buy_all(
        [(f"2026-03-{day:02}", "490.00") for day in range(1, 7)]
        + [("2026-03-07", "100.00"), ("2026-03-08", "10.00"), ("2026-03-09", None, line("travel", "300.00"))]
    )

    assert [earned(one) for one in first] == [{"default": "4.90"}] * 6
    assert (earned(cut), cut_by(cut)) == ({"default": "0.60"}, {"default": "month"})
    assert (earned(none), cut_by(none)) == ({}, {"default": "month"})
    assert earned(travel) == {"travel": "5.00"}
    assert cut_by(travel) == {"travel": "purchase", "default": "month"}


def test_each_limit_counts_only_what_earned_at_its_own_rate(stage):
    stage.buy_all([(f"2026-03-{day:02}", None, line("travel", "250.00")) for day in range(1, 14)])

    *_first, last = stage.buy_all([(f"2026-03-{day}", "500.00") for day in range(14, 20)])

    assert earned(last) == {"default": "5.00"}


def test_cashback_is_pending_for_14_days_and_then_spendable(stage):
    bought = stage.buy("2026-03-20 18:30", "100.00")
    balance = bought["member"]["balances"]["cash"]
    assert (balance["available"], balance["pending"]) == ("0.00", "1.00")

    assert available(stage.at("2026-04-03 18:29:59"), "cash") == "0.00"
    assert available(stage.at("2026-04-03 18:30"), "cash") == "1.00"
    assert available(stage.at("2036-04-03"), "cash") == "1.00"


@pytest.mark.parametrize(("days", "spendable"), [(0, "1.00"), (3, "0.00")])
def test_cashback_is_pending_for_as_long_as_the_setting_says(stage, days, spendable):
    stage.revise(unit("cash", pending_days=days))

    assert available(stage.buy("2026-03-20", "100.00")["member"], "cash") == spendable
    assert available(stage.at("2026-03-23"), "cash") == "1.00"


def test_limits_start_anew_on_the_first_in_prague(stage):
    *_used, late, anew = stage.buy_all(
        [(f"2026-03-{day:02}", "500.00") for day in range(1, 7)]
        + [("2026-03-31 23:59", "10.00"), ("2026-04-01 00:01", "10.00")]
    )

    assert [earned(late), earned(anew)] == [{}, {"default": "0.10"}]


@pytest.mark.parametrize(("timezone", "awards"), [("Europe/Prague", {"default": "0.10"}), ("Pacific/Honolulu", {})])
def test_limits_start_anew_in_the_zone_that_is_set(timezone, awards):
    stage = Stage("cashback", "2026-01-01 00:00", timezone=timezone)

    *_used, last = stage.buy_all(
        [(f"2026-03-{day:02}", "500.00") for day in range(1, 7)] + [("2026-03-31 22:30+00:00", "10.00")]
    )

    assert earned(last) == awards


def test_limits_start_anew_each_week_where_the_setting_says_so(stage):
    stage.revise(cap("default", "month", window="week"))

    *_used, sunday, monday = stage.buy_all(
        [("2026-03-02", "500.00")] * 6 + [("2026-03-08 23:59", "10.00"), ("2026-03-09 00:00", "10.00")]
    )

    assert [earned(sunday), earned(monday)] == [{}, {"default": "0.10"}]


def test_return_gives_the_months_limit_back(stage):
    *_first, last = stage.buy_all([(f"2026-03-{day:02}", "500.00") for day in range(1, 7)])

    back = stage.give_back(last, "2026-03-07", amount="100.00")

    assert earned(back) == {"default": "-1.00"}
    assert earned(stage.buy("2026-03-08", "200.00")) == {"default": "1.00"}


def test_returned_travel_takes_back_the_default_rate_first(stage):
    bought = stage.buy("2026-03-01", None, line("travel", "300.00"))

    some = stage.give_back(bought, "2026-03-02", lines=[{"line": 1, "amount": "60.00"}])
    rest = stage.give_back(bought, "2026-03-03")

    assert earned(some) == {"travel": "-0.20", "default": "-0.50"}
    assert earned(rest) == {"travel": "-4.80"}


# --- Credit ----------------------------------------------------------------------------------------------------------


def test_cashback_that_has_arrived_is_spent_in_any_amount(stage):
    stage.buy("2026-02-01", "500.00")
    assert refused(stage.ask("credit", amount="0.01")) == (409, "not-enough-units")
    stage.at("2026-02-15 12:00")

    credit = stage.redeem("credit", amount="1.37")

    assert (credit["units"], credit["value"], credit["unit"]) == ("1.37", "1.37", "cash")
    assert available(stage.member(), "cash") == "3.63"
    assert refused(stage.ask("credit", amount="3.64")) == (409, "not-enough-units")
    assert stage.ask("credit", amount="3.63").status_code == 201
    assert stage.books() == []


def test_part_paid_with_credit_does_not_earn(stage):
    stage.buy("2026-02-01", "500.00")
    stage.at("2026-02-15 12:00")
    credit = stage.reserve("credit", amount="5.00")

    bought = stage.buy("2026-02-15 12:05", "105.00", redemptions=[credit["id"]])

    assert (earned(bought), bought["paid"]) == ({"default": "1.00"}, "5.00")
    assert stage.till.get(f"redemptions/{credit['id']}/").json()["status"] == "captured"
