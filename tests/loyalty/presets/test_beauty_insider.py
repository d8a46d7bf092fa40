"""Beauty Insider as published: levels by the spend of a calendar year, points by the level held."""

from __future__ import annotations

import pytest

from programs.models import TierRate
from tests.loyalty.presets.stage import (
    Stage,
    available,
    cut_by,
    earned,
    fired,
    held,
    next_expiry,
    rule,
    terms,
    tier,
    together,
)

pytestmark = pytest.mark.django_db
EVENT_DAYS = {"dates": "2025-04-10..2025-04-20"}


@pytest.fixture
def stage():
    return Stage("beauty_insider")


def test_rouge_buying_for_1000_earns_1500(stage):
    reaching, next_one = stage.buy_all([("2025-02-01", "1000.00"), ("2025-02-01 12:01", "1000.00")])

    assert earned(reaching) == {"base": "1000"}
    assert earned(next_one) == {"base": "1500"}
    assert available(next_one["member"], "points") == "2500"


def test_purchase_that_reaches_a_level_earns_at_the_new_one_where_the_terms_say_so(stage):
    stage.revise(terms(reaching_earns_new=True))

    reaching = stage.buy("2025-02-01", "1000.00")
    back = stage.give_back(reaching, "2025-02-02", amount="0.01")

    assert (earned(reaching), earned(back)) == ({"base": "1500"}, {"base": "-251"})
    assert (available(back["member"], "points"), tier(back["member"])) == ("1249", "vib")


def test_vib_reached_on_31_january_2022_holds_until_31_december_2023():
    stage = Stage("beauty_insider", "2022-01-01 00:00")

    bought = stage.buy("2022-01-31", "350.00")

    assert held(bought["member"]) == ("vib", "2022-01-31", "2023-12-31")
    assert tier(stage.at("2023-12-31 23:59:59")) == "vib"
    assert held(stage.at("2024-01-01 00:00")) == ("insider", "2022-01-01", None)


@pytest.mark.parametrize(
    ("spend", "level"),
    [("349.99", "insider"), ("350.00", "vib"), ("999.99", "vib"), ("1000.00", "rouge")],
)
def test_level_is_reached_at_exactly_its_spend(stage, spend, level):
    assert tier(stage.buy("2025-03-01", spend)["member"]) == level


def test_vib_earns_1_25_rounded_down_once(stage):
    _reaching, bought = stage.buy_all([("2025-02-01", "350.00"), ("2025-02-02", "10.99")])

    assert earned(bought) == {"base": "13"}


def test_spend_counts_from_zero_each_1_january_of_new_york(stage):
    *_others, last = stage.buy_all([("2025-12-31 23:59", "200.00"), ("2026-01-01 00:00", "150.00")])

    assert tier(last["member"]) == "insider"
    assert [(m["need"], m["have"]) for m in last["member"]["next_tier"]["missing"]] == [("350.00", "150.00")]


def test_level_not_earned_again_falls_to_what_the_last_full_year_reaches(stage):
    stage.buy_all([("2025-02-01", "1000.00"), ("2026-05-01", "400.00")])

    assert tier(stage.member()) == "rouge"
    assert held(stage.at("2027-01-01 00:00")) == ("vib", "2027-01-01", "2027-12-31")


@pytest.mark.parametrize(("fall", "level"), [("earned", "insider"), ("one_step", "vib")])
def test_level_falls_by_one_step_where_the_switch_says_so(stage, fall, level):
    stage.revise(terms(tier_fall=fall))
    stage.buy("2025-02-01", "1000.00")

    assert tier(stage.at("2027-01-01 00:00")) == level


def test_level_is_held_for_months_where_the_setting_says_so(stage):
    stage.revise(terms(tier_validity="months", tier_months=12))

    assert held(stage.buy("2025-01-31", "350.00")["member"]) == ("vib", "2025-01-31", "2026-01-30")


def test_return_takes_back_points_and_the_years_spend(stage):
    bought = stage.buy("2025-02-01", "1000.00")

    back = stage.give_back(bought, "2025-02-10", amount="700.00")

    assert earned(back) == {"base": "-700"}
    assert (tier(back["member"]), available(back["member"], "points")) == ("insider", "300")


def test_level_after_a_return_is_the_higher_of_this_years_and_last_years_spend(stage):
    _last_year, bought = stage.buy_all([("2025-02-01", "400.00"), ("2026-02-01", "1000.00")])
    assert tier(bought["member"]) == "rouge"

    back = stage.give_back(bought, "2026-02-02")

    assert held(back["member"])[::2] == ("vib", "2026-12-31")
    assert earned(back) == {"base": "-1250"}


def test_multiplier_event_replaces_the_base_rate_between_its_dates(stage):
    stage.revise(rule("multiplier", is_on=True, conditions=EVENT_DAYS))

    before, first, last, after = stage.buy_all(
        [(when, "50.00") for when in ("2025-04-09 23:59", "2025-04-10 00:00", "2025-04-20 23:59", "2025-04-21 00:00")]
    )

    assert [earned(one) for one in (before, after)] == [{"base": "50"}] * 2
    assert [earned(one) for one in (first, last)] == [{"multiplier": "100"}] * 2
    assert fired(first) == {"base": False, "multiplier": True}


def test_multiplier_event_by_level(stage):
    stage.buy("2025-02-01", "350.00")
    stage.revise(rule("multiplier", is_on=True, conditions=EVENT_DAYS))

    vib, _reaching, rouge = stage.buy_all(
        [("2025-04-10", "100.00"), ("2025-04-11", "550.00"), ("2025-04-12", "100.00")]
    )

    assert [earned(vib), earned(rouge)] == [{"multiplier": "300"}, {"multiplier": "400"}]


def test_levels_rate_wins_over_a_lower_multiplier(stage):
    def lower(draft):
        TierRate.objects.filter(rule__version=draft, rule__code="multiplier").update(rate="1.2")

    stage.revise(together(rule("multiplier", is_on=True, conditions=EVENT_DAYS), lower))
    _reaching, bought = stage.buy_all([("2025-02-01", "1000.00"), ("2025-04-10", "100.00")])

    assert earned(bought) == {"base": "150"}


def test_multiplier_takes_the_levels_rate_where_the_switch_says_so(stage):
    stage.revise(rule("multiplier", is_on=True, of_tier_rate=True, conditions=EVENT_DAYS))
    _reaching, bought = stage.buy_all([("2025-02-01", "350.00"), ("2025-04-10", "100.00")])

    assert earned(bought) == {"multiplier": "375"}


def test_points_are_gone_after_12_months_without_activity(stage):
    first, second = stage.buy_all([("2025-03-15 09:00", "10.00"), ("2025-06-20 18:00", "20.00")])
    assert next_expiry(second["member"], "points") == ("30", "2026-06-21T00:00:00-04:00")

    stage.give_back(first, "2026-01-10", amount="5.00")

    assert available(stage.at("2026-06-20 23:59:59"), "points") == "25"
    assert available(stage.at("2026-06-21 00:00"), "points") == "0"


def test_birthday_points_come_once_a_year_in_the_birthday_month():
    stage = Stage("beauty_insider", birth_date="1990-05-20")

    days = ["2025-04-30 23:59", "2025-05-01 00:00", "2025-05-31", "2026-05-02"]
    early, first, again, next_year = stage.report_all("birthday_points", [(day, {}) for day in days])

    assert [earned(early), earned(first), earned(again)] == [{}, {"birthday_points": "250"}, {}]
    assert (cut_by(again), earned(next_year)) == ({"birthday_points": "year"}, {"birthday_points": "250"})


def test_birthday_points_go_to_chosen_levels_where_the_condition_says_so():
    stage = Stage("beauty_insider", birth_date="1990-05-20")
    stage.revise(rule("birthday_points", conditions={"tier": "vib, rouge"}))

    assert earned(stage.report("birthday_points", "2025-05-01")) == {}
    stage.buy("2025-05-02", "350.00")
    assert earned(stage.report("birthday_points", "2025-05-03")) == {"birthday_points": "250"}


def test_tax_does_not_earn_and_does_not_count_for_the_level(stage):
    bought = stage.buy("2025-03-01", "380.00", tax="30.01")

    assert (earned(bought), tier(bought["member"])) == ({"base": "349"}, "insider")
