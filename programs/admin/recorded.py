"""Admin pages of versions and their parts that write down what of the terms they change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from typing import Any, ClassVar

from accounts.admin_history import RecordedPage
from accounts.history.models import Change, ChangeQuerySet
from accounts.models import User
from programs.journal import changes_of_version
from programs.models import ProgramVersion


class RecordedTerms(RecordedPage):
    """Compares what the whole version says before and after, so that no row that a form writes is missed."""

    history_kind: ClassVar[str] = ""  # What a part of this page is called in the history; empty for the whole version.

    @contextmanager
    def recording(self, obj: Any, *, by: User) -> Iterator[None]:
        with changes_of_version(_version_of(obj), by=by):
            yield

    def history_of(self, obj: Any) -> ChangeQuerySet:
        """Return the changes of this part in every version; of a version, those of all its parts."""
        version = _version_of(obj)
        rows = Change.objects.of_program(version.program_id)
        if not self.history_kind:
            return rows.filter(version=version.number)
        return rows.of_part(self.history_kind, self.history_code(obj))

    def history_code(self, obj: Any) -> str:
        """Return the code by which the history knows a part."""
        return str(obj.code)

    def history_zone(self, obj: Any) -> tzinfo:
        return _version_of(obj).program.zone


def _version_of(obj: Any) -> ProgramVersion:
    found = obj if isinstance(obj, ProgramVersion) else obj.version
    assert isinstance(found, ProgramVersion), found
    return found
