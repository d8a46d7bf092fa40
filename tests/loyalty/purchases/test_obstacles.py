"""Which condition was in the way, in words: one sentence for each kind, in general and by what it asks."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from loyalty.purchases.obstacles import no_lines, not_met
from programs.clauses import READERS, parsed
from programs.engine.clauses import LINE_KINDS
from programs.engine.terms import Rule, Terms, Tier

NB = "\u00a0"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def terms_with(*clauses):
    rule = Rule("extra", "Extra", "points", "fixed", 50_000, clauses=clauses)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    tiers = (Tier("basic", "Basic"), Tier("gold", "Golden"))
    return Terms(uuid.uuid4(), 1, start, ZoneInfo("UTC"), 2, tax_earns=True, units={}, tiers=tiers, rules=(rule,))


def told(kind, *clauses):
    terms = terms_with(*clauses)
    if kind in LINE_KINDS:
        return no_lines(rule="extra", terms=terms)
    return not_met(kind, rule="extra", terms=terms, currency="EUR")


@pytest.mark.parametrize(
    ("kind", "asked", "sentence", "sentence_of_not"),
    [
        ("store", "Brno, Praha", "Only in these stores: brno, praha", "Not in these stores: brno, praha"),
        ("channel", "app", "Only through these channels: app", "Not through these channels: app"),
        ("segment", "staff", "Only for members of: staff", "Not for members of: staff"),
        ("tier", "gold", "Only in the tiers: Golden", "Not in the tiers: Golden"),
        ("weekday", "tue, thu", "Only on Tuesday, Thursday", "Not on Tuesday, Thursday"),
        ("nth", "1, 3", "Only for the member's purchase number 1, 3", "Not for the member's purchase number 1, 3"),
        ("nth", "every 10", "Only for one in 10 purchases", "Not for one in 10 purchases"),
        ("birthday", "month", "Only in the month of the birthday", "Not in the month of the birthday"),
        ("birthday", "-7..7", "Only around the birthday", "Not around the birthday"),
        ("attribute", "place=Brno, Praha", "Only where “place” is brno, praha", "Not where “place” is brno, praha"),
        ("attribute", "place", "Only where “place” is given", "Not where “place” is given"),
        (
            "hours",
            "09:00-17:00",
            "Time of day: only between 09:00 and 17:00",
            "Time of day: not between 09:00 and 17:00",
        ),
        (
            "dates",
            "2026-11-01..2026-11-30",
            f"Date: only between 1{NB}November{NB}2026 and 30{NB}November{NB}2026",
            f"Date: not between 1{NB}November{NB}2026 and 30{NB}November{NB}2026",
        ),
        (
            "dates",
            "2026-11-01..",
            f"Date: only from 1{NB}November{NB}2026 on",
            f"Date: not from 1{NB}November{NB}2026 on",
        ),
        ("age", "<= 12", "Months as a member: only up to 12", "Months as a member: not up to 12"),
        ("amount", ">= 50", "Amount of the purchase: only from €50 on", "Amount of the purchase: not from €50 on"),
        ("quantity", ">= 1.5", "Quantity: only from 1.5 on", "Quantity: not from 1.5 on"),
        (
            "category",
            "travel, rides",
            "The purchase has no line of the category travel, rides",
            "The purchase has no other line than of the category travel, rides",
        ),
        (
            "brand",
            "Own",
            "The purchase has no line of the brand own",
            "The purchase has no other line than of the brand own",
        ),
        (
            "sku",
            "a-1",
            "The purchase has no line of the article a-1",
            "The purchase has no other line than of the article a-1",
        ),
        (
            "tag",
            "new",
            "The purchase has no line with the tag new",
            "The purchase has no other line than with the tag new",
        ),
        ("first_lines", "stay: 3", "No line of the purchase fits", "No line of the purchase fits"),
    ],
)
def test_condition_is_told_by_what_it_asks(kind, asked, sentence, sentence_of_not):
    plain, negated = (parsed(kind, asked, negated=negated) for negated in (False, True))

    assert (told(plain.kind, plain), told(negated.kind, negated)) == (sentence, sentence_of_not)


@pytest.mark.parametrize("kind", [*sorted(READERS), "every_nth", "unheard_of"])
def test_condition_that_stands_twice_or_is_not_known_is_told_in_general(kind):
    sentence = told(kind)

    assert sentence
    assert not {"%", "{"} & set(sentence)
