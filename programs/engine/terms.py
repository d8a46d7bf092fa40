"""A version's terms as frozen values. Money in minor units, units in smallest steps, rates in ten-thousandths."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

RATE_SCALE = 10_000


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """How a unit lives.

    ``expiry``: none, rolling (so long after it was earned), fixed (at the close of the next of ``fixed_days``) or
    inactivity (so long after the last activity of a kind in ``kept_alive_by``: purchase, redemption, event, or an
    event's code). ``round_up`` moves an end to the close of its month, quarter or year. ``tier_months`` are the months
    for members of a tier in place of the unit's own, None for no end; ``fall_months`` is what units without an end get
    when the member falls to a tier where they have one. ``debt``, of a return of units already spent: owe, remember or
    waive.
    """

    code: str
    precision: int = 0
    expiry: str = "none"
    expiry_months: int | None = None
    pending_days: int = 0
    pending_until: date | None = None
    is_spendable: bool = True
    expiry_days: int | None = None
    round_up: str = ""
    fixed_days: tuple[str, ...] = ()  # "12-31" each year, or "2026-12-31" once.
    tier_months: Mapping[str, int | None] = field(default_factory=dict)
    fall_months: int | None = None
    kept_alive_by: frozenset[str] = frozenset({"purchase", "redemption"})
    debt: str = "owe"


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be reached for a tier: ``need`` of ``measure`` within ``window``.

    ``measure``: spend (minor units), visits, years (calendar years whose credit reached the tier) or ``unit:CODE``
    (smallest steps earned). ``window``: calendar_year, rolling (``months``), anniversary (years of membership) or
    lifetime.
    """

    measure: str
    window: str
    need: int
    months: int = 12


@dataclass(frozen=True, slots=True)
class Tier:
    """A rung; the lowest has no conditions. ``life``: what makes it the member's for good.

    By invitation: staff alone give it.
    """

    code: str
    name: str
    conditions: tuple[Condition, ...] = ()
    life: tuple[Condition, ...] = ()
    by_invitation: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A tier that staff may grant for a while; ``need`` of ``measure`` within it keeps it ``months`` longer."""

    tier: str
    measure: str
    need: int
    months: int
    once_in_months: int


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` in one purchase or one window.

    ``counts``: amount (minor units that earn), units (smallest steps given) or times. ``scope``: member or program (a
    budget). ``per``: the attribute whose values are counted apart. Windows: purchase, day, week, month, quarter, year,
    program_year, lifetime.
    """

    window: str
    limit: int
    counts: str = "amount"
    scope: str = "member"
    per: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of a rule; what each ``kind`` reads is said in ``programs.engine.clauses``."""

    kind: str
    negated: bool = False
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class LineRate:
    """Another rate for lines that fulfil the clause."""

    clause: Clause
    rate: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that stack by ``mode``: all, best (for the member) or first (what it leaves goes to the next rule)."""

    code: str
    name: str
    mode: str
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule. ``rate`` in ten-thousandths.

    ``trigger``: purchase, event (of the type ``event``) or enrolment. ``effect``: per_amount (units for each 1.00),
    percent (of the amount), fixed (units), per_item (units for each piece), stamp (units for each whole piece),
    multiplier (times the rate of rule ``of``: its own, or with ``of_tier_rate`` the member's tier's), bonus (percent of
    the rounded award of rule ``of``). ``pieces``: sum of the lines' quantities, or the largest.
    """

    code: str
    name: str
    unit: str
    effect: str
    rate: int
    tier_rates: Mapping[str, int] = field(default_factory=dict)
    caps: tuple[Cap, ...] = ()
    trigger: str = "purchase"
    event: str = ""
    clauses: tuple[Clause, ...] = ()
    line_rates: tuple[LineRate, ...] = ()
    group: str = ""
    of: str = ""
    of_tier_rate: bool = False
    pieces: str = "sum"

    def rate_for(self, tier: str) -> int:
        """Return the rate that members of this tier earn at."""
        return self.tier_rates.get(tier, self.rate)


@dataclass(frozen=True, slots=True)
class EventType:
    """What apps may report beside purchases. ``waits_for_friend``: judged once the friend it names has bought."""

    code: str
    name: str
    waits_for_friend: bool = False


@dataclass(frozen=True, slots=True)
class RewardTier:
    """What is different of a reward for members of a tier; None where it is as for everyone."""

    price: int | None = None
    value: int | None = None
    percent: int | None = None
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """What members have for units, or by themselves; ``kind`` as ``programs.models.Reward.Kind``.

    ``price`` in smallest steps of ``unit``, ``value`` in minor units, ``percent`` and ``most_share`` (of the basket) in
    ten-thousandths. With ``by_amount`` any money in steps of ``step`` can be had at the rate ``price`` for ``value``.
    ``gives``: the unit and how much of it. Open from ``opens_at`` to ``closes_at`` on ``weekdays`` (ISO 1 to 7; empty:
    all) from ``opens_from`` to before ``opens_until`` (minutes of the day in ``zone``). ``caps`` count times; those
    with one ``choice`` share them. ``conversion``: at_once, or dates: at each of ``closes`` (month, day) what was
    earned by then is counted, and turned into rewards on day ``issue_day`` of the month after. An ``is_withdrawn`` one
    gives its units back where a return leaves too few. Its voucher lives ``lives_months`` or ``lives_days``, or without
    end.
    """

    code: str
    name: str
    kind: str
    zone: ZoneInfo
    detail: str = ""
    unit: str = ""
    price: int = 0
    value: int | None = None
    percent: int | None = None
    by_amount: bool = False
    step: int = 1
    several: bool = False
    most_share: int | None = None
    least_basket: int = 0
    from_tier: str = ""
    stock: int | None = None
    pool: str = ""
    gives: tuple[str, int] | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    opens_from: int | None = None
    opens_until: int | None = None
    tiers: Mapping[str, RewardTier] = field(default_factory=dict)
    caps: tuple[Cap, ...] = ()
    choice: str = ""
    clauses: tuple[Clause, ...] = ()
    conversion: str = ""
    closes: tuple[tuple[int, int], ...] = ()
    issue_day: int = 1
    most_at_once: int | None = None
    most_a_year: int | None = None
    is_withdrawn: bool = False
    lives_months: int | None = None
    lives_days: int | None = None

    def for_tier(self, tier: str) -> Reward:
        """Return the reward as members of a tier have it."""
        other = self.tiers.get(tier)
        if other is None:
            return self
        return replace(
            self,
            price=self.price if other.price is None else other.price,
            value=self.value if other.value is None else other.value,
            percent=self.percent if other.percent is None else other.percent,
            opens_at=other.opens_at or self.opens_at,
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """One published version. ``tiers`` run from the lowest up; ``digits`` are the currency's minor digits.

    ``rules`` are those switched on, in the order in which they are judged. ``year_starts`` is the month in which the
    program's year begins. ``tier_validity``: next_year (the rest of its year and the whole next one), months
    (``tier_months`` from the day it was reached; only what follows keeps it) or as_reached (while the credit reaches
    it); each ``tier_grace_months`` longer. ``tier_fall``: earned or one_step. With ``reaching_earns_new`` a purchase
    that reaches a tier earns at it. ``rewards`` are those switched on; with ``redeemed_come_back`` a return that names
    a redemption gives its units back.
    """

    version_id: UUID
    number: int
    starts_at: datetime
    zone: ZoneInfo
    digits: int
    tax_earns: bool
    units: Mapping[str, UnitTerms]
    tiers: tuple[Tier, ...]
    rules: tuple[Rule, ...]
    groups: Mapping[str, Group] = field(default_factory=dict)
    events: Mapping[str, EventType] = field(default_factory=dict)
    paid_part_earns: bool = False
    year_starts: int = 1
    tier_validity: str = "next_year"
    tier_months: int = 12
    tier_grace_months: int = 0
    tier_fall: str = "earned"
    reaching_earns_new: bool = False
    trial: Trial | None = None
    needs_notice: bool = False
    notice_days: int = 30
    rewards: tuple[Reward, ...] = ()
    redeemed_come_back: bool = True

    def reward(self, code: str) -> Reward | None:
        """Return the reward of this code; None where these terms have none that is switched on."""
        return next((reward for reward in self.rewards if reward.code == code), None)

    def rank(self, tier: str) -> int:
        """Return the place of a tier from below; a tier that this version does not know is the lowest."""
        return next((rank for rank, known in enumerate(self.tiers) if known.code == tier), 0)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A program's published versions in the order in which they come into force.

    ``ends_at``: the moment at which a closed program ends, and with it whatever its members still have.
    """

    versions: Sequence[Terms]
    ends_at: datetime | None = None

    def index_at(self, moment: datetime) -> int:
        """Return the index of the version in force at ``moment``; -1 before the first."""
        return bisect_right(self.versions, moment, key=lambda terms: terms.starts_at) - 1

    def at(self, moment: datetime) -> Terms | None:
        """Return the version in force at ``moment``."""
        index = self.index_at(moment)
        return self.versions[index] if index >= 0 else None

    def index_of(self, version_id: UUID | None) -> int:
        """Return the index of a version; -1 for one that it does not hold."""
        return next((i for i, terms in enumerate(self.versions) if terms.version_id == version_id), -1)
