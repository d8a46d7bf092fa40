"""The page that copies a program."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import actor
from accounts.roles import Permission
from programs.copying import SlugTakenError, copy_program
from programs.models import Program

LONGEST_SLUG = 64


class CopyForm(forms.Form):
    """What the copy is called, and whether it is one to try things with."""

    SANDBOX, LIVE = "sandbox", "live"

    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.SlugField(label=_("Short name"), max_length=LONGEST_SLUG)
    kind = forms.ChoiceField(
        choices=[(SANDBOX, _("A sandbox, to try things with")), (LIVE, _("A program of its own, live"))],
        initial=SANDBOX,
    )
    clock = forms.DateTimeField(label=_("Its own clock begins at"), required=False)
    with_draft = forms.BooleanField(label=_("Copy the draft too"), required=False)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if Program.objects.filter(slug=slug).exists():
            raise forms.ValidationError(_("Another program has this short name: choose another one."))
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == self.LIVE and cleaned.get("clock"):
            self.add_error("clock", _("Only a sandbox has a clock of its own: leave it empty, or make a sandbox."))
        return cleaned

    @property
    def is_sandbox(self) -> bool:
        return bool(self.cleaned_data["kind"] == self.SANDBOX)

    @property
    def begins_at(self) -> datetime | None:
        found: datetime | None = self.cleaned_data["clock"]
        return found


class CopyPage:
    """Copies a program of the person's business; the copy opens."""

    def copy_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask how. POST: copy it."""
        page: Any = self
        program: Program = page.program_for(request, pk, Permission.EDIT_PROGRAM)
        with timezone.override(program.zone):
            form = CopyForm(request.POST if request.method == "POST" else None, initial=_suggested(program))
            if request.method == "POST" and form.is_valid() and (made := _copy(request, program, form)) is not None:
                text = _("“%(copy)s” promises what “%(program)s” does. Nobody is a member of it yet.")
                messages.success(request, text % {"copy": made, "program": program})
                return redirect("admin:programs_program_change", made.pk)
            context = page.page_context(request, program, _("Copy %(program)s") % {"program": program})
            context |= {"form": form, "in_force": program.version_at(program.now()), "draft": program.draft}
            return TemplateResponse(request, "admin/programs/copy.html", context)


def _copy(request: HttpRequest, program: Program, form: CopyForm) -> Program | None:
    try:
        return copy_program(
            program=program,
            name=form.cleaned_data["name"],
            slug=form.cleaned_data["slug"],
            is_sandbox=form.is_sandbox,
            clock=form.begins_at,
            with_draft=form.cleaned_data["with_draft"],
            by=actor(request),
        )
    except SlugTakenError:
        form.add_error("slug", _("Another program has this short name: choose another one."))
        return None


def _suggested(program: Program) -> dict[str, str]:
    return {
        "name": (_("%(program)s, a copy") % {"program": program.name})[:120],
        "slug": f"{program.slug[: LONGEST_SLUG - 5]}-copy",
    }
