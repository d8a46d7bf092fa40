"""What a member loses and when: not before a notice was sent, where the terms say so."""

from __future__ import annotations

from datetime import datetime, timedelta

from programs.engine.state import NoticeDue, Outcome, State
from programs.engine.terms import Terms


def loses_at(loss: NoticeDue, *, state: State, terms: Terms) -> datetime | None:
    """Return when the loss happens; None while its notice has yet to be sent."""
    if not terms.needs_notice:
        return loss.ends_at
    sent = state.notices.get(loss.key)
    return max(loss.ends_at, sent) if sent is not None else None


def tells_at(loss: NoticeDue, *, state: State, terms: Terms) -> datetime | None:
    """Return when the notice of the loss is to be written; None where none is needed or it is there."""
    if not terms.needs_notice or loss.key in state.notices:
        return None
    return loss.ends_at - timedelta(days=terms.notice_days)


def next_moment(loss: NoticeDue, *, state: State, terms: Terms) -> datetime | None:
    """Return the next moment at which the loss asks for something to be done."""
    moments = (tells_at(loss, state=state, terms=terms), loses_at(loss, state=state, terms=terms))
    return min((moment for moment in moments if moment is not None), default=None)


def tell(loss: NoticeDue, *, state: State, outcome: Outcome) -> None:
    """Have the notice of the loss written."""
    state.notices[loss.key] = None
    outcome.notices.append(loss)
