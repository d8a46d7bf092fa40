"""Load a preset: make its business, program and first version, or bring its terms up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Business, User
from programs import content
from programs.actions import publish
from programs.models import Program, ProgramVersion, Unit
from programs.presets import Preset

IN_FORCE_SINCE = datetime(1990, 1, 1)  # noqa: DTZ001 -- start of that day in the program's own zone, whichever it is


class CannotLoadError(Exception):
    """The preset cannot be loaded under this name; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The program, and the version that this load published, if any."""

    program: Program
    published: ProgramVersion | None
    is_new: bool


@transaction.atomic
def load(*, preset: Preset, slug: str, clock: datetime | None = None, by: User | None) -> Loaded:
    """Make the program, or publish the preset's terms as a next version where the preset has changed since.

    What staff have published since stays, as long as the preset is the same. With a ``clock`` the program is made as a
    sandbox whose own time stands there; an existing clock is never moved. Raises ``CannotLoadError``.
    """
    _check_slug(slug)
    program = Program.objects.select_for_update().filter(slug=slug).first()
    if program is None:
        return _make(preset, slug=slug, clock=clock, by=by)
    loaded = _last_load(program, preset)
    if clock is not None and program.clock is None:
        raise CannotLoadError(
            _("Program “%(slug)s” goes by the real clock; it cannot become a sandbox. Choose another --slug.")
            % {"slug": slug}
        )
    if content.read(loaded) == preset.content:
        return Loaded(program=program, published=None, is_new=False)
    return Loaded(program=program, published=_publish_next(program, preset, by=by), is_new=False)


def _check_slug(slug: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        valid = False
    else:
        valid = len(slug) <= 64
    if not valid:
        raise CannotLoadError(
            _("“%(slug)s” cannot be a short name: use at most 64 letters, digits, hyphens and underscores.")
            % {"slug": slug}
        )


def _last_load(program: Program, preset: Preset) -> ProgramVersion:
    """Return the last version that this preset gave to the program."""
    loaded = program.versions.exclude(preset="").order_by("number").last()
    if loaded is None:
        raise CannotLoadError(
            _("Program “%(slug)s” exists and was made by hand. Choose another --slug.") % {"slug": program.slug}
        )
    if loaded.preset != preset.name:
        raise CannotLoadError(
            _("Program “%(slug)s” exists and was loaded from the preset “%(preset)s”. Choose another --slug.")
            % {"slug": program.slug, "preset": loaded.preset}
        )
    return loaded


def _make(preset: Preset, *, slug: str, clock: datetime | None, by: User | None) -> Loaded:
    business, _is_new = Business.objects.get_or_create(
        slug=slug, defaults={"name": preset.business_name, "brand": preset.brand}
    )
    program = Program.objects.create(
        business=business,
        slug=slug,
        name=preset.program_name,
        currency=preset.currency,
        timezone=preset.timezone,
        language=preset.language,
        is_sandbox=clock is not None,
        clock=clock,
    )
    version = _draft(program, preset, number=1)
    since = IN_FORCE_SINCE.replace(tzinfo=ZoneInfo(preset.timezone))
    return Loaded(program=program, published=publish(version=version, in_force_from=since, by=by), is_new=True)


def _publish_next(program: Program, preset: Preset, *, by: User | None) -> ProgramVersion:
    if program.draft is not None:
        raise CannotLoadError(
            _("The preset has changed, but program “%(slug)s” has a draft. Publish or discard it first.")
            % {"slug": program.slug}
        )
    newest = program.versions.order_by("number").last()
    version = _draft(program, preset, number=newest.number + 1 if newest else 1)
    return publish(version=version, by=by)


def _draft(program: Program, preset: Preset, *, number: int) -> ProgramVersion:
    for unit in preset.units:
        Unit.objects.get_or_create(
            program=program,
            code=unit.code,
            defaults={
                "name": unit.name,
                "name_plural": unit.name_plural,
                "precision": unit.precision,
                "is_money": unit.is_money,
                "is_spendable": unit.is_spendable,
            },
        )
    version = ProgramVersion.objects.create(program=program, number=number, preset=preset.name)
    content.write(preset.content, version=version)
    return version
