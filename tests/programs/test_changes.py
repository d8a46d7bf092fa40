from dataclasses import replace
from decimal import Decimal

import pytest

from programs import content
from programs.changes import Change, compare
from programs.content import CapContent, TierRateContent
from tests.factories import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_shop(currency="USD")


@pytest.fixture
def terms(program):
    return content.read(program.versions.get())


def test_compare_of_equal_terms_is_empty(program, terms):
    assert compare(terms, terms, program=program) == []


def test_compare_says_a_threshold_before_and_after_as_money(program, terms):
    gold = terms.tiers[2]
    eased = replace(gold, conditions=(replace(gold.conditions[0], threshold=Decimal(900)),))

    found = compare(terms, replace(terms, tiers=(*terms.tiers[:2], eased)), program=program)

    assert found == [
        Change("changed", "Tier Gold", "Spend in a calendar year, at least", "$1,000.00", "$900.00"),
    ]


def test_compare_says_rates_and_limits_of_a_rule(program, terms):
    rule = terms.rules[0]
    changed = replace(
        rule,
        rate=Decimal(2),
        tier_rates=(TierRateContent("gold", Decimal(3)), rule.tier_rates[1]),
        caps=(CapContent("month", Decimal("3000.00")),),
    )

    found = compare(terms, replace(terms, rules=(changed,)), program=program)

    assert [(change.kind, change.detail, change.before, change.after) for change in found] == [
        ("changed", "Rate", "1 point for each $1.00", "2 points for each $1.00"),
        ("changed", "Rate for tier Gold", "1.5 points for each $1.00", "3 points for each $1.00"),
        ("added", "Counts at most, a calendar month", "", "$3,000.00"),
    ]


def test_compare_names_tiers_that_come_and_go(program, terms):
    platinum = replace(terms.tiers[2], code="platinum", name="Platinum")

    found = compare(terms, replace(terms, tiers=(*terms.tiers[:2], platinum)), program=program)

    assert [(change.kind, change.what) for change in found] == [("removed", "Tier Gold"), ("added", "Tier Platinum")]


def test_compare_says_how_a_unit_lives(program, terms):
    unit = replace(terms.units[0], expiry="inactivity", expiry_months=12, pending_days=14)

    found = compare(terms, replace(terms, units=(unit,)), program=program)

    assert [(change.detail, change.before, change.after) for change in found] == [
        ("Expires", "never", "after 12 months without activity"),
        ("Can be spent", "at once", "after 14 days"),
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
