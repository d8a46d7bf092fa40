"""Notices before a loss: the loss waits until its notice was sent."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from django.db import transaction

from loyalty.ledger.book import lock_standings
from loyalty.ledger.models import Notice

log = structlog.get_logger(__name__)


@transaction.atomic
def mark_sent(*, notice: Notice, at: datetime) -> bool:
    """Say that the member was told at this moment; return whether that was news.

    From then on the loss may happen: at the day it is due, or at once where that has passed.
    """
    (standing,) = lock_standings([notice.membership_id], skip_locked=False)
    sent_at = at.astimezone(UTC)
    unsent = Notice.objects.unsent().filter(pk=notice.pk, program_id=notice.program_id)
    if not unsent.update(sent_at=sent_at):
        return False
    notice.sent_at = sent_at
    notices = {**standing.memory.get("notices", {}), notice.key: sent_at.isoformat()}
    standing.memory = {**standing.memory, "notices": notices}
    standing.due_at = min(standing.due_at or sent_at, sent_at)  # The next look finds when the loss is due.
    standing.save(update_fields=["memory", "due_at"])
    log.info("notice_marked_sent", notice=str(notice.pk), member=str(notice.membership_id))
    return True
