"""What a return takes: any parts in any order come to the whole, to the last cent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.purchases.lines import Line
from loyalty.purchases.returns import ExceedsPurchaseError, NothingLeftError, Returned, Wanted, resolve

LINES = st.lists(
    st.builds(Line, amount=st.integers(0, 10_000), quantity=st.integers(0, 5).map(lambda n: n * 1_000)),
    min_size=1,
    max_size=4,
)


@given(lines=LINES, wishes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5_000)), max_size=8))
def test_parts_then_the_rest_sum_to_each_line_exactly(lines, wishes):
    total = sum(line.amount for line in lines)
    taken: list[Returned] = []
    for number, pieces, amount in wishes:
        wanted = Wanted(number % len(lines) + 1, pieces * 1_000, amount if pieces == 3 else None)
        try:
            taken += resolve(lines=lines, total=total, before=taken, wanted=[wanted])
        except (ExceedsPurchaseError, NothingLeftError):
            continue
    try:
        taken += resolve(lines=lines, total=total, before=taken, wanted=[])
    except NothingLeftError:
        assert sum(one.amount for one in taken) == total
        return
    for number, line in enumerate(lines, start=1):
        own = [one for one in taken if one.line == number]
        assert sum(one.amount for one in own) == line.amount
        assert sum(one.quantity for one in own) == line.quantity


@given(amount=st.integers(0, 9_999), pieces=st.integers(1, 12))
def test_piece_after_piece_differs_from_the_even_share_by_less_than_a_cent(amount, pieces):
    lines = [Line(amount=20_000), Line(amount=amount, quantity=pieces * 1_000)]
    taken: list[Returned] = []
    for _ in range(pieces):
        taken += resolve(lines=lines, total=20_000 + amount, before=taken, wanted=[Wanted(2, 1_000)])
    own = [one.amount for one in taken]

    assert sum(own) == amount
    assert all(abs(one * pieces - amount) < 2 * pieces for one in own)


@pytest.mark.parametrize(("pieces", "taken"), [([1], [500]), ([1, 1], [500, 499]), ([2], [999])])
def test_half_a_cent_is_rounded_up_on_the_total_so_far(pieces, taken):
    lines = [Line(amount=999, quantity=2_000)]
    found: list[Returned] = []
    for count in pieces:
        found += resolve(lines=lines, total=999, before=found, wanted=[Wanted(1, count * 1_000)])

    assert [one.amount for one in found] == taken


def test_purchase_of_nothing_can_be_returned_once():
    taken = resolve(lines=[], total=0, before=[], wanted=[])

    assert taken == [Returned(0, 1_000, 0)]
    with pytest.raises(NothingLeftError):
        resolve(lines=[], total=0, before=taken, wanted=[])
