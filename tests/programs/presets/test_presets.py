"""What ships carries the codes that tills rely on and can be published, whatever is switched on."""

from dataclasses import replace

import pytest

from programs import presets
from programs.faults import find

ALL = ["beauty_insider", "cashback", "coffee_stars", "hotel_nights", "punch_card", "vipeak", "xplr_pass"]
HOTEL_TIERS = ["member", "silver", "gold", "platinum", "titanium", "ambassador"]
XPLR_EVENTS = ["app_download", "check_in", "referral", "renewed", "reusable_bag"]


def test_names_are_those_of_the_files():
    assert presets.names() == ALL


def test_unknown_preset_is_refused():
    with pytest.raises(presets.UnknownPresetError):
        presets.get("../beauty_insider")


@pytest.mark.parametrize("name", ALL)
def test_preset_has_no_fault(name):
    assert list(find(presets.get(name).content)) == []


@pytest.mark.parametrize("name", ALL)
def test_preset_with_all_switched_on_has_no_fault(name):
    terms = presets.get(name).content
    rules = tuple(
        replace(rule, is_on=True, caps=tuple(replace(cap, is_on=True) for cap in rule.caps)) for rule in terms.rules
    )

    assert list(find(replace(terms, rules=rules))) == []


@pytest.mark.parametrize("name", ALL)
def test_preset_loses_nothing_for_want_of_a_notice_and_earns_on_what_is_paid_in_money_before_tax(name):
    terms = presets.get(name).content

    assert (terms.needs_notice, terms.tax_earns, terms.paid_part_earns) == (False, False, False)


@pytest.mark.parametrize(
    ("name", "currency", "zone"),
    [
        ("beauty_insider", "USD", "America/New_York"),
        ("vipeak", "HKD", "Asia/Hong_Kong"),
        ("xplr_pass", "USD", "America/Los_Angeles"),
        ("coffee_stars", "USD", "America/Los_Angeles"),
        ("hotel_nights", "USD", "America/New_York"),
        ("cashback", "EUR", "Europe/Prague"),
        ("punch_card", "CZK", "Europe/Prague"),
    ],
)
def test_preset_counts_in_the_published_currency_and_zone(name, currency, zone):
    assert (presets.get(name).currency, presets.get(name).timezone) == (currency, zone)


@pytest.mark.parametrize(
    ("name", "units", "tiers", "events", "rules"),
    [
        (
            "beauty_insider",
            ["points"],
            ["insider", "vib", "rouge"],
            ["birthday_points"],
            ["base", "multiplier", "birthday_points"],
        ),
        ("vipeak", ["points"], ["explorer", "blazer", "adventurer", "pioneer", "summit"], [], ["base"]),
        (
            "xplr_pass",
            ["points"],
            [],
            XPLR_EVENTS,
            ["base", "referral", "app_download", "check_in", "reusable_bag", "renewed"],
        ),
        ("coffee_stars", ["stars"], ["green", "gold", "reserve"], [], ["base", "double_star_day"]),
        ("hotel_nights", ["nights", "points"], HOTEL_TIERS, [], ["base", "tier_bonus", "nights"]),
        ("cashback", ["cash"], [], [], ["travel", "rides", "default"]),
        ("punch_card", ["stamps"], [], [], ["stamp", "welcome"]),
    ],
)
def test_preset_has_the_codes_that_tills_rely_on(name, units, tiers, events, rules):
    terms = presets.get(name).content

    assert [unit.unit for unit in terms.units] == units
    assert [tier.code for tier in terms.tiers] == tiers
    assert [event.code for event in terms.events] == events
    assert [rule.code for rule in terms.rules] == rules


def test_cashback_is_money_and_nights_cannot_be_spent():
    units = [unit for name in ALL for unit in presets.get(name).units]

    assert [(unit.code, unit.precision) for unit in units if unit.is_money] == [("cash", 2)]
    assert [unit.code for unit in units if not unit.is_spendable] == ["nights"]
