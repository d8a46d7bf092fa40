"""What all activity shares on its way in: its moment, its member, its key for ever, its twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import ProblemError, field_code, invalid
from loyalty.ledger.running import check_may_earn
from loyalty.purchases.models import Activity, ReceiptKey
from programs.models import Program
from programs.terms import schedule_of

FURTHEST_AHEAD = timedelta(hours=72)
BACKFILL_TOUCHED_EVERY = timedelta(minutes=1)
T = TypeVar("T")

TRIES = 5  # Against twins that post the same receipt at the same moment.

TOO_FAR_AHEAD = field_code(
    "too-far-ahead",
    title=_("The time lies more than 72 hours ahead"),
    cure=_("Set the till's clock right, and send the purchase with the time at which it happened."),
)
NO_TERMS_IN_FORCE = field_code(
    "no-terms-in-force",
    title=_("The program had no terms at that time"),
    cure=_("Send a time from the first version of the program's terms on."),
)


class ExternalIdReuseError(ProblemError):
    """The external_id stands for another body."""

    status, code = 409, "external-id-reuse"
    title = _("This external_id was used for another body")
    cure = _("An external_id is unique for ever in a program. Send the first body again, or take a new one.")


@dataclass(frozen=True)
class Outcome:
    """What became of one item: the activity as it stands, or why it was refused."""

    external_id: str
    activity_id: UUID | None = None
    status: str = ""
    is_new: bool = False
    problem: ProblemError | None = None


class Intake:
    """What the items of one request are judged by: read once for all of them."""

    def __init__(self, *, program: Program, now: datetime) -> None:
        self.program = program
        self.now = now
        self.schedule = schedule_of(program)
        versions = self.schedule.versions
        self.terms_since = versions[0].starts_at if versions else None

    def check_moment(self, occurred_at: datetime) -> None:
        """Refuse what lies too far ahead of a real clock, or before the first terms."""
        if self.program.clock is None and occurred_at > self.now + FURTHEST_AHEAD:
            raise invalid("/occurred_at", TOO_FAR_AHEAD)
        if self.terms_since is None or occurred_at < self.terms_since:
            raise invalid("/occurred_at", NO_TERMS_IN_FORCE)

    def check_earns(self, occurred_at: datetime) -> None:
        """Refuse what a closed program takes no more. Raises ProgramClosedError."""
        check_may_earn(self.program, occurred_at=occurred_at)

    def due_at(self, occurred_at: datetime) -> datetime:
        """Return from when on it may be judged: at once, or when it happens."""
        return self.now if self.program.clock is not None else max(self.now, occurred_at)


@dataclass(frozen=True)
class Known:
    """A receipt that was written before: what it stands for, and how far that is."""

    activity_id: UUID
    digest: bytes
    status: str


def known_receipts(program: Program, kind: str, external_ids: set[str]) -> dict[str, Known]:
    """Return those of the receipts that were written before, by external_id."""
    keys = ReceiptKey.objects.filter(program=program, kind=kind, external_id__in=sorted(external_ids))
    found = list(keys.values_list("external_id", "activity_id", "digest"))
    if not found:
        return {}
    rows = Activity.objects.filter(pk__in=[activity_id for _name, activity_id, _digest in found])
    statuses = dict(rows.values_list("pk", "status"))
    return {name: Known(pk, bytes(digest), statuses[pk]) for name, pk, digest in found}


def repeated(external_id: str, known: Known, digest: bytes) -> Outcome:
    """Return the outcome of a receipt that was written before: its present state, or that its body is another."""
    if known.digest != digest:
        return Outcome(external_id, problem=ExternalIdReuseError())
    return Outcome(external_id, known.activity_id, known.status)


def receipt_key(row: Activity, digest: bytes) -> ReceiptKey:
    """Return the unwritten key that keeps the receipt unique for ever."""
    return ReceiptKey(
        program_id=row.program_id, kind=row.kind, external_id=row.external_id, activity_id=row.pk, digest=digest
    )


def past_twins(record: Callable[[], T]) -> T:
    """Record; where a twin wrote the same receipt (or opened the same store) meanwhile, look again."""
    for _attempt in range(TRIES - 1):
        try:
            return record()
        except IntegrityError:
            continue
    return record()


def nudge_after_commit() -> None:
    """Wake the workers once what was written can be seen."""
    from loyalty.purchases.tasks import nudge  # noqa: PLC0415 -- tasks import actions, never back at the top

    transaction.on_commit(nudge)


def touch_backfill(program: Program, *, now: datetime) -> None:
    """Tell that the history is still being loaded, at most once a minute."""
    touched = program.backfill_touched_at
    if program.is_in_backfill and touched is not None and touched < now - BACKFILL_TOUCHED_EVERY:
        stale = Program.objects.filter(pk=program.pk, backfill_touched_at__lt=now - BACKFILL_TOUCHED_EVERY)
        stale.update(backfill_touched_at=now)
