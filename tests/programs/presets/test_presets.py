"""What ships says what the programs published."""

from decimal import Decimal

import pytest

from programs import presets
from programs.content import CapContent, ConditionContent, TierRateContent, UnitContent
from programs.faults import find


def test_names_are_those_of_the_files():
    assert presets.names() == ["beauty_insider", "cashback"]


@pytest.mark.parametrize("name", presets.names())
def test_preset_has_no_fault(name):
    assert list(find(presets.get(name).content)) == []


def test_unknown_preset_is_refused():
    with pytest.raises(presets.UnknownPresetError):
        presets.get("../beauty_insider")


def test_beauty_insider_says_what_was_published():
    preset = presets.get("beauty_insider")
    terms = preset.content

    assert (preset.currency, preset.timezone) == ("USD", "America/New_York")
    assert terms.units == (UnitContent("points", "inactivity", 12, 0),)
    assert [(tier.code, tier.rank, tier.conditions) for tier in terms.tiers] == [
        ("insider", 0, ()),
        ("vib", 1, (ConditionContent("spend", "calendar_year", Decimal(350)),)),
        ("rouge", 2, (ConditionContent("spend", "calendar_year", Decimal(1000)),)),
    ]
    assert [(rule.code, rule.effect, rule.rate, rule.tier_rates) for rule in terms.rules] == [
        (
            "base",
            "per_amount",
            Decimal(1),
            (TierRateContent("rouge", Decimal("1.5")), TierRateContent("vib", Decimal("1.25"))),
        )
    ]


def test_cashback_says_what_was_published():
    preset = presets.get("cashback")
    terms = preset.content

    assert (preset.currency, preset.timezone) == ("EUR", "Europe/Prague")
    assert [(unit.code, unit.precision, unit.is_money) for unit in preset.units] == [("cash", 2, True)]
    assert terms.units == (UnitContent("cash", "none", None, 14),)
    assert terms.tiers == ()
    assert [(rule.code, rule.effect, rule.rate, rule.caps) for rule in terms.rules] == [
        ("default", "percent", Decimal(1), (CapContent("month", Decimal(3000)), CapContent("purchase", Decimal(500))))
    ]
