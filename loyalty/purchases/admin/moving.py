"""The panels that say what a draft would do to members' tiers: how many move, who falls, where everybody stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from accounts.admin_base import businesses_of
from accounts.roles import Permission
from loyalty.ledger import measures
from loyalty.purchases.admin.spread import Limit, Spread, spread
from loyalty.purchases.tier_moves import MOST_MEMBERS, TierMoves, TooManyMembersError, tier_moves
from programs.admin import panels
from programs.changes.ladder import measured
from programs.changes.words import words_for
from programs.content import ConditionContent, Content
from programs.engine.tiers import UNIT
from programs.models import Program, ProgramVersion

AT_SIGHT = 2_000  # Members who are counted when the page is opened; more when somebody asks for it.
SLOW = 1.5  # Seconds; what takes longer is counted when asked for, not while somebody types.
STEPS = 4  # Colours of tiers.


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, or why it was not: too many members, or nobody asked for it yet."""

    moves: TierMoves | None
    members: int
    is_too_much: bool = False


def _counted(request: HttpRequest, version: ProgramVersion, said: Content, looked_at: str) -> Counted:
    """Return what was counted for this page, once for all its panels."""
    known: Counted | None = getattr(version, "_counted", None)
    if known is None:
        known = version._counted = _count(request, version, said, looked_at)  # type: ignore[attr-defined]
    return known


def _count(request: HttpRequest, version: ProgramVersion, said: Content, looked_at: str) -> Counted:
    is_asked = request.method == "POST" or "count" in request.GET
    try:
        moves = tier_moves(version, said=said, looked_at=looked_at, most=MOST_MEMBERS if is_asked else AT_SIGHT)
    except TooManyMembersError as error:
        return Counted(None, error.members, is_too_much=is_asked)
    return Counted(moves, moves.members)


@panels.panel(panels.TIER_MOVES)
def moves_panel(
    request: HttpRequest, version: ProgramVersion, said: Content, *, before: Content | None, looked_at: str
) -> SafeString:
    """Return how many members would move, and the names of those who would fall; ``before`` are the terms in force."""
    found = _counted(request, version, said, looked_at)
    context: dict[str, Any] = {
        "found": found,
        "moves": found.moves,
        "form_id": "tier_form",
        "members": formats.number(found.members),
        "most": formats.number(MOST_MEMBERS),
        "has_form": bool(looked_at),
    }
    if found.moves is not None:
        context |= _told(request, found.moves, version.program, said, before)
    return render_to_string("admin/purchases/tier_moves.html", context, request)


@panels.panel(panels.FORECAST)
def forecast_panel(
    request: HttpRequest, version: ProgramVersion, said: Content, *, before: Content | None
) -> SafeString:
    """Return in one line of a list how many members would move; nothing where no terms have tiers."""
    if not said.tiers and not (before and before.tiers):
        return SafeString("")
    found = _counted(request, version, said, "")
    context = {
        "found": found,
        "moves": found.moves,
        "text": _forecast(found.moves) if found.moves is not None else "",
        "later": _later(found.moves) if found.moves is not None else "",
        "of_members": formats.number(found.members),
        "is_countable": not found.is_too_much and found.members <= MOST_MEMBERS,
        "version": version,
    }
    return render_to_string("admin/purchases/tier_forecast.html", context, request)


def _forecast(moves: TierMoves) -> str:
    if not moves.up and not moves.down:
        return _("If it were published now, nobody would move to another tier.")
    text = ngettext(
        "If it were published now, %(up)s member would move up, %(down)s down.",
        "If it were published now, %(up)s members would move up, %(down)s down.",
        moves.up,
    )
    return text % {"up": formats.number(moves.up), "down": formats.number(moves.down)}


def _told(
    request: HttpRequest, moves: TierMoves, program: Program, said: Content, before: Content | None
) -> dict[str, Any]:
    names = {tier.code: tier.name for terms in (before, said) if terms for tier in terms.tiers}
    ladder = [tier.code for tier in said.tiers]
    old = [tier.code for tier in before.tiers] if before else []
    may_see = request.user.is_superuser or program.business_id in businesses_of(request, Permission.SEE_MEMBERS)
    say = _figures(moves, program)
    return {
        "up": formats.number(moves.up),
        "down": formats.number(moves.down),
        "later": _later(moves),
        "as_of": formats.moment(moves.as_of, zone=program.zone),
        "seconds": formats.number(round(moves.seconds, 1), decimals=1),  # type: ignore[arg-type]
        "is_slow": moves.seconds > SLOW,
        "columns": [names[code] for code in ladder],
        "matrix": [
            _row(code, ladder, moves, names, old) for code in reversed(old) if moves.before(code) or code in ladder
        ],
        "falling": [
            {
                "member": one.member,
                "name": one.member.customer.full_name or _("No name"),
                "have": say(one.have),
                "move": _("%(before)s to %(after)s")
                % {"before": names.get(one.before, one.before), "after": names.get(one.after, one.after)},
            }
            for one in moves.falling
        ]
        if may_see
        else [],
        "unnamed": formats.number(moves.down - len(moves.falling)) if moves.down > len(moves.falling) else "",
    }


def _later(moves: TierMoves) -> str:
    if not moves.later or moves.first_end is None:
        return ""
    text = ngettext(
        "%(count)s member keeps the tier for now and would lose it at its end: on %(day)s.",
        "%(count)s members keep their tier for now and would lose it at its end: the first on %(day)s.",
        moves.later,
    )
    return text % {"count": formats.number(moves.later), "day": formats.day(moves.first_end)}


def _row(
    code: str, ladder: Sequence[str], moves: TierMoves, names: Mapping[str, str], old: Sequence[str]
) -> dict[str, Any]:
    """Return a row of the matrix: what becomes of those who have a tier now."""
    place = ladder.index(code) if code in ladder else old.index(code)
    cells = []
    for column, after in enumerate(ladder):
        count = moves.moves.get((code, after), 0)
        way = "" if not count or after == code else "up" if column > place else "down"
        cells.append({"count": formats.number(count), "is_none": not count, "way": way})
    return {"name": names.get(code, code), "step": min(old.index(code) + 1, STEPS), "cells": cells}


def _figures(moves: TierMoves, program: Program) -> Any:
    """Return how amounts of what is measured are written."""
    units = {unit.code: unit for unit in program.units.all()}
    measure = moves.condition.measure.removeprefix(UNIT) if moves.condition is not None else measures.SPEND

    def say(amount: int) -> str:
        return measures.figure(measure, amount, units=units, currency=program.currency)

    return say


@panels.panel(panels.TIER_SPREAD)
def spread_panel(
    request: HttpRequest, version: ProgramVersion, said: Content, *, before: Content | None, looked_at: str
) -> SafeString:
    """Return where members stand by what the tier asks for, with its limits and those in force."""
    moves = _counted(request, version, said, looked_at).moves
    if moves is None or moves.condition is None or not moves.members:
        return SafeString("")
    program = version.program
    like = next(tier for tier in said.tiers if tier.code == moves.looked_at).conditions
    condition = next(one for one in like if not one.for_life)
    new, old = _limits(said, condition, program), _limits(before, condition, program) if before else {}
    names = {tier.code: tier.name for tier in said.tiers}
    say = _figures(moves, program)
    limits = [Limit(value, f"{names[code]} {say(value)}", was=False) for code, value in new.items()]
    limits += [
        Limit(value, _("was %(limit)s") % {"limit": say(value)}, was=True)
        for code, value in old.items()
        if new.get(code) != value
    ]
    drawn = spread(
        moves.spread,
        limits=limits,
        steps={tier.code: min(place, STEPS) for place, tier in enumerate(said.tiers, start=1)},
        written=say,
        count_axis=_count_axis,
    )
    return render_to_string(
        "admin/purchases/tier_spread.html",
        {
            "chart": drawn,
            "title": measured(condition, words_for(program, said)),
            "sentence": _sentence(moves, new[moves.looked_at], names[moves.looked_at], say, drawn),
            "tiers": [{"name": tier.name, "step": min(place, STEPS)} for place, tier in enumerate(said.tiers, start=1)],
            "has_moved": any(part.is_moved for part in drawn.parts),
        },
        request,
    )


def _limits(terms: Content, like: ConditionContent, program: Program) -> dict[str, int]:
    """Return by tier how much of the same measure in the same window it asks for, in smallest steps."""
    units = {unit.code: unit.precision for unit in program.units.all()}
    digits = formats.minor_digits(program.currency) if like.measure == measures.SPEND else units.get(like.unit, 0)
    return {
        tier.code: int(one.threshold.scaleb(digits))
        for tier in terms.tiers
        for one in tier.conditions
        if (one.measure, one.unit, one.window, one.months, one.for_life)
        == (like.measure, like.unit, like.window, like.months, False)
    }


def _sentence(moves: TierMoves, limit: int, tier: str, say: Any, drawn: Spread) -> str:
    count = sum(have >= limit for have, _before, _after in moves.spread)
    text = ngettext(
        "%(count)s of %(all)s members has the %(limit)s that %(tier)s asks for.",
        "%(count)s of %(all)s members have the %(limit)s that %(tier)s asks for.",
        count,
    )
    return text % {
        "count": formats.number(count),
        "all": formats.number(moves.members),
        "limit": say(limit),
        "tier": tier,
    }


def _count_axis(most: int) -> list[int]:
    """Return four or five round counts from nought up."""
    step = next(
        factor * 10**power for power in range(8) for factor in (1, 2, 5) if factor * 10**power * 4 >= max(most, 1)
    )
    return [step * number for number in range(-(-max(most, 1) // step) + 1)]
