"""Admin pages of moving in: upload a file, read what its rows would do, move the good ones in; and take files out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import actor, businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin import ReadOnlyAdmin
from loyalty.moving import actions, exports
from loyalty.moving.columns import Frame, NoTermsError, frame_of
from loyalty.moving.faults import Fault, UnreadableFileError
from loyalty.moving.forms import UploadForm
from loyalty.moving.models import Moving, MovingFault
from loyalty.moving.tasks import ask_to_go_on
from programs.models import Program

FAULTS_SHOWN = 200
PROGRAMS_SHOWN = 24
WAITS = 8.0  # Seconds that a small file may keep its sender waiting.

Status = Moving.Status


@admin.register(Moving)
class MovingAdmin(ReadOnlyAdmin):
    """Files that were uploaded, with what became of each."""

    view_permission = Permission.MOVE_MEMBERS
    add_permission = Permission.MOVE_MEMBERS
    list_display = ("file_name", "what", "program", "state", "went", "uploaded", "uploader")
    list_select_related = ("program", "made_by")
    list_filter = ("kind", ("program", admin.RelatedOnlyFieldListFilter))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.add_permission, None)

    def get_urls(self) -> list[URLPattern]:
        def own(route: str, view: Any, name: str) -> URLPattern:
            found: URLPattern = path(route, self.admin_site.admin_view(view), name=f"moving_moving_{name}")
            return found

        return [
            own("<uuid:pk>/confirm/", self.confirm, "confirm"),
            own("<uuid:pk>/discard/", self.discard, "discard"),
            own("<uuid:pk>/faults.csv", self.faults, "faults"),
            own("<uuid:program>/template-<slug:kind>.<slug:form>", self.template, "template"),
            own("<uuid:program>/members.<slug:form>", self.members, "members"),
            *super().get_urls(),
        ]

    # --- Columns -----------------------------------------------------------------------------------------------

    @display(description=_("what"), ordering="kind")
    def what(self, row: Moving) -> str:
        return f"{row.get_kind_display()} · {row.pool}" if row.pool else row.get_kind_display()

    @display(
        description=_("state"),
        ordering="status",
        label={
            "checking": "info",
            "checked": "warning",
            "moving": "info",
            "done": "success",
            "unreadable": "danger",
            "stopped": "info",
        },
    )
    def state(self, row: Moving) -> tuple[str, Any]:
        return row.status, row.get_status_display()

    @display(description=_("rows"))
    def went(self, row: Moving) -> Any:
        bad = row.counts.get("bad", 0)
        rows = formats.number(row.rows)
        return _("%(rows)s, %(bad)s bad") % {"rows": rows, "bad": formats.number(bad)} if bad else rows

    @display(description=_("uploaded"), ordering="made_at")
    def uploaded(self, row: Moving) -> str:
        return formats.moment(row.made_at, zone=row.program.zone)

    @display(description=_("by"))
    def uploader(self, row: Moving) -> Any:
        return str(row.made_by) if row.made_by is not None else _("an operator")

    # --- Uploading ---------------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """GET: choose a file. POST: keep and check it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        programs = self._programs(request)
        chosen = self._named_program(request)
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            programs=programs,
            initial={"program": chosen, "kind": request.GET.get("kind", Moving.Kind.MEMBERS)},
        )
        if request.method == "POST" and form.is_valid():
            moving = self._taken(request, form)
            if moving is not None:
                return redirect("admin:moving_moving_change", moving.pk)
        offered = [chosen] if chosen is not None else list(programs[:PROGRAMS_SHOWN])
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": _("Move members in"),
            "opts": self.opts,
            "form": form,
            "programs": [program for program in offered if program.version_at(program.now()) is not None],
            "limits": {"rows": "100,000", "megabytes": "20"},
        }
        return render(request, "admin/moving/upload.html", context)

    def _taken(self, request: HttpRequest, form: UploadForm) -> Moving | None:
        given = form.cleaned_data
        body = given["file"].read()
        try:
            moving = actions.take_file(
                program=given["program"],
                kind=given["kind"],
                pool=given["pool"],
                is_joining_rewarded=given["is_joining_rewarded"],
                body=body,
                file_name=given["file"].name,
                by=actor(request),
            )
        except actions.NoTermsError:
            form.add_error("program", _("The program has no terms in force yet: publish them first."))
            return None
        except actions.NotAPoolError:
            form.add_error("pool", _("Name the pool with small letters, digits, hyphens and underscores."))
            return None
        except UnreadableFileError as error:
            form.add_error("file", " ".join(one.text for one in error.faults))
            return None
        _go_on(moving, is_small=len(body) <= actions.AT_ONCE)
        return moving

    # --- One file ----------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """GET: what the rows of a file would do, or did."""
        moving = self._file(request, object_id)
        faults = moving.faults.order_by("row", "id")
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": moving.file_name,
            "opts": self.opts,
            "moving": moving,
            "kinds": [(kind, moving.counts.get(kind, 0)) for kind in actions.KINDS],
            "good": sum(moving.counts.get(kind, 0) for kind in actions.KINDS[:2]),
            "bad": moving.counts.get("bad", 0),
            "faults": _texts(faults.filter(is_remark=False)[:FAULTS_SHOWN]),
            "fault_count": faults.filter(is_remark=False).count(),
            "remarks": _texts(faults.filter(is_remark=True)[:FAULTS_SHOWN]),
            "remark_count": faults.filter(is_remark=True).count(),
            "most": FAULTS_SHOWN,
            "is_at_work": moving.status in (Status.CHECKING, Status.MOVING),
            "again": f"{reverse('admin:moving_moving_add')}?program={moving.program_id}&kind={moving.kind}",
        }
        return render(request, "admin/moving/file.html", context)

    def confirm(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: move the good rows in."""
        moving = self._posted(request, pk)
        if moving is None:
            return HttpResponseNotAllowed(["POST"])
        try:
            moving = actions.confirm(moving=moving, by=actor(request))
        except actions.NotCheckedError:
            messages.warning(request, _("Nothing was done: the file is being worked on, or was moved in before."))
        else:
            self.log_change(request, moving, str(_("Moved in.")))
            _go_on(moving, is_small=moving.rows <= actions.BATCH)
        return redirect("admin:moving_moving_change", pk)

    def discard(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: forget a file that was not moved in."""
        moving = self._posted(request, pk)
        if moving is None:
            return HttpResponseNotAllowed(["POST"])
        again = f"{reverse('admin:moving_moving_add')}?program={moving.program_id}&kind={moving.kind}"
        try:
            actions.discard(moving=moving, by=actor(request))
        except actions.NotCheckedError:
            messages.warning(request, _("Nothing was done: the file is being worked on, or was moved in before."))
            return redirect("admin:moving_moving_change", pk)
        messages.success(request, _("The file is forgotten. Nothing of it was moved in."))
        return redirect(again)

    def _posted(self, request: HttpRequest, pk: UUID) -> Moving | None:
        """Return the file that a POST is about; None for another method."""
        return self._file(request, str(pk)) if request.method == "POST" else None

    def _file(self, request: HttpRequest, pk: str) -> Moving:
        moving = self.get_object(request, pk)
        if not isinstance(moving, Moving):
            raise Http404
        if not self.has_view_permission(request, moving):
            raise PermissionDenied
        return moving

    # --- Files that leave --------------------------------------------------------------------------------------

    def faults(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """GET: every fault as CSV."""
        moving = self._file(request, str(pk))
        return _sent(exports.faults_table(moving), form=exports.CSV, name=f"faults-{moving.pk}")

    def template(self, request: HttpRequest, program: UUID, kind: str, form: str) -> HttpResponseBase:
        """GET: an empty file with the program's own columns."""
        if kind not in Moving.Kind.values:
            raise Http404
        frame = self._frame(request, program)
        return _sent(exports.template_table(frame, kind=kind), form=form, name=f"{frame.program.slug}-{kind}-template")

    def members(self, request: HttpRequest, program: UUID, form: str) -> HttpResponseBase:
        """GET: the program's members; read back into it they change nothing."""
        frame = self._frame(request, program)
        count = frame.program.memberships.count()
        if form == exports.XLSX and count > exports.MOST_IN_A_WORKBOOK:
            messages.warning(request, _("There are too many members for a workbook: take the CSV file."))
            return redirect(f"{reverse('admin:moving_moving_add')}?program={program}")
        name = f"{frame.program.slug}-members-{_day(frame.now, frame)}"
        return _sent(exports.members_table(frame), form=form, name=name)

    def _frame(self, request: HttpRequest, program_id: UUID) -> Frame:
        if not self.has_add_permission(request):
            raise PermissionDenied
        program = self._programs(request).filter(pk=program_id).first()
        if program is None:
            raise Http404
        try:
            return frame_of(program)
        except NoTermsError:
            raise Http404 from None

    def _programs(self, request: HttpRequest) -> QuerySet[Program]:
        programs = Program.objects.select_related("business").order_by("is_sandbox", "name")
        if request.user.is_superuser:
            return programs
        return programs.filter(business__in=businesses_of(request, Permission.MOVE_MEMBERS))

    def _named_program(self, request: HttpRequest) -> Program | None:
        """Return the program that the address or the form names. One that is not theirs is not there."""
        named = request.POST.get("program") or request.GET.get("program")
        if not named:
            return None
        try:
            found = self._programs(request).filter(pk=UUID(named)).first()
        except ValueError:
            found = None
        if found is None:
            raise Http404
        return found

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _go_on(moving: Moving, *, is_small: bool) -> None:
    """Go through a small file at once, and leave the rest to the workers."""
    if not (is_small and actions.go_on(moving_id=moving.pk, seconds=WAITS)):
        ask_to_go_on(moving.pk)


def _texts(rows: QuerySet[MovingFault]) -> list[Fault]:
    return [Fault(one.row, one.column, one.value, one.code, one.more) for one in rows]


def _day(moment: datetime, frame: Frame) -> str:
    return moment.astimezone(frame.program.zone).date().isoformat()


def _sent(table: Any, *, form: str, name: str) -> HttpResponseBase:
    """Return a table as a file to be kept."""
    if form not in exports.TYPES:
        raise Http404
    response: HttpResponseBase
    if form == exports.XLSX:
        response = FileResponse(exports.as_workbook(table))
    else:
        response = StreamingHttpResponse(exports.as_csv(table))
    response.headers["Content-Type"] = exports.TYPES[form]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response.headers["Cache-Control"] = "no-store"
    return response
