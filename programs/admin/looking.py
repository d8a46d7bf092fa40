"""Forms that can be looked at before they are saved, and that notice what another tab has saved meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import formats
from accounts.admin_base import TenantAdmin
from programs.admin.drafts import version_of
from programs.models import ProgramVersion

LOOK, SEEN = "_look", "_seen"


def is_look(request: HttpRequest) -> bool:
    """Whether the form was sent to be looked at, not to be saved."""
    return request.method == "POST" and LOOK in request.POST


class NoticesOthers(TenantAdmin):
    """A page whose form carries what it was opened with, and refuses to overwrite what somebody saved after that."""

    change_form_before_template = "admin/programs/seen.html"

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        """Compare what stands in the database with what the form was opened with."""
        formsets, inlines = super()._create_formsets(request, obj, change)
        if change and obj is not None:
            own = obj
            if request.method == "POST" and not is_look(request):
                _queue_up(obj)
                own = type(obj)._default_manager.get(pk=obj.pk)
            present = _token(own, formsets)
            seen = request.POST.get(SEEN, "") if request.method == "POST" else present
            obj._seen = seen if is_look(request) else present
            if seen and seen != present and not is_look(request):
                obj._conflict = _meanwhile(obj)
        return formsets, inlines

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        return type("NoticingForm", (_Noticing, super().get_form(request, obj, change, **kwargs)), {})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["seen"] = getattr(context["adminform"].form.instance, "_seen", "")
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[no-any-return]


class _Noticing:
    """A form that says so where its part was saved in another tab."""

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        if conflict := getattr(self.instance, "_conflict", ""):  # type: ignore[attr-defined]
            raise ValidationError(conflict, code="meanwhile")
        return cleaned


def _queue_up(obj: Model) -> None:
    """Let those who save parts of one version come one after the other."""
    version = version_of(obj)
    if version is not None:
        list(ProgramVersion.objects.select_for_update().filter(pk=version.pk).values_list("pk"))


def _token(obj: Model, formsets: Iterable[Any]) -> str:
    """Return what tells one state of what the page edits from another one: the part's fields, and each list of rows."""
    rows = [
        (
            sorted(str(row.pk) for row in formset.get_queryset()),
            sorted((str(form.instance.pk), _said(form.initial)) for form in formset.initial_forms),
        )
        for formset in formsets
    ]
    return hashlib.sha256(repr((_said(model_to_dict(obj)), rows)).encode()).hexdigest()[:16]


def _said(values: Mapping[str, Any]) -> str:
    return repr(sorted((name, str(value)) for name, value in values.items()))


def _meanwhile(obj: Model) -> str:
    """Return who saved the part last, and what to do about it."""
    entry = (
        LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(obj), object_id=str(obj.pk))
        .select_related("user")
        .order_by("-action_time")
        .first()
    )
    if entry is None:
        return _(
            "This was changed in another tab meanwhile. What you typed is still here: saving again puts it in place of "
            "that."
        )
    return _(
        "%(person)s saved this at %(moment)s, after you had opened it. What you typed is still here: saving again puts "
        "it in place of that."
    ) % {
        "person": entry.user,
        "moment": formats.moment(entry.action_time, zone=timezone.get_current_timezone()),
    }


class Looked(NoticesOthers):
    """A page that shows what its form would do before it is saved.

    Sent with ``_look`` the form is checked and shown again as it was typed, with ``looked(...)`` worked out from it; a
    script that asks for that alone, by the header ``X-Look``, gets ``look_template``.
    """

    look_template: ClassVar[str]

    def looked(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        """Return what the page shows of the form as it stands; callables are asked when the page is written."""
        return {}

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type("LookedForm", (_NeverValid, form), {}) if is_look(request) else form

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Show one more row where the form was sent for that: ``more:PREFIX``."""
        given: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if is_look(request) and request.POST[LOOK] == f"more:{prefix}":
            count = request.POST.get(f"{prefix}-TOTAL_FORMS", "")
            given["data"][f"{prefix}-TOTAL_FORMS"] = str(int(count) + 1) if count.isdecimal() else count
        return given

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context.update(self.looked(request, context))
        if is_look(request) and "X-Look" in request.headers:
            return TemplateResponse(request, self.look_template, context)
        return super().render_change_form(request, context, *args, **kwargs)


class _NeverValid:
    """A form that is checked but never saved."""

    def is_valid(self) -> bool:
        super().is_valid()  # type: ignore[misc]
        return False
