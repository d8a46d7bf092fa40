"""What the pages of back-tests and of corrections have in common."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import actor, businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin import ReadOnlyAdmin
from loyalty.rehearsals import actions
from loyalty.rehearsals.models import Run
from programs.models import Membership, Program, ProgramVersion

STATES = {"queued": "info", "running": "info", "done": "success", "cancelled": "warning", "failed": "danger"}
PAGE = 50


class RunAdmin(ReadOnlyAdmin):
    """Runs of a program: listed, watched, stopped. Who may edit the terms may."""

    view_permission = Permission.EDIT_PROGRAM
    prefix: ClassVar[str]
    list_filter: Any = ("status",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program", "requested_by")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<uuid:pk>/cancel/", self.admin_site.admin_view(self.cancel), name=f"{self.prefix}_cancel"),
            path("<uuid:pk>/progress/", self.admin_site.admin_view(self.progress), name=f"{self.prefix}_progress"),
            path("<uuid:pk>/members/", self.admin_site.admin_view(self.members), name=f"{self.prefix}_members"),
            path("<uuid:pk>/csv/<slug:what>/", self.admin_site.admin_view(self.csv), name=f"{self.prefix}_csv"),
        ]
        return [*own, *super().get_urls()]

    @display(description=_("status"), ordering="status", label=STATES)
    def condition(self, run: Run) -> tuple[str, Any]:
        return run.status, run.get_status_display()

    @display(description=_("asked for"), ordering="requested_at")
    def asked(self, run: Run) -> str:
        return f"{formats.moment(run.requested_at, zone=run.program.zone)} · {run.requested_by or '–'}"

    def run_of(self, request: HttpRequest, pk: UUID, permission: Permission | None = None) -> Any:
        """Return the run, if the person may see it and (where asked) has the permission in its business."""
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404
        if permission is not None and not self._may(request, permission, run):
            raise PermissionDenied
        return run

    def cancel(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: stop the run."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = self.run_of(request, pk, Permission.EDIT_PROGRAM)
        if actions.cancel(run=run, by=actor(request)):
            messages.success(request, self.cancelled_words(run))
        return redirect(f"admin:{self.prefix}_change", run.pk)

    def cancelled_words(self, run: Any) -> Any:
        """Return what is told once a run was stopped."""
        return _("%(run)s is stopped.") % {"run": run}

    def progress(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """How far the run is, for the page that shows it."""
        run = self.run_of(request, pk)
        return JsonResponse({"at_work": run.is_at_work, "percent": run.percent, "text": progress_text(run)})

    def members(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """List the members of a run, where it has such a page."""
        raise Http404

    def csv(self, request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
        """Give one of the run's tables to be saved, where it has any."""
        raise Http404

    def context(self, request: HttpRequest, **extra: Any) -> dict[str, Any]:
        """Return what every page of the admin needs, and this one's own."""
        return {**self.admin_site.each_context(request), "opts": self.opts, **extra}

    def version_of(self, request: HttpRequest, pk: UUID, permission: Permission) -> ProgramVersion:
        """Return a version of a business in which the person has the permission; 404 for anybody else's."""
        versions = ProgramVersion.objects.select_related("program")
        version = versions.filter(pk=pk).first()
        if version is None:
            raise Http404
        if request.user.is_superuser:
            return version
        if version.program.business_id not in businesses_of(request, Permission.EDIT_PROGRAM):
            raise Http404
        if version.program.business_id not in businesses_of(request, permission):
            raise PermissionDenied
        return version

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def progress_text(run: Run) -> str:
    """Return how far a run is, in words."""
    if run.status == Run.Status.QUEUED:
        return str(_("Waiting for the worker"))
    told = {"done": formats.number(run.done), "total": formats.number(run.total)}
    return str(_("%(done)s of %(total)s") % told)


def named(ids: Any, program: Program) -> dict[UUID, str]:
    """Return what the members are called on pages: the name and the card."""
    found = Membership.objects.filter(pk__in=ids, program=program).select_related("customer")
    return {one.pk: f"{one.customer.full_name or _('No name')} · {one.card_shown}" for one in found}
