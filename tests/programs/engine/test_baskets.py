from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.engine.earning import basket_of, earning_amount
from programs.engine.state import Line, Purchase
from tests.programs.engine.shop import beauty

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def bought(*lines, total=None, **more):
    return Purchase(
        UUID(int=9), NOON, sum(one.amount for one in lines) if total is None else total, lines=lines, **more
    )


def amounts(terms, purchase, returned=None):
    basket = basket_of(terms=terms, purchase=purchase, returned=returned)
    return basket.amount, [line.amount for line in basket.lines]


@pytest.mark.parametrize(
    ("tax_earns", "paid_part_earns", "amount"),
    [(True, True, 12_100), (False, True, 10_000), (True, False, 11_100), (False, False, 9_174)],
)
def test_tax_and_paid_part_earn_only_where_the_terms_say_so(tax_earns, paid_part_earns, amount):
    terms = replace(beauty(tax_earns=tax_earns), paid_part_earns=paid_part_earns)

    assert earning_amount(terms=terms, total=12_100, tax=2_100, paid=1_000) == amount


def test_wholly_paid_purchase_earns_nothing_whatever_its_tax():
    assert earning_amount(terms=beauty(), total=12_100, tax=2_100, paid=12_100) == 0


def test_purchase_without_lines_is_one_line_without_a_quantity():
    basket = basket_of(terms=beauty(), purchase=bought(total=1_000, tax=100))

    assert (basket.lines, basket.amount) == ((Line(0, 900, 0),), 900)


def test_shares_of_lines_sum_to_what_earns_and_the_largest_remainders_round_up():
    purchase = bought(Line(1, 333), Line(2, 333), Line(3, 334), tax=100)

    assert amounts(beauty(), purchase) == (900, [300, 300, 300])


def test_returned_parts_are_gone_and_lines_of_which_nothing_is_left_are_dropped():
    purchase = bought(Line(1, 500, 2_000), Line(2, 300), Line(3, 0))
    basket = basket_of(terms=beauty(), purchase=purchase, returned={1: (1_000, 250), 2: (1_000, 300)})

    assert basket.lines == (Line(1, 250, 1_000), Line(3, 0))


def test_line_that_was_free_goes_with_its_quantity_and_one_without_either_stays():
    purchase = bought(Line(1, 500), Line(2, 0, 1_000), Line(3, 0, 0))

    assert [line.number for line in basket_of(terms=beauty(), purchase=purchase, returned={2: (1_000, 0)}).lines] == [
        1,
        3,
    ]


def test_discount_line_comes_off_its_own_kind_first_and_is_no_line_itself():
    shoes, socks, tea = Line(1, 600, category="shoes"), Line(2, 200, category="socks"), Line(3, 300, category="tea")

    assert amounts(beauty(), bought(shoes, socks, tea, Line(4, -100, category="socks"))) == (1_000, [600, 100, 300])
    assert amounts(beauty(), bought(shoes, socks, tea, Line(4, -500, category="socks"))) == (600, [400, 0, 200])
    assert amounts(beauty(), bought(shoes, socks, tea, Line(4, -110))) == (990, [540, 180, 270])


def test_discount_given_back_leaves_no_line_behind():
    purchase = bought(Line(1, 600), Line(2, -100))

    assert amounts(beauty(), purchase, {2: (0, -100)}) == (600, [600])


lines = st.builds(
    Line,
    number=st.just(0),
    amount=st.integers(0, 100_000),
    quantity=st.sampled_from([0, 500, 1_000, 2_000]),
    category=st.sampled_from(["", "a", "b"]),
    brand=st.sampled_from(["", "x"]),
)


@st.composite
def purchases(draw):
    """Purchases with discounts, tax and a paid part, and a return of parts of their lines."""
    goods = draw(st.lists(lines, min_size=1, max_size=5))
    worth = sum(line.amount for line in goods)
    off = draw(st.integers(0, worth))
    discount = [Line(0, -off, category=draw(st.sampled_from(["", "a", "b"])))] if off else []
    numbered = [replace(line, number=at) for at, line in enumerate([*goods, *discount], start=1)]
    total = worth - off
    tax = draw(st.integers(0, total))
    return bought(*numbered, tax=tax, paid=draw(st.integers(0, total)))


@given(purchase=purchases())
def test_shares_sum_to_what_earns_and_none_is_negative(purchase):
    total, shares = amounts(beauty(), purchase)

    assert total == earning_amount(terms=beauty(), total=purchase.total, tax=purchase.tax, paid=purchase.paid)
    assert sum(shares) == total
    assert min(shares, default=0) >= 0


@given(purchase=purchases(), data=st.data())
def test_shares_do_not_depend_on_the_order_of_lines(purchase, data):
    order = data.draw(st.permutations(purchase.lines))
    moved = replace(purchase, lines=tuple(replace(line, number=at) for at, line in enumerate(order, start=1)))

    def content(one):
        basket = basket_of(terms=beauty(), purchase=one)
        return sorted((line.category, line.brand, line.quantity, line.amount) for line in basket.lines)

    assert content(purchase) == content(moved)


def test_equal_remainders_go_by_what_the_lines_are():
    three = [Line(0, 100, brand=brand) for brand in "abc"]
    found = {
        tuple(sorted((line.brand, line.amount) for line in basket_of(terms=beauty(), purchase=bought(*o, tax=1)).lines))
        for order in permutations(three)
        for o in [[replace(line, number=at) for at, line in enumerate(order, start=1)]]
    }

    assert found == {(("a", 100), ("b", 100), ("c", 99))}
