"""What a standing remembers beside its columns: the engine's state as JSON and back, empty parts left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from programs.engine.state import Grant, Hold, Holding, State

Memory = dict[str, Any]


def kept(state: State) -> Memory:
    """Return what is to be kept of a state."""
    parts: Memory = {
        "marks": {at.isoformat(): mark for at, mark in sorted(state.marks.items())},
        "earned": _holding(state.earned),
        "anchor": _holding(state.anchor),
        "anchor_at": state.anchor_at.isoformat() if state.anchor_at is not None else None,
        "moments": {name: moment.isoformat() for name, moment in state.moments.items()},
        "notices": {key: sent.isoformat() if sent is not None else None for key, sent in state.notices.items()},
        "owed": {unit: amount for unit, amount in state.owed.items() if amount},
        "counted": state.counted,
        "holds": [_hold_kept(hold) for hold in state.holds],
    }
    memory = {name: part for name, part in parts.items() if part}
    if state.grants is not None:  # Empty it says that the last one ended, and the tier is to be looked at once more.
        memory["grants"] = [grant_kept(grant) for grant in state.grants]
    return memory


def recall(memory: Mapping[str, Any], state: State) -> State:
    """Fill a state with what was kept of it, and return it."""
    state.marks = {datetime.fromisoformat(at): dict(mark) for at, mark in memory.get("marks", {}).items()}
    state.earned = _recalled(memory.get("earned"))
    state.anchor = _recalled(memory.get("anchor"))
    state.anchor_at = _moment(memory.get("anchor_at"))
    state.moments = {name: datetime.fromisoformat(at) for name, at in memory.get("moments", {}).items()}
    state.notices = {key: _moment(sent) for key, sent in memory.get("notices", {}).items()}
    state.owed = dict(memory.get("owed", {}))
    state.counted = memory.get("counted", 0)
    state.holds = [_hold(given) for given in memory.get("holds", ())]
    if "grants" in memory:
        state.grants = [_grant(given) for given in memory["grants"]]
    return state


def grant_kept(grant: Grant) -> dict[str, str | None]:
    """Return a grant as it is kept."""
    return {
        "tier": grant.tier,
        "kind": grant.kind,
        "starts_at": grant.starts_at.isoformat(),
        "until": grant.until.isoformat() if grant.until is not None else None,
        "ended_at": grant.ended_at.isoformat() if grant.ended_at is not None else None,
    }


def _grant(given: Mapping[str, Any]) -> Grant:
    until = given.get("until")
    return Grant(
        tier=given["tier"],
        kind=given["kind"],
        starts_at=datetime.fromisoformat(given["starts_at"]),
        until=date.fromisoformat(until) if until else None,
        ended_at=_moment(given.get("ended_at")),
    )


def _holding(holding: Holding) -> dict[str, str] | None:
    if not holding.tier:
        return None
    parts = {"since": holding.since, "until": holding.until, "counts_after": holding.counts_after}
    return {"tier": holding.tier} | {name: part.isoformat() for name, part in parts.items() if part is not None}


def _recalled(kept_holding: Mapping[str, str] | None) -> Holding:
    if not kept_holding:
        return Holding("")
    since, until = kept_holding.get("since"), kept_holding.get("until")
    return Holding(
        tier=kept_holding["tier"],
        since=date.fromisoformat(since) if since else None,
        until=date.fromisoformat(until) if until else None,
        counts_after=_moment(kept_holding.get("counts_after")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _hold_kept(hold: Hold) -> Memory:
    return {
        "id": str(hold.id),
        "reward": hold.reward,
        "unit": hold.unit,
        "units": hold.units,
        "quantity": hold.quantity,
        "taken": [[str(lot), amount] for lot, amount in hold.taken],
        "ends_at": hold.ends_at.isoformat(),
        "uses": dict(hold.uses),
        "gives": hold.gives,
    }


def _hold(given: Mapping[str, Any]) -> Hold:
    return Hold(
        id=UUID(given["id"]),
        reward=given["reward"],
        unit=given["unit"],
        units=given["units"],
        quantity=given["quantity"],
        taken=tuple((UUID(lot), amount) for lot, amount in given["taken"]),
        ends_at=datetime.fromisoformat(given["ends_at"]),
        uses=given["uses"],
        gives=tuple(given["gives"]) if given.get("gives") else None,
    )
