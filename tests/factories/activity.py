"""Activity as the intake records it, and the worker's loop in this process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from loyalty.purchases import accrual
from loyalty.purchases.models import Activity, ReceiptKey
from programs.models import Membership

JOINED = datetime(2025, 1, 1, 12, tzinfo=UTC)


def record(
    member: Membership,
    external_id: str,
    total: int,
    *,
    days: int = 0,
    kind: str = "purchase",
    purchase: str = "",
    tax: int | None = None,
    event_type: str = "",
    status: str = "recorded",
) -> Activity:
    """Return an activity of ``total`` minor units, so many days after JOINED."""
    now = datetime.now(UTC)
    one = Activity.objects.create(
        program=member.program,
        membership=member,
        kind=kind,
        external_id=external_id,
        status=status,
        occurred_at=JOINED + timedelta(days=days),
        posted_at=now,
        due_at=now,
        currency=member.program.currency,
        total=None if kind == Activity.Kind.EVENT else total,
        tax=tax,
        event_type=event_type,
        purchase_external_id=purchase,
    )
    ReceiptKey.objects.create(
        program=member.program, kind=kind, external_id=external_id, activity_id=one.pk, digest=b"a test's"
    )
    return one


def drain() -> list[accrual.BatchReport]:
    """Judge all that is recorded."""
    reports = []
    while (report := accrual.accrue_batch()).moved:
        reports.append(report)
    return reports
