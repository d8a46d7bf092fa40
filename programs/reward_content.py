"""The rewards of a version as frozen values, from their rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time
from decimal import Decimal

from django.db.models import Prefetch

from programs.models import ProgramVersion, Reward, RewardClause, RewardLimit, RewardTier, Tier, Unit


@dataclass(frozen=True, slots=True, order=True)
class RewardTierContent:
    """What is different for members of the tier of this code; None where it is not."""

    tier: str
    price: Decimal | None = None
    value: Decimal | None = None
    percent: Decimal | None = None
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class RewardLimitContent:
    """So many times for a member in the window."""

    window: str
    times: int


@dataclass(frozen=True, slots=True, order=True)
class RewardClauseContent:
    """A condition as staff wrote it."""

    kind: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class RewardContent:
    """A reward with all its parts; fields as those of ``programs.models.Reward``, units by their codes."""

    code: str
    name: str
    position: int
    kind: str
    detail: str = ""
    is_on: bool = True
    unit: str = ""
    price: Decimal = Decimal(0)
    value: Decimal | None = None
    percent: Decimal | None = None
    by_amount: bool = False
    step: Decimal | None = None
    several: bool = False
    most_share: Decimal | None = None
    least_basket: Decimal | None = None
    from_tier: str = ""
    stock: int | None = None
    pool: str = ""
    gives_unit: str = ""
    gives: Decimal | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    weekdays: str = ""
    opens_from: time | None = None
    opens_until: time | None = None
    zone: str = ""
    choice: str = ""
    conversion: str = ""
    closes_on: str = ""
    issue_day: int | None = None
    most_at_once: int | None = None
    most_a_year: int | None = None
    is_withdrawn: bool = False
    lives_months: int | None = None
    lives_days: int | None = None
    tiers: tuple[RewardTierContent, ...] = ()
    limits: tuple[RewardLimitContent, ...] = ()
    clauses: tuple[RewardClauseContent, ...] = ()


PARTS = ("tiers", "limits", "clauses")
UNITS = ("unit", "gives_unit")
PLAIN = tuple(field.name for field in fields(RewardContent) if field.name not in (*PARTS, *UNITS))


def read_rewards(version: ProgramVersion) -> tuple[RewardContent, ...]:
    """Return the rewards in order; 4 queries, whatever their number."""
    tiers = Prefetch("tiers", RewardTier.objects.select_related("tier"))
    rows = version.rewards.select_related("unit", "gives_unit").prefetch_related(tiers, "limits", "clauses")
    return tuple(
        RewardContent(
            **{name: getattr(row, name) for name in PLAIN},
            unit=row.unit.code if row.unit else "",
            gives_unit=row.gives_unit.code if row.gives_unit else "",
            tiers=tuple(
                RewardTierContent(part.tier.code, part.price, part.value, part.percent, part.opens_at)
                for part in sorted(row.tiers.all(), key=lambda part: part.tier.code)
            ),
            limits=tuple(sorted(RewardLimitContent(part.window, part.times) for part in row.limits.all())),
            clauses=tuple(
                sorted(RewardClauseContent(part.kind, part.value, part.negated) for part in row.clauses.all())
            ),
        )
        for row in rows.order_by("position", "code")
    )


def write_rewards(
    rewards: tuple[RewardContent, ...],
    *,
    version: ProgramVersion,
    units: Mapping[str, Unit],
    tiers: Mapping[str, Tier],
) -> None:
    """Make the rows of an empty draft; units and tiers exist already."""
    rows = {
        given.code: Reward(
            version=version,
            **{name: getattr(given, name) for name in PLAIN},
            **{name: units[code] if (code := getattr(given, name)) else None for name in UNITS},
        )
        for given in rewards
    }
    Reward.objects.bulk_create(rows.values())
    each = [(rows[given.code], given) for given in rewards]
    RewardTier.objects.bulk_create(
        RewardTier(
            reward=row,
            tier=tiers[part.tier],
            price=part.price,
            value=part.value,
            percent=part.percent,
            opens_at=part.opens_at,
        )
        for row, given in each
        for part in given.tiers
    )
    RewardLimit.objects.bulk_create(
        RewardLimit(reward=row, window=part.window, times=part.times) for row, given in each for part in given.limits
    )
    RewardClause.objects.bulk_create(
        RewardClause(reward=row, kind=part.kind, value=part.value, negated=part.negated)
        for row, given in each
        for part in given.clauses
    )
