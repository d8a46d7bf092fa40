"""What holds for any rules and any purchases."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from programs.engine.dates import window_start
from programs.engine.earning import basket_of, evaluate, units_for
from programs.engine.state import Line, Purchase
from programs.engine.terms import Cap, Clause, Group, LineRate, Rule, UnitTerms
from tests.programs.engine.shop import PRAGUE, cashback

START = datetime(2025, 12, 20, 22, tzinfo=UTC)
WINDOWS = ["purchase", "day", "week", "month", "quarter", "year", "program_year", "lifetime"]
PROPORTIONAL = ["per_amount", "percent", "multiplier"]
EFFECTS = [*PROPORTIONAL, "fixed", "per_item", "stamp", "bonus"]
MODES = ["all", "best", "first"]

caps = st.builds(
    Cap,
    window=st.sampled_from(WINDOWS),
    limit=st.integers(1, 2_000),
    counts=st.sampled_from(["amount", "units", "times"]),
    scope=st.sampled_from(["member", "program"]),
    per=st.sampled_from(["", "", "place"]),
)
line_clauses = st.builds(
    Clause,
    kind=st.sampled_from(["category", "brand"]),
    negated=st.booleans(),
    values=st.sampled_from([("a",), ("a", "b"), ("c",)]),
)
changeable = st.one_of(
    st.builds(Clause, kind=st.just("amount"), negated=st.booleans(), least=st.integers(0, 5_000)),
    st.builds(Clause, kind=st.just("quantity"), negated=st.booleans(), most=st.integers(0, 5_000)),
)
first_lines = st.builds(Clause, kind=st.just("first_lines"), values=st.just(("a",)), most=st.integers(0, 2))
rates = st.integers(0, 60_000)
lines = st.builds(
    Line,
    number=st.just(0),
    amount=st.integers(0, 3_000),
    quantity=st.sampled_from([0, 500, 1_000, 2_500, 3_000]),
    category=st.sampled_from(["", "a", "b", "c"]),
    brand=st.sampled_from(["", "a", "b"]),
)


def few(of):
    return st.lists(of, max_size=2).map(tuple) if of is not None else st.just(())


def rules(*, effects=EFFECTS, clauses=line_clauses | changeable | first_lines, with_line_rates=True, with_caps=caps):
    built = st.builds(
        Rule,
        code=st.just(""),
        name=st.just("Rule"),
        unit=st.sampled_from(["coins", "cash"]),
        effect=st.sampled_from(effects),
        rate=rates,
        tier_rates=st.dictionaries(st.just("gold"), rates),
        caps=few(with_caps),
        clauses=few(clauses),
        line_rates=st.lists(
            st.builds(LineRate, clause=line_clauses, rate=rates), max_size=1 if with_line_rates else 0
        ).map(tuple),
        of_tier_rate=st.booleans(),
        of=st.just("rule0"),
        pieces=st.sampled_from(["sum", "largest"]),
    )
    # Percentages are worth their while only at a hundred times the rate.
    return built.map(lambda rule: replace(rule, rate=rule.rate * 100) if rule.effect in {"percent", "bonus"} else rule)


caps_of_groups = caps.filter(lambda cap: cap.counts != "amount")  # What a draft may say: see programs/faults.


@st.composite
def programs(draw, *, some=None, modes=MODES, group_caps=caps_of_groups):
    """Terms with a base and up to six more rules, alone or in groups."""
    some = rules() if some is None else some
    base = replace(draw(some), code="rule0", effect="per_amount", group="", of="")
    more = [
        replace(rule, code=f"rule{number}", group=draw(st.sampled_from(["", *modes])))
        for number, rule in enumerate(draw(st.lists(some, min_size=1, max_size=6)), start=1)
    ]
    groups = {mode: Group(mode, mode, mode, draw(few(group_caps))) for mode in modes}
    order = draw(st.permutations([base, *more]))
    units = {"coins": UnitTerms("coins", draw(st.integers(0, 2))), "cash": UnitTerms("cash", 2)}
    return replace(cashback(), rules=tuple(order), groups=groups, units=units, year_starts=draw(st.integers(1, 12)))


@st.composite
def purchases(draw):
    goods = draw(st.lists(lines, min_size=1, max_size=5))
    worth = sum(line.amount for line in goods)
    discount = draw(st.integers(0, worth)) if draw(st.booleans()) else 0
    posted = [*goods, *([Line(0, -discount, category="a")] if discount else [])]
    total = worth - discount
    return Purchase(
        UUID(int=9),
        START + timedelta(hours=draw(st.integers(0, 24 * 50))),
        total,
        draw(st.integers(0, total // 4)),
        tuple(replace(line, number=number) for number, line in enumerate(posted, start=1)),
        paid=draw(st.sampled_from([0, total // 3])),
        attributes={"place": draw(st.sampled_from(["prague", "brno"]))},
    )


def judge(terms, purchase, *, tier="", counters=None, returned=None):
    basket = basket_of(terms=terms, purchase=purchase, returned=returned)
    return evaluate(terms=terms, basket=basket, tier=tier, barred={}, counters=counters or {})


def window_key(cap, owner, number, purchase, terms):
    window = str(number)
    if cap.window != "purchase":
        window = window_start(purchase.occurred_at, cap.window, PRAGUE, terms.year_starts)
    return owner, cap.counts, cap.scope, cap.window, window, purchase.attributes["place"] if cap.per else None


@given(terms=programs(), bought=st.lists(purchases(), max_size=8), tier=st.sampled_from(["", "gold"]))
def test_no_sequence_of_purchases_gets_more_than_any_cap_and_every_unit_is_explained(terms, bought, tier):
    counters, used, limits = Counter(), Counter(), {}
    of_group = {rule.code: rule.group for rule in terms.rules}
    for number, purchase in enumerate(bought):
        found = judge(terms, purchase, tier=tier, counters=counters)
        counters.update(found.consumed)
        assert [(one.rule, one.amount) for one in found.awards] == [
            (one.rule, one.units) for one in found.findings if one.units
        ]
        assert min([0, *(min(one.amount, one.counted, one.units, one.pieces) for one in found.findings)]) == 0
        assert all(one.counted <= one.amount for one in found.findings)
        assert min(found.consumed.values(), default=1) > 0
        owners = [(rule.code, rule.caps, {rule.code}) for rule in terms.rules]
        owners += [
            (f"@{mode}", group.caps, {code for code, its in of_group.items() if its == mode})
            for mode, group in terms.groups.items()
        ]
        for owner, its_caps, codes in owners:
            own = [one for one in found.findings if one.rule in codes]
            size = {
                "amount": sum(one.counted for one in own),
                "units": sum(one.units for one in own),
                "times": sum(one.units > 0 for one in own),
            }
            keys = {window_key(cap, owner, number, purchase, terms): cap for cap in its_caps}
            for key, cap in keys.items():
                used[key] += size[cap.counts]
            for cap in its_caps:
                key = window_key(cap, owner, number, purchase, terms)
                limits[key] = min(cap.limit, limits.get(key, cap.limit))
    assert {key: (count, limits[key]) for key, count in used.items() if count > limits[key]} == {}


@given(terms=programs(), purchase=purchases(), counters=st.integers(0, 2_500))
def test_best_of_a_group_is_never_less_than_any_single_rule_of_it(terms, purchase, counters):
    members = [rule for rule in terms.rules if rule.group == "best"]
    found_now = dict.fromkeys(judge(terms, purchase).found, counters)

    def worth(found, codes):
        return sum(
            one.amount * 10 ** (2 - terms.units[one.unit].precision) for one in found.awards if one.rule in codes
        )

    together = worth(judge(terms, purchase, counters=found_now), {rule.code for rule in members})
    for single in members:
        others = tuple(rule for rule in terms.rules if rule.group != "best" or rule is single)
        alone = judge(replace(terms, rules=others), purchase, counters=found_now)
        assert together >= worth(alone, {single.code})


without_amount_caps = caps.filter(lambda cap: cap.counts != "amount")
in_any_order = rules(clauses=line_clauses | changeable, with_line_rates=False, with_caps=without_amount_caps)


@given(
    # Where lines are not counted off: no first_lines, no group whose first rule leaves what its limit cuts, and under a
    # limit neither rates by line nor a limit on the amount of what counts pieces.
    terms=programs(some=in_any_order, modes=["all", "best"], group_caps=without_amount_caps),
    purchase=purchases(),
    data=st.data(),
)
def test_order_of_lines_does_not_matter_where_rules_do_not_count_them_off(terms, purchase, data):
    order = data.draw(st.permutations(purchase.lines))
    moved = replace(purchase, lines=tuple(replace(line, number=number) for number, line in enumerate(order, start=1)))

    one, other = judge(terms, purchase), judge(terms, moved)

    assert (one.awards, one.consumed) == (other.awards, other.consumed)


@given(
    terms=programs(
        some=rules(effects=PROPORTIONAL, clauses=line_clauses, with_line_rates=False), modes=["all", "best"]
    ),
    purchase=purchases(),
    data=st.data(),
)
def test_order_of_lines_does_not_matter_under_limits_on_the_amount_at_one_rate(terms, purchase, data):
    order = data.draw(st.permutations(purchase.lines))
    moved = replace(purchase, lines=tuple(replace(line, number=number) for number, line in enumerate(order, start=1)))

    assert judge(terms, purchase).awards == judge(terms, moved).awards


@given(
    terms=programs(some=rules(clauses=line_clauses, with_caps=None), modes=MODES, group_caps=None),
    purchase=purchases(),
    data=st.data(),
)
def test_order_of_lines_does_not_matter_to_any_group_without_limits(terms, purchase, data):
    order = data.draw(st.permutations(purchase.lines))
    moved = replace(purchase, lines=tuple(replace(line, number=number) for number, line in enumerate(order, start=1)))

    assert judge(terms, purchase).awards == judge(terms, moved).awards


def returns_of(draw, purchase):
    """Return the states of a purchase from whole to wholly given back, by random parts of random lines."""
    left = {line.number: (line.quantity, line.amount) for line in purchase.lines}
    gone = dict.fromkeys(left, (0, 0))
    states = [dict(gone)]
    for _ in range(draw(st.integers(0, 5))):
        number = draw(st.sampled_from(sorted(left)))
        quantity, amount = (
            draw(st.integers(min(0, rest), max(0, rest)))
            for rest in (left[number][0] - gone[number][0], left[number][1] - gone[number][1])
        )
        gone[number] = (gone[number][0] + quantity, gone[number][1] + amount)
        states.append(dict(gone))
    return [*states, left]


@given(terms=programs(), purchase=purchases(), counters=st.integers(0, 1_500), data=st.data())
def test_partial_returns_sum_to_what_the_purchase_earned_and_used(terms, purchase, counters, data):
    # A line of no amount and no quantity cannot be given back.
    purchase = replace(purchase, lines=tuple(replace(one, quantity=one.quantity or 1_000) for one in purchase.lines))
    found_then = dict.fromkeys(judge(terms, purchase).found, counters)
    whole = judge(terms, purchase, counters=found_then)
    back, freed = Counter(), Counter()
    before = whole
    for returned in returns_of(data.draw, purchase):
        after = judge(terms, purchase, counters=found_then, returned=returned)
        back.update({one.rule: one.amount for one in before.awards})
        back.subtract({one.rule: one.amount for one in after.awards})
        freed.update(before.consumed)
        freed.subtract(after.consumed)
        assert after.found == whole.found
        before = after

    assert (before.awards, +back, +freed) == (
        (),
        Counter({one.rule: one.amount for one in whole.awards}),
        Counter(whole.consumed),
    )


@given(
    purchase=purchases(),
    terms=programs(some=rules(effects=["per_amount", "percent"], clauses=line_clauses), group_caps=caps),
)
def test_what_a_rule_counts_is_within_what_is_there(purchase, terms):
    found = judge(terms, purchase)
    there = basket_of(terms=terms, purchase=purchase).amount
    in_first = [one for one in found.findings if next(r for r in terms.rules if r.code == one.rule).group == "first"]

    assert all(one.counted <= there for one in found.findings)
    assert sum(one.counted for one in in_first) <= there


@given(amount=st.integers(0, 10**13), rate=st.integers(0, 10**8), digits=st.integers(0, 3), precision=st.integers(0, 4))
def test_units_are_the_exact_product_rounded_down(amount, rate, digits, precision):
    units = units_for(amount=amount, rate=rate, effect="per_amount", digits=digits, precision=precision)
    product = amount * rate * 10**precision
    whole = 10**digits * 10_000

    assert units * whole <= product < (units + 1) * whole


@given(
    amount=st.integers(0, 10**10),
    rate=st.integers(0, 10**6),
    effect=st.sampled_from(["per_amount", "percent"]),
    digits=st.integers(0, 3),
    precision=st.integers(0, 4),
)
def test_award_of_one_rule_is_its_exact_product_rounded_down(amount, rate, effect, digits, precision):
    rule = Rule("base", "Base", "coins", effect, rate)
    units = {"coins": UnitTerms("coins", precision)}
    terms = replace(cashback(), rules=(rule,), units=units, digits=digits)
    found = judge(terms, Purchase(UUID(int=9), START, amount))

    assert found.findings[0].units == units_for(
        amount=amount, rate=rate, effect=effect, digits=digits, precision=precision
    )
