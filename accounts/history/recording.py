"""Writes down what changed. A snapshot tells a thing's parts in words; what differs between two of them is a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import formats
from accounts.history.models import Change
from accounts.models import Business, User

Line = tuple[str, str, str]
"""The name of a value, and what it was before and after in words; empty where there was none."""

Lines = Mapping[str, str]
"""The name of each value, and the value in words."""

MOST_IN_CODE, MOST_IN_WHAT = 200, 250


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the settings: ``kind`` and ``code`` tell it from others, ``what`` is what people call it."""

    kind: str
    code: str
    what: str


Snapshot = Mapping[Part, Lines]
NOTHING: tuple[Part, Lines] = (Part("", "", ""), {})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change was made; ``version`` is the number of the program's version, if it was one's."""

    business: Business
    program_id: UUID | None = None
    version: int | None = None


def record(
    *,
    place: Place,
    part: Part,
    action: str,
    by: User | None,
    lines: Iterable[Line] = (),
) -> Change:
    """Write one change down; ``lines`` are the name, before and after of each value. Call it in its transaction."""
    return Change.objects.create(
        business=place.business,
        program_id=place.program_id,
        version=place.version,
        kind=part.kind,
        code=part.code[:MOST_IN_CODE],
        what=part.what[:MOST_IN_WHAT],
        action=action,
        lines=[list(line) for line in lines],
        by=by,
    )


def record_differences(*, place: Place, before: Snapshot, after: Snapshot, by: User | None) -> list[Change]:
    """Write down what differs, one row for each part; only the values that differ are kept."""
    was = {(part.kind, part.code): (part, lines) for part, lines in before.items()}
    becomes = {(part.kind, part.code): (part, lines) for part, lines in after.items()}
    written = []
    for key in dict.fromkeys((*was, *becomes)):
        old, new = was.get(key), becomes.get(key)
        part, action = (new or old or NOTHING)[0], Change.Action.CHANGED
        if old is None or new is None:
            action = Change.Action.ADDED if old is None else Change.Action.REMOVED
        if differing := differences(old[1] if old else {}, new[1] if new else {}):
            written.append(record(place=place, part=part, action=action, by=by, lines=differing))
        elif action != Change.Action.CHANGED:
            written.append(record(place=place, part=part, action=action, by=by))
    return written


def differences(before: Lines, after: Lines) -> list[Line]:
    """Return the name, before and after of each value that is not the same."""
    names = dict.fromkeys((*before, *after))
    return [(name, before.get(name, ""), after.get(name, "")) for name in names if before.get(name) != after.get(name)]


def described(row: models.Model, fields: Iterable[str]) -> dict[str, str]:
    """Return these fields of a row as people read them; empty ones are left out."""
    found = {}
    for name in fields:
        field: Any = row._meta.get_field(name)
        said = _said(row, field)
        if said:
            label = str(field.verbose_name)
            found[label[:1].upper() + label[1:]] = said
    return found


def _said(row: models.Model, field: Any) -> str:
    value = getattr(row, field.name)
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    if isinstance(value, Decimal):
        return formats.rate(value)
    if isinstance(value, datetime):
        return formats.moment(value, zone=timezone.get_current_timezone())
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
