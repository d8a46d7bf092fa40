"""The past of a program's members as the engine reads it, batch by batch, in a fixed number of queries each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from loyalty.ledger.models import Standing, TierGrant
from loyalty.purchases.facts import ROW, Row, by_member, engine_activity, place_of
from loyalty.purchases.models import Activity
from programs.engine import state as engine
from programs.engine.terms import Schedule
from programs.engine.tiers import counts_of
from programs.engine.timeline import Activity as EngineActivity
from programs.models import Membership, Program, SegmentMember

MEMBERS_A_BATCH = 200
ROWS_A_BATCH = 600  # A second's work or less, so that a word to stop is heard soon.


@dataclass(frozen=True, slots=True)
class Known:
    """A purchase among the rows that were read."""

    pk: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Timed:
    """An activity as the engine judges it, with the moment at which its turn comes and the row it was read from."""

    moment: datetime
    activity: EngineActivity
    row: Row


@dataclass(slots=True)
class Past:
    """All that is known of one member: ``fresh`` is the state at joining, ``activity`` what was judged since, in order.

    ``returned`` names the purchases of which something came back.
    """

    membership_id: UUID
    fresh: engine.State
    activity: list[Timed]
    returned: frozenset[UUID]


def present_of_program(program: Program) -> datetime:
    """Return up to when there is a past: the program's clock, or a sandbox's latest activity where that is later."""
    now = program.now()
    if program.clock is None:
        return now
    latest = Standing.objects.filter(program=program).order_by("-as_of").values_list("as_of", flat=True).first()
    return max(now, latest) if latest is not None else now


def judged_before(program: Program, *, until: datetime, known_by: datetime) -> QuerySet[Activity]:
    """Return the members' activity that was judged, happened up to ``until`` and was recorded by ``known_by``."""
    return Activity.objects.filter(
        program=program,
        membership__isnull=False,
        status=Activity.Status.ACCRUED,
        occurred_at__lte=until,
        posted_at__lte=known_by,
    )


def next_members(members: QuerySet[Membership], activity: QuerySet[Activity], *, after: UUID | None) -> list[UUID]:
    """Return the next members by id, as many as a batch of activity belongs to; none at the end. Two queries."""
    left = members if after is None else members.filter(pk__gt=after)
    ids = list(left.order_by("pk").values_list("pk", flat=True)[:MEMBERS_A_BATCH])
    counted = activity.filter(membership_id__in=ids).order_by().values_list("membership_id").annotate(Count("pk"))
    counts: Mapping[UUID, int] = dict(counted)
    chosen: list[UUID] = []
    rows = 0
    for pk in ids:
        rows += counts.get(pk, 0)
        if chosen and rows > ROWS_A_BATCH:
            break
        chosen.append(pk)
    return chosen


def pasts(
    ids: Collection[UUID],
    activity: QuerySet[Activity],
    *,
    schedule: Schedule,
    places: Mapping[UUID, object] | None = None,
) -> list[Past]:
    """Return what is known of these members, those with activity alone, ordered by id. Four queries.

    ``places``: by activity what comes before its own place in the order (when it was judged), where that is asked for.
    """
    rows = by_member(Row(*values) for values in activity.filter(membership_id__in=ids).values_list(*ROW))
    people = {
        pk: (joined_at, birth_date)
        for pk, joined_at, birth_date in Membership.objects.filter(pk__in=list(rows)).values_list(
            "pk", "joined_at", "customer__birth_date"
        )
    }
    grants, segments = _grants(rows), _segments(rows)
    found = []
    for pk in sorted(rows):
        joined_at, birth_date = people[pk]
        fresh = engine.State(
            joined_at=joined_at,
            as_of=joined_at,
            birth_date=birth_date,
            counted=counts_of(schedule),
            grants=grants.get(pk),
            segments=segments.get(pk, frozenset()),
        )
        timed = _in_order(rows[pk], places)
        returned = frozenset(one.activity.purchase_id for one in timed if isinstance(one.activity, engine.Refund))
        found.append(Past(pk, fresh, timed, returned))
    return found


def _in_order(rows: Sequence[Row], places: Mapping[UUID, object] | None) -> list[Timed]:
    purchases = {
        (row.program_id, row.external_id): Known(row.id, row.occurred_at)
        for row in rows
        if row.kind == Activity.Kind.PURCHASE
    }
    keys = {row.id: place_of(row, purchases) for row in rows}
    order = sorted(rows, key=lambda row: ((places[row.id],) if places else (), keys[row.id]))
    return [Timed(keys[row.id][0], engine_activity(row, purchases, {}), row) for row in order]


def _grants(ids: Collection[UUID]) -> dict[UUID, list[engine.Grant]]:
    found: dict[UUID, list[engine.Grant]] = defaultdict(list)
    for row in TierGrant.objects.filter(membership_id__in=list(ids)).order_by("starts_at", "id"):
        ended_at = row.ended_at.astimezone(UTC) if row.ended_at is not None else None
        starts_at = row.starts_at.astimezone(UTC)
        found[row.membership_id].append(engine.Grant(row.tier, row.kind, starts_at, row.until, ended_at))
    return dict(found)


def _segments(ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    rows = SegmentMember.objects.filter(membership_id__in=list(ids)).values_list("membership_id", "segment__code")
    for membership_id, code in rows:
        found[membership_id].add(code.casefold())
    return {pk: frozenset(codes) for pk, codes in found.items()}
