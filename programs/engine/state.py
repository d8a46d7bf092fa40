"""What the fold of one member works on, and what comes out of it. Units in smallest steps, money in minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Lot:
    """A batch of earned units; ``is_new`` until it is written, ``is_touched`` once it changed since it was read."""

    id: UUID
    unit: str
    activity_id: UUID | None
    amount: int
    remaining: int
    earned_at: datetime
    matures_at: datetime | None = None
    expires_at: datetime | None = None
    expired: int = 0
    reversed: int = 0
    waived: int = 0  # Of what expired: not to be taken back again by later returns of the same purchase.
    is_new: bool = False
    is_touched: bool = False

    @property
    def account(self) -> str:
        """The member's account on which the units stand."""
        return "available" if self.matures_at is None else "pending"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a purchase: minor units after discounts, tax included; the quantity in thousandths.

    What can be compared (``sku`` to ``tags``) is casefolded. ``number`` counts from 1; 0 is the one part of a purchase
    that was sent without lines, whose quantity is 0.
    """

    number: int
    amount: int
    quantity: int = 1_000
    sku: str = ""
    category: str = ""
    brand: str = ""
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase to be judged. ``total``, ``tax`` and ``paid`` (with units or vouchers) in minor units.

    ``freed``: by the number of a line, the thousandths of it that a voucher paid for.
    """

    id: UUID
    occurred_at: datetime
    total: int
    tax: int = 0
    lines: tuple[Line, ...] = ()
    paid: int = 0
    freed: Mapping[int, int] = field(default_factory=dict)
    store: str = ""
    channel: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """Something else that earns: a behaviour event of a type, or with the trigger enrolment the joining itself."""

    id: UUID
    occurred_at: datetime
    type: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trigger: str = "event"


Part = tuple[int, int]
"""Of a line: a quantity in thousandths and minor units."""


Reaching = tuple[int, str, dict[str, str]]
"""From how much that earns a purchase is judged by which tier, and the rules that are barred then."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts a purchase was judged by: what its returns need.

    ``barred``: rules whose standing conditions did not hold, with the kind of condition. ``returned``: what was given
    back so far, by the line's number. ``reaching``: where a purchase earns at the tier that it reaches, all it can.
    """

    purchase: Purchase
    version_id: UUID
    tier: str
    found: dict[str, int]  # Counters of limits, as the purchase found them.
    barred: dict[str, str] = field(default_factory=dict)
    returned: Mapping[int, Part] = field(default_factory=dict)
    reaching: tuple[Reaching, ...] = ()


Taken = tuple[tuple[UUID, int], ...]
"""What was taken of which lots, in the order in which it was taken."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A redemption that a return names: the units that were burned, out of which lots."""

    id: UUID
    unit: str
    taken: Taken
    spent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """A return of these parts of lines; ``judged`` is None where its purchase comes in the same fold."""

    id: UUID
    occurred_at: datetime
    purchase_id: UUID
    parts: Mapping[int, Part]
    judged: Judged | None = None
    restores: tuple[Restored, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a reward: how many, or how much money of one by amount; the basket in minor units, if known."""

    quantity: int | None = None
    amount: int | None = None
    basket: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a reward takes and brings: units in smallest steps, money in minor units, uses of limits by their keys."""

    units: int
    quantity: int
    value: int | None
    percent: int | None
    uses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reward cannot be had: a code, and what its sentence needs.

    ``why`` is a kind of condition for not-open, a window for limit-reached. ``most`` in minor units, ``missing`` in
    smallest steps, ``opens_at`` the next moment at which it can be had, where one is known.
    """

    code: str
    why: str = ""
    most: int | None = None
    missing: int | None = None
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Units set aside for a redemption until ``ends_at``; ``uses`` of limits count until it is released."""

    id: UUID
    reward: str
    unit: str
    units: int
    quantity: int
    taken: Taken
    ends_at: datetime
    uses: Mapping[str, int] = field(default_factory=dict)
    gives: tuple[str, int] | None = None  # What a gift of units brings when it is captured.


@dataclass(frozen=True, slots=True)
class Reserve:
    """A reward is asked for: its units are set aside until ``ends_at``."""

    id: UUID
    occurred_at: datetime
    reward: str
    ask: Ask
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Settle:
    """A hold is captured, or released."""

    id: UUID
    occurred_at: datetime
    captures: bool


@dataclass(frozen=True, slots=True)
class OpenVoucher:
    """A voucher that units turned into, which nobody has used."""

    id: UUID
    reward: str
    unit: str
    taken: Taken
    issued_at: datetime
    expires_at: datetime | None
    uses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issue:
    """A voucher to be written; money in minor units, ``percent`` in ten-thousandths, ``reason`` a code."""

    voucher: OpenVoucher
    version_id: UUID
    value: int | None
    percent: int | None
    reason: str
    activity_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A tier given by staff (``kind``: hand, invitation, trial) up to the last day ``until``; None: without end."""

    tier: str
    kind: str
    starts_at: datetime
    until: date | None
    ended_at: datetime | None = None  # Where staff ended it before its time.


@dataclass(frozen=True, slots=True)
class Holding:
    """A tier that was reached for a time: its last day, and the moment from which on credit counts for keeping it."""

    tier: str
    since: date | None = None
    until: date | None = None
    counts_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A loss to be told of before it happens: of ``what`` (``kind`` expiry: a unit, tier: a tier) at ``ends_at``."""

    kind: str
    what: str
    ends_at: datetime

    @property
    def key(self) -> str:
        """The name under which a member's notice is kept."""
        return f"{self.kind}|{self.what}|{self.ends_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Move:
    """One entry: ``balance_after`` is None on the program's accounts."""

    unit: str
    account: str
    amount: int
    balance_after: int | None


@dataclass(frozen=True, slots=True)
class Posting:
    """One transaction to be written; its moves sum to zero for each unit."""

    kind: str
    activity_id: UUID | None
    occurred_at: datetime
    moves: tuple[Move, ...]
    redemption_id: UUID | None = None  # The redemption, or the voucher, that it was for.


@dataclass(frozen=True, slots=True)
class TierChange:
    """A tier from a moment on, and what brought it."""

    tier: str
    starts_at: datetime
    reason: str
    activity_id: UUID | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one activity was judged: under which version, in which tier, with which awards and facts."""

    activity_id: UUID
    version_id: UUID
    tier: str
    awards: tuple[tuple[str, str, int], ...]
    facts: dict[str, Any]


@dataclass(slots=True)
class State:
    """Where a member stands. ``due_of_lots`` is the next moment of the open lots.

    ``lots`` lack the older ones where not ``lots_known``: then none of those may fall due before the last activity.
    ``credit`` is tier credit by measure and calendar year, ``marks`` the same by the moment of its purchase, kept only
    where terms ask for more than calendar years. ``earned`` is the tier held for a time that credit reached, ``anchor``
    what it was at ``anchor_at``, from where the marks tell all. ``moments``: ``opened:UNIT`` (since when there has been
    something), ``kept:UNIT`` (kept alive by other activity than purchases), ``spared:UNIT`` (not forfeited before).
    """

    joined_at: datetime
    as_of: datetime
    version_id: UUID | None = None
    active_at: datetime | None = None
    tier: str = ""
    tier_since: date | None = None
    tier_until: date | None = None
    birth_date: date | None = None
    segments: frozenset[str] = frozenset()
    credit: dict[str, dict[str, int]] = field(default_factory=dict)
    marks: dict[datetime, dict[str, int]] = field(default_factory=dict)
    earned: Holding = Holding("")
    anchor: Holding = Holding("")
    anchor_at: datetime | None = None
    grants: list[Grant] | None = None
    counters: dict[str, int] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    notices: dict[str, datetime | None] = field(default_factory=dict)  # By NoticeDue.key: when it was sent.
    owed: dict[str, int] = field(default_factory=dict)  # By unit: remembered, to be paid by the next units.
    counted: int = 0  # How far the credit is complete: see ``tiers.counts_of``.
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    vouchers: list[OpenVoucher] = field(default_factory=list)  # Those a return may withdraw, where it may.
    lots_known: bool = True
    due_of_lots: datetime | None = None
    periods: list[tuple[datetime, str]] = field(default_factory=list)  # Oldest first.
    # The latest few for a return, all since then for late activity; else what this fold itself has seen.
    standing_activity: list[tuple[datetime, UUID]] = field(default_factory=list)

    def copy(self) -> State:
        """Return a state of its own, which a fold may change."""
        return replace(
            self,
            credit={measure: dict(years) for measure, years in self.credit.items()},
            marks={at: dict(mark) for at, mark in self.marks.items()},
            counters=dict(self.counters),
            moments=dict(self.moments),
            notices=dict(self.notices),
            owed=dict(self.owed),
            balances=dict(self.balances),
            lots=[replace(lot) for lot in self.lots],
            holds=list(self.holds),
            vouchers=list(self.vouchers),
            periods=list(self.periods),
            standing_activity=list(self.standing_activity),
        )

    @property
    def visits(self) -> int:
        """How many purchases stand."""
        return sum(self.credit.get("visits", {}).values())

    def balance(self, unit: str, account: str) -> int:
        """Return the balance of one of the member's accounts."""
        return self.balances.get((unit, account), 0)

    def period_at(self, moment: datetime) -> tuple[datetime, str] | None:
        """Return the latest period in a tier that had begun by a past moment: its begin and the tier."""
        begun = [period for period in self.periods if period[0] <= moment]
        return begun[-1] if begun else None


@dataclass(slots=True)
class Outcome:
    """All that a fold has to write down, in order."""

    postings: list[Posting] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    tier_changes: list[TierChange] = field(default_factory=list)
    refused: dict[UUID, str] = field(default_factory=dict)  # Activity that cannot be judged, and why.
    waiting: list[UUID] = field(default_factory=list)  # Refunds whose purchase is not judged.
    returned: dict[UUID, tuple[int, bool]] = field(default_factory=dict)  # Purchase: given back so far, and wholly.
    notices: list[NoticeDue] = field(default_factory=list)
    refusals: dict[UUID, Refusal] = field(default_factory=dict)  # Of what was asked for, or of what was to be settled.
    reserved: dict[UUID, Cost] = field(default_factory=dict)
    captured: list[UUID] = field(default_factory=list)
    released: list[tuple[Hold, datetime, bool]] = field(default_factory=list)  # With whether its time was up.
    restored: dict[UUID, UUID] = field(default_factory=dict)  # Redemption: by which return.
    issues: list[Issue] = field(default_factory=list)
    withdrawn: list[tuple[OpenVoucher, UUID]] = field(default_factory=list)  # With the return that did it.
    due_at: datetime | None = None


def joined(moves: Sequence[Move]) -> tuple[Move, ...]:
    """Return the moves with those on the same account made one, the last balance kept."""
    amounts: dict[tuple[str, str], int] = {}
    balances: dict[tuple[str, str], int | None] = {}
    for move in moves:
        amounts[move.unit, move.account] = amounts.get((move.unit, move.account), 0) + move.amount
        balances[move.unit, move.account] = move.balance_after
    return tuple(Move(*key, amount, balances[key]) for key, amount in amounts.items() if amount)
