"""A member's units in a fold: lots earned, matured, expired and taken back, each as a posting of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from programs.engine.dates import days_later, start_of
from programs.engine.expiry import lot_end
from programs.engine.state import Lot, Move, Outcome, Posting, State, Taken, joined
from programs.engine.terms import Terms, UnitTerms

NO_END = datetime.max.replace(tzinfo=UTC)
MEMBERS_OWN = frozenset({"available", "pending", "held"})
Given = Sequence[tuple[str, str, int]]
"""By rule: the unit and what it gave."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a correction makes of one activity in one unit: smallest steps, signed. ``tier`` is that of its day."""

    activity_id: UUID
    unit: str
    amount: int
    at: datetime
    tier: str
    terms: Terms


class Value:
    """Moves the units of one member, balances and lots kept in step."""

    def __init__(self, state: State, outcome: Outcome, new_id: Callable[[], UUID]) -> None:
        self.state = state
        self.outcome = outcome
        self.new_id = new_id

    # --- Earning ---------------------------------------------------------------------------------------------

    def earn(self, given: Given, *, activity_id: UUID, at: datetime, terms: Terms, tier: str) -> list[Lot]:
        """Give what the rules awarded; return the new lots, one for each unit."""
        units: dict[str, int] = {}
        for _rule, unit, amount in given:
            units[unit] = units.get(unit, 0) + amount
        moves: list[Move] = []
        lots = []
        for unit, amount in units.items():
            self._opens(unit, at)
            lot = self._new_lot(unit, amount, activity_id=activity_id, at=at, terms=terms, tier=tier)
            if lot.account == "available":
                lot.remaining -= min(lot.remaining, self._debt(unit))
            moves += self._move(unit, "issued", lot.account, amount)
            self.state.lots.append(lot)
            lots.append(lot)
        self._post("earn", activity_id, at, moves)
        for lot in lots:
            self._pay_what_is_owed(lot, at)
        return lots

    def mature(self, lot: Lot, due: datetime) -> None:
        """Make a pending lot spendable; a debt is paid first."""
        debt = self._debt(lot.unit)
        moves = self._move(lot.unit, "pending", "available", lot.remaining)
        lot.remaining -= min(lot.remaining, debt)
        lot.matures_at, lot.is_touched = None, True
        self._post("mature", lot.activity_id, due, moves)
        self._pay_what_is_owed(lot, due)

    def expire(self, lots: Iterable[Lot], due: datetime) -> None:
        """Forfeit what is left of the lots."""
        lost: dict[tuple[str, str], int] = {}
        for lot in lots:
            lost[lot.unit, lot.account] = lost.get((lot.unit, lot.account), 0) + lot.remaining
            lot.expired += lot.remaining
            lot.remaining, lot.is_touched = 0, True
        moves: list[Move] = []
        for (unit, account), amount in lost.items():
            moves += self._move(unit, account, "expired", amount)
        self._post("expire", None, due, moves)

    def _new_lot(
        self, unit: str, amount: int, *, activity_id: UUID | None, at: datetime, terms: Terms, tier: str
    ) -> Lot:
        how = terms.units[unit]
        lot = Lot(self.new_id(), unit, activity_id, amount, amount, at, is_new=True)
        lot.expires_at = lot_end(how, tier=tier, earned_at=at, zone=terms.zone)
        lot.matures_at = _spendable_from(how, at, terms)
        return lot

    def _opens(self, unit: str, at: datetime) -> None:
        """Keep since when there has been something to lose."""
        if self.state.balance(unit, "available") <= 0 and self.state.balance(unit, "pending") <= 0:
            key = f"opened:{unit}"
            self.state.moments[key] = max(at, self.state.moments.get(key, at))

    def _debt(self, unit: str) -> int:
        return max(0, -self.state.balance(unit, "available"))

    def _pay_what_is_owed(self, lot: Lot, at: datetime) -> None:
        """Pay a remembered debt out of units that have become spendable."""
        owed = self.state.owed.get(lot.unit, 0)
        if lot.account == "available" and (paid := min(owed, lot.remaining)):
            lot.remaining, lot.reversed, lot.is_touched = lot.remaining - paid, lot.reversed + paid, True
            self.state.owed[lot.unit] = owed - paid
            self._post("reverse", None, at, self._move(lot.unit, "available", "reversed", paid))

    # --- Taking back -----------------------------------------------------------------------------------------

    def take_back(
        self,
        given: Given,
        *,
        refund_id: UUID,
        purchase_id: UUID,
        at: datetime,
        terms: Terms,
        find: Callable[[str, int], None],
    ) -> dict[str, int]:
        """Take back what a returned part gave; return what is not taken, by unit: it expired before, or is waived.

        ``find`` is asked first for as many of a unit as are lacking.
        """
        units: dict[str, int] = {}
        for _rule, unit, amount in given:
            units[unit] = units.get(unit, 0) + amount
        for unit, amount in units.items():
            if (lacking := amount - self._within_reach(unit, purchase_id)) > 0:
                find(unit, lacking)
        moves: list[Move] = []
        waived: dict[str, int] = {}
        for unit, amount in units.items():
            if amount < 0:
                self._give_back(unit, -amount, purchase_id, moves)
                continue
            own = [lot for lot in self.state.lots if lot.activity_id == purchase_id and lot.unit == unit]
            left = amount - self._take(own, amount, moves)
            for lot in own:
                if forgiven := min(left, lot.expired - lot.waived):
                    lot.waived, lot.is_touched = lot.waived + forgiven, True
                    waived[unit] = waived.get(unit, 0) + forgiven
                    left -= forgiven
            others = [lot for lot in self.open_lots() if lot.unit == unit and lot.account == "available"]
            left -= self._take(others, left, moves)
            self._settle_debt(unit, left, terms.units[unit].debt, moves, waived)
        self._post("reverse", refund_id, at, moves)
        return {unit: amount for unit, amount in waived.items() if amount}

    def _within_reach(self, unit: str, purchase_id: UUID) -> int:
        """Return how much of a unit a return of the purchase finds: in its own lots, forgiven, or in others."""
        own = [lot for lot in self.state.lots if lot.activity_id == purchase_id and lot.unit == unit]
        others = [lot for lot in self.open_lots() if lot.unit == unit and lot.account == "available" and lot not in own]
        return sum(lot.remaining + lot.expired - lot.waived for lot in own) + sum(lot.remaining for lot in others)

    def _settle_debt(
        self,
        unit: str,
        left: int,
        policy: str,
        moves: list[Move],
        waived: dict[str, int],
        *,
        target: str = "reversed",
    ) -> None:
        """Do what the unit's policy says with units that were spent before they were to be taken back."""
        if not left:
            return
        if policy == "owe":
            moves += self._move(unit, "available", target, left)
        elif policy == "remember":
            self.state.owed[unit] = self.state.owed.get(unit, 0) + left
        else:
            waived[unit] = waived.get(unit, 0) + left

    def _give_back(self, unit: str, amount: int, purchase_id: UUID, moves: list[Move]) -> None:
        """Give what the rest of a purchase earns more than the whole: with less of it other rules fired."""
        own = [lot for lot in self.state.lots if lot.activity_id == purchase_id and lot.unit == unit]
        first = own[0] if own else None
        lot = Lot(
            self.new_id(),
            unit,
            purchase_id,
            amount,
            amount,
            first.earned_at if first else self.state.as_of,
            matures_at=first.matures_at if first else None,
            expires_at=first.expires_at if first else None,
            is_new=True,
        )
        if lot.account == "available":
            lot.remaining -= min(lot.remaining, self._debt(unit))
        moves += self._move(unit, "reversed", lot.account, amount)
        self.state.lots.append(lot)

    def _take(self, lots: Iterable[Lot], amount: int, moves: list[Move], *, target: str = "reversed") -> int:
        """Take up to ``amount`` out of the lots, in order; return what was found there."""
        taken = 0
        for lot in lots:
            if part := min(lot.remaining, amount - taken):
                moves += self._move(lot.unit, lot.account, target, part)
                lot.remaining, lot.reversed, lot.is_touched = lot.remaining - part, lot.reversed + part, True
                taken += part
        return taken

    # --- Spending ----------------------------------------------------------------------------------------------

    def hold(self, unit: str, amount: int, *, redemption_id: UUID, at: datetime) -> Taken:
        """Set units aside, earliest end first; return what was taken of which lots."""
        return self._out_of_lots("hold", unit, amount, "held", redemption_id=redemption_id, at=at)

    def convert(
        self, unit: str, amount: int, *, redemption_id: UUID, at: datetime, earned_before: datetime | None
    ) -> Taken:
        """Spend units at once, earliest end first, of those earned before a moment."""
        return self._out_of_lots(
            "redeem", unit, amount, "redeemed", redemption_id=redemption_id, at=at, earned_before=earned_before
        )

    def spend_held(self, unit: str, amount: int, *, redemption_id: UUID, at: datetime) -> None:
        """Spend what was set aside."""
        self._post("redeem", None, at, self._move(unit, "held", "redeemed", amount) if amount else [], redemption_id)

    def give_free(self, unit: str, taken: Taken, *, redemption_id: UUID, at: datetime) -> None:
        """Give what was set aside back to its lots."""
        self._into_lots("release", unit, taken, "held", redemption_id=redemption_id, at=at)

    def restore(
        self, unit: str, taken: Taken, *, redemption_id: UUID, at: datetime, activity_id: UUID | None = None
    ) -> None:
        """Give what was spent back to its lots, whose ends stay as they were."""
        self._into_lots("restore", unit, taken, "redeemed", redemption_id=redemption_id, at=at, activity_id=activity_id)

    def give(self, unit: str, amount: int, *, redemption_id: UUID, at: datetime, terms: Terms, tier: str) -> None:
        """Give units as a gift."""
        self._opens(unit, at)
        lot = self._new_lot(unit, amount, activity_id=None, at=at, terms=terms, tier=tier)
        if lot.account == "available":
            lot.remaining -= min(lot.remaining, self._debt(unit))
        moves = self._move(unit, "issued", lot.account, amount)
        self.state.lots.append(lot)
        self._post("earn", None, at, moves, redemption_id)
        self._pay_what_is_owed(lot, at)

    def _out_of_lots(
        self,
        kind: str,
        unit: str,
        amount: int,
        target: str,
        *,
        redemption_id: UUID,
        at: datetime,
        earned_before: datetime | None = None,
    ) -> Taken:
        if not amount:
            return ()
        assert self.state.lots_known, "units are spent out of lots that were not read"
        taken = []
        left = amount
        for lot in self.open_lots():
            if lot.unit != unit or lot.account != "available":
                continue
            if earned_before is not None and lot.earned_at >= earned_before:
                continue
            if part := min(lot.remaining, left):
                lot.remaining, lot.is_touched = lot.remaining - part, True
                taken.append((lot.id, part))
                left -= part
        assert left == 0, f"{left} of {unit} were not there to be spent"
        self._post(kind, None, at, self._move(unit, "available", target, amount), redemption_id)
        return tuple(taken)

    def _into_lots(
        self,
        kind: str,
        unit: str,
        taken: Taken,
        source: str,
        *,
        redemption_id: UUID,
        at: datetime,
        activity_id: UUID | None = None,
    ) -> None:
        """Move units back to the lots they were taken of; a debt that arose meanwhile is paid first."""
        amount = sum(part for _lot, part in taken)
        if not amount:
            return
        debt = self._debt(unit)
        moves = self._move(unit, source, "available", amount)
        lots = {lot.id: lot for lot in self.state.lots}
        back = []
        for lot_id, part in taken:
            lot, paid = lots[lot_id], min(part, debt)
            debt -= paid
            lot.remaining, lot.is_touched = lot.remaining + part - paid, True
            back.append(lot)
        self._post(kind, activity_id, at, moves, redemption_id)
        for lot in back:
            self._pay_what_is_owed(lot, at)

    # --- Moving in -------------------------------------------------------------------------------------------

    def open_with(
        self,
        unit: str,
        amount: int,
        *,
        at: datetime,
        earned_at: datetime,
        expires_at: datetime | None,
        terms: Terms,
    ) -> Lot:
        """Give units that the member brings from elsewhere, spendable at once; return their lot.

        They end at ``expires_at``, where it is None as the terms say of units earned at ``earned_at``.
        """
        self._opens(unit, earned_at)
        lot = Lot(self.new_id(), unit, None, amount, amount, earned_at, expires_at=expires_at, is_new=True)
        if expires_at is None:
            lot.expires_at = lot_end(terms.units[unit], tier=self.state.tier, earned_at=earned_at, zone=terms.zone)
        lot.remaining -= min(lot.remaining, self._debt(unit))
        self.state.lots.append(lot)
        self._post("adjust", None, at, self._move(unit, "adjusted", "available", amount))
        self._pay_what_is_owed(lot, at)
        ends = [moment for moment in (self.state.due_of_lots, lot.expires_at) if moment is not None]
        self.state.due_of_lots = min(ends, default=None)
        return lot

    # --- Correcting ------------------------------------------------------------------------------------------

    def adjust(self, changes: Sequence[Change], *, at: datetime) -> dict[str, int]:
        """Give and take what other terms would have, as one posting; return by unit what was moved.

        What is given lives as if it had been earned then; what is taken comes out of what the same activity gave,
        then out of the next to end. What had expired there is left, and the unit's policy decides on what was spent.
        """
        moves: list[Move] = []
        given: list[Lot] = []
        gone: list[Lot] = []
        for change in sorted(changes, key=lambda one: one.amount < 0):  # What is given pays for what is taken.
            own = [lot for lot in self.state.lots if (lot.activity_id, lot.unit) == (change.activity_id, change.unit)]
            if change.amount < 0:
                self._take_anew(change, own, moves)
                continue
            self._opens(change.unit, at)
            lot = self._given_anew(change, at)
            moves += self._move(change.unit, "adjusted", lot.account, change.amount)
            given.append(lot)
            is_gone = any(one.expired for one in own) and not any(one.remaining for one in own)
            if is_gone and change.terms.units[change.unit].expiry == "inactivity":
                gone.append(lot)
        if joined(moves):
            self._post("adjust", None, at, moves)
        for lot in given:
            self._pay_what_is_owed(lot, at)
        self.expire([lot for lot in gone if lot.remaining], at)
        moved = dict.fromkeys((change.unit for change in changes), 0)
        for move in moves:
            if move.account == "adjusted":
                moved[move.unit] -= move.amount
        return moved

    def _given_anew(self, change: Change, at: datetime) -> Lot:
        lot = self._new_lot(
            change.unit,
            change.amount,
            activity_id=change.activity_id,
            at=change.at,
            terms=change.terms,
            tier=change.tier,
        )
        if lot.matures_at is not None and lot.matures_at <= at:
            lot.matures_at = None
        if lot.account == "available":
            lot.remaining -= min(lot.remaining, self._debt(change.unit))
        self.state.lots.append(lot)
        return lot

    def _take_anew(self, change: Change, own: Sequence[Lot], moves: list[Move]) -> None:
        left = -change.amount
        left -= self._take(own, left, moves, target="adjusted")
        for lot in own:
            if forgiven := min(left, lot.expired - lot.waived):
                lot.waived, lot.is_touched, left = lot.waived + forgiven, True, left - forgiven
        others = [lot for lot in self.open_lots() if lot.unit == change.unit and lot.account == "available"]
        left -= self._take(others, left, moves, target="adjusted")
        policy = change.terms.units[change.unit].debt if change.unit in change.terms.units else "waive"
        self._settle_debt(change.unit, left, policy, moves, {}, target="adjusted")

    # --- Lots and entries --------------------------------------------------------------------------------------

    def open_lots(self) -> list[Lot]:
        """Return the lots with something left, earliest end first."""
        open_lots = [lot for lot in self.state.lots if lot.remaining > 0]
        return sorted(open_lots, key=lambda lot: (lot.expires_at or NO_END, lot.earned_at, lot.id))

    def _move(self, unit: str, source: str, target: str, amount: int) -> list[Move]:
        """Return the two entries that move an amount between accounts, a member's balance kept."""
        return [self._entry(unit, source, -amount), self._entry(unit, target, amount)]

    def _entry(self, unit: str, account: str, amount: int) -> Move:
        if account not in MEMBERS_OWN:
            return Move(unit, account, amount, None)
        balance = self.state.balance(unit, account) + amount
        self.state.balances[unit, account] = balance
        return Move(unit, account, amount, balance)

    def _post(
        self,
        kind: str,
        activity_id: UUID | None,
        occurred_at: datetime,
        moves: list[Move],
        redemption_id: UUID | None = None,
    ) -> None:
        if moves:
            self.outcome.postings.append(Posting(kind, activity_id, occurred_at, joined(moves), redemption_id))


def _spendable_from(how: UnitTerms, at: datetime, terms: Terms) -> datetime | None:
    """Return from when units can be spent; None where they can at once."""
    moments = []
    if how.pending_days:
        moments.append(days_later(at, how.pending_days, terms.zone))
    if how.pending_until is not None and at < start_of(how.pending_until, terms.zone):
        moments.append(start_of(how.pending_until, terms.zone))
    return max(moments, default=None)
