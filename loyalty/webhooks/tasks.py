"""Entry points of the sender and the worker, and the nudge that wakes the sender."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from celery import shared_task
from django.core.cache import caches
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

NUDGED = "webhooks-nudged"
NUDGE_HOLDS = 3  # Seconds for which one message in the queue speaks for all that comes meanwhile.


def nudge() -> None:
    """Tell the sender that there is news. Never raises: the sweep finds what a lost nudge would have told."""
    try:
        if caches["broker"].add(NUDGED, 1, NUDGE_HOLDS):
            send_task.apply_async(expires=60, retry=False)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("webhook_nudge_lost", error=str(error))


@shared_task(name="loyalty.webhooks.send", acks_late=True)
def send_task(**_newer: object) -> int:
    """Send what is due, nudged or not; return how many attempts were made. Safe to run twice and by many at once."""
    from loyalty.webhooks import delivering  # noqa: PLC0415 -- leaf

    try:
        caches["broker"].delete(NUDGED)
    except (RedisError, OSError) as error:
        log.warning("webhook_nudge_not_cleared", error=str(error))
    return delivering.deliver_due()


@shared_task(name="loyalty.webhooks.foresee", acks_late=True)
def foresee_task(**_newer: object) -> int:
    """Tell which units will expire in the days of notice; return of how many. Each is told once."""
    from loyalty.webhooks import foresight  # noqa: PLC0415 -- leaf
    from programs.models import Program  # noqa: PLC0415 -- leaf

    told = 0
    for program in Program.objects.filter(has_webhooks=True):
        if not program.is_in_backfill:
            told += foresight.tell_of_expiry(program=program, now=program.now())
    return told


@shared_task(name="loyalty.webhooks.purge", acks_late=True)
def purge_task(**_newer: object) -> int:
    """Forget what was delivered 30 days ago; safe to run twice."""
    from loyalty.webhooks import actions  # noqa: PLC0415 -- leaf

    return actions.purge(at=datetime.now(UTC))
