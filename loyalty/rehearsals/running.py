"""How a run is worked on: claimed by one worker, a few seconds at a time, its progress kept, and handed on.

A slice begins by taking the claim where nobody holds it and every save asks for the claim again, so of two workers one
stops without having written anything. Whoever dies leaves a claim that is no longer told of; the sweep finds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction

from accounts.ids import new_id
from loyalty.rehearsals.models import Run

log = structlog.get_logger(__name__)

SLICE = 5.0  # Seconds, after which other tasks have their turn.
SAVES = 1.0  # Seconds between two saves: so soon a word to stop is heard.

Status = Run.Status
SomeRun = TypeVar("SomeRun", bound=Run)


class LostError(Exception):
    """Another worker has the run, or it was cancelled: nothing more may be written."""


def take(model: type[SomeRun], pk: UUID) -> SomeRun | None:
    """Claim a run that nobody is at and return it; None where there is nothing to do."""
    now, claim = datetime.now(UTC), new_id()
    taken = model._default_manager.not_held(now=now).filter(pk=pk)
    if not taken.update(claim=claim, beat_at=now, status=Status.RUNNING):
        return None
    run: SomeRun = model._default_manager.select_related("program").get(pk=pk)
    if run.started_at is None:
        run.started_at = now
        model._default_manager.filter(pk=pk, claim=claim).update(started_at=now)
    run.claim = claim
    return run


def save(run: Run, **fields: Any) -> None:
    """Write what has changed on a run that is still ours; raise LostError where it is not."""
    manager = type(run)._default_manager
    kept = manager.filter(pk=run.pk, claim=run.claim, status=Status.RUNNING)
    if not kept.update(beat_at=datetime.now(UTC), **fields):
        raise LostError
    for name, value in fields.items():
        setattr(run, name, value)


def work(run: SomeRun, *, begin: Callable[[SomeRun], None], step: Callable[[SomeRun], Callable[[], bool]]) -> bool:
    """Work on a claimed run for some seconds; return whether something is left.

    ``begin`` prepares one that has no state yet; ``step`` returns what does and saves a second's work (False: the end).
    """
    started = time.monotonic()
    try:
        if not run.state:
            begin(run)
        go_on = step(run)
        while go_on():
            if time.monotonic() - started > SLICE:
                save(run, claim=None)
                return True
    except LostError:
        log.info("run_left", run=str(run.pk))
    except (OperationalError, InterfaceError):
        raise  # The fault of the moment: the sweep tries again.
    except Exception as error:
        log.exception("run_failed", run=str(run.pk))
        fail(run, error)
    return False


def finish(run: Run, **fields: Any) -> None:
    """Say that a run of ours is done. Raises LostError."""
    save(run, status=Status.DONE, finished_at=datetime.now(UTC), claim=None, **fields)


def fail(run: Run, error: Exception) -> None:
    """Say in words that a run of ours cannot be done."""
    type(run)._default_manager.filter(pk=run.pk, claim=run.claim, status=Status.RUNNING).update(
        status=Status.FAILED,
        finished_at=datetime.now(UTC),
        claim=None,
        detail=f"{type(error).__name__}: {error}"[:1_000],
    )


def cancel(run: Run) -> bool:
    """Stop a run; whoever is at it notices within about a second. Return whether there was anything to stop."""
    with transaction.atomic():
        at_work = type(run)._default_manager.filter(pk=run.pk, status__in=[Status.QUEUED, Status.RUNNING])
        return bool(at_work.update(status=Status.CANCELLED, finished_at=datetime.now(UTC), claim=None))
