"""XPLR Pass as published: points on purchases and for what members do, with one limit on the latter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.loyalty.presets.stage import Stage, available, cap, cut_by, earned, fired, terms

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
