"""The history of a program's settings: what pages and actions write down, in the program's own language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.history.models import Change
from accounts.history.recording import Line, Part, Place, Snapshot, described, record, record_differences
from accounts.models import User
from programs import content
from programs.changes import TERMS, compare
from programs.changes import Change as Difference
from programs.models import ApiKey, Program, ProgramVersion, Segment, Store

OF_PROGRAM = ("name", "currency", "timezone", "language", "is_sandbox", "clock")
OF_UNIT = ("name", "name_plural", "precision", "is_money", "is_spendable")
OF_KEY = ("name", "scopes", "expires_at", "revoked_at")


@contextmanager
def changes_of_version(version: ProgramVersion, *, by: User | None) -> Iterator[None]:
    """Write down what of a draft's terms is another afterwards. Use it in a transaction.

    Whoever edits drafts in parallel waits, so that each is told apart.
    """
    program = _locked(version.program_id)
    before = content.read(ProgramVersion.objects.get(pk=version.pk))
    note = version.note
    yield
    fresh = ProgramVersion.objects.filter(pk=version.pk).first()
    if fresh is None:
        return
    with _in_words_of(program):
        found = compare(before, content.read(fresh), program=program)
        place = Place(program.business, program.pk, version.number)
        for part, action, lines in _by_part(found):
            record(place=place, part=part, action=action, by=by, lines=lines)
        if fresh.note != note:
            part = Part("version", str(version.number), _version_name(version))
            record(
                place=place,
                part=part,
                action=Change.Action.CHANGED,
                by=by,
                lines=[(_("What changes"), note, fresh.note)],
            )


def _by_part(found: Iterable[Difference]) -> Iterator[tuple[Part, str, list[Line]]]:
    """Yield each part with what became of it and the lines that differ; the switches are one part."""
    parts: dict[str, list[Difference]] = {}
    for one in found:
        parts.setdefault(one.part, []).append(one)
    for key, lines in parts.items():
        kind, _colon, code = key.partition(":")
        if kind == TERMS:
            said = [(one.what, one.before, one.after) for one in lines]
            yield Part(kind, code, _("The version's own switches")), Change.Action.CHANGED, said
            continue
        said = [(one.detail, one.before, one.after) for one in lines]
        is_whole = not lines[0].detail  # It came or went.
        yield Part(kind, code, lines[0].what), lines[0].kind.value if is_whole else Change.Action.CHANGED, said


@contextmanager
def changes_of_program(program: Program, *, by: User | None) -> Iterator[None]:
    """Write down what of a program's own settings and its units is another afterwards. Use it in a transaction."""
    locked = _locked(program.pk)
    with _in_words_of(locked):
        before = snapshot_of(locked)
    yield
    fresh = Program.objects.select_related("business").get(pk=program.pk)
    with _in_words_of(fresh):
        record_differences(place=place_of(fresh), before=before, after=snapshot_of(fresh), by=by)


def snapshot_of(program: Program) -> Snapshot:
    """Return a program's own settings and its units, in words."""
    found: dict[Part, dict[str, str]] = {program_part(program): described(program, OF_PROGRAM)}
    for unit in program.units.all():
        part = Part("unit", unit.code, _("Unit %(unit)s") % {"unit": unit.name_plural})
        found[part] = described(unit, OF_UNIT)
    return found


def record_program(program: Program, *, action: str, by: User | None, lines: Iterable[Line] = ()) -> None:
    """Write down what was done to a program as a whole."""
    with _in_words_of(program):
        record(place=place_of(program), part=program_part(program), action=action, by=by, lines=lines)


def record_version(version: ProgramVersion, *, action: str, by: User | None, lines: Iterable[Line] = ()) -> None:
    """Write down what was done to a version as a whole."""
    program = version.program
    with _in_words_of(program):
        part = Part("version", str(version.number), _version_name(version))
        record(place=Place(program.business, program.pk, version.number), part=part, action=action, by=by, lines=lines)


def record_key(key: ApiKey, *, action: str, by: User | None, lines: Iterable[Line] = ()) -> None:
    """Write down what was done to a till key; its secret is nobody's to keep."""
    with _in_words_of(key.program):
        record(place=place_of(key.program), part=key_part(key), action=action, by=by, lines=lines)


def key_part(key: ApiKey) -> Part:
    """Return a till key as a part of the settings."""
    return Part("key", key.prefix, _("Till key %(key)s") % {"key": key})


def segment_part(segment: Segment) -> Part:
    """Return a segment as a part of the settings."""
    return Part("segment", segment.code, _("Segment %(segment)s") % {"segment": segment})


def store_part(store: Store) -> Part:
    """Return a store as a part of the settings."""
    return Part("store", store.code, _("Store %(code)s") % {"code": store.code})


def program_part(program: Program) -> Part:
    """Return a program as a part of the settings."""
    return Part("program", program.slug, program.name)


def place_of(program: Program) -> Place:
    """Return where changes of a program are written down."""
    return Place(program.business, program.pk)


def _locked(program_id: UUID) -> Program:
    # Purchases, which only point at the program, need not wait for a form.
    rows = Program.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("business").get(pk=program_id)


def _version_name(version: ProgramVersion) -> str:
    return _("Version %(number)d") % {"number": version.number}


@contextmanager
def _in_words_of(program: Program) -> Iterator[None]:
    with translation.override(program.language), timezone.override(program.zone):
        yield
