"""Between the engine and the tables: reads members' states under lock, writes what their folds came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from loyalty.ledger.memory import kept, recall
from loyalty.ledger.models import Account, Entry, Lot, Notice, Standing, TierPeriod, Transaction
from loyalty.ledger.sets import update_rows
from loyalty.ledger.signals import book_written
from programs.engine import state as engine
from programs.models import Membership, SegmentMember, Unit

MEMBER_ACCOUNTS = frozenset(kind.value for kind in Account.MEMBER_KINDS)


@dataclass(slots=True)
class Book:
    """The locked standings of some members, with all that a fold of them needs and its writing."""

    standings: list[Standing]
    states: dict[UUID, engine.State]
    accounts: dict[tuple[UUID, str, str], Account]
    units: dict[tuple[UUID, str], Unit]
    program_accounts: dict[tuple[UUID, str, str], Account]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a member's fold will touch: ``lots``, ``periods`` and ``segments`` are read only where they may be."""

    lots: bool = False
    periods: bool = False
    segments: bool = False


def lock_standings(membership_ids: Iterable[UUID], *, skip_locked: bool, most: int | None = None) -> list[Standing]:
    """Lock and return the members' standings in one fixed order; those locked elsewhere are left out if asked."""
    # SQLite has no row locks: IMMEDIATE transactions queue up there.
    skip = skip_locked and connection.features.has_select_for_update_skip_locked
    query = Standing.objects.filter(membership_id__in=list(membership_ids)).select_for_update(skip_locked=skip)
    return list(query.order_by("membership_id")[:most])


def open_book(standings: Sequence[Standing], needs: Mapping[UUID, Needs]) -> Book:
    """Read the states of members whose standings are locked, in a fixed number of queries."""
    ids = [standing.membership_id for standing in standings]
    program_ids = {standing.program_id for standing in standings}
    found = Unit.objects.filter(program_id__in=program_ids).select_related("program")  # For whoever is told of it.
    units = {(unit.program_id, unit.code): unit for unit in found}
    codes = {unit.pk: unit.code for unit in units.values()}
    people = {
        pk: (joined_at, birth_date)
        for pk, joined_at, birth_date in Membership.objects.filter(pk__in=ids).values_list(
            "pk", "joined_at", "customer__birth_date"
        )
    }
    accounts = {
        (account.membership_id, codes[account.unit_id], account.kind): account
        for account in Account.objects.filter(membership_id__in=ids)
        if account.membership_id is not None
    }
    program_accounts = {
        (account.program_id, codes[account.unit_id], account.kind): account
        for account in Account.objects.filter(program_id__in=program_ids, membership__isnull=True)
    }
    states = {standing.membership_id: state_of(standing, *people[standing.membership_id]) for standing in standings}
    for (membership_id, unit, kind), account in accounts.items():
        states[membership_id].balances[unit, kind] = account.balance or 0
    for state in states.values():
        state.lots_known = all(balance <= 0 for balance in state.balances.values())
    # Units without any activity that still stands: the next purchase may find them forfeited.
    idle = {pk for pk, state in states.items() if state.active_at is None and not state.lots_known}
    _read_lots(states, codes, [pk for pk in ids if needs.get(pk, Needs()).lots or pk in idle])
    _read_periods(states, [pk for pk in ids if needs.get(pk, Needs()).periods])
    _read_segments(states, [pk for pk in ids if needs.get(pk, Needs()).segments])
    return Book(list(standings), states, accounts, units, program_accounts)


def write(book: Book, results: Mapping[UUID, tuple[engine.State, engine.Outcome]]) -> dict[tuple[UUID, str], UUID]:
    """Write what the folds came to: transactions, entries, lots, balances, tiers and standings.

    Return the transactions of kind adjust by member and unit.
    """
    writer = _Writer(book)
    for standing in book.standings:
        if standing.membership_id in results:
            writer.add(standing, *results[standing.membership_id])
    writer.flush()
    book_written.send(sender=Book, book=book, results=results)
    return writer.adjusted


def state_of(standing: Standing, joined_at: datetime, birth_date: date | None = None) -> engine.State:
    """Return a standing as the engine reads it, without balances, lots and periods."""
    state = engine.State(
        joined_at=joined_at,
        birth_date=birth_date,
        as_of=standing.as_of,
        version_id=standing.version_id,
        active_at=standing.active_at,
        tier=standing.tier,
        tier_since=standing.tier_since,
        tier_until=standing.tier_until,
        credit=standing.credit,
        counters=standing.counters,
        lots_known=False,
        due_of_lots=standing.lots_due_at,
    )
    return recall(standing.memory, state)


def _read_lots(states: Mapping[UUID, engine.State], codes: Mapping[UUID, str], ids: Sequence[UUID]) -> None:
    for membership_id in ids:
        states[membership_id].lots_known = True
    if not ids:
        return
    held = {lot_id for pk in ids for hold in states[pk].holds for lot_id, _amount in hold.taken}
    wanted = Q(remaining__gt=0) | Q(pk__in=held) if held else Q(remaining__gt=0)
    for lot in Lot.objects.filter(wanted, membership_id__in=ids):
        states[lot.membership_id].lots.append(engine_lot(lot, codes[lot.unit_id]))


def engine_lot(lot: Lot, unit: str) -> engine.Lot:
    """Return a lot as the engine reads it."""
    return engine.Lot(
        id=lot.pk,
        unit=unit,
        activity_id=lot.activity_id,
        amount=lot.amount,
        remaining=lot.remaining,
        earned_at=lot.earned_at,
        matures_at=lot.matures_at,
        expires_at=lot.expires_at,
        expired=lot.expired,
        reversed=lot.reversed,
        waived=lot.waived,
    )


def _read_periods(states: Mapping[UUID, engine.State], ids: Sequence[UUID]) -> None:
    if not ids:
        return
    for row in TierPeriod.objects.filter(membership_id__in=ids).order_by("starts_at", "posted_at", "id"):
        state = states[row.membership_id]
        place = 0 if row.reason == TierPeriod.Reason.JOINED else len(state.periods)
        state.periods.insert(place, (row.since(state.joined_at), row.tier))


def _read_segments(states: Mapping[UUID, engine.State], ids: Sequence[UUID]) -> None:
    if not ids:
        return
    rows = SegmentMember.objects.filter(membership_id__in=ids).values_list("membership_id", "segment__code")
    found: dict[UUID, set[str]] = defaultdict(set)
    for membership_id, code in rows:
        found[membership_id].add(code.casefold())
    for membership_id, codes in found.items():
        states[membership_id].segments = frozenset(codes)


class _Writer:
    """Gathers the rows of a batch, then writes one statement per table."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.posted_at = datetime.now(UTC)
        self.transactions: list[Transaction] = []
        self.entries: list[Entry] = []
        self.new_lots: list[Lot] = []
        self.lots: list[tuple[object, ...]] = []
        self.notices: list[Notice] = []
        self.periods: list[TierPeriod] = []
        self.balances: list[tuple[UUID, int]] = []
        self.standings: list[tuple[object, ...]] = []
        self.joined: list[tuple[UUID, datetime]] = []
        self.adjusted: dict[tuple[UUID, str], UUID] = {}

    def add(self, standing: Standing, state: engine.State, outcome: engine.Outcome) -> None:
        for posting in outcome.postings:
            self._post(standing, posting)
        for lot in state.lots:
            self._keep(standing, lot)
        for change in outcome.tier_changes:
            self.periods.append(
                TierPeriod(
                    program_id=standing.program_id,
                    membership_id=standing.membership_id,
                    tier=change.tier,
                    starts_at=change.starts_at,
                    reason=change.reason,
                    activity_id=change.activity_id,
                    posted_at=self._next_instant(),
                )
            )
        before = self.book.states[standing.membership_id]
        for (unit, kind), balance in state.balances.items():
            if balance != before.balance(unit, kind):
                account = self.book.accounts[standing.membership_id, unit, kind]
                self.balances.append((account.pk, balance))
        if state.joined_at != before.joined_at:
            self.joined.append((standing.membership_id, state.joined_at))
        self.standings.append(
            (
                standing.membership_id,
                state.version_id,
                state.as_of,
                outcome.due_at,
                state.due_of_lots,
                state.active_at,
                state.tier,
                state.tier_since,
                state.tier_until,
                state.credit,
                state.counters,
                kept(state),
            )
        )
        for due in outcome.notices:
            self.notices.append(
                Notice(
                    program_id=standing.program_id,
                    membership_id=standing.membership_id,
                    kind=due.kind,
                    what=due.what,
                    ends_at=due.ends_at,
                    created_at=self.posted_at,
                )
            )

    def flush(self) -> None:
        Transaction.objects.bulk_create(self.transactions)
        Entry.objects.bulk_create(self.entries)
        Lot.objects.bulk_create(self.new_lots)
        TierPeriod.objects.bulk_create(self.periods)
        Notice.objects.bulk_create(self.notices, ignore_conflicts=True)
        update_rows(Lot, ("remaining", "expired", "reversed", "waived", "matures_at", "expires_at"), self.lots)
        update_rows(Account, ("balance",), sorted(self.balances))
        update_rows(Membership, ("joined_at",), self.joined)
        columns = ("version", "as_of", "due_at", "lots_due_at", "active_at", "tier", "tier_since", "tier_until")
        update_rows(Standing, (*columns, "credit", "counters", "memory"), self.standings)

    def _post(self, standing: Standing, posting: engine.Posting) -> None:
        transaction = Transaction(
            program_id=standing.program_id,
            membership_id=standing.membership_id,
            kind=posting.kind,
            activity_id=posting.activity_id,
            redemption_id=posting.redemption_id,
            occurred_at=posting.occurred_at,
            posted_at=self._next_instant(),
        )
        self.transactions.append(transaction)
        if posting.kind == Transaction.Kind.ADJUST:
            self.adjusted[standing.membership_id, posting.moves[0].unit] = transaction.pk
        for move in posting.moves:
            self.entries.append(
                Entry(
                    program_id=standing.program_id,
                    transaction=transaction,
                    account=self._account(standing, move),
                    amount=move.amount,
                    balance_after=move.balance_after,
                )
            )

    def _account(self, standing: Standing, move: engine.Move) -> Account:
        if move.account in MEMBER_ACCOUNTS:
            return self.book.accounts[standing.membership_id, move.unit, move.account]
        return self.book.program_accounts[standing.program_id, move.unit, move.account]

    def _keep(self, standing: Standing, lot: engine.Lot) -> None:
        if not lot.is_new:
            if lot.is_touched:
                ends = (lot.matures_at, lot.expires_at)
                self.lots.append((lot.id, lot.remaining, lot.expired, lot.reversed, lot.waived, *ends))
            return
        self.new_lots.append(
            Lot(
                id=lot.id,
                program_id=standing.program_id,
                membership_id=standing.membership_id,
                unit=self.book.units[standing.program_id, lot.unit],
                activity_id=lot.activity_id,
                amount=lot.amount,
                remaining=lot.remaining,
                expired=lot.expired,
                reversed=lot.reversed,
                waived=lot.waived,
                earned_at=lot.earned_at,
                matures_at=lot.matures_at,
                expires_at=lot.expires_at,
            )
        )

    def _next_instant(self) -> datetime:
        """Return the time of writing, a microsecond on for each row, so that a history keeps its order."""
        self.posted_at += timedelta(microseconds=1)
        return self.posted_at
