"""Proof of the books: what must hold between transactions, entries, lots, balances and awards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from loyalty.ledger import triggers
from programs.models import Program


@dataclass(slots=True)
class Report:
    """What was counted, and every fault found, in words."""

    transactions: int = 0
    entries: int = 0
    lots: int = 0
    members: int = 0
    faults: list[str] = field(default_factory=list)


# Each yields rows whose existence is a fault; %s is the program.
QUERIES: dict[str, str] = {
    "transaction {0}: its entries in unit {1} sum to {2}, not to zero": """
        SELECT e.transaction_id, a.unit_id, SUM(e.amount) FROM ledger_entry e
        JOIN ledger_account a ON a.id = e.account_id
        WHERE e.program_id = %s GROUP BY e.transaction_id, a.unit_id HAVING SUM(e.amount) <> 0""",
    "transaction {0}: it has no entries": """
        SELECT t.id FROM ledger_transaction t
        WHERE t.program_id = %s AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.transaction_id = t.id)""",
    "account {0}: its balance is {1}, its entries sum to {2}": """
        SELECT a.id, a.balance, COALESCE(s.total, 0) FROM ledger_account a
        LEFT JOIN (SELECT account_id, SUM(amount) AS total FROM ledger_entry
                   WHERE program_id = %s GROUP BY account_id) s ON s.account_id = a.id
        WHERE a.program_id = %s AND a.membership_id IS NOT NULL AND a.balance <> COALESCE(s.total, 0)""",
    "member {0}: has {1} available in unit {2}, but open lots of {3}": """
        SELECT a.membership_id, a.balance, a.unit_id, COALESCE(l.total, 0) FROM ledger_account a
        LEFT JOIN (SELECT membership_id, unit_id, SUM(remaining) AS total FROM ledger_lot
                   WHERE program_id = %s AND matures_at IS NULL GROUP BY membership_id, unit_id) l
          ON l.membership_id = a.membership_id AND l.unit_id = a.unit_id
        WHERE a.program_id = %s AND a.kind = 'available'
          AND CASE WHEN a.balance < 0 THEN 0 ELSE a.balance END <> COALESCE(l.total, 0)""",
    "member {0}: has {1} pending in unit {2}, but pending lots of {3}": """
        SELECT a.membership_id, a.balance, a.unit_id, COALESCE(l.total, 0) FROM ledger_account a
        LEFT JOIN (SELECT membership_id, unit_id, SUM(remaining) AS total FROM ledger_lot
                   WHERE program_id = %s AND matures_at IS NOT NULL GROUP BY membership_id, unit_id) l
          ON l.membership_id = a.membership_id AND l.unit_id = a.unit_id
        WHERE a.program_id = %s AND a.kind = 'pending' AND a.balance <> COALESCE(l.total, 0)""",
    "member {0}: has {1} held in unit {2}, but reserved redemptions of {3}": """
        SELECT a.membership_id, a.balance, a.unit_id, COALESCE(r.total, 0) FROM ledger_account a
        LEFT JOIN (SELECT membership_id, unit_id, SUM(units) AS total FROM rewards_redemption
                   WHERE program_id = %s AND status = 'reserved' GROUP BY membership_id, unit_id) r
          ON r.membership_id = a.membership_id AND r.unit_id = a.unit_id
        WHERE a.program_id = %s AND a.kind = 'held' AND a.balance <> COALESCE(r.total, 0)""",
    "redemption {0}: it is captured, but {1} of its {2} are spent": """
        SELECT r.id, COALESCE(s.total, 0), r.units FROM rewards_redemption r
        LEFT JOIN (SELECT t.redemption_id, SUM(e.amount) AS total FROM ledger_transaction t
                   JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a ON a.id = e.account_id
                   WHERE t.program_id = %s AND a.kind = 'redeemed' AND t.redemption_id IS NOT NULL
                   GROUP BY t.redemption_id) s ON s.redemption_id = r.id
        WHERE r.program_id = %s AND r.status = 'captured' AND r.units <> COALESCE(s.total, 0)""",
    "activity {0}: its awards are {1} in unit {2}, its entries issued {3}": """
        SELECT x.activity_id, SUM(x.awarded), x.unit_id, SUM(x.issued) FROM (
            SELECT w.activity_id, w.unit_id, w.amount AS awarded, 0 AS issued FROM purchases_award w
            JOIN purchases_activity p ON p.id = w.activity_id
            WHERE w.program_id = %s AND p.kind <> 'refund'
            UNION ALL
            SELECT t.activity_id, a.unit_id, 0, -e.amount FROM ledger_transaction t
            JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a ON a.id = e.account_id
            WHERE t.program_id = %s AND t.kind = 'earn' AND a.kind = 'issued' AND t.activity_id IS NOT NULL) x
        GROUP BY x.activity_id, x.unit_id HAVING SUM(x.awarded) <> SUM(x.issued)""",
    "activity {0}: it is accrued, but was never judged": """
        SELECT p.id FROM purchases_activity p WHERE p.program_id = %s AND p.status = 'accrued'
          AND p.membership_id IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM purchases_judgement j WHERE j.activity_id = p.id)""",
    "activity {0}: it was judged, but is not accrued": """
        SELECT p.id FROM purchases_judgement j JOIN purchases_activity p ON p.id = j.activity_id
        WHERE j.program_id = %s AND p.status <> 'accrued'""",
    "member {0}: a correction moved {1} of unit {2}, its entries {3}": """
        SELECT d.membership_id, d.moved, d.unit_id, COALESCE(s.total, 0) FROM rehearsals_adjustment d
        LEFT JOIN (SELECT e.transaction_id, a.unit_id, -SUM(e.amount) AS total FROM ledger_entry e
                   JOIN ledger_account a ON a.id = e.account_id
                   WHERE e.program_id = %s AND a.kind = 'adjusted' GROUP BY e.transaction_id, a.unit_id) s
          ON s.transaction_id = d.transaction_id AND s.unit_id = d.unit_id
        WHERE d.program_id = %s AND d.moved <> COALESCE(s.total, 0)""",
    "entry {0}: it is of another program than its account": """
        SELECT e.id FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        WHERE e.program_id = %s AND a.program_id <> e.program_id""",
    "entry {0}: it moves a member's account that is not its transaction's": """
        SELECT e.id FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        JOIN ledger_transaction t ON t.id = e.transaction_id
        WHERE e.program_id = %s AND a.membership_id IS NOT NULL AND a.membership_id <> t.membership_id""",
}

COUNTS = {
    "transactions": "SELECT COUNT(*) FROM ledger_transaction WHERE program_id = %s",
    "entries": "SELECT COUNT(*) FROM ledger_entry WHERE program_id = %s",
    "lots": "SELECT COUNT(*) FROM ledger_lot WHERE program_id = %s",
    "members": "SELECT COUNT(*) FROM ledger_standing WHERE program_id = %s",
}

BY_KIND = """
    SELECT a.unit_id, a.kind, SUM(e.amount) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    WHERE e.program_id = %s GROUP BY a.unit_id, a.kind"""


def verify(*, programs: list[Program]) -> Report:
    """Return the proof for these programs. Reads only."""
    report = Report()
    report.faults += [f"the database lacks the trigger {name}" for name in triggers.missing(connection)]
    for program in programs:
        key = connection.ops.adapt_unknown_value(program.pk.hex if connection.vendor == "sqlite" else program.pk)
        for name, sql in COUNTS.items():
            setattr(report, name, getattr(report, name) + _rows(sql, key)[0][0])
        for words, sql in QUERIES.items():
            report.faults += [f"{program.slug}: {words.format(*row)}" for row in _rows(sql, key)]
        report.faults += [f"{program.slug}: {fault}" for fault in _identity(key)]
    return report


def _identity(key: Any) -> Iterator[str]:
    """Check per unit: issued + adjusted = available + pending + held + redeemed + expired + reversed."""
    sums: dict[Any, dict[str, int]] = {}
    for unit, kind, total in _rows(BY_KIND, key):
        sums.setdefault(unit, {})[kind] = int(total)
    for unit, by_kind in sums.items():
        given = -by_kind.pop("issued", 0) - by_kind.pop("adjusted", 0)
        if given != sum(by_kind.values()):
            yield f"unit {unit}: {given} were issued and adjusted, {sum(by_kind.values())} are accounted for"


def _rows(sql: str, key: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [key] * sql.count("%s"))
        return list(cursor.fetchall())
