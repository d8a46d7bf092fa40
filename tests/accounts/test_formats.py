from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from accounts import formats

NB = "\u00a0"


@dataclass
class Unit:
    name: str = "point"
    name_plural: str = "points"
    precision: int = 0
    is_money: bool = False


POINTS, CASH = Unit(), Unit("cash", "cash", 2, is_money=True)


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (12_345_600, "USD", "$123,456.00"),
        (-16_000, "USD", "−$160.00"),
        (500, "JPY", "¥500"),
        (16_050, "CZK", f"CZK{NB}160.50"),
    ],
)
def test_money_has_the_currency_s_digits_and_a_true_minus(minor, currency, written):
    assert formats.money(minor, currency) == written


@pytest.mark.parametrize(("minor", "written"), [(16_000, "$160"), (16_050, "$160.50")])
def test_money_in_a_sentence_drops_the_cents_of_whole_amounts_alone(minor, written):
    assert formats.money(minor, "USD", drop_cents=True) == written


def test_money_in_czech_stands_as_czech_writes_it():
    with translation.override("cs"):
        assert formats.money(160_050, "CZK") == f"1{NB}600,50{NB}Kč"


@pytest.mark.parametrize(
    ("unit", "amount", "written"),
    [
        (POINTS, 1, f"1{NB}point"),
        (POINTS, 1642, f"1,642{NB}points"),
        (POINTS, -40, f"−40{NB}points"),
        (CASH, 2460, "€24.60"),
    ],
)
def test_units_carry_their_name_unless_they_are_money(unit, amount, written):
    assert formats.units(unit, amount, currency="EUR") == written


@pytest.mark.parametrize(("amount", "written"), [(85, "+85"), (-40, "−40"), (0, "0")])
def test_signed_marks_gains_and_leaves_the_rest(amount, written):
    assert formats.signed(formats.figure(POINTS, amount, currency="EUR"), amount) == written


def test_days_never_break():
    assert formats.day(date(2027, 11, 18)) == f"18{NB}November{NB}2027"
    assert formats.day(date(2027, 11, 18), year=False) == f"18{NB}November"
    assert formats.short_day(date(2027, 11, 18)) == f"18{NB}Nov"
    assert formats.month(date(2027, 11, 1)) == "November 2027"


def test_lithuanian_day_keeps_its_hyphen():
    with translation.override("lt"):
        assert formats.short_day(date(2026, 12, 31)) == "12-31"


def test_moment_is_that_of_the_zone():
    at = datetime(2025, 12, 9, 23, 30, tzinfo=UTC)

    assert formats.moment(at, zone=ZoneInfo("Europe/Prague")) == f"10{NB}Dec{NB}2025, 00:30"


@pytest.mark.parametrize(("rate", "written"), [("1.5000", "1.5"), ("2", "2"), ("0.1250", "0.125")])
def test_rate_is_as_short_as_it_can_be(rate, written):
    assert formats.rate(Decimal(rate)) == written


def test_percent_has_a_space_only_where_the_language_wants_one():
    assert formats.percent(0.1234) == "12.3%"
    with translation.override("cs"):
        assert formats.percent(0.1234) == f"12,3{NB}%"
