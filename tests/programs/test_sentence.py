"""What a rule does, said in sentences whose facts know the field that they come from."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import translation

from programs.changes.sentence import plain, rule_sentence
from programs.changes.words import Words
from programs.content import (
    CapContent,
    ClauseContent,
    Content,
    GroupContent,
    LineRateContent,
    RuleContent,
    TierRateContent,
)

POINTS = SimpleNamespace(code="points", name="point", name_plural="points", precision=0, is_money=False)
WORDS = Words(
    currency="USD",
    units={"points": POINTS},
    tiers={"basic": "Basic", "gold": "Gold"},
    rules={"base": "Base", "other": "Other"},
    events={"review": "Review"},
    segments={"press": "The press"},
)
SHORT = "For a purchase a member gets 1.5 points for each $1.00."
BASE = RuleContent("base", "Base", 0, "points", "per_amount", Decimal("1.5000"))


def said(rule: RuleContent, *others: RuleContent, groups=()) -> str:
    terms = Content(tax_earns=False, tier_validity="next_year", rules=(rule, *others), groups=tuple(groups))
    return plain(rule_sentence(rule, terms, WORDS)).replace("\xa0", " ")


def only(kind: str, value: str, *, negated: bool = False) -> str:
    """Return how a condition is said after “but only”."""
    text = said(replace(BASE, clauses=(ClauseContent(kind, value, negated),)))
    return text.partition(", but only ")[2].removesuffix(".")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, SHORT),
        ({"effect": "percent"}, "For a purchase a member gets 1.5 % of the amount in points."),
        ({"effect": "stamp", "rate": Decimal(1)}, "For a purchase a member gets 1 point for each whole piece."),
        (
            {"effect": "per_item", "pieces": "largest"},
            "For a purchase a member gets 1.5 points for each piece of the line with the most pieces.",
        ),
        (
            {"effect": "multiplier", "of": "other", "of_tier_rate": True},
            "For a purchase a member gets 1.5 times the rate that “Other” has for the member's tier.",
        ),
        (
            {"trigger": "event", "event": "review", "effect": "fixed"},
            "For the event “Review” a member gets 1.5 points.",
        ),
        ({"trigger": "enrolment", "effect": "fixed"}, "For joining a member gets 1.5 points."),
        (
            {"is_on": False},
            "Switched off: it gives nothing. For a purchase a member gets 1.5 points for each $1.00.",
        ),
        (
            {"tier_rates": (TierRateContent("gold", Decimal(3)), TierRateContent("basic", Decimal(2)))},
            "For a purchase a member gets 1.5 points for each $1.00. It is 2 in the tier Basic and 3 in the tier Gold.",
        ),
        (
            {"line_rates": (LineRateContent(ClauseContent("brand", "Inn"), Decimal(5)),)},
            SHORT + " In place of that it is 5 points for each $1.00 on the brand “Inn”; "
            "the first that fits a line counts.",
        ),
    ],
)
def test_rule_says_what_it_gives(changed, sentence):
    assert said(replace(BASE, **changed)) == sentence


@pytest.mark.parametrize(
    ("kind", "value", "phrase", "opposite"),
    [
        ("category", "travel, rides", "on the category travel or rides", "not on the category travel or rides"),
        ("tag", "sale", "on what is tagged “sale”", "not on what is tagged “sale”"),
        ("first_lines", "stay: 3", "on the first 3 of “stay”", "not on the first 3 of “stay”"),
        ("amount", ">= 50", "for an amount of at least $50.00", "not for an amount of at least $50.00"),
        ("weekday", "sat, sun", "on Saturday or Sunday", "not on Saturday or Sunday"),
        ("hours", "9:00-17:30", "between 09:00 and 17:30", "not between 09:00 and 17:30"),
        ("dates", "2026-05-01", "on 1 May 2026", "not on 1 May 2026"),
        ("nth", "1", "for the member's purchase number 1", "not for the member's purchase number 1"),
        ("nth", "every 10", "for one in 10 purchases of the member", "not for one in 10 purchases of the member"),
        ("birthday", "month", "in the month of the birthday", "not in the month of the birthday"),
        (
            "birthday",
            "-7..1",
            "from 7 days before to 1 day after the birthday",
            "not from 7 days before to 1 day after the birthday",
        ),
        ("tier", "gold", "in the tier Gold", "not in the tier Gold"),
        ("segment", "press", "for members of The press", "not for members of The press"),
        ("age", ">= 12", "at least 12 months after joining", "not at least 12 months after joining"),
        ("attribute", "place=Prague", "where “place” is Prague", "not where “place” is Prague"),
        ("hours", "late", "between late", "not between late"),
    ],
)
def test_condition_is_a_phrase(kind, value, phrase, opposite):
    assert (only(kind, value), only(kind, value, negated=True)) == (phrase, opposite)


@pytest.mark.parametrize(
    ("cap", "sentence"),
    [
        (CapContent("month", Decimal(500), "units"), "It gives each member at most 500 points a calendar month."),
        (
            CapContent("purchase", Decimal(250)),
            "Of each member's purchases it counts at most $250.00 in one purchase.",
        ),
        (
            CapContent("day", Decimal(1), "times", per="place"),
            "For each member it applies at most 1 time a day. Each “place” counts apart.",
        ),
        (
            CapContent("lifetime", Decimal(9), "units", scope="program"),
            "It gives all members together at most 9 points in all.",
        ),
        (CapContent("day", Decimal(1), "times", is_on=False), ""),
    ],
)
def test_limit_is_a_sentence(cap, sentence):
    assert said(replace(BASE, caps=(cap,))).partition("$1.00.")[2].strip() == sentence


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("all", "It counts together with “Other”."),
        ("best", "Where “Other” fits too, the member gets the better one."),
        ("first", "With “Other”, the first in order counts; what it leaves goes to the next."),
    ],
)
def test_group_says_how_its_rules_stack_and_its_limit(mode, sentence):
    group = GroupContent("g", "Group", 0, mode, caps=(CapContent("year", Decimal(100), "units"),))
    rule, other = replace(BASE, group="g"), replace(BASE, code="other", name="Other", group="g")

    told = said(rule, other, groups=[group]).partition("$1.00. ")[2]

    assert told == f"{sentence} For the whole group: It gives each member at most 100 points a calendar year."


def test_facts_know_their_fields():
    rule = replace(BASE, clauses=(ClauseContent("weekday", "sat"),), caps=(CapContent("day", Decimal(9), "units"),))
    terms = Content(tax_earns=False, tier_validity="next_year", rules=(rule, replace(BASE, code="other")))

    pieces = rule_sentence(rule, terms, WORDS)

    assert [piece.field for piece in pieces if piece.field] == ["trigger", "effect", "clauses", "caps", "group"]


def test_days_of_the_week_follow_the_language():
    with translation.override("cs"):
        assert "sobota" in said(replace(BASE, clauses=(ClauseContent("weekday", "sat"),))).lower()
