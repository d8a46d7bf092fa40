"""The punch card as published: a stamp for each coffee."""

from __future__ import annotations

import pytest

from tests.loyalty.presets.stage import Stage, available, cap, cut_by, earned, rule

pytestmark = pytest.mark.django_db
COFFEE = {"category": "coffee", "amount": "75.00"}
CAKE = {"category": "cake", "amount": "90.00", "quantity": "2"}


@pytest.fixture
def stage():
    return Stage("punch_card")


def test_nine_coffees_on_nine_days_make_nine_stamps(stage):
    bought = stage.buy_all([(f"2025-03-{day:02}", None, COFFEE) for day in range(1, 10)])

    assert [earned(one) for one in bought] == [{"stamp": "1"}] * 9
    assert available(stage.member(), "stamps") == "9"


def test_each_eligible_item_stamps(stage):
    bought = stage.buy("2025-03-01", None, COFFEE | {"quantity": "3"}, CAKE, COFFEE | {"category": " Coffee"})

    assert earned(bought) == {"stamp": "4"}
    assert earned(stage.buy("2025-03-02", None, CAKE)) == {}


def test_stamps_do_not_expire(stage):
    stage.buy("2025-03-01", None, COFFEE)

    assert available(stage.at("2035-03-01"), "stamps") == "1"


def test_return_of_a_stamped_item_takes_its_stamp_back(stage):
    bought = stage.buy("2025-03-01", None, COFFEE | {"quantity": "3"}, CAKE)

    cake = stage.give_back(bought, "2025-03-02", lines=[{"line": 2}])
    coffee = stage.give_back(bought, "2025-03-02", lines=[{"line": 1, "quantity": "1"}])

    assert [earned(cake), earned(coffee)] == [{}, {"stamp": "-1"}]
    assert available(coffee["member"], "stamps") == "2"


@pytest.mark.parametrize("also", [{"amount": "0.00"}, {"amount": "75.00", "sku": "second"}])
def test_coffee_that_is_kept_keeps_its_stamp_though_all_money_came_back(stage, also):
    off = [{"amount": "-75.00"}] if "sku" in also else []
    bought = stage.buy("2025-03-01", "75.00", COFFEE, COFFEE | also, *off)

    back = stage.give_back(bought, "2025-03-02", lines=[{"line": 1}])
    assert (earned(back), available(back["member"], "stamps")) == ({"stamp": "-1"}, "1")

    rest = stage.give_back(bought, "2025-03-03")
    assert (earned(rest), available(rest["member"], "stamps")) == ({"stamp": "-1"}, "0")


def test_same_receipt_again_stamps_nothing(stage):
    bought = stage.buy("2025-03-01", None, COFFEE)
    body = {name: bought[name] for name in ("external_id", "occurred_at", "currency", "total", "lines")}

    again = stage.till.post("purchases/", body | {"member": "external_id:ana"})

    assert again.status_code == 200
    assert available(stage.member(), "stamps") == "1"


def test_joining_stamps_where_the_switch_is_on(stage):
    assert stage.member()["balances"]["stamps"]["available"] == "0"
    stage.revise(rule("welcome", is_on=True))

    stage.join("ben", "2025-02-01")

    assert available(stage.member("ben"), "stamps") == "2"
    assert available(stage.member(), "stamps") == "0"


def test_stamps_of_a_day_are_limited_where_the_switch_is_on(stage):
    stage.revise(cap("stamp", "day", is_on=True))
    first, second, third, tomorrow = stage.buy_all(
        [
            ("2025-03-01 08:00", None, COFFEE | {"quantity": "2"}),
            ("2025-03-01 12:00", None, COFFEE | {"quantity": "2"}),
            ("2025-03-01 23:59", None, COFFEE),
            ("2025-03-02 00:00", None, COFFEE),
        ]
    )

    assert [earned(one) for one in (first, second, third, tomorrow)] == [
        {"stamp": "2"},
        {"stamp": "1"},
        {},
        {"stamp": "1"},
    ]
    assert cut_by(second) == cut_by(third) == {"stamp": "day"}
