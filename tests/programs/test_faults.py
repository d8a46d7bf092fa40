from dataclasses import replace
from decimal import Decimal

import pytest

from programs.content import ConditionContent, Content, RuleContent, TierContent, UnitContent
from programs.faults import find

POINTS = UnitContent(unit="points", expiry="none", expiry_months=None, pending_days=0)
BASE = RuleContent(code="base", name="Base", position=0, unit="points", effect="per_amount", rate=Decimal(1))


def tier(code: str, rank: int, spend: str = "") -> TierContent:
    conditions = (ConditionContent("spend", "calendar_year", Decimal(spend)),) if spend else ()
    return TierContent(code=code, name=code.title(), rank=rank, conditions=conditions)


SOUND = Content(
    tax_earns=False,
    tier_validity="next_year",
    units=(POINTS,),
    tiers=(tier("low", 0), tier("mid", 1, "350"), tier("top", 2, "1000")),
    rules=(BASE,),
)


def places(terms: Content) -> list[str]:
    return [fault.where for fault in find(terms)]


def test_sound_terms_have_no_fault():
    assert places(SOUND) == []


def test_terms_without_tiers_have_no_fault():
    assert places(replace(SOUND, tiers=())) == []


@pytest.mark.parametrize(
    ("tiers", "where"),
    [
        ((tier("low", 0), tier("mid", 1, "350"), tier("top", 2, "350")), ["tier:top"]),
        ((tier("low", 0), tier("mid", 1, "350"), tier("top", 2, "349.99")), ["tier:top"]),
        ((tier("low", 0, "1"), tier("mid", 1, "350")), ["tiers"]),
        ((tier("low", 0), tier("mid", 1), tier("top", 2, "9")), ["tier:mid"]),
        ((tier("low", 0, "1"), tier("mid", 1)), ["tier:low"]),
        ((tier("low", 0), replace(tier("mid", 1, "5"), name="Low")), ["tiers"]),
    ],
)
def test_ladder_that_is_not_one_is_a_fault(tiers, where):
    assert places(replace(SOUND, tiers=tiers)) == where


@pytest.mark.parametrize(
    ("terms", "where"),
    [
        (replace(SOUND, rules=()), ["rules"]),
        (replace(SOUND, units=()), ["units", "rule:base"]),
        (replace(SOUND, rules=(replace(BASE, unit="stars"),)), ["rule:base"]),
        (replace(SOUND, rules=(replace(BASE, rate=Decimal(0)),)), ["rule:base"]),
    ],
)
def test_rules_that_give_nothing_are_a_fault(terms, where):
    assert places(terms) == where
