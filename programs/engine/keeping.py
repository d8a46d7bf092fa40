"""What keeps the tier that a member holds, and which grant it rests on where credit did not reach it."""

from __future__ import annotations

from datetime import date

from programs.engine import tiers
from programs.engine.dates import after, local_day
from programs.engine.state import Grant, State
from programs.engine.terms import Terms
from programs.engine.tiers import INSTANT, Missing, Record


def given_by(*, state: State, terms: Terms) -> Grant | None:
    """Return the grant that the present tier rests on; None where credit reaches it as well."""
    rank, record = terms.rank(state.tier), _record(state)
    own, _until = _own(state, terms)
    if not rank or own >= rank or tiers.for_life(terms=terms, record=record, at=state.as_of) >= rank:
        return None
    in_force = [
        grant
        for grant in state.grants or ()
        if terms.rank(grant.tier) == rank and grant.starts_at <= state.as_of and not _is_over(grant, state, terms)
    ]
    return max(in_force, key=lambda grant: grant.until or date.max, default=None)


def keeping(*, state: State, terms: Terms) -> tuple[Missing, ...]:
    """Return what keeps the present tier beyond its last day, fulfilled or not.

    Nothing where it has no end, is kept by what it stands on alone, or was given without anything that would keep it.
    """
    rank, until = terms.rank(state.tier), state.tier_until
    if not rank or until is None or until < local_day(state.as_of, terms.zone):
        return ()
    grant = given_by(state=state, terms=terms)
    if grant is not None:
        return _of_trial(grant, state, terms)
    if (rank, until) != _own(state, terms):
        return ()
    if terms.tier_validity == "months":
        return _of_months(rank, until, state, terms)
    return _of_years(rank, until, state, terms) if terms.tier_validity == "next_year" else ()


def _record(state: State) -> Record:
    return Record(state.joined_at, state.credit, state.marks)


def _own(state: State, terms: Terms) -> tuple[int, date | None]:
    """Return the rank that credit alone holds at present, and its last day."""
    if terms.tier_validity == "months":
        return terms.rank(state.earned.tier), state.earned.until
    level = tiers.level(terms=terms, record=_record(state), at=state.as_of)
    return level.rank, level.until


def _is_over(grant: Grant, state: State, terms: Terms) -> bool:
    end = tiers.granted_end(grant, terms=terms, record=_record(state))
    return end is not None and end <= state.as_of


def _of_trial(grant: Grant, state: State, terms: Terms) -> tuple[Missing, ...]:
    trial = terms.trial
    if grant.kind != "trial" or trial is None or trial.tier != grant.tier or grant.until is None:
        return ()
    have = sum(
        mark.get(trial.measure, 0) for moment, mark in state.marks.items() if grant.starts_at <= moment <= state.as_of
    )
    return (Missing(trial.measure, trial.need, have, grant.until),) if have < trial.need else ()


def _of_months(rank: int, until: date, state: State, terms: Terms) -> tuple[Missing, ...]:
    last, begin, record = after(until, terms.zone) - INSTANT, state.earned.counts_after, _record(state)
    return tuple(
        Missing(c.measure, c.need, tiers.have_since(c, rank, terms, record, last, begin), until)
        for c in terms.tiers[rank].conditions
    )


def _of_years(rank: int, until: date, state: State, terms: Terms) -> tuple[Missing, ...]:
    record = _record(state)
    is_kept = until == tiers.held_until(terms, record, local_day(state.as_of, terms.zone))
    return tuple(
        Missing(one.measure, one.need, max(one.have, one.need) if is_kept else one.have, min(one.by or until, until))
        for one in tiers.asked(rank, terms=terms, record=record, at=state.as_of)
    )
