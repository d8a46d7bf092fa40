from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.engine.earning import evaluate, units_for
from programs.engine.terms import Cap
from tests.programs.engine.shop import beauty, cashback

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def judged(terms, amount, *, tier="", counters=None):
    return evaluate(terms=terms, amount=amount, occurred_at=NOON, tier=tier, counters=counters or {})


@pytest.mark.parametrize(
    ("amount", "tier", "points"),
    [(99, "insider", 0), (100, "insider", 1), (1_099, "vib", 13), (100_000, "rouge", 1_500), (35_000, "insider", 350)],
)
def test_award_by_tier_rounds_down_to_whole_points(amount, tier, points):
    assert sum(award.amount for award in judged(beauty(), amount, tier=tier).awards) == points


def test_award_of_nothing_says_that_nothing_earns():
    found = judged(beauty(), 0, tier="insider")

    assert (found.awards, found.findings[0].reason) == ((), "nothing")


def test_award_below_one_step_says_it_was_rounded_away():
    assert judged(beauty(), 99, tier="insider").findings[0].reason == "rounded_away"


def test_percent_counts_in_cents():
    assert [award.amount for award in judged(cashback(), 3_333).awards] == [33]


def test_cap_of_a_purchase_cuts_and_says_which():
    found = judged(cashback(), 60_000)

    assert [award.amount for award in found.awards] == [500]
    assert (found.findings[0].reason, found.findings[0].cut_by, found.findings[0].counted) == (
        "cut",
        "purchase",
        50_000,
    )


def test_cap_of_a_month_counts_what_was_consumed_before():
    found = judged(cashback(), 20_000, counters={"default|month|2026-03": 290_000})

    assert [award.amount for award in found.awards] == [100]
    assert (found.found, found.consumed) == ({"default|month|2026-03": 290_000}, {"default|month|2026-03": 10_000})


def test_cap_used_up_gives_nothing_and_says_so():
    found = judged(cashback(), 20_000, counters={"default|month|2026-03": 300_000})

    assert (found.awards, found.consumed, found.findings[0].reason) == ((), {}, "limit_used")


def test_cap_of_another_month_does_not_matter():
    assert judged(cashback(), 10_000, counters={"default|month|2026-02": 300_000}).awards[0].amount == 100


@given(
    amounts=st.lists(st.integers(0, 200_000), max_size=30),
    purchase_cap=st.integers(1, 100_000),
    month_cap=st.integers(1, 400_000),
)
def test_caps_never_let_more_through_than_they_allow(amounts, purchase_cap, month_cap):
    rule = replace(cashback().rules[0], caps=(Cap("purchase", purchase_cap), Cap("month", month_cap)))
    terms = replace(cashback(), rules=(rule,))
    counters: dict[str, int] = {}
    for amount in amounts:
        found = judged(terms, amount, counters=counters)
        counted = found.findings[0].counted
        assert counted <= min(amount, purchase_cap)
        assert sum(award.amount for award in found.awards) == sum(finding.units for finding in found.findings)
        for key, consumed in found.consumed.items():
            counters[key] = counters.get(key, 0) + consumed
    assert sum(counters.values()) == min(month_cap, sum(min(amount, purchase_cap) for amount in amounts))


@given(amount=st.integers(0, 10**13), rate=st.integers(0, 10**8), digits=st.integers(0, 3), precision=st.integers(0, 4))
def test_units_are_the_exact_product_rounded_down(amount, rate, digits, precision):
    units = units_for(amount=amount, rate=rate, effect="per_amount", digits=digits, precision=precision)
    product = amount * rate * 10**precision
    whole = 10**digits * 10_000

    assert units * whole <= product < (units + 1) * whole
