"""Entry points of the worker, and the nudge that wakes it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import structlog
from celery import shared_task
from django.core.cache import caches
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

NUDGED = "accrual-nudged"
NUDGE_HOLDS = 3  # Seconds for which one message in the queue speaks for all that comes meanwhile.
TASK_RUNS_FOR = 60  # Seconds, after which a long backlog makes room for other tasks.
LOCKED_OUT_RETRIES = 40


def nudge() -> None:
    """Tell the workers that activity was recorded. Never raises: the sweep finds what a lost nudge would have told."""
    try:
        if caches["broker"].add(NUDGED, 1, NUDGE_HOLDS):
            accrue_task.apply_async(expires=60, retry=False)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("nudge_lost", error=str(error))


def ask_for_due_work(program_id: UUID) -> None:
    """Have the workers do what has fallen due in a program. Never raises: the scheduler asks again within a minute."""
    try:
        caches["broker"].get(NUDGED)  # Unlike Celery it says at once that the server is down.
        run_due_task.apply_async(kwargs={"program_id": str(program_id)}, retry=False)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("due_work_not_asked_for", error=str(error))


@shared_task(name="loyalty.purchases.accrue", acks_late=True)
def accrue_task(**_newer: object) -> int:
    """Judge recorded activity until none is left; return how much. Safe to run twice and by many at once."""
    from loyalty.purchases import accrual  # noqa: PLC0415 -- leaf

    try:
        caches["broker"].delete(NUDGED)
    except (RedisError, OSError) as error:
        log.warning("nudge_not_cleared", error=str(error))
    started, judged, patience = time.monotonic(), 0, LOCKED_OUT_RETRIES
    while time.monotonic() - started < TASK_RUNS_FOR:
        report = accrual.accrue_batch()
        judged += report.judged
        if report.moved:
            patience = LOCKED_OUT_RETRIES
            continue
        if report.locked_out and patience:
            patience -= 1
            time.sleep(0.025)  # Another worker holds these members; what came for them meanwhile is ours to find.
            continue
        return judged
    nudge()
    return judged


@shared_task(name="loyalty.purchases.sweep", acks_late=True)
def sweep_task(**_newer: object) -> bool:
    """Find recorded activity that no nudge told of; return whether there was any."""
    from loyalty.purchases.events import go_on_with_friends  # noqa: PLC0415 -- leaf
    from loyalty.purchases.models import Activity  # noqa: PLC0415 -- leaf

    go_on_with_friends()
    found = Activity.objects.awaiting_accrual(at=datetime.now(UTC)).exists()
    if found:
        accrue_task()
    return found


@shared_task(name="loyalty.purchases.run_due", acks_late=True)
def run_due_task(*, program_id: str | None = None, **_newer: object) -> int:
    """Do what has fallen due in the programs that go by the real clock (or in one); return how many members."""
    from loyalty.purchases import accrual  # noqa: PLC0415 -- leaf
    from programs.models import Program  # noqa: PLC0415 -- leaf

    programs = Program.objects.by_the_real_clock()
    if program_id is not None:
        programs = programs.filter(pk=program_id)
    members = 0
    for program in programs:
        if not program.is_in_backfill:
            members += accrual.run_due(program=program, as_of=program.now()).members
    return members
