"""Amounts and times: exact, and never with an exponent."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.api.formats import LARGEST_AMOUNT, decimal_text, digits_of, moment, moment_text, smallest_steps
from loyalty.api.problems import InvalidError


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [(1099, 2, "10.99"), (-5, 2, "-0.05"), (0, 2, "0.00"), (13, 0, "13"), (-13, 0, "-13"), (5, 4, "0.0005")],
)
def test_decimal_text_has_exactly_the_digits(amount, digits, text):
    assert decimal_text(amount, digits) == text


@given(st.integers(-LARGEST_AMOUNT + 1, LARGEST_AMOUNT - 1), st.integers(0, 4))
def test_amount_written_and_read_again_is_the_same(amount, digits):
    assert smallest_steps(decimal_text(amount, digits), digits, pointer="") == amount


@pytest.mark.parametrize("given", ["10.99", "10.990", Decimal("10.99"), Decimal("10.9900")])
def test_amount_is_read_by_value(given):
    assert smallest_steps(given, 2, pointer="/total") == 1099


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("10.999", "too-precise"),
        (Decimal("0.001"), "too-precise"),
        ("1e2", "not-a-number"),
        ("", "not-a-number"),
        (" 1", "not-a-number"),
        ("+1", "not-a-number"),
        ("1,5", "not-a-number"),
        ("٣", "not-a-number"),
        ("NaN", "not-a-number"),
        (".5", "not-a-number"),
        ("100000000000.00", "amount-out-of-range"),
        (10**20, "amount-out-of-range"),
        (True, "wrong-type"),
        ([], "wrong-type"),
        (None, "required"),
    ],
)
def test_amount_that_is_none_is_refused(given, code):
    with pytest.raises(InvalidError) as refused:
        smallest_steps(given, 2, pointer="/total")

    assert (refused.value.code, refused.value.errors[0].pointer) == (code, "/total")


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_digits_are_those_of_the_currency(currency, digits):
    assert digits_of(currency) == digits


@pytest.mark.parametrize(
    "given", ["2026-03-29T10:15:00+02:00", "2026-03-29T08:15:00Z", "2026-03-29T08:15Z", "20260329T081500Z"]
)
def test_moment_is_the_same_however_it_is_spelled(given):
    assert moment(given, pointer="") == datetime(2026, 3, 29, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("2026-03-29T10:15:00", "offset-missing"),
        ("2026-03-29", "offset-missing"),
        ("yesterday", "not-a-moment"),
        ("2026-02-30T00:00:00Z", "not-a-moment"),
        ("0001-01-01T00:00:00+14:00", "date-out-of-range"),
        ("9999-12-31T23:59:59-14:00", "date-out-of-range"),
    ],
)
def test_moment_that_is_none_is_refused(given, code):
    with pytest.raises(InvalidError) as refused:
        moment(given, pointer="/occurred_at")

    assert refused.value.code == code


def test_moment_is_written_in_the_zone_with_its_offset():
    assert moment_text(datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("Asia/Tokyo")) == "2026-01-01T09:00:00+09:00"
