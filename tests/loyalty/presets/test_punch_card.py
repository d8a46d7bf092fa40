"""The punch card as published: a stamp for each coffee."""

from __future__ import annotations

import pytest

from tests.loyalty.presets.stage import Stage, available, cap, cut_by, earned, refused, rule, terms

pytestmark = pytest.mark.django_db
COFFEE = {"category": "coffee", "amount": "75.00"}
CAKE = {"category": "cake", "amount": "90.00", "quantity": "2"}


@pytest.fixture
def stage():
    return Stage("punch_card")


def nine_coffees(stage):
    return stage.buy_all([(f"2025-03-{day:02}", None, COFFEE) for day in range(1, 10)])


def test_nine_coffees_on_nine_days_make_one_voucher_and_leave_no_stamp(stage):
    bought = nine_coffees(stage)

    assert [earned(one) for one in bought] == [{"stamp": "1"}] * 9
    assert available(stage.member(), "stamps") == "0"
    (voucher,) = stage.vouchers()
    assert {name: voucher[name] for name in ("reward", "value", "percent", "status", "expires_at")} == {
        "reward": "free_coffee",
        "value": "120.00",
        "percent": None,
        "status": "issued",
        "expires_at": None,
    }
    assert voucher["issued_at"] == "2025-03-09T12:00:00+01:00"
    assert stage.books() == []


def test_surplus_stamps_stay(stage):
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "20"})

    assert available(stage.member(), "stamps") == "2"
    assert len(stage.vouchers()) == 2
    assert len({voucher["code"] for voucher in stage.vouchers()}) == 2


def test_stamps_are_not_asked_for_they_turn_by_themselves(stage):
    offer = stage.rewards()["free_coffee"]

    assert (offer["available"], offer["price"], offer["unit"]) == (False, "9", "stamps")
    assert offer["reason"] == "It comes by itself for every 9\u00a0stamps."
    assert refused(stage.ask("free_coffee")) == (409, "comes-by-itself")


def test_return_before_nine_leaves_the_rest(stage):
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "8"})
    last = stage.buy("2025-03-02", None, COFFEE)
    assert len(stage.vouchers()) == 1

    stage.give_back(last, "2025-03-03")

    assert [one["status"] for one in stage.vouchers()] == ["withdrawn"]
    assert available(stage.member(), "stamps") == "8"
    stage.buy("2025-03-04", None, COFFEE)
    assert sorted(one["status"] for one in stage.vouchers()) == ["issued", "withdrawn"]
    assert available(stage.member(), "stamps") == "0"
    assert stage.books() == []


def test_return_takes_stamps_that_are_left_before_it_withdraws_a_voucher(stage):
    bought = stage.buy("2025-03-01", None, COFFEE | {"quantity": "10"})

    stage.give_back(bought, "2025-03-02", lines=[{"line": 1, "quantity": "1"}])

    assert [one["status"] for one in stage.vouchers()] == ["issued"]
    assert available(stage.member(), "stamps") == "0"


def test_return_after_the_voucher_was_used_is_a_debt_that_the_next_stamp_pays(stage):
    bought = nine_coffees(stage)
    (voucher,) = stage.vouchers()
    assert stage.use(voucher["code"]).status_code == 200

    stage.give_back(bought[8], "2025-03-10")
    assert available(stage.member(), "stamps") == "-1"

    stage.buy("2025-03-11", None, COFFEE)
    assert available(stage.member(), "stamps") == "0"
    stage.buy("2025-03-12", None, COFFEE)
    assert available(stage.member(), "stamps") == "1"
    assert [one["status"] for one in stage.vouchers()] == ["redeemed"]
    assert stage.books() == []


def test_withdrawn_voucher_is_good_for_nothing(stage):
    bought = nine_coffees(stage)
    (voucher,) = stage.vouchers()
    stage.give_back(bought[0], "2025-03-10")

    assert refused(stage.use(voucher["code"])) == (409, "voucher-withdrawn")


@pytest.mark.parametrize(("free", "paid"), [("75.00", "75.00"), ("0.00", "0.00")])
def test_free_item_does_not_stamp(stage, free, paid):
    nine_coffees(stage)
    (voucher,) = stage.vouchers()

    bought = stage.buy("2025-03-10", None, COFFEE, COFFEE | {"amount": free}, vouchers=[voucher["code"]])

    assert earned(bought) == {"stamp": "1"}
    assert (bought["paid"], bought["vouchers"]) == (paid, [voucher["code"]])
    assert [one["status"] for one in stage.vouchers()] == ["redeemed"]
    assert stage.vouchers()[0]["redemption_ref"] == bought["external_id"]


def test_return_of_the_free_item_takes_no_stamp(stage):
    nine_coffees(stage)
    (voucher,) = stage.vouchers()
    bought = stage.buy("2025-03-10", None, COFFEE, COFFEE | {"amount": "0.00"}, vouchers=[voucher["code"]])

    back = stage.give_back(bought, "2025-03-11", lines=[{"line": 2}])
    assert (earned(back), available(back["member"], "stamps")) == ({}, "1")

    rest = stage.give_back(bought, "2025-03-12")
    assert (earned(rest), available(rest["member"], "stamps")) == ({"stamp": "-1"}, "0")


def test_free_item_stamps_where_the_switch_is_on(stage):
    stage.revise(terms(paid_part_earns=True))
    nine_coffees(stage)
    (voucher,) = stage.vouchers()

    bought = stage.buy("2025-03-10", None, COFFEE, vouchers=[voucher["code"]])

    assert earned(bought) == {"stamp": "1"}


def test_free_coffee_is_worth_at_most_its_bound(stage):
    nine_coffees(stage)
    (voucher,) = stage.vouchers()

    bought = stage.buy("2025-03-10", None, COFFEE | {"amount": "150.00"}, CAKE, vouchers=[voucher["code"]])

    assert bought["paid"] == "120.00"


def test_endowed_stamps_count_towards_the_first_voucher(stage):
    stage.revise(rule("welcome", is_on=True))
    stage.join("ben", "2025-02-01")

    stage.buy("2025-03-01", None, COFFEE | {"quantity": "7"}, member="ben")

    assert len(stage.vouchers("ben")) == 1
    assert available(stage.member("ben"), "stamps") == "0"


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
