from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyalty.rewards.models import PoolCode
from loyalty.rewards.pools import Added, PoolRow, add_codes
from tests.factories import make_program

ROWS = [PoolRow("AbC-1"), PoolRow("abc-1", Decimal("5.50"), date(2027, 1, 31))]


@pytest.fixture
def program(db):
    return make_program()


def in_pool(program, pool="coffee"):
    found = PoolCode.objects.filter(program=program, pool=pool).order_by("code")
    return list(found.values_list("code", "value_minor", "expires_on"))


def test_codes_are_added_once_and_their_case_tells_them_apart(program, django_assert_num_queries):
    with django_assert_num_queries(5):  # Three, and the savepoint around them.
        first = add_codes(program=program, pool="coffee", codes=ROWS, by=None)
    again = add_codes(program=program, pool="coffee", codes=[*ROWS, PoolRow("new")], by=None)

    assert (first, again) == (Added(new=2, known=0), Added(new=1, known=2))
    assert sorted(in_pool(program)) == [("AbC-1", None, None), ("abc-1", 550, date(2027, 1, 31)), ("new", None, None)]


def test_pools_and_programs_have_codes_of_their_own(program):
    other = make_program()
    add_codes(program=program, pool="coffee", codes=ROWS, by=None)

    assert add_codes(program=program, pool="tea", codes=ROWS, by=None).new == 2
    assert add_codes(program=other, pool="coffee", codes=ROWS, by=None).new == 2


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"code": ""}, "rewards_poolcode_has_code"),
        ({"value_minor": 0}, "rewards_poolcode_value_positive"),
        ({"code": "AbC-1"}, "rewards_poolcode_once"),
    ],
)
def test_row_that_breaks_the_truth_is_refused(program, fields, constraint):
    add_codes(program=program, pool="coffee", codes=ROWS, by=None)
    row = PoolCode.objects.first()

    with (
        pytest.raises(IntegrityError, match=f"{constraint}|UNIQUE constraint failed: rewards_poolcode"),
        transaction.atomic(),
    ):
        PoolCode.objects.create(
            **{"program": program, "pool": "coffee", "code": "x", "added_at": row.added_at, **fields}
        )
