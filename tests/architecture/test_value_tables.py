"""Rows of value are written once: the database itself refuses to change or delete them."""

import pytest
from django.db import connection

from accounts.history import triggers as history_triggers
from loyalty.ledger import triggers as ledger_triggers
from programs import triggers as terms_triggers

WRITTEN_ONCE = [
    "ledger_transaction", "ledger_entry", "ledger_openingbalance", "ledger_openingtier",
    "purchases_judgement", "purchases_rejudgement", "purchases_award", "purchases_receiptkey", "rehearsals_adjustment",
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("triggers", [ledger_triggers, terms_triggers, history_triggers])
def test_no_trigger_is_missing_after_migrate(triggers):
    assert triggers.missing(connection) == []


@pytest.mark.django_db
@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_table_of_value_has_a_trigger_against_update_and_one_against_delete(table):
    events = {trigger.event for trigger in ledger_triggers.triggers() if trigger.table == table}

    assert events == {"update", "delete"}
