"""A preset's mistakes are named with their place."""

from datetime import date
from decimal import Decimal

import pytest

from programs.content import ClauseContent, LineRateContent, TierExpiryContent, TrialContent
from programs.presets import PresetError
from programs.presets.reading import read

WHOLE = """
[business]
name = "Shop"
brand = "#000000"

[program]
name = "Points"
currency = "EUR"
timezone = "UTC"
language = "en"

[trial]
tier = "gold"
measure = "units"
unit = "points"
need = "15"
months = 12

[[units]]
code = "points"
name = "point"
name_plural = "points"
precision = 0
is_spendable = false
expiry = "rolling"
expiry_months = 6
pending_until = 2026-03-01
tier_expiry = { gold = "never", basic = 3 }

[[tiers]]
code = "basic"
name = "Basic"

[[tiers]]
code = "gold"
name = "Gold"
conditions = [{ measure = "visits", window = "rolling", months = 6, threshold = "3" }]

[[rules]]
code = "base"
name = "Base"
unit = "points"
effect = "per_amount"
rate = "1"
tier_rates = { gold = "2" }
conditions = [{ kind = "category", value = "gift", negated = true }]
line_rates = [{ kind = "brand", value = "Acme", rate = "5" }]
"""


def test_read_keeps_what_the_text_says():
    preset = read("shop", WHOLE)
    terms = preset.content
    rule = terms.rules[0]

    assert preset.units[0].is_spendable is False
    assert terms.trial == TrialContent("gold", "units", Decimal(15), 12, unit="points")
    assert terms.units[0].tiers == (TierExpiryContent("basic", 3), TierExpiryContent("gold", None))
    assert terms.units[0].pending_until == date(2026, 3, 1)
    assert terms.tiers[1].conditions[0].months == 6
    assert rule.clauses == (ClauseContent("category", "gift", negated=True),)
    assert rule.line_rates == (LineRateContent(ClauseContent("brand", "Acme"), Decimal(5)),)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('effect = "per_amount"', 'efect = "per_amount"', "shop, rules base: “effect” is missing."),
        ("negated = true", "not = true", "shop, rules base, conditions 1: “not” is no key that presets have."),
        (
            "negated = true",
            'negated = "yes"',
            "shop, rules base, conditions 1: “negated” has to be of the type bool.",
        ),
        ("[trial]", "[trail]", "shop: “trail” is no key that presets have."),
        ('language = "en"', 'language = "en"\nzone = "UTC"', "shop, program: “zone” is no key that presets have."),
        ('rate = "1"', "rate = 1", "shop, rules base: “rate” has to be of the type str."),
        ('rate = "1"', 'rate = "one"', "shop, rules base: “rate” is no number: “one”."),
        ("expiry_months = 6", "expiry_months = true", "shop, units points: “expiry_months” has to be of the type int."),
        ("basic = 3", "silver = 3", "shop, units points: there is no tier “silver”."),
        ('{ gold = "2" }', '{ golden = "2" }', "shop, rules base: there is no tier “golden”."),
        ('unit = "points"\neffect', 'unit = "stars"\neffect', "shop, rules base: there is no unit “stars”."),
        ('unit = "points"\neffect', 'unit = "points"\ngroup = "g"\neffect', "shop, rules base: there is no group “g”."),
        ('code = "basic"\n', 'code = "gold"\n', "shop: two of tiers are called “gold”."),
    ],
)
def test_mistake_is_refused_with_its_place(right, wrong, said):
    assert WHOLE.count(right) == 1

    with pytest.raises(PresetError) as refused:
        read("shop", WHOLE.replace(right, wrong))

    assert str(refused.value) == said


def test_text_that_is_no_toml_is_refused():
    with pytest.raises(PresetError, match="shop: "):
        read("shop", "[business")
