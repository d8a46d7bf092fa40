"""What a draft said when it was to be tested, kept as JSON: it can be edited while the test runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from programs import content
from programs.content import Content
from programs.engine.terms import Terms
from programs.models import Program, ProgramVersion
from programs.terms import compiled


def kept(said: Content) -> dict[str, Any]:
    """Return a version's content as JSON keeps it."""
    return msgspec.to_builtins(said, builtin_types=())  # type: ignore[no-any-return]


def recalled(snapshot: dict[str, Any]) -> Content:
    """Return the content that was kept; what later code added has its default."""
    return msgspec.convert(snapshot, Content, strict=False)


def terms_then(*, program: Program, version_id: UUID, number: int, snapshot: dict[str, Any]) -> Terms:
    """Return the terms that were kept, as the engine reads them; the version itself may be gone."""
    version = ProgramVersion(pk=version_id, program=program, number=number)
    return compiled(version, said=recalled(snapshot))


def has_changed(version: ProgramVersion, snapshot: dict[str, Any]) -> bool:
    """Whether the version says something else by now."""
    return content.read(version) != recalled(snapshot)
