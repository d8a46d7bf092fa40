from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from programs import content
from programs.changes import Change, compare
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
    TierExpiryContent,
    TierRateContent,
    TrialContent,
)
from programs.models import Program, Segment
from tests.factories import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_shop(currency="USD")


@pytest.fixture
def terms(program):
    return content.read(program.versions.get())


def told(before: Content, after: Content, *, program: Program) -> list[tuple[str, str, str]]:
    """Return the name of each value that differs, before and after, with plain spaces."""
    found = compare(before, after, program=program)
    return [tuple(text.replace("\u00a0", " ") for text in (c.detail or c.what, c.before, c.after)) for c in found]


def test_compare_of_equal_terms_is_empty(program, terms):
    assert compare(terms, terms, program=program) == []


def test_compare_says_a_threshold_before_and_after_as_money(program, terms):
    gold = terms.tiers[2]
    eased = replace(gold, conditions=(replace(gold.conditions[0], threshold=Decimal(900)),))

    found = compare(terms, replace(terms, tiers=(*terms.tiers[:2], eased)), program=program)

    assert found == [
        Change("changed", "Tier Gold", "Spend in a calendar year, at least", "$1,000.00", "$900.00", "tier:gold"),
    ]


def test_compare_says_rates_and_limits_of_a_rule(program, terms):
    rule = terms.rules[0]
    changed = replace(
        rule,
        rate=Decimal(2),
        tier_rates=(TierRateContent("gold", Decimal(3)), rule.tier_rates[1]),
        caps=(
            CapContent("month", Decimal("3000.00")),
            CapContent("day", Decimal(1), counts="times", per="place"),
            CapContent("program_year", Decimal(100_000), counts="units", scope="program", is_on=False),
        ),
    )

    assert told(terms, replace(terms, rules=(changed,)), program=program) == [
        ("Rate", "1 point for each $1.00", "2 points for each $1.00"),
        ("Rate for tier Gold", "1.5 points for each $1.00", "3 points for each $1.00"),
        ("Counts at most, a calendar month", "", "$3,000.00"),
        ("Applies at most, a day, apart for each “place”", "", "1 time"),
        ("Gives at most, a year of the program, all members together", "", "100,000 points (switched off)"),
    ]


def test_compare_names_tiers_that_come_and_go(program, terms):
    platinum = replace(terms.tiers[2], code="platinum", name="Platinum")

    found = compare(terms, replace(terms, tiers=(*terms.tiers[:2], platinum)), program=program)

    assert [(change.kind, change.what) for change in found] == [("removed", "Tier Gold"), ("added", "Tier Platinum")]


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (
            {"expiry": "inactivity", "expiry_months": 12, "pending_days": 14, "kept_alive_by": "purchase, event"},
            [
                ("Expires", "never", "after 12 months without activity"),
                ("Can be spent", "at once", "after 14 days"),
                ("Activity is", "", "a purchase or any event"),
            ],
        ),
        (
            {
                "expiry": "rolling",
                "expiry_days": 90,
                "round_up": "quarter",
                "pending_until": date(2027, 3, 1),
                "debt": "waive",
            },
            [
                ("Expires", "never", "90 days after it was earned, at the end of the quarter"),
                ("Can be spent", "at once", "from 1 March 2027 on"),
                ("Return of units already spent", "", "What is there is taken, the rest is waived"),
            ],
        ),
        (
            {"expiry": "fixed", "fixed_days": "12-31, 2027-06-30"},
            [("Expires", "never", "on 31 December, 30 June 2027")],
        ),
        (
            {
                "expiry": "rolling",
                "expiry_months": 6,
                "fall_months": 6,
                "tiers": (TierExpiryContent("silver", 12), TierExpiryContent("gold", None)),
            },
            [
                ("Expires", "never", "6 months after it was earned"),
                ("Expires for members of Silver", "", "after 12 months"),
                ("Expires for members of Gold", "", "never"),
                ("Falling to a tier with an end", "", "6 months from that day"),
            ],
        ),
    ],
)
def test_compare_says_how_a_unit_lives(program, terms, unit, said):
    changed = replace(terms, units=(replace(terms.units[0], **unit),))

    assert told(terms, changed, program=program) == said


def test_compare_says_what_a_tier_asks_for_and_brings(program, terms):
    gold = replace(
        terms.tiers[2],
        conditions=(
            ConditionContent("visits", "rolling", Decimal(10), months=6),
            ConditionContent("spend", "anniversary", Decimal(500)),
            ConditionContent("units", "lifetime", Decimal(1), unit="points", for_life=True),
            ConditionContent("years", "lifetime", Decimal(5), for_life=True),
        ),
        benefits=(BenefitContent("free_shipping", "Delivery", "From 20.00 on"), BenefitContent("entitlement", "Seat")),
        by_invitation=True,
    )

    assert told(terms, replace(terms, tiers=(*terms.tiers[:2], gold)), program=program) == [
        ("Spend in a calendar year, at least", "$1,000.00", ""),
        ("Given", "", "by invitation only"),
        ("Visits in the last 6 months, at least", "", "10"),
        ("Spend in a year of membership, at least", "", "$500.00"),
        ("For life: Points earned since joining, at least", "", "1 point"),
        ("For life: Years in the tier or above, at least", "", "5"),
        ("Benefit “Delivery”", "", "Free shipping: From 20.00 on"),
        ("Benefit “Seat”", "", "Entitlement"),
    ]


@pytest.mark.parametrize(
    ("clause", "name", "said"),
    [
        (ClauseContent("category", "travel, rides"), "Only if category", "travel or rides"),
        (ClauseContent("brand", '"Dior, Paris", Gap', negated=True), "Only if brand", "not Dior, Paris or Gap"),
        (ClauseContent("first_lines", "stay: 3"), "Only if first lines of a category", "the first 3 of “stay”"),
        (ClauseContent("amount", ">= 50"), "Only if amount of the purchase", "at least $50.00"),
        (ClauseContent("quantity", "2..2.5"), "Only if pieces", "from 2 to 2.5"),
        (ClauseContent("age", "<= 1"), "Only if months since joining", "at most 1 month"),
        (ClauseContent("weekday", "sat, sun"), "Only if day of the week", "Saturday or Sunday"),
        (ClauseContent("hours", "09:00-17:00"), "Only if time of day", "09:00-17:00"),
        (ClauseContent("dates", "2027-11-01..2027-11-30"), "Only if dates", "from 1 November 2027 to 30 November 2027"),
        (ClauseContent("dates", "2027-11-01"), "Only if dates", "on 1 November 2027"),
        (ClauseContent("dates", "2027-11-01.."), "Only if dates", "from 1 November 2027 on"),
        (ClauseContent("dates", "..2027-11-01"), "Only if dates", "up to 1 November 2027"),
        (ClauseContent("nth", "1, 2"), "Only if which purchase of the member", "number 1 or 2"),
        (ClauseContent("nth", "every 10"), "Only if which purchase of the member", "one in 10"),
        (ClauseContent("birthday", "month"), "Only if birthday", "in its month"),
        (ClauseContent("birthday", "-7..1"), "Only if birthday", "from 7 days before to 1 day after"),
        (ClauseContent("tier", "silver, gold"), "Only if tier", "Silver or Gold"),
        (ClauseContent("segment", "press"), "Only if segment", "Our friends"),
        (ClauseContent("attribute", "place=Prague, Brno"), "Only if attribute", "“place” is Prague or Brno"),
        (ClauseContent("attribute", "place", negated=True), "Only if attribute", "not place"),
        (ClauseContent("hours", "late"), "Only if time of day", "late"),
    ],
)
def test_compare_says_a_condition_of_a_rule(program, terms, clause, name, said):
    Segment.objects.create(program=program, code="press", name="Our friends")
    changed = replace(terms, rules=(replace(terms.rules[0], clauses=(clause,)),))

    assert told(terms, changed, program=program) == [(name, "", said)]


def rule(code: str, **given) -> RuleContent:
    parts = {"name": code.title(), "position": 1, "unit": "points", "effect": "fixed", "rate": Decimal(5), **given}
    return RuleContent(code=code, **parts)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (rule("new", effect="percent"), "Gives: points; Rate: 5 %"),
        (rule("new", effect="per_item"), "Gives: points; Rate: 5 points for each piece"),
        (rule("new", effect="stamp", rate=Decimal(1)), "Gives: points; Rate: 1 point for each whole piece"),
        (rule("new", effect="bonus", of="base"), "Gives: points; Rate: 5 % of what “Base” gives"),
        (
            rule("new", effect="multiplier", of="base", of_tier_rate=True),
            "Gives: points; Rate: 5 times the rate of “Base”; Multiplies: the rate of the member's tier",
        ),
        (
            rule("new", is_on=False, trigger="event", event="check_in"),
            "Switch: off; Gives: points; Rate: 5 points; For: the event “Check-in”",
        ),
        (rule("new", trigger="enrolment"), "Gives: points; Rate: 5 points; For: joining"),
        (
            rule(
                "new",
                effect="per_item",
                group="best",
                pieces="largest",
                line_rates=(LineRateContent(ClauseContent("brand", "Inn, Place", negated=True), Decimal(2)),),
            ),
            (
                "Group: Best of all; Gives: points; Rate: 5 points for each piece; Pieces: The line with the most; "
                "Rate for lines with brand not Inn or Place: 2 points for each piece"
            ),
        ),
    ],
)
def test_compare_says_what_a_new_rule_gives(program, terms, new, said):
    around = replace(
        terms,
        events=(EventContent("check_in", "Check-in"),),
        groups=(GroupContent("best", "Best of all", 0, "best"),),
    )

    assert told(around, replace(around, rules=(*terms.rules, new)), program=program) == [
        ("Rule New", "", f"Name: New; Order: 1; {said}")
    ]


def test_compare_says_groups_and_events_that_come(program, terms):
    group = GroupContent("fun", "For fun", 0, "all", (CapContent("year", Decimal(100), counts="units"),))
    changed = replace(
        terms,
        events=(EventContent("referral", "Referral", waits_for_friend=True),),
        groups=(group,),
        rules=(replace(terms.rules[0], group="fun"),),
    )

    assert told(terms, changed, program=program) == [
        ("Event Referral", "", "Name: Referral; Counts: once the friend has bought"),
        (
            "Group For fun",
            "",
            "Name: For fun; Order: 0; Of its rules count: All of them; Gives at most, a calendar year: 100 points",
        ),
        ("Group", "", "For fun"),
    ]


def test_compare_says_the_switches_of_a_version(program, terms):
    changed = replace(
        terms,
        tax_earns=True,
        paid_part_earns=True,
        reaching_earns_new=True,
        year_starts=2,
        tier_validity="months",
        tier_months=18,
        tier_fall="one_step",
        tier_grace_months=2,
        needs_notice=True,
        notice_days=14,
        trial=TrialContent("gold", "units", Decimal(15), 12, once_in_months=36, unit="points"),
    )

    held = "The rest of the calendar year and the whole next one"
    assert told(terms, changed, program=program) == [
        ("Tax", "does not earn", "earns"),
        ("The part paid with units", "does not earn", "earns"),
        ("The program's year begins in", "January", "February"),
        ("A tier is held", held, "A number of months from the day it was reached"),
        ("A member falls", "To what was earned", "One tier down"),
        ("What reaches a tier earns at", "the old tier", "the new tier"),
        ("Grace of a tier", "none", "2 months"),
        ("Losses need a notice", "no", "yes, days before: 14"),
        ("A tier is held for", "", "18 months"),
        (
            "Trial of a tier",
            "",
            "Tier: Gold; Kept by, at least: Points earned: 15 points; Kept for: 12 months; At most once in: 36 months",
        ),
    ]


def test_compare_with_nothing_before_adds_everything(program, terms):
    found = compare(None, terms, program=program)

    assert [(change.kind, change.what) for change in found] == [
        ("added", "Unit points"),
        ("added", "Tier Basic"),
        ("added", "Tier Silver"),
        ("added", "Tier Gold"),
        ("added", "Rule Base"),
    ]
