"""Admin pages of programs: the version in force, the draft beside it, and the units."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import TabularInline, TenantAdmin, TenantInline, actor
from accounts.roles import Permission
from programs import actions
from programs.models import Program, Unit


class UnitInline(TenantInline, TabularInline):  # type: ignore[misc]
    """The units a program counts in; how they live is a version's matter."""

    model = Unit
    business_path = "business"
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    add_permission = Permission.EDIT_PROGRAM
    fields = ("code", "name", "name_plural", "precision", "is_money", "is_spendable")
    can_delete = False
    hide_title = True

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Amounts already earned are kept in steps of the unit, so only a program without terms may change it."""
        if isinstance(obj, Program) and obj.versions.exists():
            return False
        return super().has_change_permission(request, obj)


@admin.register(Program)
class ProgramAdmin(TenantAdmin):
    """Programs. What they promise stands in versions; this page leads there."""

    business_path = "business"
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    add_permission = Permission.EDIT_PROGRAM
    list_display = ("name", "business", "currency", "timezone", "is_sandbox", "slug")
    list_select_related = ("business",)
    list_filter = ("is_sandbox",)
    search_fields = ("name", "slug")
    readonly_after_creation = ("business", "slug", "currency", "is_sandbox", "clock")
    inlines: ClassVar = [UnitInline]
    change_form_outer_before_template = "admin/programs/program_terms.html"
    fieldsets: ClassVar = (
        (None, {"fields": ("business", ("name", "slug"), ("currency", "timezone"), "language")}),
        (_("Test copy"), {"fields": (("is_sandbox", "clock"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Days, months and years that were judged stay those of the zone they were judged in."""
        given = super().get_readonly_fields(request, obj)
        return [*given, "timezone"] if isinstance(obj, Program) and obj.versions.published().exists() else given

    def get_urls(self) -> list[URLPattern]:
        start = path(
            "<uuid:pk>/start-draft/", self.admin_site.admin_view(self.start_draft), name="programs_program_start_draft"
        )
        return [start, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        program = self.get_object(request, object_id)
        extra: dict[str, Any] = {"terms": _terms_of(program)} if program is not None else {}
        extra["can_move"] = self._may(request, Permission.MOVE_MEMBERS, program)
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )

    def start_draft(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: copy the newest terms into a draft and open it; a draft that exists is opened."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program = self.get_object(request, str(pk))
        if program is None:
            raise Http404
        if not self.has_change_permission(request, program):
            raise PermissionDenied
        try:
            draft = actions.start_draft(program=program, by=actor(request))
        except actions.DraftExistsError:
            draft = program.draft
            messages.info(request, _("There is a draft already: this is it."))
        return redirect("admin:programs_programversion_change", draft.pk)


def _terms_of(program: Program) -> dict[str, Any]:
    """Return the versions worth a word on the program's page: in force, to come, and the draft."""
    now = program.now()
    return {
        "program": program,
        "in_force": program.version_at(now),
        "to_come": list(program.versions.published().filter(in_force_from__gt=now).order_by("in_force_from")),
        "draft": program.draft,
    }
