"""Every finding has its sentence: fired, cut, or why not; returns by rule; facts of before are still read."""

from __future__ import annotations

import pytest
from django.utils import translation

from loyalty.purchases.explanations import explain, explain_award
from loyalty.purchases.models import Award, Judgement
from programs.models import Rule, RuleClause, Unit
from tests.factories import LADDER, RuleSpec, UnitSpec, make_member, make_program, make_shop, make_unit, make_version
from tests.factories.activity import JOINED, drain, record

pytestmark = pytest.mark.django_db
NB = "\u00a0"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def program():
    program = make_program()
    make_unit(program=program)
    return program


def finding(**facts):
    """Return a finding as it is kept: what says nothing left out."""
    plain = {"rule": "base", "name": "Base", "unit": "points", "effect": "per_amount", "reason": "earned"}
    return plain | {"amount": 0, "counted": 0, "rate": 10_000, "units": 0, "pieces": 0} | facts


def reasons(program, *findings, version=None, tier=""):
    judgement = Judgement(program=program, facts={"findings": list(findings)}, version=version, tier=tier)
    units = {unit.code: unit for unit in Unit.objects.filter(program=program)}
    return explain(judgement, program=program, units=units)


def text(program, **facts):
    return reasons(program, finding(**facts))[-1].text


LIMIT = {"cut_by": "program_year", "limit": 100, "cap_counts": "units", "cap_scope": "member"}
FIXED = {"effect": "fixed", "rate": 250_000}


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"counted": 1_000, "units": 10}, "€10.00 × 1"),
        ({"counted": 1_099, "units": 13, "rate": 12_500}, "€10.99 × 1.25 = 13.7375, rounded down"),
        ({"counted": 20_000, "units": 400, "effect": "percent", "rate": 2_000_000}, "200% of €200.00"),
        ({"counted": 20_000, "units": 1_250}, "€200.00 at the rates of its lines"),
        ({**FIXED, "units": 25}, f"Fixed award of 25{NB}points"),
        ({"effect": "per_item", "rate": 100_000, "pieces": 1_500, "units": 15}, "Quantity 1.5 × 10"),
        ({"effect": "stamp", "pieces": 2_000, "units": 2}, "Quantity 2 × 1"),
        ({"reason": "nothing"}, "The purchase has no amount that earns"),
        ({"reason": "nothing", "effect": "stamp"}, "The purchase has no pieces that count"),
        ({"reason": "nothing", "effect": "bonus"}, "There is nothing to add to"),
        ({"reason": "nothing", "rate": 0}, "It gives nothing in this tier"),
        ({"reason": "rounded_away", "counted": 99}, "€0.99 × 1 = 0.99, rounded down: less than the smallest step"),
        ({"reason": "beaten"}, "Another rule gave more"),
        ({"reason": "taken"}, "The rules before it counted all of it"),
        (
            {"reason": "cut", "counted": 500, "units": 5, **LIMIT, "cap_counts": "amount", "limit": 500},
            "€5.00 × 1; the limit of €5 in one year of the program cut the rest",
        ),
        (
            {"reason": "cut", **FIXED, "units": 10, **LIMIT, "cut_by": "week", "cap_scope": "program"},
            f"Fixed award of 25{NB}points; the program's budget of 100{NB}points in one week cut the rest",
        ),
        (
            {"reason": "limit_used", **FIXED, **LIMIT, "cut_by": "lifetime", "cap_counts": "times", "limit": 1},
            "The limit of 1 time in all is used up",
        ),
        (
            {"reason": "limit_used", **FIXED, **LIMIT, "cut_by": "day", "cap_counts": "times", "limit": 3},
            "The limit of 3 times in one day is used up",
        ),
        (
            {"reason": "limit_used", **FIXED, **LIMIT, "cut_by": "week", "cap_scope": "program"},
            f"The program's budget of 100{NB}points in one week is used up",
        ),
    ],
)
def test_finding_is_told(program, facts, sentence):
    assert text(program, **facts) == sentence


@pytest.mark.parametrize("window", ["purchase", "day", "week", "month", "quarter", "year", "program_year", "lifetime"])
def test_window_of_a_limit_is_told_and_named_to_programs(program, window):
    [reason] = reasons(program, finding(reason="limit_used", cut_by=window, limit=500))

    assert (reason.fired, reason.cut_by) == (False, window)
    assert reason.text.startswith("The limit of €5 in ")


def test_bonus_is_told_by_what_it_was_added_to(program):
    bonus = finding(rule="extra", effect="bonus", rate=500_000, of="base", units=1_000)

    told = reasons(program, finding(counted=200_000, units=2_000), bonus)

    assert told[1].text == f"50% of 2,000{NB}points"


@pytest.mark.parametrize(
    ("of_tier_rate", "units", "sentence"),
    [(False, 30, "€10.00 × 1 × 3"), (True, 37, "€10.00 × 1.25 × 3 = 37.5, rounded down")],
)
def test_multiplier_is_told_by_the_rate_that_it_multiplies(of_tier_rate, units, sentence):
    program = make_program()
    base = RuleSpec(tier_rates={"silver": "1.25"})
    version = make_version(program=program, tiers=LADDER, rules=[base], is_published=False)
    Rule.objects.create(
        version=version,
        code="triple",
        name="Triple",
        unit=make_unit(program=program),
        effect="multiplier",
        rate=3,
        of="base",
        of_tier_rate=of_tier_rate,
    )
    triple = finding(rule="triple", effect="multiplier", rate=30_000, of="base", counted=1_000, units=units)

    assert reasons(program, triple, version=version, tier="silver")[0].text == sentence


def test_condition_in_the_way_is_told_from_the_terms_it_was_judged_by():
    program = make_program()
    version = make_version(program=program, is_published=False)
    RuleClause.objects.create(rule=version.rules.get(), kind="weekday", value="tue")
    RuleClause.objects.create(rule=version.rules.get(), kind="category", value="travel")

    told = reasons(program, finding(reason="not_met", clause="weekday"), finding(reason="no_lines"), version=version)

    assert [reason.text for reason in told] == [
        "Only on Tuesday",
        "The purchase has no line of the category travel",
    ]


def test_facts_of_before_limits_had_kinds_are_still_told(program):
    facts = {"rule": "base", "name": "Base", "unit": "points", "effect": "per_amount", "rate": 10_000}
    old = facts | {"reason": "cut", "amount": 900, "counted": 500, "units": 5, "cut_by": "month", "limit": 500}

    [reason] = reasons(program, old)

    assert (reason.text, reason.cut_by) == ("€5.00 × 1; the limit of €5 in one month cut the rest", "month")


def test_return_is_told_by_rule_with_what_was_expired_waived_or_remembered():
    program = make_program()
    make_version(program=program, units=[UnitSpec(expiry="inactivity", expiry_months=2)])
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r1", 5_000)
    back = record(member, "b1", 5_000, days=200, kind="refund", purchase="r1")
    drain()
    units = {unit.code: unit for unit in Unit.objects.filter(program=program)}
    awards = list(Award.objects.filter(activity=back))
    owed = Judgement(version=back.judgement.version, facts=back.judgement.facts | {"remembered": {"points": 7}})

    [told] = explain(back.judgement, program=program, units=units, awards=awards)
    [told_of_debt] = explain(owed, program=program, units=units, awards=awards)

    assert (told.rule, told.name, told.units) == ("base", "Base", -50)
    assert told.text == f"Taken back with the return; not taken, because expired or waived: 50{NB}points"
    assert told_of_debt.text == f"{told.text}; spent before, so taken out of the next ones: 7{NB}points"


def test_award_of_a_return_that_leaves_more_than_it_takes_is_told():
    program = make_shop()
    award = Award(rule="base", unit=Unit.objects.get(program=program), amount=5)
    judgement = Judgement(facts={"purchase": "…"})

    assert explain_award(award, judgement=judgement, program=program) == "Given: what is left earns more"
