"""What a batch reads: the activity to be judged, and the facts that returns are judged by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from loyalty.ledger import book as ledger
from loyalty.ledger.models import Lot, Standing
from loyalty.purchases.models import Activity, Judgement, ReceiptKey
from programs.engine import state as engine

ROWS_A_BATCH = 2_000


@dataclass(slots=True)
class Row:
    """What the fold needs of an activity."""

    id: UUID
    program_id: UUID
    membership_id: UUID
    kind: str
    external_id: str
    occurred_at: datetime
    position: int
    posted_at: datetime
    total: int | None
    tax: int | None
    purchase_external_id: str


def rows_due(standings: Sequence[Standing], *, only: UUID | None) -> list[Row]:
    """Return what is to be judged of these members, oldest first; of one activity alone if asked."""
    due = Activity.objects.awaiting_accrual(at=datetime.now(UTC)).filter(
        membership_id__in=[standing.membership_id for standing in standings]
    )
    if only is not None:
        due = due.filter(pk=only)
    columns = ("id", "program_id", "membership_id", "kind", "external_id", "occurred_at", "position", "posted_at")
    return [
        Row(*values)
        for values in due.in_order().values_list(*columns, "total", "tax", "purchase_external_id")[:ROWS_A_BATCH]
    ]


def by_member(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    """Return the rows of each member."""
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.membership_id].append(row)
    return found


def purchases_of_refunds(rows: Iterable[Row]) -> dict[tuple[UUID, str], Activity]:
    """Return the purchases that the refunds among ``rows`` name."""
    wanted: dict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        if row.kind == Activity.Kind.REFUND:
            wanted[row.program_id].add(row.purchase_external_id)
    if not wanted:
        return {}
    query = Q()
    for program_id, external_ids in wanted.items():
        query |= Q(program_id=program_id, kind=Activity.Kind.PURCHASE, external_id__in=external_ids)
    columns = ("program_id", "external_id", "occurred_at", "status", "total", "tax", "returned")
    keys = ReceiptKey.objects.filter(query).values("activity_id")  # The index that finds a receipt by its name.
    found = Activity.objects.filter(pk__in=keys).only(*columns)
    return {(one.program_id, one.external_id): one for one in found}


def judged_facts(purchases: Iterable[Activity]) -> dict[UUID, engine.Judged]:
    """Return the facts that already judged purchases were judged by."""
    known = {purchase.pk: purchase for purchase in purchases if purchase.status == Activity.Status.ACCRUED}
    if not known:
        return {}
    rows = Judgement.objects.filter(activity_id__in=known).values_list("activity_id", "version_id", "tier", "facts")
    return {
        activity_id: engine.Judged(
            id=activity_id,
            occurred_at=known[activity_id].occurred_at,
            version_id=version_id,
            tier=tier,
            found=facts["counters"],
            total=known[activity_id].total or 0,
            tax=known[activity_id].tax or 0,
            returned=known[activity_id].returned,
        )
        for activity_id, version_id, tier, facts in rows
    }


def in_order(rows: Sequence[Row], purchases: Mapping[tuple[UUID, str], Activity]) -> list[Row]:
    """Return a member's activity as it is judged: by time, place, arrival; no refund before its purchase."""

    def key(row: Row) -> tuple[datetime, bool, int, datetime, UUID]:
        purchase = purchases.get((row.program_id, row.purchase_external_id)) if row.purchase_external_id else None
        is_early = purchase is not None and row.occurred_at <= purchase.occurred_at
        moment = purchase.occurred_at if purchase is not None and is_early else row.occurred_at
        return (moment, is_early, row.position, row.posted_at, row.id)

    return sorted(rows, key=key)


def needs_of(standing: Standing, rows: Sequence[Row]) -> ledger.Needs:
    """Return what the fold of one member will touch beyond the standing."""
    is_late = rows[0].occurred_at < standing.as_of
    reaches_due = standing.due_at is not None and max(row.occurred_at for row in rows) >= standing.due_at
    has_refund = any(row.kind == Activity.Kind.REFUND for row in rows)
    return ledger.Needs(lots=is_late or reaches_due or has_refund, periods=is_late)


def read_for_refunds(
    book: ledger.Book, ordered: Mapping[UUID, Sequence[Row]], judged: Mapping[UUID, engine.Judged]
) -> None:
    """Add what only refunds need: the lots of their purchases, spent or not, and what activity still stands."""
    refunds = {
        pk: count for pk, rows in ordered.items() if (count := sum(row.kind == Activity.Kind.REFUND for row in rows))
    }
    if not refunds:
        return
    codes = {unit.pk: unit.code for unit in book.units.values()}
    for lot in Lot.objects.filter(activity_id__in=list(judged), membership_id__in=refunds, remaining=0):
        book.states[lot.membership_id].lots.append(ledger.engine_lot(lot, codes[lot.unit_id]))
    most = max(refunds.values()) + 1
    standing = (
        Activity.objects.purchases()
        .filter(membership_id__in=refunds, status=Activity.Status.ACCRUED, is_void=False)
        .annotate(
            place=Window(
                RowNumber(), partition_by=[F("membership_id")], order_by=[F("occurred_at").desc(), F("id").desc()]
            )
        )
        .filter(place__lte=most)
    )
    for membership_id, occurred_at, pk in standing.values_list("membership_id", "occurred_at", "pk"):
        book.states[membership_id].standing_activity.append((occurred_at, pk))


def read_for_late_activity(
    book: ledger.Book, ordered: Mapping[UUID, Sequence[Row]], standings: Sequence[Standing]
) -> None:
    """Add when members were active after the activity that now comes late: it may have kept those units alive."""
    late = {
        one.membership_id: rows[0].occurred_at
        for one in standings
        if (rows := ordered.get(one.membership_id)) and rows[0].occurred_at < one.as_of
    }
    if not late:
        return
    later = Activity.objects.purchases().filter(
        membership_id__in=late, status=Activity.Status.ACCRUED, is_void=False, occurred_at__gt=min(late.values())
    )
    for membership_id, occurred_at, pk in later.values_list("membership_id", "occurred_at", "pk"):
        if occurred_at > late[membership_id]:
            book.states[membership_id].standing_activity.append((occurred_at, pk))


def engine_activity(
    row: Row, purchases: Mapping[tuple[UUID, str], Activity], judged: Mapping[UUID, engine.Judged]
) -> engine.Purchase | engine.Refund:
    """Return a row as the engine judges it."""
    if row.kind == Activity.Kind.PURCHASE:
        return engine.Purchase(row.id, row.occurred_at, row.total or 0, row.tax or 0)
    purchase = purchases.get((row.program_id, row.purchase_external_id))
    purchase_id = purchase.pk if purchase is not None else row.id
    return engine.Refund(row.id, row.occurred_at, purchase_id, row.total or 0, judged.get(purchase_id))
