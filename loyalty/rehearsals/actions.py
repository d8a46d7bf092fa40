"""What staff do: have a draft tested on the past, stop it; have a wrong version corrected, and post that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from loyalty.api.problems import Text
from loyalty.rehearsals import running, snapshots
from loyalty.rehearsals.models import BackTest, Correction, Run
from loyalty.rehearsals.reading import present_of_program
from loyalty.rehearsals.tasks import hand_on
from programs import content
from programs.actions import publish
from programs.engine.dates import local_day, start_of
from programs.faults import faults_of
from programs.models import ProgramVersion

log = structlog.get_logger(__name__)


class RehearsalError(ValueError):
    """It cannot be done like that; the text says why. ``field`` is the argument at fault, empty for all of it."""

    field: str = ""
    text: Text = ""

    def __init__(self) -> None:
        super().__init__(str(self.text))


class NotADraftError(RehearsalError):
    """What is published has nothing to be tested."""

    text = _("This version is published: only a draft is tested.")


class DraftHasFaultsError(RehearsalError):
    """The draft has faults, so that what it promises cannot be told."""

    text = _("Mend the draft's faults first: the page “Review and publish” names them.")


class PeriodError(RehearsalError):
    """The period ends before it begins."""

    field, text = "last_day", _("The last day comes before the first.")


class PeriodToComeError(RehearsalError):
    """The period is not past."""

    field, text = "last_day", _("The period has to be past: choose a last day up to today.")


class NotPublishedError(RehearsalError):
    """Only what was in force can have been wrong."""

    text = _("Only a published version can be superseded.")


class NotLaterError(RehearsalError):
    """The right version has to be a later one of the same program."""

    field, text = "right", _("The right terms have to be a later version of the same program.")


class NotInForceError(RehearsalError):
    """The right version is still to come."""

    field, text = "right", _("That version is not in force yet: correct once it is, so that both say the same.")


class NoReasonError(RehearsalError):
    """No reason was given."""

    field, text = "reason", _("Say what was wrong: the reason stays with the correction.")


class AtWorkError(RehearsalError):
    """Another correction of the program is at work."""

    text = _("A correction of this program is at work; wait until it is done, or cancel it.")


class NotShownError(RehearsalError):
    """Nothing is posted that was not shown, and nothing twice."""

    text = _("Nothing was posted: only what was shown and has not been posted yet can be.")


@transaction.atomic
def request_back_test(
    *,
    version: ProgramVersion,
    first_day: date,
    last_day: date,
    moves_dates: bool = False,
    against: ProgramVersion | None = None,
    worth: Mapping[str, Decimal] | None = None,
    by: User,
) -> BackTest:
    """Have a draft tested on what happened from the first to the last day (of the program's zone), both included.

    ``against``: the version that rules the other side all along; None: each day the one then in force. ``worth``: by
    unit what one is worth in the currency. Raises NotADraftError, DraftHasFaultsError, PeriodError, PeriodToComeError.
    """
    program = version.program
    if not version.is_draft:
        raise NotADraftError
    if last_day < first_day:
        raise PeriodError
    present = present_of_program(program)
    if last_day > local_day(present, program.zone):
        raise PeriodToComeError
    if faults_of(version):
        raise DraftHasFaultsError
    ends = start_of(last_day + timedelta(days=1), program.zone) - timedelta(microseconds=1)
    test = BackTest.objects.create(
        program=program,
        version=version,
        number=version.number,
        terms=snapshots.kept(content.read(version)),
        against=against,
        first_day=first_day,
        last_day=last_day,
        until=min(ends, present),
        moves_dates=moves_dates,
        worth={unit: str(value) for unit, value in (worth or {}).items()},
        requested_by=by,
    )
    transaction.on_commit(lambda: hand_on(test))
    log.info("back_test_requested", program=program.slug, version=version.number, by=str(by.pk))
    return test


def cancel(*, run: Run, by: User) -> bool:
    """Stop a run; return whether there was anything to stop. What a correction has posted stays posted."""
    stopped = running.cancel(run)
    log.info("run_cancelled", run=str(run.pk), by=str(by.pk), stopped=stopped)
    return stopped


def supersede(*, wrong: ProgramVersion, right: ProgramVersion, reason: str, by: User) -> Correction:
    """Have what a wrong version judged judged again by the right one, to be shown first; a draft is published at once.

    Raises NotPublishedError, NotLaterError, NotInForceError, NoReasonError, AtWorkError; of a draft also
    ``programs.actions.CannotPublishError`` and ``MomentError``.
    """
    if wrong.is_draft:
        raise NotPublishedError
    if not reason.strip():
        raise NoReasonError
    if right.program_id != wrong.program_id or right.number <= wrong.number:
        raise NotLaterError
    try:
        with transaction.atomic():
            if right.is_draft:
                right = publish(version=right, by=by)
            if right.in_force_from is None or right.in_force_from > present_of_program(right.program):
                raise NotInForceError
            run = Correction.objects.create(
                program=wrong.program, wrong=wrong, right=right, reason=reason.strip(), requested_by=by
            )
            transaction.on_commit(lambda: hand_on(run))
    except IntegrityError:
        raise AtWorkError from None
    log.info("correction_requested", program=wrong.program.slug, wrong=wrong.number, right=right.number, by=str(by.pk))
    return run


def post(*, correction: Correction, by: User) -> Correction:
    """Post what was shown, member by member, as things stand then; what was stopped midway goes on.

    Raises NotShownError, AtWorkError.
    """
    try:
        with transaction.atomic():
            row: Correction = Correction.objects.select_for_update().get(pk=correction.pk)
            if not row.can_be_posted:
                raise NotShownError
            now = datetime.now(UTC)
            if row.phase == Correction.Phase.PREVIEW:
                row.state, row.done, row.total, row.started_at = {}, 0, 0, None
            row.phase, row.posted_by, row.status = Correction.Phase.POST, by, Run.Status.QUEUED
            row.claim, row.beat_at, row.finished_at, row.detail = None, now, None, ""
            row.save(
                update_fields=[
                    *("state", "done", "total", "started_at", "phase", "posted_by", "status"),
                    *("claim", "beat_at", "finished_at", "detail"),
                ]
            )
            transaction.on_commit(lambda: hand_on(row))
    except IntegrityError:
        raise AtWorkError from None
    log.info("correction_posting", run=str(row.pk), by=str(by.pk))
    return row
