from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from loyalty.ledger.models import Account, Entry, Lot, OpeningBalance, Standing, Transaction
from loyalty.ledger.openings import Arrival, Opening, move_in
from loyalty.ledger.verify import verify
from loyalty.purchases.accrual import run_due
from programs.models import Program
from tests.factories import UnitSpec, make_member, make_program, make_version
from tests.factories.activity import drain
from tests.factories.events import publish
from tests.loyalty.api.client import Till, a_purchase

CLOCK = datetime(2026, 6, 1, 12, tzinfo=UTC)


def program_with(**unit):
    program = make_program(clock=CLOCK)
    make_version(program=program, units=[UnitSpec(**unit)])
    return program


def bring(member, amount=100, **more):
    program = Program.objects.get(pk=member.program_id)
    with transaction.atomic():
        move_in(program=program, arrivals=[Arrival(member.pk, [Opening("points", amount, **more)])], by=None)


def balances(member):
    return dict(Account.objects.filter(membership=member).values_list("kind", "balance"))


@pytest.mark.django_db
def test_opening_balance_is_one_posting_against_the_adjusted_account_and_says_what_it_is():
    program = program_with()
    member = make_member(program=program, external_id="42")

    bring(member, 1250)

    entries = Entry.objects.order_by("amount").values_list("account__kind", "amount", "balance_after")
    assert list(entries) == [("adjusted", -1250, None), ("available", 1250, 1250)]
    (entry,) = Till(program).get("members/external_id:42/entries/").json()["results"]
    assert (entry["kind"], entry["amount"], entry["reason"], entry["source"]) == (
        "adjust",
        "1250",
        "Opening balance",
        {"type": "opening", "id": None, "external_id": None},
    )
    assert verify(programs=[program]).faults == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("unit", "more", "gone_at"),
    [
        ({"expiry": "rolling", "expiry_months": 12}, {}, datetime(2027, 6, 2, tzinfo=UTC)),
        (
            {"expiry": "rolling", "expiry_months": 12},
            {"earned_at": datetime(2026, 1, 1, tzinfo=UTC)},
            datetime(2027, 1, 2, tzinfo=UTC),
        ),
        ({"expiry": "inactivity", "expiry_months": 6}, {}, datetime(2026, 12, 2, tzinfo=UTC)),
        ({}, {"expires_at": datetime(2026, 9, 1, tzinfo=UTC)}, datetime(2026, 9, 1, tzinfo=UTC)),
    ],
)
def test_opening_balance_ends_at_its_time_by_itself(unit, more, gone_at):
    program = program_with(**unit)
    member = make_member(program=program, joined_at=datetime(2020, 1, 1, tzinfo=UTC))
    bring(member, **more)

    due_at = Standing.objects.get().due_at
    run_due(program=program, as_of=gone_at)

    assert (due_at, balances(member)["available"]) == (gone_at, 0)
    assert list(Transaction.objects.order_by("posted_at").values_list("kind", flat=True)) == ["adjust", "expire"]
    assert verify(programs=[program]).faults == []


@pytest.mark.django_db
def test_units_of_terms_that_need_a_notice_wait_for_it():
    program = make_program(clock=CLOCK)
    version = make_version(program=program, units=[UnitSpec()], is_published=False)
    publish(version, needs_notice=True, notice_days=30)
    member = make_member(program=program)
    bring(member, expires_at=datetime(2026, 9, 1, tzinfo=UTC))

    assert Standing.objects.get().due_at == datetime(2026, 8, 2, tzinfo=UTC)
    run_due(program=program, as_of=datetime(2026, 9, 2, tzinfo=UTC))
    assert (balances(member)["available"], member.notices.count()) == (100, 1)


@pytest.mark.django_db
def test_debt_is_paid_first():
    program = program_with()
    member = make_member(program=program, external_id="42")
    till = Till(program)
    till.post("purchases/", a_purchase(member="external_id:42", total="30.00", occurred_at="2026-06-01T00:00:00Z"))
    drain()
    Lot.objects.update(remaining=0)  # Spent, and returned: what stands then is a debt.
    Account.objects.filter(kind="available", membership=member).update(balance=-30)

    bring(member, 100)

    lot = Lot.objects.latest("earned_at")
    assert (balances(member)["available"], lot.amount, lot.remaining) == (70, 100, 70)


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["update", "delete"])
def test_row_of_an_opening_balance_is_written_once(change):
    bring(make_member(program=program_with()))
    rows = OpeningBalance.objects.all()

    with pytest.raises(IntegrityError, match=f"ledger_openingbalance_refuses_{change}"), transaction.atomic():
        rows.update(amount=1) if change == "update" else rows._raw_delete("default")


@pytest.mark.django_db
def test_member_has_one_opening_balance_in_a_unit():
    member = make_member(program=program_with())
    bring(member)

    with pytest.raises(IntegrityError):
        bring(member)

    assert balances(member)["available"] == 100


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "constraint"), [({"amount": 0}, "ledger_openingbalance_positive"), ({}, "ledger_openingbalance")]
)
def test_opening_balance_that_breaks_the_truth_is_refused(fields, constraint):
    member = make_member(program=program_with())
    bring(member)
    row = OpeningBalance.objects.get()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OpeningBalance.objects.create(
            program_id=row.program_id,
            membership=member,
            unit=row.unit,
            transaction_id=row.transaction_id,
            moved_at=now(),
            **{"amount": 5, **fields},
        )
