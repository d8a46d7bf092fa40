"""Entry points of the worker for files that are moved in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from celery import shared_task
from django.core.cache import caches
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

RUNS_FOR = 240  # Seconds, after which a long file makes room for other tasks.
LEFT_AFTER = timedelta(seconds=60)


def ask_to_go_on(moving_id: UUID) -> None:
    """Have a worker go on with a file. Never raises: the sweep finds what a lost nudge would have told."""
    try:
        caches["broker"].get("moving")  # Unlike Celery it says at once that the server is down.
        go_on_task.apply_async(kwargs={"moving_id": str(moving_id)}, retry=False)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("moving_not_asked_for", error=str(error))


@shared_task(name="loyalty.moving.go_on", acks_late=True)
def go_on_task(*, moving_id: str, **_newer: object) -> bool:
    """Check a file or move it in, from where it stands; return whether that is done. Safe to run twice."""
    from loyalty.moving import actions  # noqa: PLC0415 -- leaf

    is_done = actions.go_on(moving_id=UUID(moving_id), seconds=RUNS_FOR)
    if not is_done:
        ask_to_go_on(UUID(moving_id))
    return is_done


@shared_task(name="loyalty.moving.sweep", acks_late=True)
def sweep_task(**_newer: object) -> int:
    """Go on with files whose nudge or worker was lost; return how many."""
    from loyalty.moving.models import Moving  # noqa: PLC0415 -- leaf

    left = Moving.objects.left_since(datetime.now(UTC) - LEFT_AFTER)
    ids = list(left.order_by("touched_at").values_list("pk", flat=True)[:20])
    for moving_id in ids:
        ask_to_go_on(moving_id)
    return len(ids)


@shared_task(name="loyalty.moving.tidy", acks_late=True)
def tidy_task(**_newer: object) -> int:
    """Delete what is kept of files for a week; return of how many."""
    from loyalty.moving import actions  # noqa: PLC0415 -- leaf

    return actions.tidy(now=datetime.now(UTC))
