"""Rows of the history: what they are called, what they moved, and why."""

import pytest

from loyalty.engagement import history
from loyalty.engagement.keyset import Place
from loyalty.ledger.openings import Arrival, Opening, move_in
from programs.models import Store, Unit
from tests.factories import (
    BASE_RULE,
    RuleSpec,
    UnitSpec,
    make_member,
    make_program,
    make_shop,
    make_version,
)
from tests.factories.activity import JOINED, drain, record

pytestmark = pytest.mark.django_db
NB = "\u00a0"


@pytest.fixture
def member():
    return make_member(program=make_shop(), joined_at=JOINED, external_id="e")


def page(member, **given):
    units = list(Unit.objects.filter(program=member.program))
    return history.page(membership=member, units=units, **given)


def told(member):
    return [(row.title, row.note, [one.written for one in row.sums]) for row in page(member).rows]


def test_purchase_names_amount_place_and_day(member):
    activity = record(member, "r-1", 6_840)
    activity.store = Store.objects.create(business=member.program.business, code="1", name="SoHo")
    activity.save(update_fields=["store"])
    drain()

    assert told(member) == [("Purchase, €68.40", f"SoHo · 1{NB}Jan", ["+68"])]


def test_return_names_the_day_of_its_purchase(member):
    record(member, "r-1", 6_840)
    record(member, "back", 6_840, days=9, kind="refund", purchase="r-1")
    drain()

    row = page(member).rows[0]
    assert told(member)[0] == ("Return, €68.40", f"from purchase of 1{NB}Jan · 10{NB}Jan", ["−68"])
    assert [(line.name, line.figure) for line in row.counted] == [("Taken back with the return", "−68")]
    assert (row.towards, row.is_return) == ("€68.40", True)


def test_each_row_keeps_its_balance_after(member):
    for place in range(3):
        record(member, f"r-{place}", 1_000, days=place)
    drain()

    assert [row.sums[0].after for row in page(member).rows] == ["30", "20", "10"]


def test_reason_is_the_sum_that_can_be_checked(member):
    record(member, "r-1", 40_000)
    record(member, "r-2", 8_000, days=1)
    drain()

    row = page(member).rows[0]

    assert [(line.name, line.figure, line.is_cut) for line in row.counted] == [("Base", "100", False)]
    assert row.counted[0].text.startswith("€80.00 × 1.25")
    assert row.towards == "€80.00"
    assert row.sums[0].question == f"100{NB}points"


def test_cut_by_a_limit_is_marked():
    program = make_program()
    make_version(program=program, tiers=(), rules=[RuleSpec(caps={"purchase": "50"})])
    member = make_member(program=program, joined_at=JOINED, external_id="e")
    record(member, "r-1", 8_000)
    drain()

    assert [(line.figure, line.is_cut) for line in page(member).rows[0].counted] == [("50", True)]


def test_purchase_that_gave_nothing_is_listed_with_the_reason(member):
    record(member, "r-1", 0)
    record(member, "r-2", 1_000, days=1)
    drain()

    row = page(member).rows[1]

    assert (row.title, [one.written for one in row.sums]) == ("Purchase, €0.00", ["0"])
    assert [line.name for line in row.idle] == ["Base"]


def test_late_purchase_stands_where_it_belongs(member):
    record(member, "r-2", 2_000, days=5)
    drain()
    record(member, "r-1", 1_000)
    drain()

    assert [row.title for row in page(member).rows] == ["Purchase, €20.00", "Purchase, €10.00"]


def test_pages_follow_one_another_without_gap_or_repeat(member):
    for place in range(7):
        record(member, f"r-{place}", 1_000 * (place % 2), days=place // 3)
    drain()

    first = page(member, size=3)
    second = page(member, size=3, before=Place.read(first.older))
    third = page(member, size=3, before=Place.read(second.older))

    listed = [row.place for one in (first, second, third) for row in one.rows]
    assert listed == [row.place for row in page(member).rows]
    assert (len(listed), third.older) == (7, "")


def test_months_gather_their_rows(member):
    for days in (0, 20, 40):
        record(member, f"r-{days}", 1_000, days=days)
    drain()

    months = history.by_month(page(member).rows)

    assert [(first.month, len(rows)) for first, rows in months] == [(2, 1), (1, 2)]


def test_pending_units_are_on_the_way_and_not_in_the_list():
    program = make_program(clock=JOINED)
    cash = UnitSpec("cash", precision=2, is_money=True, pending_days=14)
    make_version(program=program, units=[cash], tiers=(), rules=[RuleSpec(unit="cash", effect="percent")])
    member = make_member(program=program, joined_at=JOINED, external_id="e")
    record(member, "r-1", 50_000)
    drain()
    units = list(Unit.objects.filter(program=program))

    (row,) = history.on_the_way(membership=member, units=units, limit=5)

    assert (row.title, row.sums[0].written, row.sums[0].after) == ("Purchase, €500.00", "+€5.00", f"from 15{NB}Jan")
    assert page(member).rows == []


def test_two_units_of_one_purchase_stand_in_one_row():
    program = make_program()
    rules = [BASE_RULE, RuleSpec(code="stars", unit="stars", rate="2")]
    make_version(program=program, units=[UnitSpec(), UnitSpec("stars")], rules=rules)
    member = make_member(program=program, joined_at=JOINED, external_id="e")
    record(member, "r-1", 1_000)
    drain()

    (row,) = page(member).rows

    assert sorted(one.written for one in row.sums) == [f"+10{NB}points", f"+20{NB}stars"]


def test_opening_balance_says_what_it_is(member):
    move_in(program=member.program, arrivals=[Arrival(member.pk, [Opening("points", 1250)])], by=None)

    row = page(member).rows[0]
    assert (row.title, [one.written for one in row.sums], row.icon) == ("Opening balance", ["+1,250"], "wallet")


def test_place_survives_the_address():
    row = Place(JOINED, JOINED, make_program().pk)

    assert Place.read(row.as_text()) == row
