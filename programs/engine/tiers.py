"""Which tier a member's credit reaches, for how long, and what the next one asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from programs.engine.terms import Condition, Terms, Tier

Credit = Mapping[str, Mapping[str, int]]
"""Tier credit by measure and calendar year: ``{"spend": {"2026": 35000}}``."""


@dataclass(frozen=True, slots=True)
class Level:
    """A tier and the last day on which it is held; None where it has no end."""

    tier: Tier
    until: date | None


@dataclass(frozen=True, slots=True)
class Missing:
    """One condition of the next tier: what it needs, what is there, and the last day to get it."""

    measure: str
    need: int
    have: int
    by: date

    @property
    def missing(self) -> int:
        """What is still to be reached."""
        return max(0, self.need - self.have)


def level(*, terms: Terms, credit: Credit, year: int) -> Level | None:
    """Return the tier held in ``year``: what this year's or the last year's credit reaches, whichever is higher.

    A tier reached is held for the rest of that year and the whole next one. None where there are no tiers.
    """
    if not terms.tiers:
        return None
    ranks = {y: reached(terms=terms, credit=credit, year=y) for y in (year - 1, year)}
    rank = max(ranks.values())
    if rank == 0:
        return Level(terms.tiers[0], None)
    last_reached = max(y for y, r in ranks.items() if r >= rank)
    return Level(terms.tiers[rank], date(last_reached + 1, 12, 31))


def reached(*, terms: Terms, credit: Credit, year: int) -> int:
    """Return the rank of the highest tier that the credit of one calendar year reaches."""
    best = 0
    for rank, tier in enumerate(terms.tiers):
        if all(have(condition, credit, year) >= condition.need for condition in tier.conditions):
            best = rank
    return best


def next_tier(*, terms: Terms, credit: Credit, tier: str, today: date) -> tuple[Tier, tuple[Missing, ...]] | None:
    """Return the tier above and what it still asks for this year; None at the top or without tiers."""
    rank = terms.rank(tier) + 1
    if rank >= len(terms.tiers):
        return None
    above = terms.tiers[rank]
    by = date(today.year, 12, 31)
    return above, tuple(Missing(c.measure, c.need, have(c, credit, today.year), by) for c in above.conditions)


def have(condition: Condition, credit: Credit, year: int) -> int:
    """Return the credit that counts for a condition in a calendar year."""
    return credit.get(condition.measure, {}).get(str(year), 0)
