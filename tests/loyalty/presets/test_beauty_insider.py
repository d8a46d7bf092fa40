"""Beauty Insider as published: levels by the spend of a calendar year, points by the level held."""

from __future__ import annotations

from datetime import datetime

import pytest

from programs.models import TierRate
from tests.factories.activity import drain
from tests.loyalty.presets.stage import (
    Stage,
    available,
    cut_by,
    earned,
    fired,
    held,
    next_expiry,
    refused,
    reward,
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


# --- Rewards ---------------------------------------------------------------------------------------------------------


def test_500_points_are_10_off_and_several_go_at_once(stage):
    stage.buy("2025-03-10", "1600.00")

    cash = stage.redeem("bi_cash", quantity=3, basket_total="80.00")

    assert (cash["units"], cash["value"], cash["status"]) == ("1500", "30.00", "captured")
    assert available(stage.member(), "points") == "100"
    assert stage.books() == []


def test_cash_is_never_more_than_the_basket(stage):
    stage.buy("2025-03-10", "2600.00")

    assert stage.reserve("bi_cash", quantity=2, basket_total="20.00")["value"] == "20.00"
    answer = stage.ask("bi_cash", quantity=3, basket_total="29.99")

    assert refused(answer) == (409, "basket-share")
    assert answer.json()["detail"] == "With this basket it may be at most $20.00."


def test_cash_can_be_asked_for_by_amount(stage):
    stage.buy("2025-03-10", "1600.00")

    assert stage.reserve("bi_cash", amount="20.00")["units"] == "1000"
    assert refused(stage.ask("bi_cash", amount="15.00")) == (400, "amount-step")


def test_cash_beyond_the_points_is_refused_with_what_is_missing(stage):
    stage.buy("2025-03-10", "380.00")

    answer = stage.ask("bi_cash")

    assert refused(answer) == (409, "not-enough-units")
    assert answer.json()["detail"] == "120\u00a0points are missing."
    assert available(stage.member(), "points") == "380"


def rouge(stage, name="ana"):
    stage.buy("2025-03-10", "1000.00", member=name)
    stage.buy("2025-03-10 13:00", "2000.00", member=name)


def test_rouge_reward_is_100_off_for_2500_on_tuesdays_and_thursdays_from_nine_pacific(stage):
    rouge(stage)
    stage.at("2025-03-13 11:59")  # A Thursday; 8:59 in Los Angeles.
    closed = stage.ask("rouge_reward")
    assert refused(closed) == (409, "not-open")
    assert stage.rewards()["rouge_reward"]["opens_at"] == "2025-03-13T12:00:00-04:00"

    stage.at("2025-03-13 12:00")
    hundred_off = stage.redeem("rouge_reward")
    assert (hundred_off["units"], hundred_off["value"]) == ("2500", "100.00")
    assert stage.rewards()["rouge_reward"]["stock"] == 499

    stage.at("2025-03-14 12:00")  # A Friday.
    assert stage.rewards()["rouge_reward"]["opens_at"] == "2025-03-18T12:00:00-04:00"


def test_rouge_reward_is_for_rouge_alone(stage):
    stage.buy("2025-03-10", "999.99")
    stage.at("2025-03-13 12:00")

    answer = stage.ask("rouge_reward")

    assert refused(answer) == (409, "tier-too-low")
    assert answer.json()["detail"] == "This is for members from Rouge on."


def test_rouge_reward_is_gone_when_its_stock_is(stage):
    stage.revise(reward("rouge_reward", stock=1))
    rouge(stage)
    stage.join("ben", "2025-02-01")
    rouge(stage, "ben")
    stage.at("2025-03-13 12:00")

    first = stage.reserve("rouge_reward")
    assert refused(stage.ask("rouge_reward", member="ben")) == (409, "sold-out")
    assert stage.rewards("ben")["rouge_reward"]["reason"] == "All of them are gone."

    stage.till.post(f"redemptions/{first['id']}/release/")
    assert stage.ask("rouge_reward", member="ben").status_code == 201
    assert stage.books() == []


def born_in_may():
    return Stage("beauty_insider", birth_date="1990-05-20")


def test_birthday_gift_is_for_the_birthday_month_once_a_year():
    stage = born_in_may()
    assert refused(stage.ask("birthday_gift")) == (409, "not-open")
    stage.at("2025-05-01 00:00")

    gift = stage.redeem("birthday_gift")

    assert (gift["units"], gift["unit"], gift["value"]) == ("0", None, None)
    again = stage.ask("birthday_gift")
    assert refused(again) == (409, "limit-reached")
    assert again.json()["detail"] == "One of Birthday gift and 250 birthday points is given, once a calendar year."
    stage.at("2026-05-31 23:59")
    assert stage.ask("birthday_gift").status_code == 201


def test_birthday_points_are_a_choice_instead_of_the_gift():
    stage = born_in_may()
    stage.at("2025-05-20")

    stage.redeem("birthday_points")

    assert available(stage.member(), "points") == "250"
    assert refused(stage.ask("birthday_gift")) == (409, "limit-reached")
    assert earned(stage.report("birthday_points", "2025-05-21")) == {}
    assert stage.books() == []


def test_gift_leaves_no_points_and_points_by_event_leave_no_gift():
    stage = born_in_may()
    stage.join("ben", "2025-02-01", birth_date="1985-05-03")
    stage.at("2025-05-20")
    stage.redeem("birthday_gift")
    assert earned(stage.report("birthday_points", "2025-05-21")) == {}

    body = {"external_id": "e-b", "member": "external_id:ben", "type": "birthday_points"}
    stage.till.post("events/", body | {"occurred_at": stage.moment("2025-05-21").isoformat()})
    drain()

    assert available(stage.member("ben"), "points") == "250"
    assert refused(stage.ask("birthday_gift", member="ben")) == (409, "limit-reached")


def test_gift_that_nobody_fetched_can_be_asked_for_again():
    stage = born_in_may()
    stage.at("2025-05-20 12:00")
    stage.reserve("birthday_gift")
    assert refused(stage.ask("birthday_points")) == (409, "limit-reached")

    stage.at("2025-05-20 12:15")

    assert stage.ask("birthday_points").status_code == 201


OPENINGS = [
    ("2025-04-07 08:59", [False, False, False]),
    ("2025-04-07 09:00", [False, False, True]),
    ("2025-04-08 09:00", [False, True, True]),
    ("2025-04-09 09:00", [True, True, True]),
    ("2025-05-01 00:00", [False, False, False]),
]


def opened_for_a_launch(draft):
    """Set the three openings of a launch and of a sale."""
    opens = {"insider": 9, "vib": 8, "rouge": 7}
    for code in ("launch", "sale"):
        offer = draft.rewards.get(code=code)
        zone = draft.program.zone
        offer.is_on, offer.opens_at = True, datetime(2025, 4, opens["insider"], 9, tzinfo=zone)
        offer.closes_at = datetime(2025, 5, 1, tzinfo=zone)
        offer.save()
        for row in offer.tiers.select_related("tier"):
            row.opens_at = datetime(2025, 4, opens[row.tier.code], 9, tzinfo=zone)
            row.save()


def three_levels():
    """Return a stage with a launch to come and a member of each level."""
    stage = Stage("beauty_insider")
    stage.revise(opened_for_a_launch)
    for name, spend in (("vib", "350.00"), ("rouge", "1000.00")):
        stage.join(name, "2025-01-02")
        stage.buy("2025-03-10", spend, member=name)
    return stage


def test_launch_opens_for_rouge_then_vib_then_insider():
    stage = three_levels()

    for when, open_to in OPENINGS:
        stage.at(when)
        assert [stage.rewards(name)["launch"]["available"] for name in ("ana", "vib", "rouge")] == open_to

    assert stage.rewards("rouge")["launch"]["reason"] == "It is over."


def test_shop_asks_when_a_launch_opens_for_a_member():
    stage = three_levels()
    stage.at("2025-04-07 09:00")

    assert stage.rewards("rouge")["launch"]["kind"] == "entitlement"
    assert stage.rewards("vib")["launch"]["opens_at"] == "2025-04-08T09:00:00-04:00"
    assert stage.rewards("vib")["launch"]["reason_code"] == "not-open"


@pytest.mark.parametrize(
    ("name", "percent", "value"), [("ana", "10", "8.00"), ("vib", "15", "12.00"), ("rouge", "20", "16.00")]
)
def test_sale_takes_off_by_level(name, percent, value):
    stage = three_levels()
    stage.at("2025-04-09 09:00")

    sale = stage.redeem("sale", member=name, basket_total="80.00")

    assert (sale["percent"], sale["value"]) == (percent, value)


def test_redemption_keeps_points_alive(stage):
    stage.buy("2025-03-10", "1000.00")
    stage.at("2025-12-01")
    stage.redeem("bi_cash")

    assert available(stage.at("2026-03-11 00:00"), "points") == "500"
    assert next_expiry(stage.member(), "points") == ("500", "2026-12-02T00:00:00-05:00")


def test_returned_redemption_gives_its_points_back(stage):
    stage.buy("2025-03-10", "1000.00")
    cash = stage.redeem("bi_cash", quantity=2)
    bought = stage.buy("2025-03-12", "40.00", redemptions=[cash["id"]])
    assert earned(bought) == {"base": "30"}  # Rouge: 20.00 at 1.5.
    assert available(stage.member(), "points") == "30"

    back = stage.give_back(bought, "2025-03-13", redemptions=[cash["id"]])

    assert earned(back) == {"base": "-30"}
    assert available(stage.member(), "points") == "1000"
    assert stage.till.get(f"redemptions/{cash['id']}/").json()["status"] == "returned"
    again = {"external_id": "again", "purchase": bought["external_id"], "redemptions": [cash["id"]]}
    assert refused(stage.till.post("refunds/", again | {"occurred_at": "2025-03-14T12:00:00Z"}))[0] == 409
    assert stage.books() == []
