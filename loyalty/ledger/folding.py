"""One member folded under lock, for verbs that a person or a till waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.ids import new_id
from loyalty.ledger import book as ledger
from loyalty.ledger.models import Standing
from loyalty.ledger.queries import present_of
from loyalty.ledger.signals import book_opened
from programs.engine.state import Outcome, State
from programs.engine.terms import Schedule
from programs.engine.timeline import Activity, fold
from programs.models import Membership

EVERYTHING = ledger.Needs(lots=True, periods=True, segments=True)


def locked_standing(membership: Membership) -> Standing:
    """Return the member's standing, locked until the end of the transaction."""
    (standing,) = ledger.lock_standings([membership.pk], skip_locked=False)
    return standing


def present_moment(membership: Membership, standing: Standing) -> datetime:
    """Return the present of a member whose program is loaded."""
    program = membership.program
    return present_of(program=program, standing=standing, now=program.now())


def folded(
    standing: Standing, schedule: Schedule, *, activity: Sequence[Activity] = (), until: datetime
) -> tuple[State, Outcome]:
    """Fold a member whose standing is locked, write what it came to, and return it; Outcome.refusals write nothing."""
    book = ledger.open_book([standing], {standing.membership_id: EVERYTHING})
    book_opened.send(sender=ledger.Book, book=book, schedules={standing.program_id: schedule})
    state = book.states[standing.membership_id]
    result = fold(state=state, schedule=schedule, activity=activity, until=until, new_id=new_id)
    if not result[1].refusals:
        ledger.write(book, {standing.membership_id: result})
    return result
