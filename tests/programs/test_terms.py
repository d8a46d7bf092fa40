"""Rows become the engine's terms: money in minor units, units in smallest steps, rates in ten-thousandths."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from programs import actions
from programs.engine import terms as engine
from programs.terms import compiled, schedule_of
from tests.factories import make_program
from tests.factories.terms import EVERYTHING, make_draft_of

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def draft():
    return make_draft_of(EVERYTHING, program=make_program(currency="EUR", timezone="Europe/Prague", clock=CLOCK))


def test_compiled_switches_are_those_of_the_version(draft):
    terms = compiled(draft)

    assert (terms.version_id, terms.number, terms.starts_at) == (draft.pk, 1, CLOCK)
    assert (terms.zone, terms.digits, terms.year_starts) == (ZoneInfo("Europe/Prague"), 2, 2)
    assert (terms.tax_earns, terms.paid_part_earns) == (True, True)
    assert (terms.tier_validity, terms.tier_months, terms.tier_grace_months) == ("months", 6, 1)
    assert (terms.tier_fall, terms.needs_notice, terms.notice_days) == ("one_step", True, 14)
    assert terms.claim_days == 30
    assert terms.trial == engine.Trial("gold", "unit:nights", need=15, months=12, once_in_months=36)
    assert terms.events == {
        "referral": engine.EventType("referral", "Referral", waits_for_friend=True),
        "review": engine.EventType("review", "Review"),
    }


def test_compiled_units_live_as_said(draft):
    assert compiled(draft).units == {
        "nights": engine.UnitTerms(
            code="nights",
            precision=1,
            is_spendable=False,
            expiry="fixed",
            fixed_days=("12-31", "2026-06-30"),
            pending_until=date(2026, 3, 1),
        ),
        "points": engine.UnitTerms(
            code="points",
            expiry="inactivity",
            expiry_months=6,
            round_up="quarter",
            tier_months={"gold": None},
            fall_months=3,
            kept_alive_by=frozenset({"purchase", "review"}),
            pending_days=14,
            debt="remember",
        ),
    }


def test_compiled_tiers_ask_in_minor_units_smallest_steps_and_whole_numbers(draft):
    assert compiled(draft).tiers == (
        engine.Tier("basic", "Basic"),
        engine.Tier("silver", "Silver", conditions=(engine.Condition("spend", "rolling", 35_050, months=6),)),
        engine.Tier(
            "gold",
            "Gold",
            conditions=(
                engine.Condition("spend", "calendar_year", 100_000),
                engine.Condition("unit:nights", "calendar_year", 105),
            ),
            life=(engine.Condition("visits", "lifetime", 250), engine.Condition("years", "lifetime", 5)),
        ),
        engine.Tier("summit", "Summit", by_invitation=True),
    )


def test_compiled_rules_stand_in_order_without_what_is_off(draft):
    base, twice, stay, review = compiled(draft).rules

    assert base == engine.Rule(
        code="base",
        name="Base",
        unit="points",
        effect="per_amount",
        rate=12_500,
        tier_rates={"gold": 15_000},
        caps=(engine.Cap("week", 20, counts="units"), engine.Cap("month", 300_050, scope="program")),
        clauses=(
            engine.Clause("amount", least=1_000),
            engine.Clause("category", negated=True, values=("gift card",)),
        ),
        line_rates=(
            engine.LineRate(engine.Clause("sku", values=("b",)), 50_000),
            engine.LineRate(engine.Clause("brand", values=("a",)), 25_000),
        ),
        group="base",
    )
    assert (twice.effect, twice.of, twice.of_tier_rate, twice.group) == ("multiplier", "base", True, "base")
    assert (stay.unit, stay.rate, stay.pieces) == ("nights", 10_000, "largest")
    assert (review.trigger, review.event) == ("event", "review")
    assert review.caps == (engine.Cap("day", 1, counts="times", per="place"),)


def test_compiled_group_limits_units_in_smallest_steps_of_what_its_rules_give(draft):
    draft.rules.filter(code="review").update(unit=draft.program.units.get(code="nights"))

    assert compiled(draft).groups == {
        "base": engine.Group("base", "Base", "best"),
        "deeds": engine.Group("deeds", "Deeds", "all", caps=(engine.Cap("program_year", 1_000, counts="units"),)),
    }


def test_schedule_reads_a_published_version_once(draft, django_assert_num_queries):
    actions.publish(version=draft, by=None)
    program = draft.program
    first = schedule_of(program)

    with django_assert_num_queries(1):
        again = schedule_of(program)

    assert again.versions[0] is first.versions[0]
