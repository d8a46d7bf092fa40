"""The page that compares any two versions of a program in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.roles import Permission
from programs import content
from programs.changes import Change, compare
from programs.models import Program, ProgramVersion

SECTIONS: dict[str, Any] = {
    "terms": _("Switches"),
    "trial": _("Trial of a tier"),
    "unit": _("Units"),
    "tier": _("Tiers"),
    "event": _("Types of events"),
    "group": _("Groups of rules"),
    "rule": _("Earning rules"),
    "reward": _("Rewards"),
}
"""The headings of a comparison, by what its parts are called."""


@dataclass(frozen=True, slots=True)
class Section:
    """The changes of one kind of part."""

    title: str
    changes: list[Change]


def in_sections(changes: Iterable[Change]) -> list[Section]:
    """Return changes under their headings, in the order in which they come."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.part.partition(":")[0], []).append(change)
    return [Section(str(SECTIONS.get(kind, kind)), rows) for kind, rows in found.items()]


class CompareForm(forms.Form):
    """Which two versions, by number; what the address does not say is the one in force and the newest."""

    def __init__(self, data: Any, versions: list[ProgramVersion], *, first: int, last: int) -> None:
        super().__init__({"from": data.get("from", first), "to": data.get("to", last)})
        choices = [(version.number, _named(version)) for version in versions]
        for name, label in (("from", _("From")), ("to", _("To"))):
            self.fields[name] = forms.TypedChoiceField(label=label, choices=choices, coerce=int)


class ComparePage:
    """Compares two versions; the address names them, so that a comparison can be sent to someone."""

    def compare_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET ``?from=3&to=5``: what the second says otherwise than the first."""
        page: Any = self
        program: Program = page.program_for(request, pk, Permission.EDIT_PROGRAM)
        versions = list(program.versions.select_related("program").order_by("-number"))
        context = page.page_context(request, program, _("Compare versions of %(program)s") % {"program": program})
        if len(versions) > 1:
            context.update(_comparison(request, program, versions))
        return TemplateResponse(request, "admin/programs/compare.html", context)


def _comparison(request: HttpRequest, program: Program, versions: list[ProgramVersion]) -> dict[str, Any]:
    by_number = {version.number: version for version in versions}
    newest = versions[0].number
    in_force = program.version_at(program.now())
    has_newer = in_force is not None and in_force.number != newest
    first = in_force.number if in_force is not None and has_newer else versions[1].number
    form = CompareForm(request.GET, versions, first=first, last=newest)
    if not form.is_valid():
        return {"form": form}
    old, new = by_number[form.cleaned_data["from"]], by_number[form.cleaned_data["to"]]
    changes = compare(content.read(old), content.read(new), program=program)
    return {"form": form, "old": old, "new": new, "sections": in_sections(changes), "count": len(changes)}


def _named(version: ProgramVersion) -> str:
    said = {"number": version.number}
    if version.in_force_from is None:
        return _("Version %(number)d, draft") % said
    moment = formats.moment(version.in_force_from, zone=version.program.zone)
    return _("Version %(number)d, from %(moment)s") % {**said, "moment": moment}
