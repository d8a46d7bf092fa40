"""The page that pauses or closes a program, and first says what becomes of what its members have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import actor
from accounts.models import User
from accounts.roles import Permission
from programs import lifecycle
from programs.models import Membership, Program
from programs.outstanding import outstanding_of


class StateForm(forms.Form):
    """What to do with the program; closing needs the last day on which units can be spent, and a tick."""

    PAUSE, RESUME, CLOSE, REOPEN = "pause", "resume", "close", "reopen"

    step = forms.ChoiceField(choices=[(one, one) for one in (PAUSE, RESUME, CLOSE, REOPEN)])
    last_day = forms.DateField(required=False)
    is_sure = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("step") != self.CLOSE:
            return cleaned
        if not cleaned.get("last_day") and "last_day" not in self.errors:
            self.add_error("last_day", _("Say up to which day units can be spent."))
        if not cleaned.get("is_sure"):
            self.add_error("is_sure", _("Tick that you have read what becomes of the balances."))
        return cleaned

    @property
    def last_day_chosen(self) -> date:
        found: date = self.cleaned_data["last_day"]
        return found


Verb = Callable[..., Program]
VERBS: dict[str, Verb] = {
    StateForm.PAUSE: lifecycle.pause,
    StateForm.RESUME: lifecycle.resume,
    StateForm.REOPEN: lifecycle.reopen,
}


class StatePage:
    """Pauses a program, lets it go on, closes it, and undoes the close."""

    def state_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: what is outstanding, and what each step means. POST: take the step."""
        page: Any = self
        program: Program = page.program_for(request, pk, Permission.PUBLISH_PROGRAM)
        with timezone.override(program.zone):
            form = StateForm(request.POST if request.method == "POST" else None)
            if request.method == "POST" and form.is_valid():
                changed = _take_step(form, program, by=actor(request))
                if changed is not None:
                    messages.success(request, _said(changed))
                    return redirect("admin:programs_program_state", program.pk)
            context = page.page_context(request, program, _("Pause or close %(program)s") % {"program": program})
            context |= {"form": form, **_facts(program)}
            return TemplateResponse(request, "admin/programs/state.html", context)


def _take_step(form: StateForm, program: Program, *, by: User) -> Program | None:
    """Take the step that was asked for; say in the form why it cannot be."""
    step = form.cleaned_data["step"]
    try:
        if step == StateForm.CLOSE:
            return lifecycle.close(program=program, last_day=form.last_day_chosen, by=by)
        return VERBS[step](program=program, by=by)
    except lifecycle.LastDayError as error:
        form.add_error("last_day", str(error))
    except lifecycle.WrongStateError as error:
        form.add_error(None, str(error))
    return None


def _facts(program: Program) -> dict[str, Any]:
    today = program.now().astimezone(program.zone).date()
    return {
        "members": program.memberships.exclude(status=Membership.Status.CLOSED).count(),
        "outstanding": outstanding_of(program),
        "today": today.isoformat(),
        "zone": program.zone,
        "last_day": program.last_day,
    }


def _said(program: Program) -> str:
    said = {"program": program}
    if program.is_paused:
        return _("“%(program)s” is paused.") % said
    if program.last_day is not None:
        text = _("“%(program)s” is closed. Units can be spent up to %(day)s.")
        return text % {**said, "day": formats.day(program.last_day)}
    return _("“%(program)s” goes on.") % said
