"""Budgets of a whole program: exact under parallel workers, given back by returns, read only where there are any."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.ledger.verify import verify
from loyalty.purchases import accrual
from loyalty.purchases.budgets import LONGEST_KEY, hold, stored, used_so_far
from loyalty.purchases.models import Activity, Award, Budget
from programs.models import ProgramVersion, RuleCap
from tests.factories import EVER_SINCE, RuleSpec, make_member, make_program, make_version
from tests.factories.activity import JOINED, drain, record

pytestmark = pytest.mark.django_db

KEY = "program|base#units|month|2025-01"
WORKERS = 8
QUERIES_FOR_BUDGETS = 3  # To find, to lock and to write.
BAD = 2**62  # Earns more than a column holds.


def shop(*, budget: str, rate: str = "1", **cap: str):
    program = make_program()
    version = make_version(program=program, tiers=(), rules=[RuleSpec(rate=rate)], is_published=False)
    limit = {"window": "month", "counts": "units", "scope": "program", **cap}
    RuleCap.objects.create(rule=version.rules.get(), amount=Decimal(budget), **limit)
    version.status, version.in_force_from = ProgramVersion.Status.PUBLISHED, EVER_SINCE
    version.published_at = datetime.now(UTC)
    version.save(update_fields=["status", "in_force_from", "published_at"])
    return program


def given():
    return list(Award.objects.order_by("activity__external_id").values_list("activity__external_id", "amount"))


def used():
    return dict(Budget.objects.values_list("key", "used"))


def test_members_share_a_budget_and_the_last_award_is_cut_to_what_is_left():
    program = shop(budget="250")
    for name in ("a", "b", "c", "d"):
        record(make_member(program=program, joined_at=JOINED), name, 10_000)

    drain()

    assert (sorted(amount for _name, amount in given()), used()) == ([50, 100, 100], {KEY: 250})


def test_return_gives_back_to_the_budget_and_the_next_purchase_draws_on_it():
    program = shop(budget="150")
    member = make_member(program=program, joined_at=JOINED)
    record(member, "a", 10_000)
    record(member, "b", 10_000, days=1)
    drain()
    record(member, "back", 10_000, days=2, kind="refund", purchase="a")
    drain()
    assert used() == {KEY: 50}
    record(make_member(program=program, joined_at=JOINED), "c", 20_000, days=3)

    drain()

    assert (given(), used()) == ([("a", 100), ("b", 50), ("back", -100), ("c", 100)], {KEY: 150})


def test_batch_that_is_halved_takes_nothing_twice():
    program = shop(budget="100", counts="times", rate="99999999")
    members = [make_member(program=program, joined_at=JOINED) for _ in range(4)]
    for number, member in enumerate(members):
        record(member, f"a{number}", 1_000)
    record(members[2], "bad", BAD, days=1)

    drain()

    assert list(Activity.objects.failed().values_list("external_id", flat=True)) == ["bad"]
    assert used() == {"program|base#times|month|2025-01": 4}


def test_values_of_an_attribute_have_budgets_of_their_own():
    program = shop(budget="100", per="place")
    member = make_member(program=program, joined_at=JOINED)
    for name, place in (("a", "Brno"), ("b", "Praha"), ("c", "BRNO")):
        one = record(member, name, 7_000)
        Activity.objects.filter(pk=one.pk).update(attributes={"place": place})

    drain()

    assert sorted(amount for _name, amount in given()) == [30, 70, 70]
    assert used() == {f"{KEY}|brno": 100, f"{KEY}|praha": 70}


def queries_of_a_batch(program, count):
    members = [make_member(program=program, joined_at=JOINED) for _ in range(count)]
    for member in members:
        record(member, f"r{member.pk}", 1_000)
    with CaptureQueriesContext(connection) as seen:
        accrual._accrue_members([member.pk for member in members])
    return len(seen)


def test_budgets_take_three_queries_whatever_the_number_of_members_and_none_where_there_are_none():
    without, limited = shop(budget="100000", scope="member"), shop(budget="100000")
    for program in (without, limited):
        queries_of_a_batch(program, 1)

    plain = queries_of_a_batch(without, 1)

    assert [queries_of_a_batch(limited, count) - plain for count in (1, 3)] == [QUERIES_FOR_BUDGETS] * 2


def test_key_longer_than_the_column_has_a_name_of_its_own_and_is_found_again():
    program = shop(budget="100")
    keys = ["k" * LONGEST_KEY + end for end in ("a", "b")]

    with transaction.atomic():
        budgets = hold({program.pk: keys})
        budgets.of(program.pk)[keys[1]] = 7
        budgets.write()

    assert used_so_far({program.pk: keys}) == {program.pk: {keys[0]: 0, keys[1]: 7}}
    assert {len(stored(key)) for key in keys} == {LONGEST_KEY}


def test_there_is_one_row_for_a_budget_and_it_is_never_negative():
    program = make_program()
    Budget.objects.create(program=program, key="a")

    with pytest.raises(IntegrityError, match=r"purchases_budget_once|budget.program_id"), transaction.atomic():
        Budget.objects.create(program=program, key="a")
    with pytest.raises(IntegrityError, match="purchases_budget_used_not_negative"), transaction.atomic():
        Budget.objects.create(program=program, key="b", used=-1)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_give_out_exactly_the_budget():
    program = shop(budget="2050")
    members = [make_member(program=program, joined_at=JOINED) for _ in range(2 * WORKERS)]
    for number, member in enumerate(members):
        for nth in range(4):
            record(member, f"r{number}-{nth}", 10_000, days=nth)
    start = Barrier(WORKERS)

    def work(number: int) -> None:
        try:
            start.wait()
            for member in members[number::WORKERS]:
                accrual._accrue_one_by_one(member.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))

    assert set(Activity.objects.values_list("status", flat=True)) == {"accrued"}
    assert sorted(Award.objects.values_list("amount", flat=True)) == [50] + [100] * 20
    assert used() == {KEY: 2_050}
    assert verify(programs=[program]).faults == []
