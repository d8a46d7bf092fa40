"""The life of a program: it is paused, goes on, is closed, and a close is undone before units end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import formats
from accounts.history.models import Change
from accounts.history.recording import Line
from accounts.models import User
from programs.engine.dates import LAST_DAY, after
from programs.journal import record_program
from programs.models import Program
from programs.signals import state_changed

log = structlog.get_logger(__name__)
Status = Program.Status


class WrongStateError(Exception):
    """The program is not in a state from which it can be brought into that one; the text says why."""


class LastDayError(ValueError):
    """The last day of spending is not possible; the text says why."""


@transaction.atomic
def pause(*, program: Program, by: User | None) -> Program:
    """Let a program stand still; one that does already stays as it is. Raises ``WrongStateError``.

    Nobody joins, nothing is spent. What is reported is written down and judged when the program goes on.
    """
    program = _locked(program)
    if program.is_closed:
        raise WrongStateError(_("A closed program cannot be paused: undo the close first."))
    if not program.is_paused:
        _bring(program, Status.PAUSED, Change.Action.PAUSED, at=program.now(), by=by)
    return program


@transaction.atomic
def resume(*, program: Program, by: User | None) -> Program:
    """Let a paused program go on; one that is active stays as it is. Raises ``WrongStateError``.

    All that was reported meanwhile is judged, and all that fell due is done, each by its own day and in that order.
    """
    program = _locked(program)
    if program.is_closed:
        raise WrongStateError(_("The program is closed: undo the close instead."))
    if program.is_paused:
        _bring(program, Status.ACTIVE, Change.Action.RESUMED, at=program.now(), by=by)
    return program


@transaction.atomic
def close(*, program: Program, last_day: date, by: User | None) -> Program:
    """End earning now and spending with ``last_day``, a day of the program's zone; then what is left expires.

    A program that is closed with that day stays as it is. Raises ``WrongStateError``, ``LastDayError``.
    """
    program = _locked(program)
    if program.is_closed:
        if program.last_day == last_day:
            return program
        raise WrongStateError(_("The program is closed already: to choose another day, undo the close first."))
    now = program.now()
    if last_day < now.astimezone(program.zone).date():
        raise LastDayError(_("The last day of spending is over: choose today or a later day."))
    if last_day > LAST_DAY:
        raise LastDayError(_("This is too far away: choose an earlier day."))
    lines = [(_("Last day of spending"), "", formats.day(last_day))]
    program.ends_at = after(last_day, program.zone)
    _bring(program, Status.CLOSED, Change.Action.CLOSED, at=now, by=by, lines=lines)
    return program


@transaction.atomic
def reopen(*, program: Program, by: User | None) -> Program:
    """Undo a close while units can still be spent; one that is active stays as it is. Raises ``WrongStateError``."""
    program = _locked(program)
    if program.is_paused:
        raise WrongStateError(_("The program is paused, not closed: let it go on."))
    if program.is_over:
        raise WrongStateError(_("The last day of spending is over and units have ended: this cannot be undone."))
    if program.is_closed:
        ended, program.ends_at = program.ends_at, None
        _bring(program, Status.ACTIVE, Change.Action.REOPENED, at=program.now(), by=by, ended=ended)
    return program


def _locked(program: Program) -> Program:
    return Program.objects.select_for_update(of=("self",)).select_related("business").get(pk=program.pk)


def _bring(
    program: Program,
    status: str,
    action: str,
    *,
    at: datetime,
    by: User | None,
    lines: Iterable[Line] = (),
    ended: datetime | None = None,
) -> None:
    program.status, program.status_since, program.status_by = status, at, by
    program.save(update_fields=["status", "status_since", "status_by", "ends_at"])
    record_program(program, action=action, by=by, lines=lines)
    state_changed.send(sender=Program, program=program, at=at, ended=ended)
    log.info("program_state", program=program.slug, status=str(status), by=str(by) if by else None)
