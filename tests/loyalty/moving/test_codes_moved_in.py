from datetime import date

import pytest

from loyalty.moving import actions
from loyalty.rewards.models import PoolCode
from tests.factories import make_program, make_shop
from tests.loyalty.moving.sheets import check, counts, csv_of, faults, move

CODES = {"kind": "codes", "pool": "cinema"}


@pytest.fixture
def program(db):
    return make_shop(currency="EUR")


def test_codes_move_in_once_and_those_in_the_pool_are_unchanged(program):
    body = csv_of("code;value;expires_on", "AB-1;5,50;2999-12-31", "ab-1;;", "x;;")

    first, again = move(program, body, **CODES), move(program, body + csv_of("y;;"), **CODES)

    assert (counts(first), counts(again)) == ((3, 0, 0, 0), (1, 0, 3, 0))
    assert PoolCode.objects.values_list("pool", "value_minor", "expires_on").get(code="AB-1") == (
        "cinema",
        550,
        date(2999, 12, 31),
    )


def test_bad_codes_are_named_and_the_good_ones_move_in(program):
    lines = ["A,,", ",5,", "A,,", "B,1.234,", "C,0,", "D,,2020-01-01", "1.2E+15,,", f"{'x' * 65},,", "E,5 EUR,soon"]

    moving = move(program, csv_of("code,value,expires_on", *lines), **CODES)

    assert [(row, column, code) for row, column, _value, code in faults(moving)] == [
        (3, "code", "no-code"),
        (4, "code", "same-code"),
        (5, "value", "too-precise"),
        (6, "value", "not-positive"),
        (7, "expires_on", "ended-in-past"),
        (8, "code", "mangled"),
        (9, "code", "too-long"),
        (10, "value", "not-a-number"),
        (10, "expires_on", "not-a-date"),
    ]
    assert list(PoolCode.objects.values_list("code", flat=True)) == ["A"]


def test_unknown_columns_are_named_and_nothing_is_read(program):
    moving = check(program, csv_of("code,amount", "A,5"), **CODES)

    assert (moving.status, faults(moving)) == ("unreadable", [(1, "amount", "amount", "unknown-column")])


def test_pool_needs_a_name_and_the_program_terms(program):
    with pytest.raises(actions.NotAPoolError):
        check(program, csv_of("code", "A"), kind="codes", pool="My pool")
    with pytest.raises(actions.NoTermsError):
        check(make_program(), csv_of("code", "A"), **CODES)
