"""How far it is to the next tier: a bar along the rungs of one measure, or a bar for each condition of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.translation import gettext as _

from loyalty.engagement.members import Visit
from loyalty.ledger import measures
from loyalty.ledger.queries import MissingView
from programs.engine.terms import Condition, Tier

RUNGS_SHOWN = 4
LETTERS = 42  # So many stand beside one another below the bar on a phone.


@dataclass(frozen=True, slots=True)
class Piece:
    """The way from one rung to the next, or to what one condition needs; ``done`` of ``whole``."""

    label: str
    done: int
    whole: int
    figure: str = ""


@dataclass(frozen=True, slots=True)
class RungShown:
    """A rung under the bar."""

    name: str
    figure: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Way:
    """``pieces`` with ``rungs`` below them, or ``tracks`` that each say what they are of; none of both may be there."""

    pieces: list[Piece] = field(default_factory=list)
    rungs: list[RungShown] = field(default_factory=list)
    tracks: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rung:
    tier: Tier
    need: int
    is_mine: bool
    is_measured: bool


def way(visit: Visit) -> Way:
    """Return the way to the next tier; at the top, to keeping the one held."""
    held, following = visit.view.tier, visit.view.next_tier
    if held is None:
        return Way()
    target = following.code if following is not None else held.code
    asked = following.missing if following is not None else visit.view.keeping
    conditions = visit.view.terms.tiers[visit.view.terms.rank(target)].conditions
    if len(asked) > 1:
        return Way(tracks=[_track(visit, one) for one in asked])
    if len(asked) != 1 or len(conditions) != 1 or asked[0].need <= 1:
        return Way()
    rungs = _comparable(visit, conditions[0], held.code)
    below = _rungs(visit, rungs, target, asked[0])
    first, last = _window(below, next(rank for rank, rung in enumerate(rungs) if rung.tier.code == target))
    return Way(pieces=_pieces(rungs[first:last], asked[0].have), rungs=below[first:last])


def _track(visit: Visit, one: MissingView) -> Piece:
    units = {unit.code: unit for unit in visit.units}
    named = {measures.SPEND: _("Spend"), measures.VISITS: _("Purchases"), measures.YEARS: _("Years")}
    name = named[one.measure] if one.measure in named else units[one.measure].name_plural
    whole = max(one.need, 1)
    return Piece(name[:1].upper() + name[1:], min(max(one.have, 0), whole), whole, _progress(visit, one))


def _comparable(visit: Visit, condition: Condition, mine: str) -> list[_Rung]:
    """Return the rungs that ask for more or less of the same; one's own begins the bar where it asks something else.

    So nights are never beside money, and a tier that staff alone give is not on the way.
    """
    rungs: list[_Rung] = []
    for rank, tier in enumerate(visit.view.terms.tiers):
        is_mine = tier.code == mine
        alike = len(tier.conditions) == 1 and _is_alike(tier.conditions[0], condition) and not tier.by_invitation
        if alike or rank == 0:
            need = tier.conditions[0].need if alike else 0
            rungs.append(_Rung(tier, need, is_mine, is_measured=True))
        elif is_mine:
            rungs = [_Rung(tier, 0, is_mine=True, is_measured=False)]
    return rungs


def _is_alike(one: Condition, other: Condition) -> bool:
    return (one.measure, one.window) == (other.measure, other.window) and (
        one.window != "rolling" or one.months == other.months
    )


def _window(rungs: Sequence[RungShown], target: int) -> tuple[int, int]:
    """Return from which rung to which one there is room: all, those around the member's, or the last step alone."""
    mine = next((place for place, rung in enumerate(rungs) if rung.is_mine), 0)
    first = min(max(mine - 1, 0), max(len(rungs) - 3, 0))
    windows = [(0, len(rungs)), (first, first + 3), (target - 1, target + 2)]
    fitting = (window for window in windows if mine in range(*window) and _fits(rungs[slice(*window)]))
    return next(fitting, (max(target - 1, 0), target + 1))


def _fits(rungs: Sequence[RungShown]) -> bool:
    """Whether names and figures stand side by side: the first from the left, the last to the right, others centred."""
    if not 2 <= len(rungs) <= RUNGS_SHOWN:
        return False
    free = 0.0
    for place, rung in enumerate(rungs):
        width, share = max(len(rung.name), len(rung.figure)), place / (len(rungs) - 1)
        start = LETTERS * share - width * (share if share in (0, 1) else 0.5)
        if start < free:
            return False
        free = start + width + 1
    return True


def _pieces(rungs: Sequence[_Rung], have: int) -> list[Piece]:
    pieces = []
    for below, above in pairwise(rungs):
        whole = max(above.need - below.need, 1)
        label = _("%(below)s to %(above)s") % {"below": below.tier.name, "above": above.tier.name}
        pieces.append(Piece(label, min(max(have - below.need, 0), whole), whole))
    return pieces


def _rungs(visit: Visit, rungs: Sequence[_Rung], target: str, asked: MissingView) -> list[RungShown]:
    return [
        RungShown(rung.tier.name, _figure(visit, rung, target, asked) if rung.is_measured else "", rung.is_mine)
        for rung in rungs
    ]


def _figure(visit: Visit, rung: _Rung, target: str, asked: MissingView) -> str:
    if rung.tier.code == target:
        return _progress(visit, asked)
    units = {unit.code: unit for unit in visit.units}
    return measures.figure(asked.measure, rung.need, units=units, currency=visit.membership.program.currency)


def _progress(visit: Visit, one: MissingView) -> str:
    units, currency = {unit.code: unit for unit in visit.units}, visit.membership.program.currency
    have = measures.figure(one.measure, max(one.have, 0), units=units, currency=currency)
    need = measures.figure(one.measure, one.need, units=units, currency=currency)
    return _("%(have)s of %(need)s") % {"have": have, "need": need}
