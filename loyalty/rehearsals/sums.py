"""What a back-test adds up, in plain dictionaries that are kept as JSON between slices; units in smallest steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from programs.engine.state import Outcome, Purchase, State

Sums = dict[str, Any]
LARGEST = 3  # Members named at either end of the differences of a unit.


def empty() -> Sums:
    """Return sums of nothing: what is the same on both sides, each side, and what differs between them."""
    return {
        "members": 0,
        "purchases": 0,
        "sales": 0,
        "returned": 0,
        "sides": [_side(), _side()],
        "tiers": {},
        "units": {},
        "up": 0,
        "down": 0,
    }


def _side() -> Sums:
    return {"units": {}, "rules": {}, "tiers": {}, "months": {}}


def count_activity(sums: Sums, activity: Iterable[Any], *, totals: Mapping[UUID, int]) -> None:
    """Count what the period brought: purchases and what was bought, returns and what came back, in minor units."""
    for one in activity:
        if isinstance(one, Purchase):
            sums["purchases"] += 1
            sums["sales"] += one.total
        elif one.id in totals:
            sums["returned"] += totals[one.id]


def count_outcome(side: Sums, outcome: Outcome, *, returns: frozenset[UUID]) -> None:
    """Count what one slice gave by rule and by tier, took back and let expire; ``returns`` names the returns in it."""
    for verdict in outcome.verdicts:
        if verdict.activity_id in returns:
            continue
        for rule, unit, amount in verdict.awards:
            _add(side["rules"].setdefault(rule, {}), unit, amount)
            _add(side["tiers"].setdefault(verdict.tier, {}), unit, amount)
            _add(_unit(side, unit), "issued", amount)
    for posting in outcome.postings:
        for move in posting.moves:
            if move.account == "expired":
                _add(_unit(side, move.unit), "expired", move.amount)
            elif move.account == "reversed":
                _add(_unit(side, move.unit), "taken_back", move.amount)


def outstanding(state: State) -> dict[str, int]:
    """Return what a member holds by unit: available and pending; a debt is nothing that the business owes."""
    found: dict[str, int] = {}
    for (unit, account), balance in state.balances.items():
        if account in {"available", "pending"} and balance > 0:
            found[unit] = found.get(unit, 0) + balance
    return found


def count_month(side: Sums, month: str, state: State) -> None:
    """Count what a member holds at the end of a month (or of the period)."""
    held = side["months"].setdefault(month, {})
    for unit, amount in outstanding(state).items():
        _add(held, unit, amount)


def given_to(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return what one member was given less what was taken back, by unit."""
    given: dict[str, int] = {}
    for outcome in outcomes:
        for verdict in outcome.verdicts:
            for _rule, unit, amount in verdict.awards:
                _add(given, unit, amount)
    return given


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return by unit how much more was given; what is the same is left out."""
    parts = {unit: after.get(unit, 0) - before.get(unit, 0) for unit in {*before, *after}}
    return {unit: amount for unit, amount in parts.items() if amount}


def count_member(
    sums: Sums, membership_id: UUID, given: tuple[dict[str, int], dict[str, int]], tiers: tuple[str, str]
) -> None:
    """Count one member's two ends: the tiers, and by unit whether more or less was given."""
    sums["members"] += 1
    _add(sums["tiers"].setdefault(tiers[0], {}), tiers[1], 1)
    for unit, amount in difference(*given).items():
        known = sums["units"].setdefault(unit, {"more": 0, "less": 0, "most": [], "least": []})
        known["more" if amount > 0 else "less"] += 1
        end = known["most" if amount > 0 else "least"]
        end.append([str(membership_id), amount, *tiers])
        end.sort(key=lambda row: (-abs(row[1]), row[0]))
        del end[LARGEST:]


def _unit(side: Sums, unit: str) -> dict[str, int]:
    found: dict[str, int] = side["units"].setdefault(unit, dict.fromkeys(("issued", "taken_back", "expired"), 0))
    return found


def _add(counts: dict[str, int], key: str, amount: int) -> None:
    counts[key] = counts.get(key, 0) + amount
