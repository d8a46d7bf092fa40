"""One test for each fault; what is sound stands at the top, and each case spoils one thing of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from programs import actions
from programs.content import (
    BenefitContent,
    CapContent,
    ClauseContent,
    ConditionContent,
    Content,
    EventContent,
    GroupContent,
    LineRateContent,
    RuleContent,
    TierContent,
    TierExpiryContent,
    TierRateContent,
    TrialContent,
    UnitContent,
)
from programs.faults import Known, faults_of, find
from programs.models import RuleClause, Segment
from tests.factories import make_shop

POINTS = UnitContent(unit="points", expiry="none", expiry_months=None, pending_days=0)
NIGHTS = replace(POINTS, unit="nights")
BASE = RuleContent(code="base", name="Base", position=0, unit="points", effect="per_amount", rate=Decimal(1))
BONUS = replace(BASE, code="bonus", name="Bonus", position=1, effect="bonus", rate=Decimal(50), of="base")
CHECK_IN = replace(BASE, code="in", name="Check in", position=2, effect="fixed", trigger="event", event="check_in")
JOINING = replace(CHECK_IN, code="join", name="Welcome", trigger="enrolment", event="")
LAST_DAY = date(2026, 6, 1)
KNOWN = Known(
    digits=2,
    names={"points": "points", "nights": "nights"},
    decimals={"points": 0, "nights": 0},
    segments=frozenset({"press"}),
    first_day=LAST_DAY,
)


def spend(least: str, **other) -> ConditionContent:
    return ConditionContent("spend", "calendar_year", Decimal(least), **other)


def tier(code: str, rank: int, *conditions: ConditionContent, **other) -> TierContent:
    return TierContent(code=code, name=code.title(), rank=rank, conditions=conditions, **other)


LOW, MID, TOP = tier("low", 0), tier("mid", 1, spend("350")), tier("top", 2, spend("1000"))
SOUND = Content(
    tax_earns=False,
    tier_validity="next_year",
    units=(NIGHTS, POINTS),
    tiers=(LOW, MID, TOP),
    rules=(BASE, BONUS, CHECK_IN),
    events=(EventContent("check_in", "Check-in"),),
)


def faults(terms: Content) -> list[tuple[str, str]]:
    return [(fault.where, fault.message) for fault in find(terms, KNOWN)]


def places(terms: Content) -> list[str]:
    return [fault.where for fault in find(terms, KNOWN)]


def with_rule(rule: RuleContent) -> Content:
    return replace(SOUND, rules=(rule,))


def with_clauses(*given: tuple[str, str] | tuple[str, str, bool], rule: RuleContent = BASE) -> Content:
    return with_rule(replace(rule, clauses=tuple(ClauseContent(*one) for one in given)))


def with_cap(rule: RuleContent = BASE, **cap) -> Content:
    given = {"window": "day", "amount": Decimal(5), **cap}
    return with_rule(replace(rule, caps=(CapContent(**given),)))


def with_unit(**terms) -> Content:
    return replace(SOUND, units=(NIGHTS, replace(POINTS, **terms)))


def with_top(*conditions: ConditionContent, **other) -> Content:
    return replace(SOUND, tiers=(LOW, MID, tier("top", 2, *conditions, **other)))


def test_sound_terms_have_no_fault():
    assert faults(SOUND) == []


def test_terms_without_tiers_have_no_fault():
    assert faults(replace(SOUND, tiers=())) == []


# --- The ladder ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tiers", "where"),
    [
        ((LOW, MID, tier("top", 2, spend("350"))), ["tier:top"]),
        ((LOW, MID, tier("top", 2, spend("349.99"))), ["tier:top"]),
        ((tier("low", 0, spend("1")), MID), ["tiers"]),
        ((LOW, tier("mid", 1), TOP), ["tier:mid"]),
        ((tier("low", 0, spend("1")), tier("mid", 1)), ["tier:low"]),
        ((LOW, replace(MID, name="Low")), ["tiers"]),
        ((tier("low", 0, by_invitation=True), MID), ["tier:low"]),
        ((LOW, tier("mid", 1, spend("5"), by_invitation=True)), ["tier:mid"]),
    ],
)
def test_ladder_that_is_not_one_is_a_fault(tiers, where):
    assert places(replace(SOUND, tiers=tiers)) == where


def test_tier_by_invitation_above_the_lowest_has_no_fault():
    assert faults(replace(SOUND, tiers=(LOW, MID, TOP, tier("team", 3, by_invitation=True)))) == []


def test_ladder_that_does_not_rise_for_life_names_both_tiers():
    mid = tier("mid", 1, spend("350"), spend("9000", for_life=True))
    top = tier("top", 2, spend("1000"), spend("8000", for_life=True))

    assert faults(replace(SOUND, tiers=(LOW, mid, top))) == [
        ("tier:top", "Tier “Top” asks for 8000, but “Mid” below it asks for 9000.")
    ]


def years(least: str, **other) -> ConditionContent:
    return ConditionContent("years", "lifetime", Decimal(least), **{"for_life": True, **other})


@pytest.mark.parametrize(
    "terms",
    [
        with_top(spend("1000", for_life=True)),
        with_top(ConditionContent("miles", "calendar_year", Decimal(5))),
        with_top(ConditionContent("visits", "week", Decimal(5))),
        with_top(ConditionContent("units", "calendar_year", Decimal(5))),
        with_top(ConditionContent("units", "calendar_year", Decimal(5), unit="stars")),
        with_top(ConditionContent("visits", "rolling", Decimal(5))),
        with_top(ConditionContent("visits", "calendar_year", Decimal("2.5"))),
        with_top(ConditionContent("visits", "calendar_year", Decimal(0))),
        with_top(ConditionContent("units", "calendar_year", Decimal("2.5"), unit="nights")),
        with_top(spend("1000.005")),
        with_top(spend("1000"), years("5", for_life=False)),
        with_top(ConditionContent("visits", "rolling", Decimal(5), months=12), years("5")),
        with_top(spend("1000"), benefits=(BenefitContent("sweets", "Sweets"),)),
    ],
)
def test_tier_that_cannot_be_counted_is_a_fault(terms):
    assert places(terms) == ["tier:top"]


def test_years_beside_what_goes_by_calendar_year_have_no_fault():
    assert faults(with_top(spend("1000"), years("5"))) == []


def test_tiers_for_some_months_may_go_by_calendar_year():
    assert faults(replace(SOUND, tier_validity="months", tier_months=12)) == []


@pytest.mark.parametrize(
    "terms",
    [
        replace(SOUND, tier_validity="for_ever"),
        replace(SOUND, tier_validity="months", tier_months=0),
        replace(SOUND, tier_fall="far"),
        replace(SOUND, year_starts=13),
        replace(SOUND, claim_days=367),
        replace(SOUND, needs_notice=True, notice_days=0),
        replace(SOUND, trial=TrialContent("gone", "spend", Decimal(100), 12)),
        replace(SOUND, trial=TrialContent("low", "spend", Decimal(100), 12)),
        replace(SOUND, trial=TrialContent("top", "miles", Decimal(100), 12)),
        replace(SOUND, trial=TrialContent("top", "units", Decimal(100), 12, unit="stars")),
        replace(SOUND, trial=TrialContent("top", "spend", Decimal(0), 12)),
        replace(SOUND, trial=TrialContent("top", "spend", Decimal(100), 0)),
    ],
)
def test_switch_that_makes_no_sense_is_a_fault_of_the_terms(terms):
    assert places(terms) == ["terms"]


def test_trial_in_units_that_have_terms_has_no_fault():
    assert faults(replace(SOUND, trial=TrialContent("top", "units", Decimal(15), 12, 36, "nights"))) == []


# --- Units -----------------------------------------------------------------------------------------------------------

UP_TO_TOP = (TierExpiryContent("top", None),)


@pytest.mark.parametrize(
    "terms",
    [
        with_unit(expiry="some_day"),
        with_unit(expiry="rolling"),
        with_unit(expiry="inactivity"),
        with_unit(expiry="rolling", expiry_months=6, round_up="week"),
        with_unit(expiry="fixed"),
        with_unit(expiry="fixed", fixed_days="12-31, 02-30"),
        with_unit(expiry="fixed", fixed_days="2026-02-29"),
        with_unit(expiry="fixed", fixed_days="20260228"),
        with_unit(expiry="fixed", fixed_days="9999-12-31"),
        with_unit(expiry="inactivity", expiry_months=6, kept_alive_by="purchase, yoga"),
        with_unit(expiry="inactivity", expiry_months=6, kept_alive_by=""),
        with_unit(expiry="rolling", expiry_months=6, fall_months=6),
        with_unit(expiry="rolling", expiry_months=6, tiers=(TierExpiryContent("gone", 3),)),
        with_unit(tiers=UP_TO_TOP),
        with_unit(debt="forget"),
    ],
)
def test_unit_whose_end_is_not_said_is_a_fault(terms):
    assert places(terms) == ["unit:points"]


@pytest.mark.parametrize(
    "terms",
    [
        with_unit(expiry="fixed", fixed_days="02-29, 2027-06-30"),
        with_unit(expiry="rolling", expiry_days=90),
        with_unit(expiry="inactivity", expiry_months=6, kept_alive_by="event, check_in"),
        with_unit(expiry="inactivity", expiry_months=6, fall_months=6, tiers=UP_TO_TOP),
    ],
)
def test_unit_whose_end_is_said_has_no_fault(terms):
    assert faults(terms) == []


def test_no_unit_is_a_fault():
    assert places(replace(SOUND, units=(), rules=(BASE,))) == ["units", "rule:base"]


def test_event_with_the_code_of_an_activity_is_a_fault():
    assert places(replace(SOUND, events=(*SOUND.events, EventContent("purchase", "Purchase")))) == ["events"]


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_no_rule_is_a_fault():
    assert places(replace(SOUND, rules=())) == ["rules"]


def test_only_rules_that_are_off_are_a_fault():
    assert places(with_rule(replace(BASE, is_on=False))) == ["rules"]


@pytest.mark.parametrize(
    "rule",
    [
        replace(BASE, unit="stars"),
        replace(BASE, rate=Decimal(0)),
        replace(BASE, effect="fixed", rate=Decimal("0.5")),
        replace(BASE, effect="gift"),
        replace(BASE, trigger="moon"),
        replace(BASE, effect="per_item", pieces="smallest"),
        replace(BASE, group="gone"),
        replace(BASE, tier_rates=(TierRateContent("gone", Decimal(2)),)),
        replace(BASE, line_rates=(LineRateContent(ClauseContent("amount", ">= 5"), Decimal(2)),)),
        replace(BASE, line_rates=(LineRateContent(ClauseContent("brand", ","), Decimal(2)),)),
        replace(BASE, effect="fixed", line_rates=(LineRateContent(ClauseContent("brand", "A"), Decimal(2)),)),
        replace(CHECK_IN, event=""),
        replace(CHECK_IN, event="yoga"),
        *(replace(CHECK_IN, effect=effect) for effect in ("per_amount", "percent", "per_item", "stamp")),
        replace(JOINING, effect="percent"),
    ],
)
def test_rule_that_cannot_work_is_a_fault(rule):
    assert set(places(with_rule(rule))) == {f"rule:{rule.code}"}


def test_rule_that_is_off_may_be_anything():
    assert faults(replace(SOUND, rules=(BASE, replace(BASE, code="x", unit="stars", is_on=False)))) == []


@pytest.mark.parametrize(
    "rules",
    [
        (BASE, replace(BONUS, of="")),
        (BASE, replace(BONUS, of="gone")),
        (BASE, replace(BONUS, of="bonus")),
        (replace(BASE, is_on=False), BONUS, replace(BASE, code="other")),
        (BASE, replace(BONUS, unit="nights")),
        (replace(BONUS, position=0), replace(BASE, position=1)),
        (BASE, replace(BONUS, of="in"), CHECK_IN),
        (BASE, replace(CHECK_IN, code="bonus", effect="bonus", of="base")),
        (replace(BASE, effect="fixed"), replace(BONUS, effect="multiplier")),
        (BASE, replace(CHECK_IN, code="bonus", effect="multiplier", of="base")),
    ],
    ids=["unsaid", "gone", "itself", "off", "unit", "after", "event", "of_purchase", "multiplies_fixed", "event_times"],
)
def test_rule_that_stands_on_no_fitting_rule_is_a_fault(rules):
    assert set(places(replace(SOUND, rules=rules))) == {"rule:bonus"}


def test_rules_that_stand_on_each_other_are_a_fault():
    one, other = replace(BONUS, of="other"), replace(BONUS, code="other", position=2, of="bonus")

    assert set(places(replace(SOUND, rules=(BASE, one, other)))) == {"rule:bonus", "rule:other"}


# --- Conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "terms",
    [
        with_clauses(("dates", "soon")),
        with_clauses(("mood", "good")),
        with_clauses(("nth", "0")),
        with_clauses(("nth", "every 0")),
        with_clauses(("dates", "2026-06-30..2026-06-01")),
        with_clauses(("dates", "2026-05-01..2026-05-31")),
        with_clauses(("amount", "50..10")),
        with_clauses(("hours", "09:00-09:00")),
        with_clauses(("tier", "gone, mid")),
        with_clauses(("segment", "gone")),
        with_clauses(("category", "travel"), ("category", "travel", True)),
        with_clauses(("tag", "sale"), ("tag", "sale", True)),
        with_clauses(("category", "travel"), ("category", "rides")),
        with_clauses(("brand", "a"), ("brand", "b")),
        with_clauses(("store", "a"), ("store", "b")),
        with_clauses(("channel", "web"), ("channel", "app")),
        with_clauses(("tier", "mid"), ("tier", "top")),
        with_clauses(("tier", "low, mid, top", True)),
        with_clauses(("weekday", "mon-fri"), ("weekday", "sat")),
        with_clauses(("weekday", "mon-sun", True)),
        with_clauses(("hours", "09:00-12:00"), ("hours", "13:00-17:00")),
        with_clauses(("amount", ">= 50"), ("amount", "<= 10")),
        with_clauses(("amount", ">= 50"), ("amount", ">= 20", True)),
        with_clauses(("amount", "20..30"), ("amount", "10..50", True)),
        with_clauses(("attribute", "place=Prague"), ("attribute", "place=Brno")),
        with_clauses(("attribute", "place=Prague"), ("attribute", "place", True)),
    ],
)
def test_condition_that_never_holds_is_a_fault(terms):
    assert places(terms) == ["rule:base"]


@pytest.mark.parametrize("kind", ["sku", "category", "brand", "tag", "channel", "store"])
@pytest.mark.parametrize("rule", [CHECK_IN, JOINING])
def test_condition_on_a_purchase_is_a_fault_of_another_rule(rule, kind):
    assert places(with_clauses((kind, "a"), rule=rule)) == [f"rule:{rule.code}"]


@pytest.mark.parametrize("given", [("amount", ">= 5"), ("quantity", ">= 5"), ("nth", "1"), ("first_lines", "stay: 3")])
def test_condition_on_what_was_bought_is_a_fault_of_an_event(given):
    assert places(with_clauses(given, rule=CHECK_IN)) == ["rule:in"]


def test_condition_on_months_since_joining_is_a_fault_of_joining():
    assert places(with_clauses(("age", ">= 1"), rule=JOINING)) == ["rule:join"]


@pytest.mark.parametrize(
    "terms",
    [
        with_clauses(("dates", "2026-05-01..2026-06-01")),
        with_clauses(("dates", "2026-05-01..2026-05-31", True)),
        with_clauses(("category", "travel, rides"), ("category", "rides", True)),
        with_clauses(("tag", "sale"), ("tag", "organic")),
        with_clauses(("segment", "press"), ("tier", "mid, top")),
        with_clauses(("hours", "22:00-02:00"), ("weekday", "fri-mon")),
        with_clauses(("attribute", "place=Prague"), ("attribute", "till=1")),
        with_clauses(("birthday", "month"), ("birthday", "-7..7")),
        with_clauses(("amount", "10..50"), ("amount", "20..30", True)),
        with_clauses(("nth", "1"), ("age", ">= 1")),
    ],
)
def test_conditions_that_can_hold_together_have_no_fault(terms):
    assert faults(terms) == []


def test_fault_of_a_condition_is_said_in_words():
    assert faults(with_clauses(("dates", "2026-05-01..2026-05-31"))) == [
        (
            "rule:base",
            "Rule “Base”, condition “Dates”: it is over on 31\u00a0May\u00a02026, before this version can take effect.",
        )
    ]


# --- Limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "terms",
    [
        with_cap(amount=Decimal(0)),
        with_cap(amount=Decimal("0.001")),
        with_cap(counts="units", amount=Decimal("0.5")),
        with_cap(counts="times", amount=Decimal("1.5")),
        with_cap(counts="kisses"),
        with_cap(window="moon"),
        with_cap(scope="world"),
        with_cap(counts="times", window="purchase"),
        with_cap(scope="program", window="purchase"),
        with_cap(per="place", window="purchase"),
    ],
)
def test_limit_that_makes_no_sense_is_a_fault(terms):
    assert places(terms) == ["rule:base"]


def test_limit_of_units_without_terms_is_a_fault():
    assert places(with_cap(replace(BASE, unit="stars"), counts="units")) == ["rule:base"]


def test_limit_on_the_amount_is_a_fault_of_an_event():
    assert places(with_cap(CHECK_IN)) == ["rule:in"]


def test_limit_for_each_attribute_is_a_fault_of_joining():
    assert places(with_cap(JOINING, counts="times", per="place")) == ["rule:join"]


@pytest.mark.parametrize(
    "terms",
    [
        with_cap(counts="units", scope="program", window="lifetime"),
        with_cap(CHECK_IN, counts="times", per="place"),
        with_cap(amount=Decimal(0), is_on=False),
    ],
)
def test_limit_that_makes_sense_has_no_fault(terms):
    assert faults(terms) == []


# --- Stacking --------------------------------------------------------------------------------------------------------

GROUP = GroupContent("group", "Purchases", 0, "best")
IN_GROUP = replace(BASE, group="group")


@pytest.mark.parametrize(
    ("group", "rules"),
    [
        (replace(GROUP, mode="worst"), (IN_GROUP,)),
        (GROUP, (BASE,)),
        (GROUP, (IN_GROUP, replace(IN_GROUP, code="nights", unit="nights"))),
        (replace(GROUP, caps=(CapContent("day", Decimal(5)),)), (IN_GROUP,)),
        (
            replace(GROUP, mode="all", caps=(CapContent("day", Decimal(5), counts="units"),)),
            (IN_GROUP, replace(IN_GROUP, code="nights", unit="nights")),
        ),
    ],
    ids=["mode", "empty", "units", "amount", "sum_of_units"],
)
def test_group_that_cannot_work_is_a_fault(group, rules):
    assert places(replace(SOUND, groups=(group,), rules=rules)) == ["group:group"]


def test_two_base_rules_without_a_stacking_mode_are_a_fault_of_the_second():
    double = replace(BASE, code="double", name="Double", position=1, clauses=(ClauseContent("weekday", "mon"),))

    assert faults(replace(SOUND, rules=(BASE, double))) == [
        (
            "rule:double",
            "Rules “Base” and “Double” can both apply to the same purchase: say how they stack, put both in a group.",
        )
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("category", "travel"), ("category", "rides")),
        (("category", "travel"), ("category", "travel", True)),
        (("tier", "mid"), ("tier", "top")),
        (("dates", "..2026-06-30"), ("dates", "2026-07-01..")),
        (("quantity", "<= 2"), ("quantity", ">= 3")),
        (("segment", "press"), ("segment", "press", True)),
    ],
)
def test_base_rules_kept_apart_by_their_conditions_have_no_fault(one, other):
    rules = (
        replace(BASE, clauses=(ClauseContent(*one),)),
        replace(BASE, code="other", position=1, clauses=(ClauseContent(*other),)),
    )

    assert faults(replace(SOUND, rules=rules)) == []


def test_base_rules_in_a_group_or_of_different_units_have_no_fault():
    together = (IN_GROUP, replace(IN_GROUP, code="other"), replace(BASE, code="nights", unit="nights"))

    assert faults(replace(SOUND, groups=(GROUP,), rules=together)) == []


# --- Around the terms ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_draft_is_held_against_its_programs_segments_and_present():
    program = make_shop(clock=datetime(2026, 6, 1, 12, tzinfo=UTC))
    draft = actions.start_draft(program=program, by=None)
    rule = draft.rules.get()
    RuleClause.objects.create(rule=rule, kind="dates", value="..2026-05-31")
    RuleClause.objects.create(rule=rule, kind="segment", value="Press")
    found = [fault.where for fault in faults_of(draft)]

    Segment.objects.create(program=program, code="press", name="Press")
    rule.clauses.filter(kind="dates").update(value="..2026-06-01")

    assert (found, faults_of(draft)) == ([f"rule:{rule.code}"] * 2, [])
