"""The database itself keeps the books: each constraint and trigger, broken by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from loyalty.ledger import triggers
from loyalty.ledger.models import Account, Entry, Lot, Transaction
from loyalty.purchases.models import Activity, Award, Judgement, ReceiptKey
from programs.models import Program, Unit
from tests.factories import make_member, make_shop

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def member():
    return make_member(program=make_shop(), joined_at=NOON)


def activity(member, **changed):
    values = {
        "program": member.program,
        "membership": member,
        "kind": "purchase",
        "external_id": "r1",
        "status": "accrued",
        "occurred_at": NOON,
        "posted_at": NOON,
        "due_at": NOON,
        "total": 1_000,
    }
    return Activity.objects.create(**{**values, **changed})


def written(member):
    """One row of each table whose rows are written once."""
    one = activity(member)
    account = Account.objects.get(membership=member, kind="available")
    posted = Transaction.objects.create(
        program=member.program, membership=member, kind="earn", activity_id=one.pk, occurred_at=NOON, posted_at=NOON
    )
    entry = Entry.objects.create(program=member.program, transaction=posted, account=account, amount=5, balance_after=5)
    version = member.program.versions.get()
    judgement = Judgement.objects.create(
        activity=one, program=member.program, version=version, facts={}, posted_at=NOON
    )
    award = Award.objects.create(program=member.program, activity=one, rule="base", unit=account.unit, amount=5)
    key = ReceiptKey.objects.create(
        program=member.program, kind="purchase", external_id="r1", activity_id=one.pk, digest=b"x"
    )
    return {"transaction": posted, "entry": entry, "judgement": judgement, "award": award, "receiptkey": key}


@pytest.mark.parametrize("name", ["transaction", "entry", "judgement", "award", "receiptkey"])
def test_value_row_update_is_refused_by_the_database(member, name):
    row = written(member)[name]

    with pytest.raises(DatabaseError, match=f"{row._meta.db_table}_refuses_update"), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(program_id=row.program_id)


@pytest.mark.parametrize("name", ["entry", "judgement", "award", "receiptkey"])
def test_value_row_delete_is_refused_by_the_database(member, name):
    row = written(member)[name]

    with pytest.raises(DatabaseError, match=f"{row._meta.db_table}_refuses_delete"), transaction.atomic():
        type(row).objects.filter(pk=row.pk)._raw_delete("default")


def test_trigger_that_is_gone_is_missed_and_comes_back(member):
    triggers.remove(connection)
    assert set(triggers.missing(connection)) == {trigger.name for trigger in triggers.triggers()}

    triggers.install(connection)
    triggers.install(connection)

    assert triggers.missing(connection) == []


def broken(name):
    """The database refuses, and names the constraint; SQLite names columns for unique ones."""
    if connection.vendor == "sqlite" and name.startswith("UNIQUE "):
        return pytest.raises(IntegrityError, match="UNIQUE constraint failed")
    return pytest.raises(IntegrityError, match=name.removeprefix("UNIQUE "))


def test_activity_cannot_earn_twice(member):
    one = activity(member)
    values = {
        "program": member.program,
        "membership": member,
        "kind": "earn",
        "activity_id": one.pk,
        "occurred_at": NOON,
        "posted_at": NOON,
    }
    Transaction.objects.create(**values)

    with broken("UNIQUE ledger_tx_once_per_activity"), transaction.atomic():
        Transaction.objects.create(**values)


def test_entry_moves_something(member):
    rows = written(member)

    with broken("ledger_entry_moves_something"), transaction.atomic():
        Entry.objects.create(
            program=member.program, transaction=rows["transaction"], account=rows["entry"].account, amount=0
        )


@pytest.mark.parametrize("kind", ["pending", "held"])
def test_only_what_is_available_may_be_owed(member, kind):
    with broken("ledger_account_only_available_owes"), transaction.atomic():
        Account.objects.filter(membership=member, kind=kind).update(balance=-1)


def test_available_may_be_owed(member):
    assert Account.objects.filter(membership=member, kind="available").update(balance=-1) == 1


def test_account_of_a_program_keeps_no_balance(member):
    with broken("ledger_account_kind_fits_owner"), transaction.atomic():
        Account.objects.filter(membership__isnull=True, kind="issued").update(balance=0)


def test_account_is_one_per_member_unit_and_kind(member):
    unit = Unit.objects.get()

    with broken("UNIQUE ledger_account_one_per_member"), transaction.atomic():
        Account.objects.create(program=member.program, membership=member, unit=unit, kind="held", balance=0)


def test_account_is_one_per_program_unit_and_kind(member):
    with broken("UNIQUE ledger_account_one_per_program"), transaction.atomic():
        Account.objects.create(program=member.program, unit=Unit.objects.get(), kind="issued")


def lot(member, **amounts):
    return Lot.objects.create(
        program=member.program, membership=member, unit=Unit.objects.get(), earned_at=NOON, **amounts
    )


def test_lot_of_nothing_is_refused(member):
    with broken("ledger_lot_amount_positive"), transaction.atomic():
        lot(member, amount=0, remaining=0)


@pytest.mark.parametrize(
    "amounts", [{"remaining": 11}, {"remaining": -1}, {"remaining": 5, "expired": 3, "reversed": 3}]
)
def test_lot_is_never_overdrawn(member, amounts):
    with broken("ledger_lot_never_overdrawn"), transaction.atomic():
        lot(member, amount=10, **amounts)


def test_receipt_is_unique_for_ever(member):
    written(member)

    with broken("UNIQUE purchases_receiptkey_unique_for_ever"), transaction.atomic():
        ReceiptKey.objects.create(
            program=member.program, kind="purchase", external_id="r1", activity_id=member.pk, digest=b"y"
        )


def test_award_is_once_per_activity_rule_and_unit(member):
    rows = written(member)

    with broken("UNIQUE purchases_award_once"), transaction.atomic():
        Award.objects.create(
            program=member.program, activity=rows["award"].activity, rule="base", unit=Unit.objects.get(), amount=1
        )


def test_award_moves_something(member):
    with broken("purchases_award_moves_something"), transaction.atomic():
        Award.objects.create(
            program=member.program, activity=activity(member), rule="x", unit=Unit.objects.get(), amount=0
        )


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("purchases_activity_total_not_negative", {"total": -1}),
        ("purchases_activity_returned_within_total", {"total": 100, "returned": 101}),
        ("purchases_activity_refund_names_purchase", {"kind": "refund"}),
    ],
)
def test_activity_that_cannot_be_is_refused(member, name, changed):
    with broken(name), transaction.atomic():
        activity(member, **changed)


def test_clock_belongs_to_a_sandbox_alone(member):
    with broken("programs_program_only_sandbox_has_clock"), transaction.atomic():
        Program.objects.update(clock=NOON)
