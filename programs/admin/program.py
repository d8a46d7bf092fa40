"""Admin pages of programs: the terms in force and the draft, the units, and what can be done with a program."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import tzinfo
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import TabularInline, TenantAdmin, TenantInline, actor, businesses_of, display
from accounts.admin_history import RecordedPage
from accounts.history.models import Change, ChangeQuerySet
from accounts.history.recording import record_differences
from accounts.models import User
from accounts.roles import Permission
from programs import actions
from programs.admin.compare import ComparePage
from programs.admin.copying import CopyPage
from programs.admin.state import StatePage
from programs.journal import changes_of_program, place_of, snapshot_of
from programs.models import Program, ProgramVersion, Unit


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
class ProgramAdmin(RecordedPage, StatePage, CopyPage, ComparePage, TenantAdmin):
    """Programs. What they promise stands in versions; this page leads there."""

    business_path = "business"
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    add_permission = Permission.EDIT_PROGRAM
    list_display = ("name", "business", "state", "currency", "timezone", "is_sandbox", "slug")
    list_select_related = ("business",)
    list_filter = ("status", "is_sandbox")
    search_fields = ("name", "slug")
    readonly_after_creation = ("business", "slug", "currency", "is_sandbox", "clock")
    inlines: ClassVar = [UnitInline]
    change_form_outer_before_template = "admin/programs/program_terms.html"
    fieldsets: ClassVar = (
        (None, {"fields": ("business", ("name", "slug"), ("currency", "timezone"), "language")}),
        (_("Test copy"), {"fields": (("is_sandbox", "clock"),)}),
    )

    @display(
        description=_("state"),
        ordering="status",
        label={"active": "success", "paused": "warning", "closed": "danger"},
    )
    def state(self, program: Program) -> tuple[str, str]:
        return program.status, program.get_status_display()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Days, months and years that were judged stay those of the zone they were judged in."""
        given = super().get_readonly_fields(request, obj)
        return [*given, "timezone"] if isinstance(obj, Program) and obj.versions.published().exists() else given

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "start-draft": (self.start_draft, "start_draft"),
            "state": (self.state_page, "state"),
            "copy": (self.copy_page, "copy"),
            "compare": (self.compare_page, "compare"),
        }
        own = [
            path(f"<uuid:pk>/{step}/", self.admin_site.admin_view(page), name=f"programs_program_{name}")
            for step, (page, name) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        program = self.get_object(request, object_id)
        extra: dict[str, Any] = {"can_move": self._may(request, Permission.MOVE_MEMBERS, program)}
        if program is not None:
            may_publish = self.may(request, program, Permission.PUBLISH_PROGRAM)
            extra |= {"terms": _terms_of(program), "may_publish": may_publish}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )

    def start_draft(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: copy the newest terms into a draft and open it; a draft that exists is opened."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program = self.program_for(request, pk, Permission.EDIT_PROGRAM)
        draft: ProgramVersion | None
        try:
            draft = actions.start_draft(program=program, by=actor(request))
        except actions.DraftExistsError:
            draft = program.draft
            messages.info(request, _("There is a draft already: this is it."))
        if draft is None:  # It was published or discarded just now.
            return redirect("admin:programs_program_change", program.pk)
        return redirect("admin:programs_programversion_change", draft.pk)

    # --- What the pages beside this one share -----------------------------------------------------------------

    def program_for(self, request: HttpRequest, pk: Any, permission: Permission) -> Program:
        """Return the program that a page is about; 404 for a stranger's, 403 for whom the role does not let do it."""
        program = self.get_object(request, str(pk))
        if not isinstance(program, Program):
            raise Http404
        if not self.may(request, program, permission):
            raise PermissionDenied
        return program

    def may(self, request: HttpRequest, program: Program, permission: Permission) -> bool:
        """Return whether the person's role in the program's business has the permission."""
        return request.user.is_superuser or program.business_id in businesses_of(request, permission)

    def page_context(self, request: HttpRequest, program: Program, title: str) -> dict[str, Any]:
        """Return what every page about one program needs."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": program,
            "program": program,
            "title": title,
        }

    # --- History ------------------------------------------------------------------------------------------------

    def recording(self, obj: Program, *, by: User) -> AbstractContextManager[None]:
        return changes_of_program(obj, by=by)

    def log_addition(self, request: HttpRequest, obj: Program, message: Any) -> Any:
        record_differences(place=place_of(obj), before={}, after=snapshot_of(obj), by=actor(request))
        return super().log_addition(request, obj, message)

    def history_of(self, obj: Program) -> ChangeQuerySet:
        return Change.objects.of_program(obj.pk)

    def history_zone(self, obj: Program) -> tzinfo:
        return obj.zone


def _terms_of(program: Program) -> dict[str, Any]:
    """Return the versions worth a word on the program's page: in force, to come, and the draft."""
    now = program.now()
    return {
        "program": program,
        "in_force": program.version_at(now),
        "to_come": list(program.versions.published().filter(in_force_from__gt=now).order_by("in_force_from")),
        "draft": program.draft,
        "can_compare": program.versions.count() > 1,
    }
