"""The law of returns over everything at once: lines, groups, caps, multipliers, tiers, pending, expiry, spent units."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.engine.state import Line, Purchase, Refund
from programs.engine.terms import Cap, Clause, Condition, Group, LineRate, Rule, Schedule, Terms, Tier, UnitTerms
from programs.engine.timeline import fold
from tests.programs.engine.shop import EVER, PRAGUE, Shop, version

JOINED = datetime(2024, 1, 1, 12, tzinfo=UTC)
START = datetime(2024, 3, 1, 12, tzinfo=UTC)
CATEGORIES = ("travel", "rides", "coffee", "")
BRANDS = ("north", "south")


def everything(**changes) -> Terms:
    """Four units, stacked rules of every effect, limits of every kind."""
    travel = Clause("category", values=("travel",))
    terms = Terms(
        version_id=version(),
        number=1,
        starts_at=EVER,
        zone=PRAGUE,
        digits=2,
        tax_earns=False,
        units={
            "points": UnitTerms("points", 0, "rolling", 6),
            "cash": UnitTerms("cash", 2, pending_days=14),
            "stamps": UnitTerms("stamps", 0, "inactivity", 3),
            "nights": UnitTerms("nights", 0, "fixed", fixed_days=("12-31",), is_spendable=False),
        },
        tiers=(
            Tier("one", "One"),
            Tier("two", "Two", (Condition("spend", "rolling", 60_000),)),
            Tier("three", "Three", (Condition("unit:points", "rolling", 1_500), Condition("visits", "rolling", 2))),
        ),
        rules=(
            Rule("base", "Base", "points", "per_amount", 10_000, {"two": 12_500}, group="rates"),
            Rule("double", "Double", "points", "multiplier", 20_000, group="rates", of="base", clauses=(travel,)),
            Rule("bonus", "Bonus", "points", "bonus", 0, {"two": 250_000, "three": 500_000}, of="base"),
            Rule("big", "Big basket", "points", "fixed", 500_000, clauses=(Clause("amount", least=30_000),)),
            Rule(
                "travel",
                "Travel",
                "cash",
                "percent",
                20_000,
                {},
                (Cap("purchase", 25_000),),
                clauses=(travel,),
                group="cash",
            ),
            Rule(
                "rides",
                "Rides",
                "cash",
                "percent",
                30_000,
                {},
                (Cap("purchase", 5_000), Cap("month", 20_000)),
                clauses=(Clause("category", values=("rides",)),),
                group="cash",
            ),
            Rule(
                "default",
                "Default",
                "cash",
                "percent",
                10_000,
                {},
                (Cap("purchase", 50_000), Cap("month", 90_000)),
                group="cash",
            ),
            Rule(
                "stamp",
                "Stamp",
                "stamps",
                "stamp",
                10_000,
                {},
                (Cap("day", 4, "units"), Cap("lifetime", 60, "units", "program")),
                clauses=(Clause("category", values=("coffee",)),),
            ),
            Rule(
                "nights",
                "Nights",
                "nights",
                "per_item",
                10_000,
                clauses=(Clause("first_lines", values=("travel",), most=2), travel),
                line_rates=(LineRate(Clause("brand", values=("south",)), 5_000),),
            ),
        ),
        groups={
            "rates": Group("rates", "Rates", "best", (Cap("week", 2_000, "units"),)),
            "cash": Group("cash", "Cash", "first"),
        },
        tier_validity="months",
    )
    return replace(terms, **changes)


LINES = st.builds(
    lambda amount, pieces, category, brand: (amount, pieces * 1_000, category, brand),
    st.integers(0, 40_000),
    st.integers(1, 4),
    st.sampled_from(CATEGORIES),
    st.sampled_from(BRANDS),
)
BASKETS = st.lists(LINES, min_size=1, max_size=5)


def lines_of(basket):
    return tuple(Line(n, amount, pieces, category=c, brand=b) for n, (amount, pieces, c, b) in enumerate(basket, 1))


def bought(shop, at, lines):
    return Purchase(shop.new_id(), at, sum(line.amount for line in lines), 0, lines)


def kept(lines, parts):
    """Return the lines that are left once these parts were returned."""
    left = []
    for line in lines:
        quantity, amount = parts.get(line.number, (0, 0))
        if (line.quantity - quantity, line.amount - amount) != (0, 0):
            left.append(replace(line, quantity=line.quantity - quantity, amount=line.amount - amount))
    return tuple(left)


def nonzero(amounts):
    return {key: amount for key, amount in amounts.items() if amount}


def standing(shop):
    state = shop.state
    return (
        nonzero(state.balances),
        nonzero(state.counters),
        state.credit,
        (state.tier, state.tier_since, state.tier_until),
        sorted((lot.unit, lot.remaining, lot.expires_at, lot.matures_at) for lot in state.lots if lot.remaining),
    )


@st.composite
def returns(draw, basket):
    """Draw in which parts some of a basket's lines come back: whole, by pieces, by amount."""
    steps = []
    for number, (amount, pieces, _category, _brand) in enumerate(basket, start=1):
        back = draw(st.sampled_from(("kept", "whole", "pieces", "amount", "twice")))
        some = draw(st.integers(0, pieces // 1_000)) * 1_000
        if back == "whole":
            steps.append((number, pieces, amount))
        elif back == "pieces":
            steps.append((number, some, amount * some // pieces))
        elif back == "amount":
            steps.append((number, 0, draw(st.integers(0, amount))))
        elif back == "twice":
            part = draw(st.integers(0, amount))
            steps += [(number, some, part), (number, pieces - some, amount - part)]
    return draw(st.permutations(steps))


@given(data=st.data(), before=st.lists(BASKETS, max_size=3), basket=BASKETS)
@settings(max_examples=120, deadline=None)
def test_returns_with_nothing_in_between_end_as_if_the_rest_alone_had_been_bought(data, before, basket):
    steps = data.draw(returns(basket))
    law, plain = Shop(everything(), joined_at=JOINED), Shop(everything(), joined_at=JOINED)
    for shop in (law, plain):
        for number, earlier in enumerate(before):
            shop.take(bought(shop, START - timedelta(days=9 - number), lines_of(earlier)))
    one = bought(law, START, lines_of(basket))

    law.take(one)
    for number, quantity, amount in steps:
        law.give_back(one, START, parts={number: (quantity, amount)})
    rest = kept(one.lines, law.returned.get(one.id, {}))
    plain.take(*([bought(plain, START, rest)] if rest else []), until=START)

    assert merged(standing(law)) == merged(standing(plain))


def merged(found):
    """Sum up lots alike: what a return gives back lies in a lot of its own."""
    lots: dict[tuple, int] = {}
    for unit, remaining, *moments in found[-1]:
        lots[unit, *moments] = lots.get((unit, *moments), 0) + remaining
    return *found[:-1], lots


@pytest.mark.parametrize("debt", ["owe", "remember", "waive"])
@given(data=st.data(), basket=BASKETS, others=st.lists(BASKETS, max_size=4), spent=st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_returns_in_any_order_take_exactly_what_the_purchase_gave(debt, data, basket, others, spent):
    terms = everything()
    units = {code: replace(how, debt=debt) for code, how in terms.units.items()}
    shop = Shop(replace(terms, units=units), joined_at=JOINED)
    one = bought(shop, START, lines_of(basket))
    shop.take(one)
    gave = total_by_unit(shop.outcomes[-1].verdicts[0].awards)
    for number, other in enumerate(others):
        shop.take(bought(shop, START + timedelta(days=20 * number + 1), lines_of(other)))
    spend(shop, spent)
    parts = data.draw(st.permutations([(line.number, line.quantity, line.amount) for line in one.lines]))

    taken: dict[str, int] = {}
    for place, (number, quantity, amount) in enumerate(parts):
        outcome = shop.give_back(one, START + timedelta(days=3 * place), parts={number: (quantity, amount)})
        for unit, amount_taken in total_by_unit(outcome.verdicts[0].awards).items():
            taken[unit] = taken.get(unit, 0) - amount_taken

    assert nonzero(taken) == nonzero(gave)
    assert all(debt == "owe" or balance >= 0 for balance in shop.state.balances.values())
    for (unit, account), balance in shop.state.balances.items():
        lots = sum(lot.remaining for lot in shop.state.lots if (lot.unit, lot.account) == (unit, account))
        assert max(0, balance) == lots


def total_by_unit(awards):
    found: dict[str, int] = {}
    for _rule, unit, amount in awards:
        found[unit] = found.get(unit, 0) + amount
    return found


def spend(shop, percent):
    """Spend a share of what there is, earliest end first, as a redemption would."""
    for lot in shop.state.lots:
        if lot.account == "available":
            part = lot.remaining * percent // 100
            lot.remaining -= part
            shop.state.balances[lot.unit, "available"] -= part


@given(baskets=st.lists(st.tuples(st.integers(0, 700), BASKETS), max_size=7), step=st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_folding_in_one_go_equals_folding_day_by_day(baskets, step):
    baskets.sort(key=lambda one: one[0])
    once, daily = Shop(everything(), joined_at=JOINED), Shop(everything(), joined_at=JOINED)
    story = [(JOINED + timedelta(days=day, minutes=n), lines_of(b)) for n, (day, b) in enumerate(baskets)]
    end = JOINED + timedelta(days=900)
    once.take(*(bought(once, at, lines) for at, lines in story), until=end)

    moment = JOINED
    for at, lines in story:
        while moment + timedelta(days=step) < at:
            moment += timedelta(days=step)
            daily.take(until=moment)
        daily.take(bought(daily, at, lines))
    while moment < end:
        moment = min(end, moment + timedelta(days=step))
        daily.take(until=moment)

    assert standing(once) == standing(daily)


@given(baskets=st.lists(st.tuples(BASKETS, st.booleans()), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_budget_that_members_share_is_never_overdrawn_and_comes_back_with_returns(baskets):
    terms = everything()
    terms = replace(terms, rules=tuple(_tight(rule) for rule in terms.rules))
    budgets: dict[str, int] = {}
    members = [Shop(terms, joined_at=JOINED) for _ in range(2)]
    for number, (basket, back) in enumerate(baskets):
        shop = members[number % 2]
        one = bought(shop, START + timedelta(days=number), lines_of(basket))
        activity = [one]
        if back:
            parts = {line.number: (line.quantity, line.amount) for line in one.lines}
            activity.append(Refund(shop.new_id(), one.occurred_at, one.id, parts))
        shop.state, outcome = fold(
            state=shop.state, schedule=Schedule((terms,)), activity=activity, new_id=shop.new_id, budgets=budgets
        )
        shop.outcomes.append(outcome)

    given_out = sum(
        units
        for shop in members
        for o in shop.outcomes
        for v in o.verdicts
        for rule, _u, units in v.awards
        if rule == "stamp"
    )
    assert given_out <= 5
    assert sum(budgets.values()) == given_out


def _tight(rule: Rule) -> Rule:
    return replace(rule, caps=(Cap("lifetime", 5, "units", "program"),)) if rule.code == "stamp" else rule
