"""A program copied under another name: its units, segments and terms, but nobody and nothing that happened."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.history.models import Change
from accounts.models import User
from programs import content
from programs.actions import CannotPublishError, publish
from programs.journal import record_program
from programs.models import Program, ProgramVersion, Segment, Unit

log = structlog.get_logger(__name__)


class SlugTakenError(ValueError):
    """Another program, of this business or of another, has the short name."""


def copy_program(
    *,
    program: Program,
    name: str,
    slug: str,
    is_sandbox: bool,
    clock: datetime | None = None,
    with_draft: bool = False,
    by: User | None,
) -> Program:
    """Return a new program of the same business that promises what this one does now.

    The terms in force become version 1, in force since the first version here was; where they could not be published
    as they stand, and where there are none, the copy has a draft. With ``with_draft`` the draft is copied too, as the
    next version. Segments come along without their members. A ``clock`` is for sandboxes alone.

    Raises ``SlugTakenError``.
    """
    assert clock is None or is_sandbox, "only a sandbox has a clock of its own"
    try:
        with transaction.atomic():
            made = _made_like(program, name=name, slug=slug, is_sandbox=is_sandbox, clock=clock, by=by)
            _copy_terms(program, made, with_draft=with_draft, by=by)
    except IntegrityError:
        if Program.objects.filter(slug=slug).exists():
            raise SlugTakenError(slug) from None
        raise
    log.info("program_copied", program=program.slug, copy=made.slug, by=str(by) if by else None)
    return made


def _made_like(
    source: Program, *, name: str, slug: str, is_sandbox: bool, clock: datetime | None, by: User | None
) -> Program:
    made = Program.objects.create(
        business=source.business,
        slug=slug,
        name=name,
        currency=source.currency,
        timezone=source.timezone,
        language=source.language,
        is_sandbox=is_sandbox,
        clock=clock,
    )
    record_program(made, action=Change.Action.COPIED, by=by, lines=[(_("Copied from"), "", source.name)])
    Unit.objects.bulk_create(_unit(unit, made) for unit in source.units.all())
    Segment.objects.bulk_create(Segment(program=made, code=one.code, name=one.name) for one in source.segments.all())
    return made


def _copy_terms(source: Program, made: Program, *, with_draft: bool, by: User | None) -> None:
    in_force, draft = source.version_at(source.now()), source.draft
    if in_force is not None:
        _publish(_version(in_force, made, number=1), source, by=by)
    if draft is not None and (in_force is None or with_draft) and made.draft is None:
        _version(draft, made, number=made.versions.count() + 1)


def _unit(unit: Unit, made: Program) -> Unit:
    return Unit(
        program=made,
        code=unit.code,
        name=unit.name,
        name_plural=unit.name_plural,
        precision=unit.precision,
        is_money=unit.is_money,
        is_spendable=unit.is_spendable,
    )


def _version(version: ProgramVersion, made: Program, *, number: int) -> ProgramVersion:
    copied = ProgramVersion.objects.create(program=made, number=number, note=version.note)
    content.write(content.read(version), version=copied)
    return copied


def _publish(version: ProgramVersion, source: Program, *, by: User | None) -> None:
    """Publish it as of when the source had its first terms; one with a fault stays a draft, to be mended."""
    first = source.versions.published().order_by("in_force_from", "number").first()
    assert first is not None, "a version is in force"
    try:
        with transaction.atomic():
            publish(version=version, in_force_from=first.in_force_from, by=by)
    except CannotPublishError as error:
        log.warning("copy_left_as_draft", program=source.slug, faults=len(error.faults))
