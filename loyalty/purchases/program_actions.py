"""What is done to a program's time: a sandbox's clock, and the loading of a history."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from accounts import formats
from loyalty.api.problems import ProblemError
from loyalty.purchases.accrual import run_due
from loyalty.purchases.models import Activity
from loyalty.purchases.tasks import ask_for_due_work
from programs.models import ApiKey, Program
from programs.outstanding import Outstanding

log = structlog.get_logger(__name__)


class NotASandboxError(ProblemError):
    """The program goes by the real clock."""

    status, code = 409, "not-a-sandbox"
    title = _("This program goes by the real clock")
    cure = _("Only a sandbox can be told the time.")


class ClockBackwardsError(ProblemError):
    """The clock already shows a later time."""

    status, code = 409, "clock-backwards"
    title = _("The clock never goes back")
    cure = _("Send a time later than what the clock shows, or begin with a new sandbox.")


def move_clock(*, program: Program, now: datetime, by: ApiKey) -> datetime:
    """Do all that falls due up to ``now``, move the sandbox's clock there, and return what it shows.

    Raises NotASandboxError, ClockBackwardsError.
    """
    if not program.is_sandbox:
        raise NotASandboxError
    if now < program.now():
        raise ClockBackwardsError
    if program.clock is None:  # From here on the sandbox has a clock of its own.
        program.clock = program.now()
        program.save(update_fields=["clock"])
    run_due(program=program, as_of=now)
    log.info("clock_moved", program=program.slug, now=now.isoformat(), key=by.prefix)
    program.refresh_from_db(fields=["clock"])
    return program.now()


def set_backfill(*, program: Program, is_on: bool, by: ApiKey) -> None:
    """Say that a history is being loaded, or that it is complete: then every member is brought to the present."""
    with transaction.atomic():
        Program.objects.filter(pk=program.pk).update(backfill_touched_at=datetime.now(UTC) if is_on else None)
        if not is_on:
            transaction.on_commit(lambda: ask_for_due_work(program.pk))
    log.info("backfill", program=program.slug, is_on=is_on, key=by.prefix)


def outstanding(program: Program) -> list[Outstanding]:
    """Return how much activity of the program is not judged yet, and how much waits on the shelf. One query."""
    open_ones = [Activity.Status.RECORDED, Activity.Status.WAITING, Activity.Status.FAILED]
    rows = Activity.objects.filter(program=program, status__in=open_ones)
    counts = dict(rows.values_list("status").annotate(count=Count("pk")))
    names = {
        Activity.Status.RECORDED.value: text("Receipts not judged yet"),
        Activity.Status.WAITING.value: text("Receipts that wait for another one"),
        Activity.Status.FAILED.value: text("Receipts set aside with a fault"),
    }
    return [Outstanding(name, formats.number(counts[status])) for status, name in names.items() if status in counts]
