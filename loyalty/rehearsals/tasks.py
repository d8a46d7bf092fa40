"""Entry points of the worker. The rows are the intent: a lost message is found by the sweep."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import structlog
from celery import shared_task
from django.core.cache import caches
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from loyalty.rehearsals.models import BackTest, Correction, Run

log = structlog.get_logger(__name__)


def hand_on(run: Run) -> None:
    """Tell the workers of a run. Never raises: the sweep finds what a lost message would have told."""
    task = correct_task if isinstance(run, Correction) else back_test_task
    try:
        caches["broker"].get("any")  # Unlike Celery it says at once that the server is down.
        task.apply_async(kwargs={"run_id": str(run.pk)}, retry=False)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("run_not_handed_on", run=str(run.pk), error=str(error))


@shared_task(name="loyalty.rehearsals.back_test", acks_late=True)
def back_test_task(*, run_id: str, **_newer: object) -> bool:
    """Work on a back-test for some seconds and hand on; return whether something is left. Safe to run twice."""
    from loyalty.rehearsals import working  # noqa: PLC0415 -- leaf

    left = working.back_test(UUID(run_id))
    if left is not None:
        hand_on(left)
    return left is not None


@shared_task(name="loyalty.rehearsals.correct", acks_late=True)
def correct_task(*, run_id: str, **_newer: object) -> bool:
    """Work on a correction for some seconds and hand on; return whether something is left. Safe to run twice."""
    from loyalty.rehearsals import working  # noqa: PLC0415 -- leaf

    left = working.correction(UUID(run_id))
    if left is not None:
        hand_on(left)
    return left is not None


@shared_task(name="loyalty.rehearsals.sweep", acks_late=True)
def sweep_task(**_newer: object) -> int:
    """Hand on the runs whose message or worker was lost; return how many."""
    now = datetime.now(UTC)
    found: list[Run] = [*BackTest.objects.lost(now=now), *Correction.objects.lost(now=now)]
    for run in found:
        type(run)._default_manager.filter(pk=run.pk, beat_at=run.beat_at).update(beat_at=now, claim=None)
        hand_on(run)
    return len(found)
