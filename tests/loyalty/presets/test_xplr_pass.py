"""XPLR Pass as published: points on purchases and for what members do, with one limit on the latter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.loyalty.presets.stage import Stage, available, cap, cut_by, earned, fired, refused, reward, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage("xplr_pass")


def _renew(stage, *days):
    return [earned(one) for one in stage.report_all("renewed", [(day, {}) for day in days])]


def test_purchase_earns_a_point_for_each_dollar_and_there_are_no_tiers(stage):
    bought = stage.buy("2025-03-01", "49.99")

    assert (earned(bought), bought["member"]["tier"]) == ({"base": "49"}, None)


def test_points_do_not_expire(stage):
    stage.buy("2025-03-01", "49.99")

    assert available(stage.at("2035-03-01"), "points") == "49"


def test_twenty_check_ins_on_twenty_days_earn_100_and_the_21st_says_which_cap_stopped_it(stage):
    days = [(date(2025, 6, 1) + timedelta(days=n)).isoformat() for n in range(21)]

    *first, last = stage.report_all("check_in", [(day, {"place": "Boulder"}) for day in days])

    assert [earned(one) for one in first] == [{"check_in": "5"}] * 20
    assert (earned(last), cut_by(last)) == ({}, {"check_in": "program_year"})
    assert available(last["member"], "points") == "100"


def test_check_in_counts_once_a_place_and_day(stage):
    first, again, elsewhere, tomorrow = stage.report_all(
        "check_in",
        [
            ("2025-06-01 09:00", {"place": "Boulder"}),
            ("2025-06-01 23:59", {"place": "Boulder"}),
            ("2025-06-01 20:00", {"place": "Moab"}),
            ("2025-06-02 00:00", {"place": "Boulder"}),
        ],
    )

    assert [earned(one) for one in (first, again, elsewhere, tomorrow)] == [
        {"check_in": "5"},
        {},
        {"check_in": "5"},
        {"check_in": "5"},
    ]
    assert cut_by(again) == {"check_in": "day"}


def test_check_in_counts_each_time_where_the_limit_is_off(stage):
    stage.revise(cap("check_in", "day", is_on=False))

    assert [earned(stage.report("check_in", "2025-06-01", place="Boulder")) for _ in range(2)] == [
        {"check_in": "5"}
    ] * 2


@pytest.mark.parametrize(("kind", "points"), [("app_download", "10"), ("reusable_bag", "10"), ("renewed", "25")])
def test_event_earns_its_points_and_fires_no_other_rule(stage, kind, points):
    reported = stage.report(kind, "2025-06-01")

    assert (earned(reported), fired(reported)) == ({kind: points}, {kind: True})


def test_referral_is_paid_when_the_friends_first_purchase_stands(stage):
    stage.join("ben", "2025-06-01")
    referred = stage.report("referral", "2025-06-01 12:01", friend="external_id:ben")
    assert (referred["status"], referred["awards"]) == ("waiting", [])

    stage.buy("2025-06-03", "20.00", member="ben")

    assert earned(stage.read("events", referred["external_id"])) == {"referral": "25"}
    assert available(stage.member(), "points") == "25"


def test_events_together_earn_at_most_100_and_a_cap_cuts_an_award_to_what_is_left(stage):
    stage.report("reusable_bag", "2025-06-01")
    assert _renew(stage, "2025-06-01", "2025-06-02", "2025-06-03") == [{"renewed": "25"}] * 3

    cut = stage.report("renewed", "2025-06-04")

    assert (earned(cut), cut_by(cut)) == ({"renewed": "15"}, {"renewed": "program_year"})
    assert earned(stage.report("app_download", "2025-06-05")) == {}
    assert earned(stage.buy("2025-06-06", "10.00")) == {"base": "10"}


def test_limit_starts_anew_with_the_program_year_in_february(stage):
    assert _renew(stage, *["2025-06-01"] * 4, "2026-01-31 23:59", "2026-02-01 00:00") == [
        *[{"renewed": "25"}] * 4,
        {},
        {"renewed": "25"},
    ]


def test_limit_starts_anew_in_another_month_where_the_setting_says_so(stage):
    stage.revise(terms(year_starts=1))

    assert _renew(stage, *["2025-06-01"] * 4, "2025-12-31 23:59", "2026-01-01 00:00") == [
        *[{"renewed": "25"}] * 4,
        {},
        {"renewed": "25"},
    ]


# --- Rewards ---------------------------------------------------------------------------------------------------------


def worth(stage, name="ana"):
    return [(one["value"], one["issued_at"][:10], one["expires_at"][:10]) for one in stage.vouchers(name)]


def test_250_points_at_the_close_make_two_rewards_and_carry_50(stage):
    stage.buy("2025-03-01", "250.00")
    assert stage.at("2025-06-14 23:59")["balances"]["points"]["available"] == "250"
    assert stage.vouchers() == []

    stage.at("2025-06-15 00:00")

    assert worth(stage) == [("10.00", "2025-06-15", "2026-05-16")] * 2
    assert available(stage.member(), "points") == "50"
    assert len({voucher["code"] for voucher in stage.vouchers()}) == 2
    assert stage.books() == []


@pytest.mark.parametrize(
    ("bought", "issued"),
    [
        ("2025-02-01", "2025-06-15"),
        ("2025-05-31 23:59", "2025-06-15"),
        ("2025-06-01 00:00", "2025-10-15"),
        ("2025-09-30", "2025-10-15"),
        ("2025-10-01", "2026-02-15"),
        ("2026-01-31", "2026-02-15"),
    ],
)
def test_points_turn_into_rewards_on_the_15th_after_their_window(stage, bought, issued):
    stage.buy(bought, "100.00")

    stage.at("2026-03-01")

    assert [issued_on for _value, issued_on, _end in worth(stage)] == [issued]


def test_what_came_after_the_close_waits_for_the_next_window(stage):
    stage.buy_all([("2025-05-01", "90.00"), ("2025-06-05", "60.00")])

    stage.at("2025-06-20")
    assert (worth(stage), available(stage.member(), "points")) == ([], "150")

    stage.at("2025-10-20")
    assert [issued for _value, issued, _end in worth(stage)] == ["2025-10-15"]
    assert available(stage.member(), "points") == "50"


def test_at_most_50_a_window_and_the_rest_moves_on(stage):
    stage.buy("2025-03-01", "820.00")

    stage.at("2025-06-20")
    assert (len(stage.vouchers()), available(stage.member(), "points")) == (5, "320")

    stage.at("2025-10-20")
    assert (len(stage.vouchers()), available(stage.member(), "points")) == (8, "20")


def test_at_most_150_a_program_year(stage):
    stage.revise(reward("reward_10", most_at_once=20))
    stage.buy("2025-03-01", "3000.00")

    stage.at("2026-02-20")
    assert (len(stage.vouchers()), available(stage.member(), "points")) == (15, "1500")

    stage.at("2026-06-20")  # The next program year began in February.
    assert (len(stage.vouchers()), available(stage.member(), "points")) == (30, "0")


def test_what_is_taken_back_before_the_issue_is_not_converted(stage):
    stage.buy("2025-03-01", "150.00")
    bought = stage.buy("2025-03-02", "100.00")

    stage.give_back(bought, "2025-06-10")
    stage.at("2025-06-20")

    assert (len(stage.vouchers()), available(stage.member(), "points")) == (1, "50")


def test_what_is_taken_back_after_the_issue_is_owed_and_rewards_stay(stage):
    bought = stage.buy("2025-03-01", "100.00")
    stage.at("2025-06-20")

    stage.give_back(bought, "2025-06-21")

    assert [one["status"] for one in stage.vouchers()] == ["issued"]
    assert available(stage.member(), "points") == "-100"
    assert stage.books() == []


def test_reward_is_a_voucher_that_lives_eleven_months(stage):
    stage.buy("2025-03-01", "100.00")
    stage.at("2025-06-15 09:00")
    (voucher,) = stage.vouchers()
    assert voucher["expires_at"] == "2026-05-16T00:00:00-07:00"

    stage.at("2026-05-15 23:59")
    assert stage.vouchers()[0]["status"] == "issued"
    stage.at("2026-05-16 00:00")
    assert stage.vouchers()[0]["status"] == "expired"
    assert refused(stage.use(voucher["code"])) == (409, "voucher-expired")


def test_voucher_is_used_once_and_the_same_receipt_may_ask_again(stage):
    stage.buy("2025-03-01", "100.00")
    stage.at("2025-06-20")
    code = stage.vouchers()[0]["code"]

    used = stage.use(code.lower().replace("-", " "), "r-1")
    assert (used.status_code, used.json()["status"], used.json()["redemption_ref"]) == (200, "redeemed", "r-1")
    assert stage.use(code, "r-1").json() == used.json()
    assert refused(stage.use(code, "r-2")) == (409, "voucher-used")
    assert stage.till.get(f"vouchers/{code}/").json()["status"] == "redeemed"


def test_points_are_not_spent_by_hand(stage):
    stage.buy("2025-03-01", "500.00")

    assert refused(stage.ask("reward_10")) == (409, "comes-by-itself")


def test_birthday_takes_25_off_an_order_of_125_or_more_once_in_its_month():
    stage = Stage("xplr_pass", birth_date="1990-05-20")
    assert refused(stage.ask("birthday_25", basket_total="200.00")) == (409, "not-open")
    stage.at("2025-05-01 00:00")

    small = stage.ask("birthday_25", basket_total="124.99")
    assert refused(small) == (409, "basket-share")
    assert small.json()["detail"] == "The basket must come to $125.00 or more."
    assert refused(stage.ask("birthday_25")) == (400, "required")
    assert stage.redeem("birthday_25", basket_total="125.00")["value"] == "25.00"
    assert refused(stage.ask("birthday_25", basket_total="125.00")) == (409, "limit-reached")
    stage.at("2025-06-01 00:00")
    assert stage.rewards()["birthday_25"]["opens_at"] == "2026-05-01T00:00:00-07:00"
