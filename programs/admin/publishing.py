"""The review before publishing: faults and remarks, every change with who made it and when, and what happens then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import formats
from accounts.admin_base import actor
from accounts.history.models import Change as Written
from accounts.roles import Permission
from programs import actions, content
from programs.admin import panels
from programs.admin.places import addresses_of, placed
from programs.changes import Change, compare
from programs.faults import faults_of
from programs.faults.remarks import remarks_of
from programs.models import Membership, Program, ProgramVersion


class PublishForm(forms.Form):
    """When the terms take effect. Moments are the program's zone's."""

    NOW, LATER = "now", "later"

    when = forms.ChoiceField(choices=[(NOW, _("At once")), (LATER, _("At a moment"))], initial=NOW)
    moment = forms.DateTimeField(required=False)
    note = forms.CharField(required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") == self.LATER and not cleaned.get("moment") and "moment" not in self.errors:
            self.add_error("moment", _("Say from which moment."))
        if cleaned.get("when") == self.NOW and cleaned.get("moment"):
            self.add_error("when", _("A moment is filled in: choose it above, or empty it to publish at once."))
        return cleaned

    @property
    def in_force_from(self) -> datetime | None:
        """The moment that was chosen; None for the program's present."""
        return self.cleaned_data["moment"] if self.cleaned_data["when"] == self.LATER else None

    @property
    def note_given(self) -> str | None:
        """What is to stand in the history; None where the form was sent without it."""
        return self.cleaned_data["note"] if "note" in self.data else None


class PublishPage:
    """Shows the review of a draft, and publishes it."""

    def publish_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: what would change, and what stands in the way. POST: publish it."""
        page: Any = self
        version: ProgramVersion = page.draft_for(request, pk, Permission.PUBLISH_PROGRAM)
        with timezone.override(version.program.zone):
            form = PublishForm(request.POST if request.method == "POST" else None, initial={"note": version.note})
            if request.method == "POST" and form.is_valid():
                refusal = _publish(request, version, form)
                if refusal is None:
                    page.log_change(request, version, str(_("Published.")))
                    return redirect("admin:programs_programversion_change", version.pk)
                form.add_error(None, refusal)
            title = _("Review and publish version %(number)d") % {"number": version.number}
            context = {**page.page_context(request, version, title), **_review(request, version), "form": form}
            return TemplateResponse(request, "admin/programs/publish.html", context)


def _publish(request: HttpRequest, version: ProgramVersion, form: PublishForm) -> str | None:
    """Publish it and say so; return why it could not be."""
    try:
        published = actions.publish(
            version=version, in_force_from=form.in_force_from, note=form.note_given, by=actor(request)
        )
    except actions.CannotPublishError:
        return str(_("Nothing was published: mend the faults first."))
    except actions.MomentError as error:
        return str(error)
    except actions.NotADraftError:
        return str(_("Nothing was published: someone else did it just now."))
    messages.success(request, _published_words(published))
    return None


@dataclass(frozen=True, slots=True)
class ReviewedChange:
    """One change with the place that made it; ``by`` and ``at`` are empty where no page of the admin wrote it."""

    change: Change
    address: str
    by: str
    at: str


def _review(request: HttpRequest, version: ProgramVersion) -> dict[str, Any]:
    program = version.program
    base = actions.latest_published(program)
    before, after = content.read(base) if base else None, content.read(version)
    changes = compare(before, after, program=program)
    addresses = addresses_of(version)
    return {
        "base": base,
        "program": program,
        "faults": placed(faults_of(version), addresses),
        "remarks": placed(remarks_of(after, program=program, before=before), addresses),
        "changes": changes,
        "reviewed": reviewed(changes, version, addresses),
        "members": _members(program),
        "forecast": panels.shown(panels.FORECAST, request, version, after, before=before),
        "now": formats.moment(program.now(), zone=program.zone),
    }


def reviewed(changes: Iterable[Change], version: ProgramVersion, addresses: Mapping[str, str]) -> list[ReviewedChange]:
    """Return each change with who made it last, and when, as the history of this draft has it. Two queries."""
    written = _written_since_start(version)
    zone = version.program.zone
    found = []
    for change in changes:
        row = _latest(written, change)
        by = row.by.get_full_name() if row is not None and row.by is not None else ""
        at = formats.moment(row.at, zone=zone) if row is not None else ""
        found.append(ReviewedChange(change, addresses.get(change.part, ""), by, at))
    return found


def _written_since_start(version: ProgramVersion) -> list[Written]:
    """Return what was written down of this draft, newest first; an earlier draft of its number was discarded."""
    rows = Written.objects.of_program(version.program_id).filter(version=version.number)
    started = rows.filter(action=Written.Action.STARTED).newest_first().first()
    since = rows.filter(at__gte=started.at) if started is not None else rows
    return list(since.newest_first().select_related("by"))


def _latest(written: Iterable[Written], change: Change) -> Written | None:
    """Return the newest row about a change: about this very value, else about its part."""
    kind, _colon, code = change.part.partition(":")
    of_part = [row for row in written if (row.kind, row.code) == (kind, code)]
    name = change.detail or change.what
    exact = (row for row in of_part if any(line[0] == name for line in row.lines))
    return next(exact, next(iter(of_part), None))


def _members(program: Program) -> int:
    return program.memberships.exclude(status=Membership.Status.CLOSED).count()


def _published_words(version: ProgramVersion) -> str:
    program, members = version.program, _members(version.program)
    assert version.in_force_from is not None, version
    text = ngettext(
        "Version %(number)d is published, in force from %(moment)s. %(count)s member is being reviewed.",
        "Version %(number)d is published, in force from %(moment)s. %(count)s members are being reviewed.",
        members,
    )
    moment = formats.moment(version.in_force_from, zone=program.zone)
    return text % {"number": version.number, "moment": moment, "count": formats.number(members)}
