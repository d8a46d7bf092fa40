"""What a batch reads: the activity to be judged, and the facts that returns are judged by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from loyalty.ledger import book as ledger
from loyalty.ledger.models import Lot, Standing
from loyalty.purchases.models import ENROLMENT, Activity, Judgement, ReceiptKey, Rejudgement
from loyalty.purchases.returns import WHOLE
from loyalty.rewards.models import Redemption, Voucher
from programs.engine import state as engine
from programs.engine.terms import Schedule
from programs.models import Store

ROWS_A_BATCH = 2_000
NOTHING_RESTORED: Mapping[UUID, engine.Restored] = {}


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
    lines: list[dict[str, Any]]
    store: str | None
    channel: str
    attributes: dict[str, Any]
    event_type: str
    purchase_external_id: str
    paid: int = 0
    payments: list[dict[str, Any]] = field(default_factory=list)
    freed: dict[str, int] = field(default_factory=dict)


class Bought(Protocol):
    """What the order of activity needs of a purchase that a return names."""

    @property
    def pk(self) -> UUID:
        """Its id."""

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""


ROW = (
    *("id", "program_id", "membership_id", "kind", "external_id", "occurred_at", "position", "posted_at"),
    *("total", "tax", "lines", "store__code", "channel", "attributes", "event_type", "purchase_external_id"),
    *("paid", "payments", "freed"),
)
"""The columns of a ``Row``."""


def rows_due(standings: Sequence[Standing], *, only: UUID | None) -> list[Row]:
    """Return what is to be judged of these members, oldest first; of one activity alone if asked."""
    due = Activity.objects.awaiting_accrual(at=datetime.now(UTC)).filter(
        membership_id__in=[standing.membership_id for standing in standings]
    )
    if only is not None:
        due = due.filter(pk=only)
    return [Row(*values) for values in due.in_order().values_list(*ROW)[:ROWS_A_BATCH]]


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
    named = ("program_id", "external_id", "occurred_at", "status")
    told = ("total", "tax", "lines", "channel", "attributes", "paid", "freed")
    keys = ReceiptKey.objects.filter(query).values("activity_id")  # The index that finds a receipt by its name.
    found = Activity.objects.filter(pk__in=keys).select_related("store").only(*named, *told, "store__code")
    return {(one.program_id, one.external_id): one for one in found}


def judged_facts(purchases: Iterable[Activity]) -> dict[UUID, engine.Judged]:
    """Return the facts that already judged purchases were judged by, and what was judged to come back of them."""
    known = {purchase.pk: purchase for purchase in purchases if purchase.status == Activity.Status.ACCRUED}
    if not known:
        return {}
    returned = _returned_so_far(known.values())
    rows = Judgement.objects.filter(activity_id__in=known).values_list("activity_id", "version_id", "tier", "facts")
    judged: dict[UUID, tuple[UUID, str, Any]] = {pk: (version_id, tier, facts) for pk, version_id, tier, facts in rows}
    for pk, again in rejudged(Rejudgement.objects.filter(activity_id__in=known)).items():
        judged[pk] = (again.version_id, again.tier, again.facts)
    return {
        activity_id: engine.Judged(
            purchase=engine_purchase(known[activity_id]),
            version_id=version_id,
            tier=tier,
            found=facts["counters"],
            barred=facts.get("barred", {}),
            returned=returned.get(activity_id, {}),
            reaching=tuple(tuple(one) for one in facts.get("reaching", ())),
        )
        for activity_id, (version_id, tier, facts) in judged.items()
    }


def rejudged(rows: QuerySet[Rejudgement]) -> dict[UUID, Rejudgement]:
    """Return by activity the latest judgement that a corrective run has put in the first one's place."""
    return {one.activity_id: one for one in rows.order_by("posted_at", "id")}


def _returned_so_far(purchases: Iterable[Activity]) -> dict[UUID, dict[int, engine.Part]]:
    """Return what the judged returns of these purchases took, by line."""
    ids = {(one.program_id, one.external_id): one.pk for one in purchases}
    named: dict[UUID, list[str]] = defaultdict(list)
    for program_id, external_id in ids:
        named[program_id].append(external_id)
    query = Q()
    for program_id, external_ids in named.items():
        query |= Q(program_id=program_id, purchase_external_id__in=external_ids)
    refunds = Activity.objects.refunds().filter(query, status=Activity.Status.ACCRUED)
    found: dict[UUID, dict[int, engine.Part]] = defaultdict(dict)
    for program_id, external_id, lines, total in refunds.values_list(
        "program_id", "purchase_external_id", "lines", "total"
    ):
        so_far = found[ids[program_id, external_id]]
        for number, (quantity, amount) in parts_of(lines, total).items():
            before = so_far.get(number, (0, 0))
            so_far[number] = (before[0] + quantity, before[1] + amount)
    return found


def in_order(rows: Sequence[Row], purchases: Mapping[tuple[UUID, str], Bought]) -> list[Row]:
    """Return a member's activity as it is judged: by time, place, arrival; no refund before its purchase."""
    return sorted(rows, key=lambda row: place_of(row, purchases))


def place_of(row: Row, purchases: Mapping[tuple[UUID, str], Bought]) -> tuple[datetime, bool, int, datetime, UUID]:
    """Return by what an activity is put in order; first the moment at which it is judged."""
    purchase = purchases.get((row.program_id, row.purchase_external_id)) if row.purchase_external_id else None
    is_early = purchase is not None and row.occurred_at <= purchase.occurred_at
    moment = purchase.occurred_at if purchase is not None and is_early else row.occurred_at
    return (moment, is_early, row.position, row.posted_at, row.id)


def asks_for_segments(schedule: Schedule) -> bool:
    """Whether any rule looks at the groups that a member is in."""
    return any(
        clause.kind == "segment" for terms in schedule.versions for rule in terms.rules for clause in rule.clauses
    )


def converts_at_once(schedule: Schedule) -> bool:
    """Whether units turn into rewards as soon as there are enough: then any activity may spend older lots."""
    return any(reward.conversion == "at_once" for terms in schedule.versions for reward in terms.rewards)


def needs_of(standing: Standing, rows: Sequence[Row], *, segments: bool, converts: bool) -> ledger.Needs:
    """Return what the fold of one member will touch beyond the standing."""
    is_late = rows[0].occurred_at < standing.as_of
    reaches_due = standing.due_at is not None and max(row.occurred_at for row in rows) >= standing.due_at
    has_refund = any(row.kind == Activity.Kind.REFUND for row in rows)
    return ledger.Needs(lots=is_late or reaches_due or has_refund or converts, periods=is_late, segments=segments)


def restored_by(rows: Iterable[Row]) -> dict[UUID, engine.Restored]:
    """Return by its id each redemption that returns among ``rows`` are to give back."""
    returns = {row.id for row in rows if row.kind == Activity.Kind.REFUND and row.payments}
    if not returns:
        return {}
    spent = Redemption.objects.filter(returned_by__in=returns, status=Redemption.Status.CAPTURED)
    return {
        one.pk: engine.Restored(one.pk, one.unit.code if one.unit else "", _taken(one.taken), one.settled_at)
        for one in spent.select_related("unit")
    }


def _taken(rows: Iterable[Sequence[Any]]) -> engine.Taken:
    return tuple((UUID(lot), amount) for lot, amount in rows)


def _read_vouchers(book: ledger.Book, members: Iterable[UUID]) -> None:
    """Add the unused vouchers that units turned into: a return may withdraw them."""
    rows = Voucher.objects.filter(
        membership_id__in=list(members), status=Voucher.Status.ISSUED, reason=Voucher.Reason.CONVERTED
    ).select_related("unit")
    for row in rows:
        unit = row.unit.code if row.unit else ""
        voucher = engine.OpenVoucher(
            row.pk, row.reward, unit, _taken(row.taken), row.issued_at, row.expires_at, row.uses
        )
        book.states[row.membership_id].vouchers.append(voucher)


def _read_spent_lots(
    book: ledger.Book,
    members: Iterable[UUID],
    judged: Iterable[UUID],
    restores: Mapping[UUID, engine.Restored],
) -> None:
    """Add the lots with nothing left that returns give back to, or take back from."""
    ids = list(members)
    codes = {unit.pk: unit.code for unit in book.units.values()}
    named = {lot for one in restores.values() for lot, _amount in one.taken}
    named |= {lot for pk in ids for one in book.states[pk].vouchers for lot, _amount in one.taken}
    spent = Lot.objects.filter(Q(activity_id__in=list(judged)) | Q(pk__in=named), membership_id__in=ids, remaining=0)
    known = {lot.id for pk in ids for lot in book.states[pk].lots}
    for lot in spent:
        if lot.pk not in known:  # What is held was read with the holds.
            book.states[lot.membership_id].lots.append(ledger.engine_lot(lot, codes[lot.unit_id]))


def read_for_refunds(
    book: ledger.Book,
    ordered: Mapping[UUID, Sequence[Row]],
    judged: Mapping[UUID, engine.Judged],
    restores: Mapping[UUID, engine.Restored],
) -> None:
    """Add what only refunds need: the lots of their purchases, spent or not, and what activity still stands."""
    refunds = {
        pk: count for pk, rows in ordered.items() if (count := sum(row.kind == Activity.Kind.REFUND for row in rows))
    }
    if not refunds:
        return
    _read_vouchers(book, refunds)
    _read_spent_lots(book, refunds, judged, restores)
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
    _read_activity_since_spending(book, ordered, restores)


def _read_activity_since_spending(
    book: ledger.Book, ordered: Mapping[UUID, Sequence[Row]], restores: Mapping[UUID, engine.Restored]
) -> None:
    """Add when members were active since they spent what now comes back: it tells what would have been forfeited."""
    since: dict[UUID, datetime] = {}
    for pk, rows in ordered.items():
        named = (restores.get(UUID(one["id"])) for row in rows for one in row.payments if one["kind"] == "redemption")
        moments = [one.spent_at for one in named if one is not None and one.spent_at is not None]
        if moments:
            since[pk] = min(moments)
    if not since:
        return
    later = Activity.objects.purchases().filter(
        membership_id__in=since, status=Activity.Status.ACCRUED, is_void=False, occurred_at__gt=min(since.values())
    )
    for membership_id, occurred_at, pk in later.values_list("membership_id", "occurred_at", "pk"):
        state = book.states[membership_id]
        if occurred_at > since[membership_id] and (occurred_at, pk) not in state.standing_activity:
            state.standing_activity.append((occurred_at, pk))


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
    row: Row,
    purchases: Mapping[tuple[UUID, str], Bought],
    judged: Mapping[UUID, engine.Judged],
    restores: Mapping[UUID, engine.Restored] = NOTHING_RESTORED,
) -> engine.Purchase | engine.Refund | engine.Event:
    """Return a row as the engine judges it."""
    if row.kind == Activity.Kind.PURCHASE:
        return engine_purchase(row)
    if row.kind == Activity.Kind.EVENT:
        trigger = "enrolment" if row.event_type == ENROLMENT else "event"
        return engine.Event(row.id, row.occurred_at, row.event_type, row.attributes, trigger)
    purchase = purchases.get((row.program_id, row.purchase_external_id))
    purchase_id = purchase.pk if purchase is not None else row.id
    parts = parts_of(row.lines, row.total)
    named = [UUID(one["id"]) for one in row.payments if one["kind"] == "redemption"]
    given_back = tuple(restores[pk] for pk in named if pk in restores)
    return engine.Refund(row.id, row.occurred_at, purchase_id, parts, judged.get(purchase_id), given_back)


def engine_purchase(row: Row | Activity) -> engine.Purchase:
    """Return a purchase as the engine judges it: what can be compared is casefolded."""
    store = row.store.code if isinstance(row.store, Store) else row.store
    return engine.Purchase(
        id=row.id,
        occurred_at=row.occurred_at,
        total=row.total or 0,
        tax=row.tax or 0,
        lines=engine_lines(row.lines),
        paid=row.paid,
        freed={int(number): pieces for number, pieces in row.freed.items()},
        store=_plain(store or ""),
        channel=_plain(row.channel),
        attributes=row.attributes,
    )


def engine_lines(lines: Sequence[Mapping[str, Any]]) -> tuple[engine.Line, ...]:
    """Return stored lines as the engine compares them, numbered from 1."""
    return tuple(_engine_line(number, line) for number, line in enumerate(lines, start=1))


def _plain(text: str) -> str:
    """Return a text as it is compared: without regard to case and to blanks around it."""
    return text.strip().casefold()


def _engine_line(number: int, line: Mapping[str, Any]) -> engine.Line:
    return engine.Line(
        number=number,
        amount=line["amount"],
        quantity=line.get("quantity", 1_000),
        sku=_plain(line.get("sku", "")),
        category=_plain(line.get("category", "")),
        brand=_plain(line.get("brand", "")),
        tags=frozenset(_plain(tag) for tag in line.get("tags", ())),
    )


def parts_of(lines: Iterable[Mapping[str, Any]], total: int | None) -> dict[int, engine.Part]:
    """Return what a stored return takes, by the number of the line; a purchase without lines counts as line 0."""
    parts: dict[int, engine.Part] = {}
    for line in lines:
        number = line["line"]
        quantity, amount = parts.get(number, (0, 0))
        pieces = 0 if number == WHOLE else line["quantity"]
        parts[number] = (quantity + pieces, amount + line["amount"])
    return parts or {WHOLE: (0, total or 0)}
