"""Moving in: what members had in another system becomes theirs here, in the books and on the ladder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from accounts.ids import new_id
from accounts.models import User
from loyalty.ledger import book as ledger
from loyalty.ledger.models import OpeningBalance, OpeningTier, Standing, TierGrant
from loyalty.ledger.queries import present_of
from loyalty.ledger.signals import book_opened
from programs.engine.state import Grant, Outcome, State
from programs.engine.terms import Schedule
from programs.engine.timeline import fold
from programs.engine.value import Value
from programs.models import Program
from programs.terms import schedule_of


@dataclass(frozen=True, slots=True)
class Opening:
    """Units that a member brings: ``amount`` in smallest steps.

    They end at ``expires_at`` if that is given, else as the unit's terms say, counted from ``earned_at`` or else from
    the member's present.
    """

    unit: str
    amount: int
    earned_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A tier that a member brings, up to its last day (None: no end); ``kind`` and ``reason`` as of a TierGrant."""

    tier: str
    until: date | None
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one member brings."""

    membership_id: UUID
    balances: Sequence[Opening] = ()
    tier: Held | None = None


def move_in(*, program: Program, arrivals: Sequence[Arrival], by: User | None) -> None:
    """Give members what they bring, at their present; in a fixed number of queries. ``by`` None is an operator.

    Call it in a transaction. Members and units are the program's own. A balance (of a member and unit) and a member's
    tier move in once: IntegrityError of ``ledger_openingbalance_once`` or ``ledger_openingtier_once``.
    """
    wanted = {one.membership_id: one for one in arrivals if one.balances or one.tier}
    if not wanted:
        return
    schedule = schedule_of(program)
    standings = ledger.lock_standings(wanted, skip_locked=False)
    book = ledger.open_book(standings, {pk: ledger.Needs(lots=True) for pk in wanted})
    book_opened.send(sender=ledger.Book, book=book, schedules={program.pk: schedule})
    rows = _Rows(program, by)
    results = {}
    for standing in standings:
        arrival = wanted[standing.membership_id]
        present = present_of(program=program, standing=standing, now=program.now()).astimezone(UTC)
        state = book.states[standing.membership_id].copy()
        if arrival.tier is not None:
            state.grants = [*(state.grants or ()), rows.give(standing, arrival.tier, present)]
        results[standing.membership_id] = _moved_in(state, schedule, arrival.balances, present)
    written = ledger.write(book, results)
    rows.note(wanted.values(), written, {unit.code: unit.pk for unit in book.units.values()})
    rows.write()


def _moved_in(
    state: State, schedule: Schedule, balances: Iterable[Opening], present: datetime
) -> tuple[State, Outcome]:
    """Bring a member to the present, with the tier they hold then, and give the units; each is a posting of its own."""
    state, so_far = fold(state=state, schedule=schedule, until=present, new_id=new_id)
    terms = schedule.versions[max(0, schedule.index_of(state.version_id))]
    value = Value(state, so_far, new_id)
    for one in balances:
        value.open_with(
            one.unit,
            one.amount,
            at=present,
            earned_at=one.earned_at or present,
            expires_at=one.expires_at,
            terms=terms,
        )
    state, after = fold(state=state, schedule=schedule, until=present, new_id=new_id)
    after.postings[:0] = so_far.postings
    after.tier_changes[:0] = so_far.tier_changes
    after.notices[:0] = so_far.notices
    return state, after


class _Rows:
    """Gathers what is written beside the books: the grants, and that they and the balances were moved in."""

    def __init__(self, program: Program, by: User | None) -> None:
        self.program = program
        self.by = by
        self.now = datetime.now(UTC)
        self.grants: list[TierGrant] = []
        self.tiers: list[OpeningTier] = []
        self.balances: list[OpeningBalance] = []

    def give(self, standing: Standing, held: Held, at: datetime) -> Grant:
        """Return a tier as the engine reads it."""
        row = TierGrant(
            program=self.program,
            membership_id=standing.membership_id,
            tier=held.tier,
            kind=held.kind,
            reason=held.reason,
            starts_at=at,
            until=held.until,
            granted_by=self.by,
        )
        self.grants.append(row)
        self.tiers.append(
            OpeningTier(
                program=self.program,
                membership_id=standing.membership_id,
                tier=held.tier,
                until=held.until,
                grant_id=row.pk,
                moved_at=self.now,
                moved_by=self.by,
            )
        )
        return Grant(tier=row.tier, kind=row.kind, starts_at=at, until=row.until)

    def note(
        self, arrivals: Iterable[Arrival], written: Mapping[tuple[UUID, str], UUID], units: Mapping[str, UUID]
    ) -> None:
        """Note which transaction brought which balance."""
        for arrival in arrivals:
            for one in arrival.balances:
                self.balances.append(
                    OpeningBalance(
                        program=self.program,
                        membership_id=arrival.membership_id,
                        unit_id=units[one.unit],
                        amount=one.amount,
                        transaction_id=written[arrival.membership_id, one.unit],
                        moved_at=self.now,
                        moved_by=self.by,
                    )
                )

    def write(self) -> None:
        """Write all of it, one statement for each table."""
        TierGrant.objects.bulk_create(self.grants)
        OpeningTier.objects.bulk_create(self.tiers)
        OpeningBalance.objects.bulk_create(self.balances)


def openings_among(transaction_ids: Iterable[UUID], *, program: Program) -> set[UUID]:
    """Return which of these transactions are opening balances. One query, none for no transaction."""
    ids = list(transaction_ids)
    if not ids:
        return set()
    found = OpeningBalance.objects.filter(program=program, transaction_id__in=ids)
    return set(found.values_list("transaction_id", flat=True))
