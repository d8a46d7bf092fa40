from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from programs.engine.earning import Context, barred, basket_of, basket_of_event, evaluate
from programs.engine.state import Event, Line, Purchase
from programs.engine.terms import Clause
from tests.programs.engine.shop import PRAGUE, cashback

NOON = datetime(2026, 3, 5, 11, tzinfo=UTC)  # A Thursday, noon in Prague.


def local(*moment):
    return datetime(*moment, tzinfo=PRAGUE)


def with_rule(**changes):
    terms = cashback()
    return replace(terms, rules=(replace(terms.rules[0], caps=(), **changes),))


def holds(clause, *, at=NOON, **known):
    """Whether the clause lets the rule be judged; its negation has to say the opposite."""
    given = []
    for one in (clause, replace(clause, negated=True)):
        terms = with_rule(clauses=(one,))
        purchase = Purchase(UUID(int=9), at, 10_000)
        basket = basket_of(terms=terms, purchase=purchase)
        found = barred(terms=terms, basket=basket, context=Context(**known))
        assert set(found.values()) <= {clause.kind}
        given.append(not found)
    assert given[0] is not given[1]
    return given[0]


def counted(clause, *lines):
    """Return what the rule counts of lines, and of the same lines under the clause's negation."""
    total = sum(line.amount for line in lines)
    found = []
    for one in (clause, replace(clause, negated=True)):
        terms = with_rule(clauses=(one,))
        basket = basket_of(terms=terms, purchase=Purchase(UUID(int=9), NOON, total, lines=lines))
        finding = evaluate(terms=terms, basket=basket, tier="", barred={}, counters={}).findings[0]
        found.append(finding.counted if finding.clause is None else finding.clause)
    return tuple(found)


def lines(*amounts, **same):
    return [Line(number, amount, **same) for number, amount in enumerate(amounts, start=1)]


@pytest.mark.parametrize("kind", ["sku", "category", "brand"])
def test_line_condition_counts_lines_of_any_of_the_values(kind):
    one, two, three = lines(1_000, 200, 30)
    bought = replace(one, **{kind: "tea"}), replace(two, **{kind: "milk"}), three

    assert counted(Clause(kind, values=("Tea", "milk")), *bought) == (1_200, 30)


def test_tag_condition_counts_lines_with_any_of_the_tags():
    one, two, three = lines(1_000, 200, 30)
    bought = replace(one, tags=frozenset({"eco", "new"})), replace(two, tags=frozenset({"sale"})), three

    assert counted(Clause("tag", values=("eco", "vegan")), *bought) == (1_000, 230)


def test_line_conditions_are_joined_for_each_line():
    terms = with_rule(clauses=(Clause("category", values=("tea",)), Clause("brand", negated=True, values=("own",))))
    tea, own_tea, own = lines(1_000, 200, 30, brand="own")
    bought = replace(tea, category="tea", brand="other"), replace(own_tea, category="tea"), own
    basket = basket_of(terms=terms, purchase=Purchase(UUID(int=9), NOON, 1_230, lines=bought))

    assert evaluate(terms=terms, basket=basket, tier="", barred={}, counters={}).findings[0].counted == 1_000


def test_first_lines_leave_out_later_lines_of_that_category_alone():
    room, bar = Line(0, 1_000, category="stay"), Line(0, 30, category="bar")

    assert counted(Clause("first_lines", values=("stay",), most=2), bar, room, bar, room, room) == (2_060, 1_000)


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"least": 10_000}, (10_000, "amount")),
        ({"least": 10_001}, ("amount", 10_000)),
        ({"most": 10_000}, (10_000, "amount")),
        ({"most": 9_999}, ("amount", 10_000)),
        ({"least": 1, "most": 10_000}, (10_000, "amount")),
    ],
)
def test_amount_condition_includes_both_bounds(bounds, found):
    assert counted(Clause("amount", **bounds), *lines(9_000, 1_000)) == found


def test_amount_condition_goes_by_the_whole_basket_and_quantity_by_the_rules_own_lines():
    tea = Line(1, 1_000, 2_000, category="tea")
    other = Line(2, 5_000, 9_000)
    basket = basket_of(terms=with_rule(), purchase=Purchase(UUID(int=9), NOON, 6_000, lines=(tea, other)))

    def reason(*more):
        terms = with_rule(clauses=(Clause("category", values=("tea",)), *more))
        return evaluate(terms=terms, basket=basket, tier="", barred={}, counters={}).findings[0].clause

    assert reason(Clause("amount", least=6_000)) is None
    assert reason(Clause("quantity", least=2_000, most=2_000)) is None
    assert reason(Clause("quantity", least=2_001)) == "quantity"


@pytest.mark.parametrize("kind", ["store", "channel", "tier"])
def test_place_condition_holds_for_any_of_its_values_whatever_the_case(kind):
    clause = Clause(kind, values=("praha", "brno"))

    assert holds(clause, **{kind: "Brno"})
    assert not holds(clause, **{kind: "ostrava"})
    assert not holds(clause)


def test_segment_condition_holds_for_who_is_in_any_of_them():
    clause = Clause("segment", values=("students", "staff"))

    assert holds(clause, segments=frozenset({"new", "staff"}))
    assert not holds(clause, segments=frozenset({"new"}))


@pytest.mark.parametrize(
    ("at", "is_monday"),
    [
        (local(2026, 3, 1, 23, 59, 59), False),
        (local(2026, 3, 2), True),
        (local(2026, 3, 2, 23, 59, 59), True),
        (local(2026, 3, 3), False),
        (datetime(2026, 3, 1, 23, tzinfo=UTC), True),
    ],
)
def test_weekday_changes_at_midnight_in_the_programs_zone(at, is_monday):
    assert holds(Clause("weekday", values=("1",)), at=at) is is_monday


@pytest.mark.parametrize(
    ("least", "most", "hour", "minute", "is_within"),
    [
        (540, 1_020, 9, 0, True),
        (540, 1_020, 8, 59, False),
        (540, 1_020, 16, 59, True),
        (540, 1_020, 17, 0, False),
        (1_320, 120, 22, 0, True),
        (1_320, 120, 0, 0, True),
        (1_320, 120, 1, 59, True),
        (1_320, 120, 2, 0, False),
        (1_320, 120, 21, 59, False),
        (0, 1_440, 23, 59, True),
        (1_320, 0, 23, 59, True),
        (1_320, 0, 0, 0, False),
        (None, 60, 0, 30, True),
        (1_380, None, 23, 30, True),
    ],
)
def test_hours_run_from_the_first_minute_to_before_the_last_and_past_midnight(least, most, hour, minute, is_within):
    assert holds(Clause("hours", least=least, most=most), at=local(2026, 3, 5, hour, minute)) is is_within


def test_hours_go_by_the_clocks_of_the_day_when_they_change():
    clause = Clause("hours", least=180, most=240)  # From three to four, which comes right after two on 29 March.

    assert holds(clause, at=datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
    assert not holds(clause, at=datetime(2026, 3, 29, 0, 59, tzinfo=UTC))
    assert holds(clause, at=datetime(2026, 3, 28, 2, 0, tzinfo=UTC))


def test_hour_that_comes_twice_holds_twice():
    clause = Clause("hours", least=120, most=180)  # From two to three, twice on 25 October.

    assert holds(clause, at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert holds(clause, at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert not holds(clause, at=datetime(2026, 10, 25, 2, 0, tzinfo=UTC))


def test_dates_include_their_first_and_last_day_in_the_programs_zone():
    first, last = date(2026, 11, 1).toordinal(), date(2026, 11, 30).toordinal()
    november = Clause("dates", least=first, most=last)

    assert [
        holds(november, at=at)
        for at in (
            local(2026, 10, 31, 23, 59, 59),
            local(2026, 11, 1),
            local(2026, 11, 30, 23, 59, 59),
            local(2026, 12, 1),
        )
    ] == [False, True, True, False]
    assert holds(Clause("dates", least=first), at=local(2030, 1, 1))
    assert holds(Clause("dates", most=last), at=local(2020, 1, 1))


def test_nth_counts_the_members_purchases():
    first, tenths = Clause("nth", values=("1", "3")), Clause("every_nth", least=10)

    assert [nth for nth in range(6) if holds(first, nth=nth)] == [1, 3]
    assert [nth for nth in range(31) if holds(tenths, nth=nth)] == [10, 20, 30]


@pytest.mark.parametrize(
    ("birth", "day", "is_near"),
    [
        ((1990, 3, 5), (2026, 3, 12), True),
        ((1990, 3, 5), (2026, 3, 13), False),
        ((1990, 3, 5), (2026, 2, 26), True),
        ((1990, 3, 5), (2026, 2, 25), False),
        ((1990, 1, 2), (2025, 12, 26), True),
        ((1990, 12, 30), (2026, 1, 6), True),
        ((2000, 2, 29), (2026, 3, 7), True),
        ((2000, 2, 29), (2026, 3, 8), False),
        ((2000, 2, 29), (2028, 3, 7), True),
        ((2000, 2, 29), (2028, 2, 21), False),
    ],
)
def test_birthday_window_counts_days_around_the_day_across_years(birth, day, is_near):
    clause = Clause("birthday", least=-7, most=7)

    assert holds(clause, at=local(*day, 12), birth_date=date(*birth)) is is_near


def test_birthday_on_29_february_falls_on_the_28th_in_other_years():
    the_day = Clause("birthday", least=0, most=0)
    born = date(2000, 2, 29)

    assert holds(the_day, at=local(2026, 2, 28, 12), birth_date=born)
    assert not holds(the_day, at=local(2026, 3, 1, 12), birth_date=born)
    assert not holds(the_day, at=local(2028, 2, 28, 12), birth_date=born)
    assert holds(the_day, at=local(2028, 2, 29, 12), birth_date=born)


def test_birthday_month_begins_and_ends_at_midnight_and_needs_a_birth_date():
    month = Clause("birthday", values=("month",))
    born = date(1990, 3, 31)

    assert holds(month, at=local(2026, 3, 1), birth_date=born)
    assert not holds(month, at=local(2026, 4, 1), birth_date=born)
    assert not holds(month)


@pytest.mark.parametrize(
    ("joined", "bounds", "is_of_age"),
    [
        ((2025, 3, 5), {"least": 12}, True),
        ((2025, 3, 6), {"least": 12}, False),
        ((2025, 3, 6), {"most": 11}, True),
        ((2026, 3, 5), {"least": 0, "most": 0}, True),
    ],
)
def test_age_counts_whole_months_since_joining(joined, bounds, is_of_age):
    assert holds(Clause("age", **bounds), joined_at=local(*joined, 23)) is is_of_age


def test_age_of_who_joined_on_a_months_last_day_completes_on_a_shorter_months_last():
    a_month = Clause("age", least=1)

    assert holds(a_month, at=local(2026, 2, 28, 1), joined_at=local(2026, 1, 31))
    assert not holds(a_month, at=local(2026, 2, 27, 1), joined_at=local(2026, 1, 31))


@pytest.mark.parametrize(
    ("attributes", "is_met"),
    [
        ({"place": "PRAGUE"}, True),
        ({"Place": "brno"}, True),
        ({"place": "ostrava"}, False),
        ({"place": ["ostrava", "Brno"]}, True),
        ({"place": None}, False),
        ({}, False),
    ],
)
def test_attribute_condition_compares_texts_without_regard_to_case(attributes, is_met):
    assert holds(Clause("attribute", values=("place", "prague", "brno")), attributes=attributes) is is_met


def test_attribute_condition_compares_numbers_and_truths_as_texts():
    assert holds(Clause("attribute", values=("gift", "true")), attributes={"gift": True})
    assert holds(Clause("attribute", values=("floor", "3")), attributes={"floor": 3})
    assert holds(Clause("attribute", values=("note",)), attributes={"note": "anything"})


def test_first_condition_that_fails_is_the_one_told():
    terms = with_rule(clauses=(Clause("tier", values=("gold",)), Clause("store", values=("praha",))))
    basket = basket_of(terms=terms, purchase=Purchase(UUID(int=9), NOON, 10_000))
    found = barred(terms=terms, basket=basket, context=Context())
    finding = evaluate(terms=terms, basket=basket, tier="", barred=found, counters={}).findings[0]

    assert found == {"default": "tier"}
    assert (finding.reason, finding.clause, finding.units) == ("not_met", "tier", 0)


def test_rules_of_other_triggers_and_event_types_are_neither_barred_nor_spoken_of():
    never = (Clause("nth", values=("0",), negated=True),)
    rule = with_rule().rules[0]
    rules = (
        replace(rule, code="bought", clauses=never),
        replace(rule, code="came", trigger="event", event="check_in", effect="fixed", clauses=never),
        replace(rule, code="wrote", trigger="event", event="review", effect="fixed", clauses=never),
        replace(rule, code="joined", trigger="enrolment", effect="fixed", clauses=never),
    )
    terms = replace(with_rule(), rules=rules)

    def spoken_of(basket):
        return list(barred(terms=terms, basket=basket, context=Context())), [
            finding.rule for finding in evaluate(terms=terms, basket=basket, tier="", barred={}, counters={}).findings
        ]

    assert spoken_of(basket_of(terms=terms, purchase=Purchase(UUID(int=9), NOON, 100))) == (["bought"], ["bought"])
    assert spoken_of(basket_of_event(Event(UUID(int=9), NOON, "check_in"))) == (["came"], ["came"])
    assert spoken_of(basket_of_event(Event(UUID(int=9), NOON, "", trigger="enrolment"))) == (["joined"], ["joined"])
