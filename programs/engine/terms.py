"""A version's terms as frozen values. Money in minor units, units in smallest steps, rates in ten-thousandths."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

RATE_SCALE = 10_000


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """How a unit lives: ``expiry`` is none, rolling or inactivity; ``pending_days`` until it can be spent."""

    code: str
    precision: int = 0
    expiry: str = "none"
    expiry_months: int | None = None
    pending_days: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be reached: ``need`` of ``measure`` (spend: minor units) within ``window``."""

    measure: str
    window: str
    need: int


@dataclass(frozen=True, slots=True)
class Tier:
    """A rung; the lowest has no conditions."""

    code: str
    name: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``amount`` minor units of purchases count, in one purchase or one window."""

    window: str
    amount: int


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule. ``rate``: units for each 1.00 (per_amount) or percent, in ten-thousandths."""

    code: str
    name: str
    unit: str
    effect: str
    rate: int
    tier_rates: Mapping[str, int] = field(default_factory=dict)
    caps: tuple[Cap, ...] = ()

    def rate_for(self, tier: str) -> int:
        """Return the rate that members of this tier earn at."""
        return self.tier_rates.get(tier, self.rate)


@dataclass(frozen=True, slots=True)
class Terms:
    """One published version. ``tiers`` run from the lowest up; ``digits`` are the currency's minor digits."""

    version_id: UUID
    number: int
    starts_at: datetime
    zone: ZoneInfo
    digits: int
    tax_earns: bool
    units: Mapping[str, UnitTerms]
    tiers: tuple[Tier, ...]
    rules: tuple[Rule, ...]

    def rank(self, tier: str) -> int:
        """Return the place of a tier from below; a tier that this version does not know is the lowest."""
        return next((rank for rank, known in enumerate(self.tiers) if known.code == tier), 0)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A program's published versions in the order in which they come into force."""

    versions: Sequence[Terms]

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
