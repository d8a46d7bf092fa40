"""What is done with a file: taken, checked without writing anything, and moved in batch by batch.

A file's row in the database says how far it has come. Each batch writes its members, their books and that place in one
transaction, so that whoever goes on after a worker was killed, or twice at once, does every row once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from accounts.models import User
from loyalty.moving import codes, columns, members
from loyalty.moving.faults import Fault, UnreadableFileError, fault
from loyalty.moving.member_rows import member_rows
from loyalty.moving.models import Moving, MovingFault, MovingFile
from loyalty.moving.reading import MOST_BYTES, Sheet, read
from programs.models import Program

log = structlog.get_logger(__name__)

BATCH = 500
TRIES = 5
AT_ONCE = 100 * 1024  # A file up to this size is gone through while its sender waits.
KEPT_FOR = timedelta(days=7)
TRIED_FOR = timedelta(days=1)  # A file that workers cannot go on with for so long is given up.
KINDS = (members.NEW, members.CHANGED, members.UNCHANGED, members.BAD)

Status = Moving.Status
Tell = Callable[[Moving], None]


class NoTermsError(Exception):
    """The program has no terms in force: nobody can join it yet."""


class NotCheckedError(Exception):
    """The file is not waiting to be confirmed: it is still being checked, or was moved in before."""


class NotAPoolError(ValueError):
    """A pool is named by small letters, digits and hyphens."""


class Judged(Protocol):
    """What became of one row."""

    kind: str
    faults: list[Fault]
    remarks: list[Fault]


class Work(Protocol):
    """How the rows of a kind of file are gone through."""

    def __len__(self) -> int: ...

    def judge(self, start: int, end: int) -> Sequence[Judged]:
        """Return what rows would do."""

    def write(self, start: int, end: int) -> Sequence[Judged]:
        """Do what rows say."""


def take_file(
    *,
    program: Program,
    kind: str,
    body: bytes,
    file_name: str,
    pool: str = "",
    is_joining_rewarded: bool = False,
    by: User | None,
) -> Moving:
    """Keep a file to be checked and return its row; ``by`` None is an operator.

    Raises NoTermsError, NotAPoolError, and UnreadableFileError of one that is too large to be kept.
    """
    if len(body) > MOST_BYTES:
        read(body)
    if kind == Moving.Kind.CODES and not codes.POOL.fullmatch(pool):
        raise NotAPoolError(pool)
    if program.version_at(program.now()) is None:
        raise NoTermsError(program.slug)
    now = datetime.now(UTC)
    with transaction.atomic():
        moving = Moving.objects.create(
            program=program,
            kind=kind,
            pool=pool if kind == Moving.Kind.CODES else "",
            is_joining_rewarded=is_joining_rewarded,
            file_name=file_name[-200:],
            made_by=by,
            made_at=now,
            touched_at=now,
        )
        MovingFile.objects.create(moving=moving, program=program, body=body)
    log.info("file_taken", moving=str(moving.pk), program=program.slug, kind=kind, bytes=len(body))
    return moving


def confirm(*, moving: Moving, by: User | None) -> Moving:
    """Have the good rows of a checked file moved in. Raises NotCheckedError."""
    with transaction.atomic():
        waiting = Moving.objects.filter(pk=moving.pk, status=Status.CHECKED)
        if not waiting.update(status=Status.MOVING, place=0, counts={}, touched_at=datetime.now(UTC)):
            raise NotCheckedError
        MovingFault.objects.filter(moving=moving).delete()
    log.info("file_confirmed", moving=str(moving.pk), by=str(by.pk) if by is not None else "operator")
    moving.refresh_from_db()
    return moving


def discard(*, moving: Moving, by: User | None) -> None:
    """Forget a file that was not moved in. Raises NotCheckedError of one that is being worked on."""
    if not Moving.objects.filter(pk=moving.pk, status__in=[Status.CHECKED, Status.UNREADABLE]).delete()[0]:
        raise NotCheckedError
    log.info("file_discarded", moving=str(moving.pk), by=str(by.pk) if by is not None else "operator")


def go_on(*, moving_id: UUID, seconds: float, tell: Tell | None = None) -> bool:
    """Go through a file's rows from where it stands, for so long at most; return whether the step is at its end.

    Safe to call twice and by many at once.
    """
    moving = Moving.objects.select_related("program__business", "made_by").filter(pk=moving_id).first()
    if moving is None or moving.status not in (Status.CHECKING, Status.MOVING):
        return True
    step, ends = moving.status, time.monotonic() + seconds
    try:
        work = _work_of(moving)
    except UnreadableFileError as error:
        _refuse(moving, error.faults)
        return True
    while _one_batch(moving, work, step=step):
        if tell is not None:
            tell(moving)
        if time.monotonic() > ends:
            return False
    return True


def tidy(*, now: datetime) -> int:
    """Delete the content and the faults, which name people, of files a week after their last step; return how many.

    What workers could not go on with for a day is given up.
    """
    Moving.objects.left_since(now - TRIED_FOR).update(status=Status.STOPPED)
    old = Moving.objects.filter(touched_at__lt=now - KEPT_FOR)
    MovingFile.objects.filter(moving__in=old).delete()
    old.filter(status=Status.CHECKED).update(status=Status.STOPPED)
    return MovingFault.objects.filter(moving__in=old).delete()[0]


# --- Batches -----------------------------------------------------------------------------------------------------


def _work_of(moving: Moving) -> Work:
    kept = MovingFile.objects.filter(pk=moving.pk).first()
    if kept is None:
        raise UnreadableFileError(fault(0, "", "", "empty"))
    sheet = read(bytes(kept.body))
    work = _Codes(moving, sheet) if moving.kind == Moving.Kind.CODES else _Members(moving, sheet)
    Moving.objects.filter(pk=moving.pk, rows=0).update(rows=len(work))
    return work


class _Members:
    """The rows of a members file."""

    def __init__(self, moving: Moving, sheet: Sheet) -> None:
        self.moving = moving
        try:
            self.frame = columns.frame_of(moving.program)
        except columns.NoTermsError:
            raise NoTermsError(moving.program.slug) from None
        columns.check_members(sheet.columns, self.frame)
        self.rows = member_rows(sheet, self.frame)
        self.taken: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def judge(self, start: int, end: int) -> Sequence[Judged]:
        return members.judge_all(self.rows[start:end], self.frame, taken=self.taken)

    def write(self, start: int, end: int) -> Sequence[Judged]:
        return members.write_all(
            self.rows[start:end],
            self.frame,
            is_joining_rewarded=self.moving.is_joining_rewarded,
            by=self.moving.made_by,
        )


class _Codes:
    """The rows of a file of voucher codes."""

    def __init__(self, moving: Moving, sheet: Sheet) -> None:
        self.moving = moving
        columns.check_codes(sheet.columns)
        self.rows = codes.code_rows(sheet, moving.program)

    def __len__(self) -> int:
        return len(self.rows)

    def judge(self, start: int, end: int) -> Sequence[Judged]:
        return codes.judge_codes(self.rows[start:end], program=self.moving.program, pool=self.moving.pool)

    def write(self, start: int, end: int) -> Sequence[Judged]:
        return codes.write_codes(
            self.rows[start:end], program=self.moving.program, pool=self.moving.pool, by=self.moving.made_by
        )


def _one_batch(moving: Moving, work: Work, *, step: str) -> bool:
    """Go through the next rows; return whether there is more. A twin's lock is waited for, then its place is ours."""
    for attempt in range(TRIES):
        try:
            return _batch(moving, work, step=step, most=BATCH)
        except (IntegrityError, OperationalError) as error:
            # Someone enrolled one of them meanwhile, or the database was in two minds: what stands now is read again.
            log.warning("batch_again", moving=str(moving.pk), attempt=attempt, error=str(error))
            if attempt == TRIES - 1 and isinstance(error, OperationalError):
                raise
        except DatabaseError as error:
            log.warning("batch_apart", moving=str(moving.pk), error=str(error))
            break
    return _row_by_row(moving, work, step=step)


def _row_by_row(moving: Moving, work: Work, *, step: str) -> bool:
    """Go through the rows of a batch that cannot be written together one by one, and name the one that cannot."""
    more = True
    for _nth in range(BATCH):
        try:
            more = _batch(moving, work, step=step, most=1)
        except DatabaseError as error:
            if isinstance(error, OperationalError):
                raise
            more = _batch(moving, work, step=step, most=1, failed=error)
        if not more:
            break
    return more


def _batch(moving: Moving, work: Work, *, step: str, most: int, failed: Exception | None = None) -> bool:
    with transaction.atomic():
        own = Moving.objects.select_for_update().get(pk=moving.pk)
        if own.status != step:
            return False  # Someone else has come to the end.
        start, end = own.place, min(own.place + most, len(work))
        if failed is not None:
            judged: Sequence[Judged] = [_broken(one, failed) for one in work.judge(start, end)]
        else:
            judged = work.write(start, end) if step == Status.MOVING else work.judge(start, end)
        own.place = end
        own.touched_at = datetime.now(UTC)
        own.counts = {kind: own.counts.get(kind, 0) + sum(one.kind == kind for one in judged) for kind in KINDS}
        _note(own, judged)
        if end == len(work):
            own.status = Status.DONE if step == Status.MOVING else Status.CHECKED
            own.ended_at = own.touched_at if step == Status.MOVING else None
        own.save(update_fields=["place", "touched_at", "counts", "status", "ended_at"])
        if own.status == Status.DONE:
            MovingFile.objects.filter(pk=own.pk).delete()
    moving.place, moving.counts, moving.status = own.place, own.counts, own.status
    if own.status == Status.DONE:
        log.info("file_moved_in", moving=str(own.pk), **own.counts)
    return end < len(work)


def _broken(judged: Judged, error: Exception) -> Judged:
    number = judged.row.number if isinstance(judged, members.Verdict) else getattr(judged, "number", 0)
    judged.kind = members.BAD
    judged.faults = [fault(number, "", "", "not-written", why=type(error).__name__)]
    return judged


def _note(moving: Moving, judged: Sequence[Judged]) -> None:
    faults = [_row_of(moving, one) for row in judged for one in row.faults]
    remarks = [_row_of(moving, one, is_remark=True) for row in judged if not row.faults for one in row.remarks]
    MovingFault.objects.bulk_create([*faults, *remarks])


def _row_of(moving: Moving, one: Fault, *, is_remark: bool = False) -> MovingFault:
    return MovingFault(
        program_id=moving.program_id,
        moving=moving,
        is_remark=is_remark,
        row=one.row,
        column=one.column,
        value=one.value,
        code=one.code,
        more={**one.more},
    )


@transaction.atomic
def _refuse(moving: Moving, faults: Sequence[Fault]) -> None:
    """Say why nothing of the file can be moved in."""
    now = datetime.now(UTC)
    refused = Moving.objects.filter(pk=moving.pk, status=moving.status)
    if not refused.update(status=Status.UNREADABLE, touched_at=now, ended_at=now):
        return
    MovingFault.objects.bulk_create([_row_of(moving, one) for one in faults])
    MovingFile.objects.filter(pk=moving.pk).delete()
    log.info("file_unreadable", moving=str(moving.pk), why=[one.code for one in faults])
