"""What one rule counts of a basket, and what it is worth: line after line, until a limit stops it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from programs.engine.limits import Limit, Usage
from programs.engine.plans import PIECES, PROPORTIONAL, THOUSANDTHS, Planned
from programs.engine.terms import Cap

Part = tuple[int, int]


@dataclass(slots=True)
class Piece:
    """What is left of a line to be taken; one without an amount can still be taken once."""

    amount: int
    quantity: int
    is_open: bool = True

    def go(self) -> None:
        """Give all of it away."""
        self.amount, self.quantity, self.is_open = 0, 0, False

    def lose(self, part: Part) -> None:
        """Give a part away; what is given whole is gone."""
        self.is_open = part[0] != self.amount or part[1] != self.quantity
        self.amount -= part[0]
        self.quantity -= part[1]


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule that may judge: its lines' places and the rate for each. ``given``: of a bonus, the award it is of."""

    planned: Planned
    rates: Mapping[int, int]
    given: int = 0


class Tally:
    """A rule's count in progress. Amounts in minor units, quantities in thousandths, units in smallest steps."""

    __slots__ = (
        "amount", "can_part", "claim", "counted", "cutter", "effect", "is_due", "pieces", "room", "room_cap", "spent",
        "step", "took", "unit_cap", "unit_room", "units", "weighed",
    )  # fmt: skip

    def __init__(self, claim: Claim, usage: Usage) -> None:
        self.claim = claim
        self.effect = claim.planned.rule.effect
        self.step = claim.planned.step
        self.can_part = self.effect in PROPORTIONAL or (self.effect in PIECES and claim.planned.rule.pieces == "sum")
        self.amount = self.counted = self.pieces = self.weighed = self.units = 0
        self.took = self.is_due = False
        self.cutter: Cap | None = None
        self.spent: Cap | None = None  # The limit of times that is used up.
        self.room: int | None = None
        self.unit_room: int | None = None
        self.room_cap: Cap | None = None
        self.unit_cap: Cap | None = None
        self.look_again(usage)

    def look_again(self, usage: Usage) -> None:
        """Find what the limits leave by now."""
        for limit in self.claim.planned.limits:
            self._heed(limit, usage.left(limit))

    def _heed(self, limit: Limit, left: int) -> None:
        cap = limit.cap
        if cap.counts == "amount":
            if self.room is None or left < self.room:
                self.room, self.room_cap = left, cap
        elif cap.counts == "units":
            if self.unit_room is None or left < self.unit_room:
                self.unit_room, self.unit_cap = left, cap
        elif not left:
            self.spent = cap

    def count_all(self, pieces: Sequence[Piece], rates: Mapping[int, int]) -> None:
        """Count pieces in posted order as far as the limits let."""
        self.aim(pieces, rates)
        if self.is_free:
            self._count_freely(pieces, rates)
        else:
            for place, rate in rates.items():
                self.take(pieces[place], rate)

    def take_all(self, pieces: Sequence[Piece], rates: Mapping[int, int]) -> None:
        """Count pieces in posted order as far as the limits let, and take from each what was counted."""
        self.aim(pieces, rates)
        if self.is_free:
            self._count_freely(pieces, rates)
            for place in rates:
                pieces[place].go()
        else:
            for place, rate in rates.items():
                if (part := self.take(pieces[place], rate)) is not None:
                    pieces[place].lose(part)

    @property
    def is_free(self) -> bool:
        """Whether no limit cuts a part of a line."""
        if self.room is not None or self.spent or self.effect in PIECES:
            return False
        return self.unit_room is None or (self.unit_room > 0 and not self.can_part)

    def _count_freely(self, pieces: Sequence[Piece], rates: Mapping[int, int]) -> None:
        """Count pieces of which no limit cuts a part: the same as taking one by one, in less time."""
        self.amount = sum([pieces[place].amount for place, rate in rates.items() if rate])
        if self.effect in PROPORTIONAL:
            self.is_due = self.amount > 0
            self.weighed = sum([pieces[place].amount * rate for place, rate in rates.items()])
        else:
            self.weighed = self._measure(pieces[0]) * max(rates.values())
            self.is_due = self.weighed > 0
        self.took = self.is_due
        self.counted = self.amount if self.is_due else 0

    def aim(self, pieces: Sequence[Piece], rates: Mapping[int, int]) -> None:
        """Forget the limits that these pieces together do not exceed."""
        if self.room and sum([pieces[place].amount for place in rates]) <= self.room:
            self.room = None
        if self.unit_room and self.can_part:
            gains = sum([self._measure(pieces[place]) * rate for place, rate in rates.items()])
            if gains < (self.unit_room + 1) * self.step:
                self.unit_room = None

    def take(self, piece: Piece, rate: int) -> Part | None:
        """Count what the limits let through of a piece and return that part; None where they let nothing through.

        What has no rate or nothing that the rule counts is taken and does not count.
        """
        amount, quantity = piece.amount, piece.quantity
        if not rate:
            return amount, quantity
        self.amount += amount
        measure = self._measure(piece)
        self.is_due = self.is_due or measure > 0
        if self.spent or self.room == 0 or self.unit_room == 0:
            if measure:
                self.cutter = self.spent or (self.room_cap if self.room == 0 else self.unit_cap)
            return None
        if not measure:
            return amount, quantity
        if self.room is not None and amount > self.room:
            quantity = quantity * self.room // amount
            amount, self.cutter = self.room, self.room_cap
        if self.unit_room is not None and self.can_part:
            cut = self._within_units(amount, quantity, rate, self.unit_room)
            if cut is None:
                return None
            amount, quantity = cut
        if self.room is not None:
            self.room -= amount
        self.counted += amount
        self.took = True
        self._weigh(amount, quantity, rate)
        return amount, quantity

    def settle(self) -> None:
        """Work out the award."""
        self.units = 0 if self.spent else self.weighed // self.step
        if self.unit_room is not None and self.units > self.unit_room:
            self.units, self.cutter = self.unit_room, self.unit_cap

    @property
    def reason(self) -> str:
        """Why the award is what it is."""
        if not self.is_due:
            return "nothing"
        if self.spent or not self.took or self.unit_room == 0:
            return "limit_used"
        if not self.units:
            return "rounded_away"
        return "cut" if self.cutter else "earned"

    def _measure(self, piece: Piece) -> int:
        """Return what the rule counts of a piece."""
        if self.effect in PROPORTIONAL:
            return piece.amount
        if self.effect in PIECES:
            return piece.quantity
        return self.claim.given if self.effect == "bonus" else 1

    def _within_units(self, amount: int, quantity: int, rate: int, room: int) -> Part | None:
        """Cut a part to what is worth the units that are left."""
        fit = max(0, -((self.weighed - room * self.step) // rate))
        if self.effect in PROPORTIONAL:
            if fit < amount:
                self.cutter = self.unit_cap
                amount, quantity = fit, quantity * fit // amount
        else:
            if self.effect == "stamp":
                fit = -(-fit // THOUSANDTHS) * THOUSANDTHS
            if fit < quantity:
                self.cutter = self.unit_cap
                amount, quantity = amount * fit // quantity, fit
        return (amount, quantity) if fit else None

    def _weigh(self, amount: int, quantity: int, rate: int) -> None:
        if self.effect in PROPORTIONAL:
            self.weighed += amount * rate
        elif self.effect in PIECES:
            counted = quantity // THOUSANDTHS * THOUSANDTHS if self.effect == "stamp" else quantity
            if self.can_part:
                self.pieces += counted
                self.weighed += counted * rate
            else:
                self.pieces = max(self.pieces, counted)
                self.weighed = max(self.weighed, counted * rate)
        else:
            self.weighed = max(self.weighed, (self.claim.given if self.effect == "bonus" else 1) * rate)
