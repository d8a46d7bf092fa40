"""What a correction comes to in all, as its page says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts import formats
from loyalty.rehearsals.correcting import sums_of
from loyalty.rehearsals.models import Correction
from programs.models import Program, Unit
from programs.terms import schedule_of


@dataclass(frozen=True, slots=True)
class OfUnit:
    """What one unit's members get and lose, as it is written."""

    unit: Unit
    getting: int
    given: str
    losing: int
    taken: str
    net: str


@dataclass(frozen=True, slots=True)
class Effects:
    """All members together. ``moves``: how many go from a tier to another."""

    program: Program
    units: list[OfUnit]
    members: int
    receipts: int
    moves: list[tuple[str, str, int]]
    posted: int
    differing: int
    names: Mapping[str, str]
    by_code: Mapping[str, Unit]

    def written(self, told: Mapping[str, Any] | None) -> list[str]:
        """Return a member's units in words, one text for each."""
        if told is None:
            return []
        return [
            formats.signed(formats.units(self.by_code[code], amount, currency=self.program.currency), amount)
            for code, amount in sorted(told["units"].items())
        ]

    def tiers(self, told: Mapping[str, Any] | None) -> list[str]:
        """Return the tiers that a member leaves and comes to; one where it stays."""
        if told is None:
            return []
        return [self.names.get(code, code) for code in dict.fromkeys((told["before"], told["after"])) if code]


def effects_of(run: Correction) -> Effects:
    """Return what a correction comes to: what is posted of a member, else what was shown. Two queries and the terms."""
    by_code = {unit.code: unit for unit in Unit.objects.filter(program=run.program)}
    names = {tier.code: tier.name for terms in schedule_of(run.program).versions for tier in terms.tiers}
    found = (run.result or {}).get("sums") if run.status == Correction.Status.DONE else None
    found = found or sums_of(run)
    return Effects(
        program=run.program,
        units=[_of_unit(by_code[code], counts, run.program) for code, counts in sorted(found["units"].items())],
        members=found["members"],
        receipts=(run.result or {}).get("receipts", 0),
        moves=[(names.get(one, one) or _("No tier"), names.get(other, other), n) for one, other, n in found["moves"]],
        posted=found["posted"],
        differing=found["differing"],
        names=names,
        by_code=by_code,
    )


def _of_unit(unit: Unit, counts: Sequence[int], program: Program) -> OfUnit:
    def written(amount: int) -> str:
        return formats.signed(formats.figure(unit, amount, currency=program.currency), amount)

    getting, given, losing, taken = counts
    return OfUnit(unit, getting, written(given), losing, written(taken), written(given + taken))
