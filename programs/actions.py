"""The life of a version: a draft is started, edited, and published or discarded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import structlog
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts import formats
from accounts.history.models import Change
from accounts.models import User
from programs import content
from programs.engine.dates import LAST_DAY
from programs.faults import Fault, faults_of
from programs.journal import record_version
from programs.models import Program, ProgramVersion
from programs.signals import version_published

log = structlog.get_logger(__name__)
FIRST_YEAR = 1900


class DraftExistsError(Exception):
    """A program has at most one draft, and there is one already."""


class NotADraftError(Exception):
    """A published version was to be published or discarded; it is frozen."""


class MomentError(ValueError):
    """The moment at which a version is to take effect is not possible; the text says why."""


class CannotPublishError(Exception):
    """The draft has faults; ``faults`` are what must be mended first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(fault.message for fault in self.faults))


def latest_published(program: Program) -> ProgramVersion | None:
    """Return the newest published version: the one in force, or one that will take its place."""
    return program.versions.published().order_by("in_force_from", "number").last()


@transaction.atomic
def start_draft(*, program: Program, by: User | None) -> ProgramVersion:
    """Return a new draft that says what the newest published version says.

    Where there is none it is empty but for one switch: nothing is lost before a notice.

    Raises ``DraftExistsError``.
    """
    program = Program.objects.select_for_update(of=("self",)).select_related("business").get(pk=program.pk)
    if program.draft is not None:
        raise DraftExistsError
    number = (program.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    draft = ProgramVersion.objects.create(program=program, number=number, needs_notice=True)
    base = latest_published(program)
    if base is not None:
        content.write(content.read(base), version=draft)
    started_from = [(_("Started from"), "", _("Version %(number)d") % {"number": base.number})] if base else []
    record_version(draft, action=Change.Action.STARTED, by=by, lines=started_from)
    log.info("draft_started", program=program.slug, version=number, by=str(by) if by else None)
    return draft


@transaction.atomic
def discard_draft(*, version: ProgramVersion, by: User | None) -> None:
    """Throw the draft and all its parts away. Raises ``NotADraftError``."""
    draft = _lock_draft(version)
    number = draft.number
    record_version(draft, action=Change.Action.DISCARDED, by=by)
    draft.delete()
    log.info("draft_discarded", program=version.program.slug, version=number, by=str(by) if by else None)


@transaction.atomic
def publish(
    *, version: ProgramVersion, in_force_from: datetime | None = None, note: str | None = None, by: User | None
) -> ProgramVersion:
    """Freeze the draft; it judges what happens from ``in_force_from`` on (the program's present, if not given).

    A ``note`` takes the place of the draft's own. Raises ``NotADraftError``, ``MomentError`` and
    ``CannotPublishError``.
    """
    draft = _lock_draft(version)
    now = draft.program.now()
    moment = in_force_from or now
    _check_moment(draft.program, moment, now=now)
    if faults := faults_of(draft):
        raise CannotPublishError(faults)
    draft.status = ProgramVersion.Status.PUBLISHED
    draft.in_force_from = moment
    draft.published_at = datetime.now(UTC)
    draft.published_by = by
    draft.note = draft.note if note is None else note
    draft.save(update_fields=["status", "in_force_from", "published_at", "published_by", "note"])
    said = [(_("In force from"), "", formats.moment(moment, zone=draft.program.zone))]
    said += [(_("What changes"), "", draft.note)] if draft.note else []
    record_version(draft, action=Change.Action.PUBLISHED, by=by, lines=said)
    version_published.send(sender=ProgramVersion, version=draft)
    log.info("version_published", program=draft.program.slug, version=draft.number, by=str(by) if by else None)
    return draft


def _lock_draft(version: ProgramVersion) -> ProgramVersion:
    """Return the version as it stands under the program's lock, which every change of versions takes first."""
    program = Program.objects.select_for_update(of=("self",)).select_related("business").get(pk=version.program_id)
    draft = program.versions.drafts().filter(pk=version.pk).first()
    if draft is None:
        raise NotADraftError
    draft.program = program
    return draft


def _check_moment(program: Program, moment: datetime, *, now: datetime) -> None:
    """Refuse a moment that would judge anew what may have been judged; the first version may reach back."""
    if program.is_closed:
        raise MomentError(_("The program is closed: no terms take effect any more."))
    if not FIRST_YEAR <= moment.year <= LAST_DAY.year:
        raise MomentError(
            _("Terms take effect between the years %(first)d and %(last)d.")
            % {"first": FIRST_YEAR, "last": LAST_DAY.year}
        )
    newest = latest_published(program)
    if newest is None:
        return
    if moment < now:
        raise MomentError(_("Terms cannot take effect in the past: what happened is judged already."))
    if newest.in_force_from is not None and moment < newest.in_force_from:
        raise MomentError(
            _("Version %(number)d takes effect later than that; a newer version may not come before it.")
            % {"number": newest.number}
        )
