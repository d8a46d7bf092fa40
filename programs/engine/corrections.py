"""A member put right after wrong terms: units, tier credit and counters as the right ones make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from programs.engine.ladder import Ladder
from programs.engine.spending import Spending
from programs.engine.state import Outcome, State
from programs.engine.terms import Schedule
from programs.engine.timeline import fold
from programs.engine.value import Change, Value


@dataclass(frozen=True, slots=True)
class Credited:
    """What an activity counts more towards tiers than it did: by measure and year, signed, at its moment."""

    at: datetime
    credit: Mapping[str, Mapping[str, int]]


@dataclass(slots=True)
class Corrections:
    """All that is to be put right with one member. ``counters``: what is used of limits, by key, signed."""

    units: list[Change] = field(default_factory=list)
    credit: list[Credited] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)


def correct(
    *, state: State, schedule: Schedule, corrections: Corrections, until: datetime, new_id: Callable[[], UUID]
) -> tuple[State, Outcome, dict[str, int]]:
    """Return where the member stands at ``until`` once put right then, all there is to write, and by unit what moved.

    The state needs its lots, with those of the corrected activity that are used up.
    """
    state, outcome = fold(state=state, schedule=schedule, until=until, new_id=new_id)
    at = state.as_of
    ladder = Ladder(state, outcome, schedule, max(0, schedule.index_of(state.version_id)))
    value = Value(state, outcome, new_id)
    spending = Spending(state, outcome, value, new_id, schedule.ends_at)
    for change in corrections.units:
        if (lacking := -change.amount - value.within_reach(change.unit, change.activity_id)) > 0:
            spending.withdraw(change.unit, lacking, at, change.activity_id, ladder.terms)
    moved = value.adjust(corrections.units, at=at)
    spending.convert(ladder.terms, at, None)
    for one in corrections.credit:
        ladder.credit({measure: dict(years) for measure, years in one.credit.items()}, at=one.at, sign=1)
    for key, amount in corrections.counters.items():
        state.counters[key] = state.counters.get(key, 0) + amount
    ladder.replay()
    ladder.review(at, reason="terms", since=at, activity_id=None)
    ends = [end for lot in state.lots if lot.remaining for end in (lot.matures_at, lot.expires_at) if end is not None]
    state.due_of_lots = min(ends, default=None)
    after, then = fold(state=state, schedule=schedule, until=at, new_id=new_id)
    return after, _both(outcome, then), moved


def differences(old: Sequence[tuple[str, str, int]], new: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Return by unit how much more the new awards (rule, unit, amount) come to; without what is the same."""
    units: dict[str, int] = {}
    for sign, awards in ((-1, old), (1, new)):
        for _rule, unit, amount in awards:
            units[unit] = units.get(unit, 0) + sign * amount
    return {unit: amount for unit, amount in units.items() if amount}


def credit_between(
    old: Mapping[str, Mapping[str, int]], new: Mapping[str, Mapping[str, int]], *, sign: int
) -> dict[str, dict[str, int]]:
    """Return what counts more towards tiers under the new than under the old, times ``sign``."""
    found: dict[str, dict[str, int]] = {}
    for measure in {*old, *new}:
        before, after = old.get(measure, {}), new.get(measure, {})
        parts = {year: sign * (after.get(year, 0) - before.get(year, 0)) for year in {*before, *after}}
        if changed := {year: amount for year, amount in parts.items() if amount}:
            found[measure] = changed
    return found


def _both(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        postings=[*one.postings, *other.postings],
        tier_changes=[*one.tier_changes, *other.tier_changes],
        notices=[*one.notices, *other.notices],
        captured=[*one.captured, *other.captured],
        released=[*one.released, *other.released],
        restored={**one.restored, **other.restored},
        issues=[*one.issues, *other.issues],
        withdrawn=[*one.withdrawn, *other.withdrawn],
        due_at=other.due_at,
    )
