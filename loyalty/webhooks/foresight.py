"""Which units will expire within the days of notice that the terms give: looked for once a day, each told once.

Terms that hold a loss back until its notice was sent have the ledger say so by itself; it is the same news.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from loyalty.ledger import book as ledger
from loyalty.ledger.models import Standing
from loyalty.webhooks.event_types import UNITS_EXPIRING
from loyalty.webhooks.news import expiring
from loyalty.webhooks.outbox import Draft, Ears, ears_of, wanted, write
from programs.engine.expiry import inactivity_end
from programs.engine.state import State
from programs.engine.terms import Schedule
from programs.models import Membership, Program
from programs.terms import schedule_of

MEMBERS_A_BATCH = 200


def tell_of_expiry(*, program: Program, now: datetime) -> int:
    """Tell of the units that expire after ``now`` and within the notice; return of how many times that was news."""
    ears = ears_of([program])
    if not wanted(ears, program.pk, UNITS_EXPIRING):
        return 0
    schedule = schedule_of(program)
    until = now + timedelta(days=max((terms.notice_days for terms in schedule.versions), default=0))
    told, last = 0, UUID(int=0)
    while True:
        rows = Standing.objects.filter(program=program, membership_id__gt=last).with_due_work(as_of=until)
        ids = list(rows.order_by("membership_id").values_list("membership_id", flat=True)[:MEMBERS_A_BATCH])
        if not ids:
            return told
        last = ids[-1]
        told += _tell(program, schedule, ids, ears, now=now)


@transaction.atomic
def _tell(program: Program, schedule: Schedule, ids: Sequence[UUID], ears: Ears, *, now: datetime) -> int:
    standings = ledger.lock_standings(ids, skip_locked=False)
    book = ledger.open_book(standings, {one.membership_id: ledger.Needs(lots=True) for one in standings})
    members = Membership.objects.select_related("customer").in_bulk(list(ids))
    drafts: list[Draft] = []
    for standing in standings:
        member, state = members[standing.membership_id], book.states[standing.membership_id]
        member.program = program
        found = sorted(_ends(state, schedule, now=now), key=lambda one: (one[1], one[0]))
        drafts += [expiring(member, state, unit, ends_at, units=book.units) for unit, ends_at in found]
    return write(drafts, ears)


def _ends(state: State, schedule: Schedule, *, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield each unit with a moment at which some of it ends, if that lies within the notice of the terms."""
    terms = schedule.versions[max(0, schedule.index_of(state.version_id))]
    until = now + timedelta(days=terms.notice_days)
    ends = {(lot.unit, lot.expires_at) for lot in state.lots if lot.remaining > 0}
    ends |= {(unit, inactivity_end(state=state, terms=terms, unit=unit)) for unit in terms.units}
    for unit, end in ends:
        if end is not None and now < end <= until:
            yield unit, end
