"""The proof finds every fault that is put into the books."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection

from loyalty.ledger import triggers
from loyalty.ledger.models import Account, Entry, Lot, Transaction
from loyalty.ledger.verify import verify
from loyalty.purchases.models import Activity, Award
from programs.models import Program
from tests.factories import make_member, make_shop
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def member():
    member = make_member(program=make_shop(), joined_at=NOON)
    record(member, "r1", 5_000)
    drain()
    return member


@pytest.fixture
def tampered():
    """Without the triggers, as somebody with the database's password could have it."""
    triggers.remove(connection)
    yield
    triggers.install(connection)


def faults():
    return [fault.partition(": ")[2] for fault in verify(programs=list(Program.objects.all())).faults]


def test_books_in_order_have_no_fault(member):
    report = verify(programs=[member.program])

    assert (report.faults, report.members, report.transactions, report.entries, report.lots) == ([], 1, 1, 2, 1)


def test_missing_trigger_is_a_fault(member, tampered):
    assert [fault for fault in verify(programs=[]).faults if "trigger" in fault] == [
        f"the database lacks the trigger {trigger.name}" for trigger in triggers.triggers()
    ]


def test_entry_changed_unbalances_its_transaction_and_the_identity(member, tampered):
    Entry.objects.filter(account__kind="issued").update(amount=-49)
    triggers.install(connection)

    found = faults()

    assert any("sum to 1, not to zero" in fault for fault in found)
    assert any("49 were issued and adjusted, 50 are accounted for" in fault for fault in found)


def test_balance_changed_differs_from_its_entries_and_lots(member):
    account = Account.objects.get(membership=member, kind="available")
    Account.objects.filter(pk=account.pk).update(balance=51)

    found = faults()

    assert any("its balance is 51, its entries sum to 50" in fault for fault in found)
    assert any("has 51 available" in fault for fault in found)


def test_lot_changed_differs_from_the_balance(member):
    Lot.objects.update(remaining=49)

    assert any("open lots of 49" in fault for fault in faults())


def test_award_without_its_entries_is_a_fault(member):
    Award.objects.create(
        program=member.program,
        activity=Activity.objects.get(),
        rule="ghost",
        unit=Award.objects.get().unit,
        amount=7,
    )

    assert any("its awards are 57" in fault for fault in faults())


def test_transaction_without_entries_is_a_fault(member):
    Transaction.objects.create(
        program=member.program, membership=member, kind="adjust", occurred_at=NOON, posted_at=NOON
    )

    assert any("it has no entries" in fault for fault in faults())


def test_accrued_activity_without_judgement_is_a_fault(member):
    record(member, "r2", 100, status="accrued")

    assert any("it is accrued, but was never judged" in fault for fault in faults())


def test_command_ends_with_a_summary(member, capsys):
    call_command("verify_ledger")

    assert capsys.readouterr().out == "programs 1, members 1, transactions 1, entries 2, lots 1, faults 0\n"


def test_command_exits_with_1_on_a_fault(member, capsys):
    Lot.objects.update(remaining=49)

    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", program=member.program.slug)

    assert ended.value.code == 1
    assert capsys.readouterr().out.endswith("faults 1\n")
