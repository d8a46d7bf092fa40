from dataclasses import replace
from decimal import Decimal

import pytest

from programs import actions, content
from programs.content import CapContent, ClauseContent, ConditionContent, EventContent
from programs.faults import faults_of
from programs.faults.fault import Known
from programs.faults.remarks import find, remarks_of
from tests.factories import make_member, make_shop

pytestmark = pytest.mark.django_db
KNOWN = Known(names={"points": "points", "nights": "nights"})


@pytest.fixture
def program():
    return make_shop()


@pytest.fixture
def terms(program):
    return content.read(program.versions.get())


def remarks(terms, **around):
    return [(one.where, one.message) for one in find(terms, KNOWN, **around)]


def test_terms_without_oddities_have_no_remarks(terms):
    assert remarks(terms, before=terms, peopled=frozenset()) == []


def test_unit_that_no_rule_gives_and_the_tier_that_counts_it_are_worth_a_look(terms):
    nights = replace(terms.units[0], unit="nights")
    condition = ConditionContent("units", "calendar_year", Decimal(10), unit="nights")
    top = replace(terms.tiers[2], conditions=(condition,))

    found = remarks(replace(terms, units=(*terms.units, nights), tiers=(*terms.tiers[:2], top)))

    assert found == [
        ("unit:nights", "No rule gives “nights”."),
        ("tier:gold", "Nobody can reach tier “Gold”: it counts “nights”, which no rule gives."),
    ]


def test_event_without_a_rule_earns_nothing(terms):
    found = remarks(replace(terms, events=(EventContent("review", "Review"),)))

    assert found == [("events", "Event “Review” earns nothing: no rule is about it.")]


@pytest.mark.parametrize(("limit", "count"), [(24, 1), (25, 0)])
def test_limit_that_cuts_each_award_is_worth_a_look(terms, limit, count):
    cap = CapContent("month", Decimal(limit), counts="units")
    rule = replace(terms.rules[0], effect="fixed", rate=Decimal(25), tier_rates=(), caps=(cap,))

    assert len(remarks(replace(terms, rules=(rule,)))) == count


@pytest.mark.parametrize(("peopled", "count"), [(frozenset(), 1), (frozenset({"press"}), 0), (None, 0)])
def test_rule_for_a_segment_that_nobody_is_in_is_worth_a_look(terms, peopled, count):
    rule = replace(terms.rules[0], clauses=(ClauseContent("segment", "Press, staff"),))

    assert len(remarks(replace(terms, rules=(rule,)), peopled=peopled)) == count


def test_what_members_may_take_for_a_breach_is_worth_a_look(terms):
    before = replace(terms, needs_notice=True)
    ends = replace(terms.units[0], expiry="rolling", expiry_months=12)
    after = replace(terms, units=(ends,), tiers=terms.tiers[:2], needs_notice=False)

    assert [where for where, _message in remarks(after, before=before)] == ["terms", "unit:points", "tiers"]


def test_remarks_of_a_draft_stand_beside_its_faults_and_know_its_segments(program):
    draft = actions.start_draft(program=program, by=None)
    draft.rules.get().clauses.create(kind="segment", value="press")
    segment = program.segments.create(code="Press", name="Press")

    def found():
        return remarks_of(content.read(draft), program=program, before=content.read(program.versions.get(number=1)))

    assert [one.where for one in found()] == ["rule:base"]
    assert faults_of(draft) == []

    segment.members.create(program=program, membership=make_member(program=program))
    assert found() == []
