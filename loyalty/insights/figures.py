"""The first figures of a program, each from rows within its window, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import TruncWeek

from loyalty.insights.periods import Window, last_weeks
from loyalty.ledger.models import Account, Standing
from loyalty.purchases.models import Activity, Award
from programs.models import Membership, Program, Unit

SHORT, LONG = 30, 90
WEEKS = 13


@dataclass(frozen=True, slots=True)
class Pair:
    """A number now and in the period before."""

    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Week:
    """A week of sales, in minor units; ``is_running`` until its Sunday is over."""

    monday: date
    sales: int
    purchases: int
    is_running: bool


@dataclass(frozen=True, slots=True)
class TierCount:
    """How many members hold a tier."""

    code: str
    members: int


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What all members together hold of a unit, in smallest steps. Debts lessen it."""

    unit: Unit
    available: int
    pending: int
    held: int


@dataclass(frozen=True, slots=True)
class Attention:
    """What waits for a hand: how many, and since when the oldest of it waits."""

    failed: int
    failed_since: datetime | None
    waiting: int
    waiting_since: datetime | None
    backlog: int
    backlog_since: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one program at one moment. Money in minor units, points in smallest steps."""

    members: Pair
    active: Pair
    purchases: Pair
    by_members: Pair
    sales: Pair
    issued: Mapping[UUID, Pair]
    weeks: list[Week]
    tiers: list[TierCount]
    outstanding: list[Outstanding]
    attention: Attention


def figures(*, program: Program, at: datetime) -> Figures:
    """Return the figures of a program as they stand at ``at``."""
    short, long = Window(at, SHORT), Window(at, LONG)
    bought = _bought(program, short, long)
    return Figures(
        members=_members(program, short),
        active=Pair(bought["active"], bought["active_before"]),
        purchases=Pair(bought["purchases"], bought["purchases_before"]),
        by_members=Pair(bought["by_members"], bought["by_members_before"]),
        sales=Pair(bought["sales"] or 0, bought["sales_before"] or 0),
        issued=_issued(program, short),
        weeks=_weeks(program, at),
        tiers=_tiers(program),
        outstanding=_outstanding(program),
        attention=_attention(program),
    )


def _members(program: Program, window: Window) -> Pair:
    counted = (
        Membership.objects.filter(program=program)
        .exclude(status=Membership.Status.CLOSED)
        .aggregate(
            now=Count("id", filter=Q(joined_at__lte=window.end)),
            before=Count("id", filter=Q(joined_at__lte=window.start)),
        )
    )
    return Pair(counted["now"], counted["before"])


def _bought(program: Program, short: Window, long: Window) -> dict[str, int]:
    """Return purchases, sales and buyers of both windows; wholly returned purchases are none."""
    now = Q(occurred_at__gt=short.start, occurred_at__lte=short.end)
    before = Q(occurred_at__gt=short.previous_start, occurred_at__lte=short.start)
    member = Q(membership__isnull=False)
    net = F("total") - F("returned")
    return (
        Activity.objects.purchases()
        .filter(program=program, occurred_at__gt=long.previous_start, occurred_at__lte=long.end, is_void=False)
        .aggregate(
            active=Count("membership", distinct=True, filter=Q(occurred_at__gt=long.start)),
            active_before=Count("membership", distinct=True, filter=Q(occurred_at__lte=long.start)),
            purchases=Count("id", filter=now),
            purchases_before=Count("id", filter=before),
            by_members=Count("id", filter=now & member),
            by_members_before=Count("id", filter=before & member),
            sales=Sum(net, filter=now),
            sales_before=Sum(net, filter=before),
        )
    )


def _issued(program: Program, window: Window) -> dict[UUID, Pair]:
    """Return what purchases earned by unit, by the day of the purchase; what returns took back is not taken off."""
    rows = (
        Award.objects.filter(
            program=program,
            amount__gt=0,
            activity__program=program,
            activity__occurred_at__gt=window.previous_start,
            activity__occurred_at__lte=window.end,
        )
        .values("unit")
        .annotate(
            now=Sum("amount", filter=Q(activity__occurred_at__gt=window.start), default=0),
            before=Sum("amount", filter=Q(activity__occurred_at__lte=window.start), default=0),
        )
    )
    return {row["unit"]: Pair(row["now"], row["before"]) for row in rows}


def _weeks(program: Program, at: datetime) -> list[Week]:
    today = at.astimezone(program.zone).date()
    mondays = last_weeks(today=today, count=WEEKS)
    since = datetime.combine(mondays[0], time(), tzinfo=program.zone).astimezone(UTC)
    rows = (
        Activity.objects.purchases()
        .filter(program=program, occurred_at__gte=since, occurred_at__lte=at, is_void=False)
        .annotate(week=TruncWeek("occurred_at", tzinfo=program.zone))
        .values("week")
        .annotate(sales=Sum(F("total") - F("returned")), purchases=Count("id"))
    )
    found = {row["week"].date(): row for row in rows}
    weeks = []
    for monday in mondays:
        row = found.get(monday, {"sales": 0, "purchases": 0})
        weeks.append(Week(monday, row["sales"] or 0, row["purchases"], is_running=monday == mondays[-1]))
    return weeks


def _tiers(program: Program) -> list[TierCount]:
    rows = (
        Standing.objects.filter(program=program)
        .exclude(tier="")
        .exclude(membership__status=Membership.Status.CLOSED)
        .values("tier")
        .annotate(members=Count("membership"))
    )
    return [TierCount(row["tier"], row["members"]) for row in rows]


def _outstanding(program: Program) -> list[Outstanding]:
    kinds = Account.Kind
    rows = (
        Account.objects.filter(program=program, membership__isnull=False)
        .values("unit")
        .annotate(
            available=Sum("balance", filter=Q(kind=kinds.AVAILABLE), default=0),
            pending=Sum("balance", filter=Q(kind=kinds.PENDING), default=0),
            held=Sum("balance", filter=Q(kind=kinds.HELD), default=0),
        )
    )
    found = {row["unit"]: row for row in rows}
    empty = {"available": 0, "pending": 0, "held": 0}
    units = Unit.objects.filter(program=program).order_by("code")
    return [
        Outstanding(unit, row["available"], row["pending"], row["held"])
        for unit in units
        for row in [found.get(unit.pk, empty)]
    ]


def _attention(program: Program) -> Attention:
    status = Activity.Status
    failed, waiting = Q(status=status.FAILED), Q(status=status.WAITING, kind=Activity.Kind.REFUND)
    shelf = Activity.objects.filter(program=program, status__in=[status.FAILED, status.WAITING]).aggregate(
        failed=Count("id", filter=failed),
        failed_since=Min("posted_at", filter=failed),
        waiting=Count("id", filter=waiting),
        waiting_since=Min("posted_at", filter=waiting),
    )
    queue = (
        Activity.objects.awaiting_accrual(at=datetime.now(UTC))
        .filter(program=program)
        .aggregate(backlog=Count("id"), backlog_since=Min("due_at"))
    )
    return Attention(**shelf, **queue)
