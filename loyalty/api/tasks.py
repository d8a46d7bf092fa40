"""Worker entry points of the API's own housekeeping."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task


@shared_task(name="loyalty.api.purge_answers")
def purge_answers_task(**_newer: object) -> int:
    """Forget stored answers older than 30 days; safe to run twice."""
    from loyalty.api import idempotency  # noqa: PLC0415 -- leaf

    return idempotency.purge(now=datetime.now(UTC))
