from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from programs.engine.earning import Context, barred, basket_of, basket_of_event, evaluate, units_for
from programs.engine.state import Event, Line, Purchase
from programs.engine.terms import Cap, Clause, Group, LineRate, Rule, UnitTerms
from tests.programs.engine.shop import beauty, cashback

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
EVERY, BEST, FIRST = (Group(mode, mode, mode) for mode in ("all", "best", "first"))
COINS = Rule("base", "Coins", "coins", "per_amount", 10_000)


def category(*values):
    return (Clause("category", values=values),)


def program(*rules, groups=(), precision=0, **changes):
    return replace(
        cashback(),
        units={"coins": UnitTerms("coins", precision), "cash": UnitTerms("cash", 2)},
        rules=rules,
        groups={group.code: group for group in groups},
        **changes,
    )


def judged(terms, *lines, at=NOON, tier="", counters=None, total=None, **known):
    """Judge a purchase of lines, each an amount or a Line, or of a total alone."""
    posted = [replace(Line(0, one) if isinstance(one, int) else one, number=n) for n, one in enumerate(lines, start=1)]
    purchase = Purchase(
        UUID(int=9), at, sum(line.amount for line in posted) if total is None else total, lines=tuple(posted)
    )
    basket = basket_of(terms=terms, purchase=purchase)
    not_for = barred(terms=terms, basket=basket, context=Context(tier=tier, **known))
    return evaluate(terms=terms, basket=basket, tier=tier, barred=not_for, counters=counters or {})


def told(terms, event, counters=None, at=NOON, **attributes):
    trigger = "event" if event else "enrolment"
    basket = basket_of_event(Event(UUID(int=9), at, event, attributes, trigger))
    not_for = barred(terms=terms, basket=basket, context=Context(attributes=attributes))
    return evaluate(terms=terms, basket=basket, tier="", barred=not_for, counters=counters or {})


def given(found):
    return {award.rule: award.amount for award in found.awards}


def reasons(found):
    return {finding.rule: finding.reason for finding in found.findings}


def counted(found):
    return {finding.rule: (finding.counted, finding.units) for finding in found.findings if finding.counted}


# --- Amounts and rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "tier", "points"),
    [(99, "insider", 0), (100, "insider", 1), (1_099, "vib", 13), (100_000, "rouge", 1_500), (35_000, "insider", 350)],
)
def test_award_by_tier_rounds_down_to_whole_points(amount, tier, points):
    assert sum(award.amount for award in judged(beauty(), total=amount, tier=tier).awards) == points


def test_award_is_rounded_once_on_the_sum_of_the_lines():
    assert given(judged(program(COINS), 150, 150, 199)) == {"base": 4}


def test_award_of_nothing_says_that_nothing_earns():
    found = judged(beauty(), total=0, tier="insider")

    assert (found.awards, found.findings[0].reason) == ((), "nothing")


def test_award_below_one_step_says_it_was_rounded_away():
    assert judged(beauty(), total=99, tier="insider").findings[0].reason == "rounded_away"


def test_rate_of_nothing_gives_nothing():
    rule = replace(COINS, rate=0, tier_rates={"gold": 10_000})

    assert reasons(judged(program(rule), total=10_000)) == {"base": "nothing"}
    assert given(judged(program(rule), total=10_000, tier="gold")) == {"base": 100}


def test_percent_counts_in_cents():
    assert given(judged(cashback(), total=3_333)) == {"default": 33}


def test_units_have_their_own_precision():
    assert given(judged(program(COINS, precision=3), total=1_234)) == {"base": 12_340}


def test_rule_without_any_line_of_its_own_says_so():
    rule = replace(COINS, clauses=category("tea"))

    assert reasons(judged(program(rule), 100, 200)) == {"base": "no_lines"}
    assert reasons(judged(program(rule), total=100)) == {"base": "no_lines"}


def test_line_rates_take_the_first_that_matches_in_place_of_the_rules_and_the_tiers():
    hotels = (
        LineRate(Clause("brand", values=("residence inn", "towneplace")), 50_000),
        LineRate(Clause("category", values=("stay",)), 25_000),
    )
    rule = replace(COINS, rate=100_000, tier_rates={"gold": 200_000}, line_rates=hotels)
    lines = Line(0, 1_000, brand="towneplace", category="stay"), Line(0, 1_000, category="stay"), Line(0, 1_000)

    assert given(judged(program(rule), *lines)) == {"base": 175}
    assert given(judged(program(rule), *lines, tier="gold")) == {"base": 275}


# --- Other effects -------------------------------------------------------------------------------------------


def test_fixed_gives_its_units_once_for_lines_and_for_events():
    terms = program(
        replace(COINS, effect="fixed", rate=50_000, clauses=category("tea")),
        replace(COINS, code="referral", effect="fixed", rate=250_000, trigger="event", event="referral"),
        replace(COINS, code="welcome", effect="fixed", rate=20_000, trigger="enrolment"),
    )
    tea = Line(0, 100, category="tea")

    assert given(judged(terms, tea, tea, 300)) == {"base": 5}
    assert given(judged(terms, 300)) == {}
    assert given(told(terms, "referral")) == {"referral": 25}
    assert given(told(terms, "")) == {"welcome": 2}


def test_per_item_counts_parts_of_pieces_on_the_sum_and_stamps_count_whole_pieces_of_each_line():
    lines = Line(0, 100, 1_500), Line(0, 100, 1_500)

    per_item = judged(program(replace(COINS, effect="per_item")), *lines)
    stamp = judged(program(replace(COINS, effect="stamp")), *lines)

    assert [(one.units, one.pieces) for one in (*per_item.findings, *stamp.findings)] == [(3, 3_000), (2, 2_000)]


def test_largest_line_counts_alone():
    nights = replace(COINS, effect="per_item", pieces="largest", clauses=category("stay"))
    lines = (
        Line(0, 100, 2_000, category="stay"),
        Line(0, 100, 5_000, category="stay"),
        Line(0, 9, 9_000),
    )

    assert given(judged(program(nights), *lines)) == {"base": 5}


def test_pieces_of_a_purchase_without_lines_are_none():
    assert reasons(judged(program(replace(COINS, effect="stamp")), total=100)) == {"base": "nothing"}


def test_double_star_day_adds_the_base_rate_once_more_or_the_levels_where_it_says_so():
    base = replace(COINS, tier_rates={"gold": 12_000})
    double = Rule("multiplier", "Double Star Day", "coins", "multiplier", 10_000, of="base")
    by_level = replace(double, of_tier_rate=True)

    assert given(judged(program(base), total=1_000, tier="gold")) == {"base": 12}
    assert given(judged(program(base, double), total=1_000, tier="gold")) == {"base": 12, "multiplier": 10}
    assert given(judged(program(base, by_level), total=1_000, tier="gold")) == {"base": 12, "multiplier": 12}


def test_multiplier_of_a_percentage_multiplies_the_rates_of_its_lines():
    base = Rule(
        "base", "Cash", "cash", "percent", 10_000, line_rates=(LineRate(Clause("brand", values=("own",)), 50_000),)
    )
    triple = Rule("triple", "Triple", "cash", "multiplier", 30_000, {"gold": 15_000}, of="base")
    terms = program(base, triple)

    assert given(judged(terms, 1_000, Line(0, 1_000, brand="own"))) == {"base": 60, "triple": 180}
    assert given(judged(terms, 1_000, tier="gold")) == {"base": 10, "triple": 15}


def test_multiplier_of_a_rule_that_is_switched_off_gives_nothing():
    double = Rule("double", "Double", "coins", "multiplier", 20_000, of="base")

    assert reasons(judged(program(double), total=1_000)) == {"double": "nothing"}


def test_hotel_bonus_is_a_percentage_of_the_rounded_base_after_its_limits():
    base = replace(COINS, rate=100_000, caps=(Cap("month", 3_000, "units"),))
    bonus = Rule("tier_bonus", "Bonus", "coins", "bonus", 0, {"platinum": 500_000, "silver": 100_000}, of="base")
    terms = program(bonus, base)

    assert given(judged(terms, total=20_000, tier="platinum")) == {"base": 2_000, "tier_bonus": 1_000}
    assert given(judged(terms, total=1_099, tier="silver")) == {"base": 109, "tier_bonus": 10}
    assert given(judged(terms, total=90_000, tier="platinum")) == {"base": 3_000, "tier_bonus": 1_500}
    assert reasons(judged(terms, total=20_000))["tier_bonus"] == "nothing"
    assert [finding.rule for finding in judged(terms, total=20_000).findings] == ["tier_bonus", "base"]


def test_bonus_in_another_unit_goes_by_that_units_steps():
    bonus = Rule("more", "More", "cash", "bonus", 100_000, of="base")

    assert given(judged(program(COINS, bonus), total=12_300)) == {"base": 123, "more": 1_230}


# --- Limits --------------------------------------------------------------------------------------------------


def test_cap_of_a_purchase_cuts_and_says_which():
    found = judged(cashback(), total=60_000).findings[0]

    assert (found.units, found.reason, found.amount, found.counted) == (500, "cut", 60_000, 50_000)
    assert (found.cut_by, found.limit, found.cap_counts, found.cap_scope) == ("purchase", 50_000, "amount", "member")


def test_cap_of_a_month_counts_what_was_consumed_before():
    found = judged(cashback(), total=20_000, counters={"default|month|2026-03": 290_000})

    assert given(found) == {"default": 100}
    assert (found.found, found.consumed) == ({"default|month|2026-03": 290_000}, {"default|month|2026-03": 10_000})


def test_cap_used_up_gives_nothing_and_says_so():
    found = judged(cashback(), total=20_000, counters={"default|month|2026-03": 300_000})

    assert (found.awards, found.consumed, found.findings[0].reason) == ((), {}, "limit_used")


def test_cap_of_another_month_does_not_matter():
    assert given(judged(cashback(), total=10_000, counters={"default|month|2026-02": 300_000})) == {"default": 100}


def test_cap_on_units_cuts_the_award_to_what_is_left():
    terms = program(replace(COINS, caps=(Cap("day", 100, "units"),)))
    key = "base#units|day|2026-03-05"

    cut = judged(terms, total=9_000, counters={key: 70})
    whole = judged(terms, total=3_099, counters={key: 70})

    assert (given(cut), cut.consumed, cut.findings[0].cap_counts) == ({"base": 30}, {key: 30}, "units")
    assert (cut.findings[0].counted, whole.findings[0].counted) == (3_000, 3_099)
    assert (reasons(cut), reasons(whole)) == ({"base": "cut"}, {"base": "earned"})


def test_cap_on_units_cuts_stamps_fixed_awards_and_bonuses():
    few = (Cap("day", 2, "units"),)
    stamp = replace(COINS, code="stamp", effect="stamp", caps=few)
    fixed = replace(COINS, code="fixed", effect="fixed", rate=90_000, caps=few)
    bonus = replace(COINS, code="bonus", effect="bonus", rate=1_000_000, of="fixed", caps=(Cap("day", 1, "units"),))
    found = judged(program(stamp, fixed, bonus), Line(0, 300, 3_000))

    assert given(found) == {"stamp": 2, "fixed": 2, "bonus": 1}
    assert set(reasons(found).values()) == {"cut"}
    assert found.findings[0].pieces == 2_000


def test_limits_of_one_window_count_an_award_once_and_the_tightest_cuts():
    terms = program(replace(COINS, caps=(Cap("day", 900), Cap("day", 700))))
    found = judged(terms, total=1_000)

    assert (found.consumed, found.findings[0].limit) == ({"base|day|2026-03-05": 700}, 700)


def test_check_in_counts_once_a_place_and_day():
    check_in = replace(COINS, effect="fixed", rate=50_000, trigger="event", event="check_in")
    terms = program(replace(check_in, caps=(Cap("day", 1, "times", per="place"),)))
    first = told(terms, "check_in", place="Prague")
    counters = dict(first.consumed)

    assert counters == {"base#times|day|2026-03-05|prague": 1}
    again = told(terms, "check_in", counters, place="PRAGUE")
    assert (given(first), given(again), reasons(again)) == ({"base": 5}, {}, {"base": "limit_used"})
    assert again.findings[0].cap_counts == "times"
    assert given(told(terms, "check_in", counters, place="Brno")) == {"base": 5}
    assert given(told(terms, "check_in", counters, NOON + timedelta(days=1), place="Prague")) == {"base": 5}


def test_events_together_give_at_most_100_units_in_a_program_year_from_february():
    events = Group("events", "Events", "all", (Cap("program_year", 100, "units"),))
    points = {"referral": 25, "check_in": 5, "reusable_bag": 10}
    rules = [
        replace(COINS, code=e, effect="fixed", rate=p * 10_000, trigger="event", event=e, group="events")
        for e, p in points.items()
    ]
    terms = program(*rules, groups=[events], year_starts=2)
    at, counters, got = datetime(2026, 1, 31, 12, tzinfo=UTC), {}, []
    for event in ["referral", *["check_in"] * 18, "reusable_bag", "referral"]:
        found = told(terms, event, counters, at)
        counters = {key: counters.get(key, 0) + found.consumed.get(key, 0) for key in {*counters, *found.consumed}}
        got += [finding.units for finding in found.findings]
        at += timedelta(days=1) if len(got) == 1 else timedelta(hours=1)

    assert got == [25, *[5] * 18, 10, 0]  # What came in January was the year before's.
    assert counters == {"@events#units|program_year|2025-02": 25, "@events#units|program_year|2026-02": 100}
    last = told(terms, "referral", counters, at).findings[0]
    assert (last.reason, last.cut_by, last.limit, last.cap_counts) == ("limit_used", "program_year", 100, "units")


def test_limits_of_a_group_are_shared_by_its_rules_in_order():
    few = Group("all", "All", "all", (Cap("purchase", 15, "units"), Cap("month", 2, "times")))
    rules = [replace(COINS, code=code, group="all") for code in ("one", "two", "three")]
    found = judged(program(*rules, groups=[few]), total=1_000)

    assert (given(found), reasons(found)["three"]) == ({"one": 10, "two": 5}, "limit_used")
    assert found.consumed == {"@all#times|month|2026-03": 2}


def test_budget_of_the_program_has_a_key_of_its_own():
    terms = program(replace(COINS, caps=(Cap("year", 100, "units", "program"),)))
    found = judged(terms, total=9_000, counters={"program|base#units|year|2026": 60})

    assert (given(found), found.consumed) == ({"base": 40}, {"program|base#units|year|2026": 40})
    assert found.findings[0].cap_scope == "program"


def test_barred_rule_neither_finds_nor_uses_a_counter():
    terms = program(replace(COINS, caps=(Cap("year", 100),), clauses=(Clause("tier", values=("gold",)),)))
    found = judged(terms, total=9_000, counters={"base|year|2026": 60})

    assert (found.found, found.consumed) == ({}, {})


# --- Stacking ------------------------------------------------------------------------------------------------


def bleap():
    cash = Rule("default", "Default", "cash", "percent", 10_000, group="first")
    return program(
        replace(cash, code="travel", rate=20_000, caps=(Cap("purchase", 25_000),), clauses=category("travel")),
        replace(
            cash,
            code="rides",
            rate=30_000,
            caps=(Cap("purchase", 5_000), Cap("month", 50_000)),
            clauses=category("rides"),
        ),
        replace(cash, caps=(Cap("purchase", 50_000), Cap("month", 300_000))),
        groups=[FIRST],
    )


def test_spill_in_the_middle_of_a_line_goes_to_the_next_rule():
    found = judged(bleap(), Line(0, 30_000, category="travel"))

    assert given(found) == {"travel": 500, "default": 50}
    assert counted(found) == {"travel": (25_000, 500), "default": (5_000, 50)}
    assert reasons(found) == {"travel": "cut", "rides": "no_lines", "default": "earned"}
    assert found.consumed == {"default|month|2026-03": 5_000}


def test_spill_goes_on_while_limits_last_and_what_is_beyond_earns_nothing():
    lines = Line(0, 30_000, category="travel"), Line(0, 60_000, category="rides"), 1_000
    found = judged(bleap(), *lines, counters={"rides|month|2026-03": 48_000})

    assert counted(found) == {"travel": (25_000, 500), "rides": (2_000, 60), "default": (50_000, 500)}
    assert [(one.cut_by, one.amount) for one in found.findings] == [
        ("purchase", 30_000),
        ("month", 60_000),
        ("purchase", 64_000),
    ]


def test_rule_whose_month_is_used_up_leaves_all_to_the_next():
    found = judged(bleap(), Line(0, 4_000, category="rides"), counters={"rides|month|2026-03": 50_000})

    assert (given(found), reasons(found)["rides"]) == ({"default": 40}, "limit_used")


def test_first_rule_takes_its_lines_and_says_so_to_those_after_it():
    found = judged(bleap(), Line(0, 4_000, category="travel"))

    assert reasons(found) == {"travel": "earned", "rides": "no_lines", "default": "taken"}


def test_limit_on_units_spills_the_amount_that_did_not_earn():
    cash = Rule("default", "Default", "cash", "percent", 10_000, group="first")
    travel = replace(cash, code="travel", rate=20_000, caps=(Cap("month", 500, "units"),))
    found = judged(program(travel, cash, groups=[FIRST]), total=30_000)

    assert counted(found) == {"travel": (25_000, 500), "default": (5_000, 50)}


def test_rule_at_no_rate_keeps_its_lines_from_the_rules_after_it():
    none = replace(COINS, code="gift_cards", rate=0, group="first", clauses=category("gift"))
    rest = replace(COINS, group="first")
    found = judged(program(none, rest, groups=[FIRST]), Line(0, 5_000, category="gift"), 1_000)

    assert (given(found), found.findings[1].amount) == ({"base": 10}, 1_000)


def test_stamps_beyond_their_limit_leave_their_pieces_to_the_next_rule():
    stamp = replace(COINS, code="stamp", effect="stamp", group="first", caps=(Cap("day", 2, "units"),))
    per_item = replace(COINS, code="item", effect="per_item", group="first")
    found = judged(program(stamp, per_item, groups=[FIRST]), Line(0, 0, 3_000), Line(0, 500, 2_000))

    assert given(found) == {"stamp": 2, "item": 3}


def test_first_event_rule_with_something_left_wins():
    one = replace(COINS, effect="fixed", trigger="event", event="visit", group="first", caps=(Cap("day", 1, "times"),))
    terms = program(one, replace(one, code="later", caps=()), replace(one, code="never"), groups=[FIRST])

    assert reasons(told(terms, "visit")) == {"base": "earned", "later": "taken", "never": "taken"}
    assert given(told(terms, "visit", {"base#times|day|2026-03-05": 1})) == {"later": 1}


@pytest.mark.parametrize(
    ("tier", "times", "points"),
    [("insider", 20_000, {"multiplier": 20}), ("rouge", 20_000, {"multiplier": 20}), ("rouge", 15_000, {"base": 15})],
)
def test_beauty_multiplier_replaces_the_levels_rate_where_it_is_better(tier, times, points):
    base = replace(COINS, tier_rates={"rouge": 15_000}, group="best")
    multiplier = Rule("multiplier", "Event", "coins", "multiplier", times, group="best", of="base")
    found = judged(program(base, multiplier, groups=[BEST]), total=1_000, tier=tier)

    assert given(found) == points
    assert sorted(reasons(found).values()) == ["beaten", "earned"]


def test_best_shares_the_lines_by_rate_and_spills_what_a_limit_cuts():
    base = replace(COINS, group="best", clauses=(Clause("category", values=("gift",), negated=True),))
    tea = replace(COINS, code="tea", rate=50_000, group="best", clauses=category("tea"), caps=(Cap("purchase", 1_000),))
    found = judged(program(base, tea, groups=[BEST]), Line(0, 3_000, category="tea"), 1_000)

    assert counted(found) == {"tea": (1_000, 50), "base": (3_000, 30)}
    assert reasons(found) == {"base": "earned", "tea": "cut"}


def test_best_gives_a_scarce_limit_to_the_line_that_earns_least_elsewhere():
    tea = replace(COINS, code="tea", rate=20_000, group="best", clauses=category("tea"))
    triple = replace(COINS, code="triple", rate=30_000, group="best", caps=(Cap("purchase", 1_000),))
    found = judged(program(triple, tea, groups=[BEST]), Line(0, 1_000, category="tea"), 1_000)

    assert given(found) == {"triple": 30, "tea": 20}


def test_best_prefers_one_whole_award_to_shares_that_round_away():
    base = replace(COINS, group="best")
    tea = replace(COINS, code="tea", rate=10_100, group="best", clauses=category("tea"))
    found = judged(program(base, tea, groups=[BEST]), Line(0, 50, category="tea"), 50)

    assert (given(found), reasons(found)["tea"]) == ({"base": 1}, "rounded_away")


def test_best_weighs_fixed_awards_against_rates_and_units_by_their_worth():
    fixed = replace(COINS, code="fixed", effect="fixed", rate=120_000, group="best")
    cash = Rule("cash", "Cash", "cash", "percent", 1_000_000, group="best")
    terms = program(fixed, cash, groups=[BEST])

    assert given(judged(terms, total=1_100)) == {"fixed": 12}
    assert given(judged(terms, total=1_300)) == {"cash": 1_300}


def test_best_keeps_to_the_limits_that_the_group_shares():
    group = Group("best", "Best", "best", (Cap("month", 40, "units"),))
    tea = replace(COINS, code="tea", rate=20_000, group="best", clauses=category("tea"))
    found = judged(program(replace(COINS, group="best"), tea, groups=[group]), Line(0, 1_500, category="tea"), 1_000)

    assert (sum(given(found).values()), found.consumed) == (40, {"@best#units|month|2026-03": 40})


def test_loser_of_a_group_uses_none_of_its_limits():
    tea = replace(COINS, code="tea", rate=20_000, group="best", caps=(Cap("month", 9_000),))
    fixed = replace(
        COINS, code="fixed", effect="fixed", rate=10_000_000, group="best", caps=(Cap("month", 1, "times"),)
    )
    found = judged(program(tea, fixed, groups=[BEST]), total=1_000)

    assert (given(found), reasons(found)["tea"]) == ({"fixed": 1_000}, "beaten")
    assert found.consumed == {"fixed#times|month|2026-03": 1}
    assert set(found.found) == {"tea|month|2026-03", "fixed#times|month|2026-03"}


def test_best_of_bonuses_adds_to_the_base_once():
    weekend = Rule("weekend", "Weekend", "coins", "bonus", 100_000, group="best", of="base")
    party = replace(weekend, code="party", rate=250_000)

    assert given(judged(program(weekend, party, COINS, groups=[BEST]), total=10_000)) == {"base": 100, "party": 25}


def test_group_of_all_gives_each_rule_all_of_its_lines():
    rules = [replace(COINS, code=code, group="all") for code in ("one", "two")]

    assert given(judged(program(*rules, groups=[EVERY]), 700, 300)) == {"one": 10, "two": 10}


def test_terms_that_differ_under_one_id_are_judged_each_by_its_own():
    one = program(COINS)
    other = replace(one, rules=(replace(COINS, rate=20_000),))

    assert [given(judged(terms, total=1_000)) for terms in (one, other, one)] == [
        {"base": 10},
        {"base": 20},
        {"base": 10},
    ]


def test_units_are_the_exact_product_rounded_down():
    assert units_for(amount=1_099, rate=12_500, effect="per_amount", digits=2, precision=0) == 13
    assert units_for(amount=3_333, rate=10_000, effect="percent", digits=2, precision=2) == 33
