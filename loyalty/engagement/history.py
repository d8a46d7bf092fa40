"""What happened to a member's units, newest first, a page at a time.

In the order in which it happened, so that months stand together; a late report stands where it belongs, and its
"balance after" is that of the moment it was counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from loyalty.engagement.keyset import Place
from loyalty.engagement.rows import Row, Writer, activities_by_id, pending_row
from loyalty.ledger.models import Account, Entry, Lot, Transaction
from loyalty.purchases.event_names import event_names
from loyalty.purchases.models import Activity
from programs.models import Membership, Unit

PAGE_SIZE = 20
Kind = Transaction.Kind


class Choice(StrEnum):
    """What the list is narrowed to."""

    ALL = "all"
    EARNED = "earned"
    SPENT = "spent"
    RETURNED = "returned"
    EXPIRED = "expired"


KINDS: dict[Choice, tuple[str, ...]] = {
    Choice.EARNED: (Kind.EARN, Kind.MATURE),
    Choice.SPENT: (Kind.HOLD, Kind.RELEASE, Kind.REDEEM),
    Choice.RETURNED: (Kind.REVERSE, Kind.RESTORE),
    Choice.EXPIRED: (Kind.EXPIRE,),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows; ``older`` is where the next one begins, empty at the end."""

    rows: list[Row]
    older: str


@dataclass(frozen=True, slots=True)
class Counting:
    """How much is being counted, and whether all of it was bought."""

    number: int
    are_purchases: bool

    def __bool__(self) -> bool:
        return self.number > 0


def page(
    *,
    membership: Membership,
    units: Sequence[Unit],
    choice: Choice = Choice.ALL,
    before: Place | None = None,
    size: int = PAGE_SIZE,
    explained: bool = True,
) -> Page:
    """Return the newest rows below ``before``, in a fixed number of queries whatever the history's length."""
    found = sorted(
        [*_transactions(membership, choice, before, size), *_without_value(membership, choice, before, size)],
        key=lambda one: Place(one.occurred_at, one.listed_at, one.pk),
        reverse=True,
    )
    shown = found[:size]
    rows = Writer(membership.program, units, shown, explained=explained).rows()
    return Page(rows=rows, older=rows[-1].place.as_text() if len(found) > size else "")


def on_the_way(*, membership: Membership, units: Sequence[Unit], limit: int) -> list[Row]:
    """Return what was earned and cannot be spent yet, soonest first."""
    lots = list(
        Lot.objects.filter(
            program_id=membership.program_id, membership=membership, matures_at__isnull=False, remaining__gt=0
        ).order_by("matures_at", "id")[:limit]
    )
    known = {unit.pk: unit for unit in units}
    activities = activities_by_id(membership.program, [lot.activity_id for lot in lots])
    events = event_names(activities.values(), program=membership.program)
    several = len(units) > 1
    return [
        pending_row(lot, known[lot.unit_id], membership.program, activities, events, several=several) for lot in lots
    ]


def being_counted(*, membership: Membership) -> Counting:
    """Return what has arrived and waits to be counted; an event that waits for a friend may do so for long."""
    recorded = Q(status=Activity.Status.RECORDED)
    returned = Q(status=Activity.Status.WAITING, kind=Activity.Kind.REFUND)
    found = Activity.objects.filter(recorded | returned, program_id=membership.program_id, membership=membership)
    counts = found.aggregate(all=Count("id"), bought=Count("id", filter=Q(kind=Activity.Kind.PURCHASE)))
    return Counting(counts["all"], are_purchases=counts["all"] == counts["bought"])


def by_month(rows: Iterable[Row]) -> list[tuple[date, list[Row]]]:
    """Return the rows under the month in which they happened, in their order."""
    months: list[tuple[date, list[Row]]] = []
    for row in rows:
        first = row.day.replace(day=1)
        if not months or months[-1][0] != first:
            months.append((first, []))
        months[-1][1].append(row)
    return months


def _below(before: Place | None, posted: str) -> Q:
    if before is None:
        return Q()
    return Q(occurred_at__lte=before.occurred_at) & (
        Q(occurred_at__lt=before.occurred_at)
        | Q(**{f"{posted}__lt": before.posted_at})
        | Q(**{posted: before.posted_at, "id__lt": before.id})
    )


def _transactions(membership: Membership, choice: Choice, before: Place | None, size: int) -> list[Any]:
    """Return the transactions that moved what can be spent."""
    spendable = Entry.objects.filter(transaction=OuterRef("pk"), account__membership=membership)
    found = (
        Transaction.objects.filter(Exists(spendable.filter(account__kind=Account.Kind.AVAILABLE)))
        .filter(_below(before, "posted_at"), program_id=membership.program_id, membership=membership)
        .annotate(listed_at=F("posted_at"))
        .order_by("-occurred_at", "-posted_at", "-id")
    )
    return list((found.filter(kind__in=KINDS[choice]) if choice in KINDS else found)[: size + 1])


def _without_value(membership: Membership, choice: Choice, before: Place | None, size: int) -> list[Any]:
    """Return what was judged and gave nothing: a customer wants to know why."""
    if choice is not Choice.ALL:
        return []
    found: QuerySet[Any] = (
        Activity.objects.filter(program_id=membership.program_id, membership=membership, status=Activity.Status.ACCRUED)
        .filter(~Exists(Transaction.objects.filter(program_id=membership.program_id, activity_id=OuterRef("pk"))))
        .filter(_below(before, "judgement__posted_at"))
        .annotate(listed_at=F("judgement__posted_at"))
        .order_by("-occurred_at", "-listed_at", "-id")
    )
    return list(found[: size + 1])
