"""Admin pages of corrections: supersede a wrong version, see the effect, post it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import formats
from accounts.admin_base import actor, display
from accounts.roles import Permission
from loyalty.rehearsals import actions, csvs
from loyalty.rehearsals.admin.pages import PAGE, RunAdmin, progress_text
from loyalty.rehearsals.effects import Effects, effects_of
from loyalty.rehearsals.forms import SupersedeForm
from loyalty.rehearsals.models import Corrected, Correction
from programs.actions import CannotPublishError, MomentError
from programs.models import ProgramVersion, Unit

NAMED = 10


@admin.register(Correction)
class CorrectionAdmin(RunAdmin):
    """Wrong versions superseded: what they judged is judged again."""

    prefix = "rehearsals_correction"
    list_display = ("what", "program", "reason", "step", "condition", "asked")
    list_display_links = ("what",)
    list_select_related = ("program", "requested_by", "wrong", "right")
    list_filter = ("status", "phase")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("wrong", "right", "posted_by")

    @display(description=gettext_lazy("correction"))
    def what(self, run: Correction) -> str:
        return str(run)

    @display(description=gettext_lazy("step"), ordering="phase")
    def step(self, run: Correction) -> str:
        return run.get_phase_display()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("start/<uuid:pk>/", view(self.start), name="rehearsals_correction_start"),
            path("<uuid:pk>/post/", view(self.post), name="rehearsals_correction_post"),
        ]
        return [*own, *super().get_urls()]

    def start(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """GET: which terms are right. POST: publish them, if they are a draft, and work out the effect."""
        wrong = self.version_of(request, pk, Permission.PUBLISH_PROGRAM)
        if wrong.is_draft:
            raise Http404
        form = SupersedeForm(wrong, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            run = self._supersede(request, wrong, form)
            if run is not None:
                return redirect("admin:rehearsals_correction_change", run.pk)
        return TemplateResponse(
            request,
            "admin/rehearsals/correction_start.html",
            self.context(
                request,
                title=_("Supersede version %(number)d") % {"number": wrong.number},
                version=wrong,
                program=wrong.program,
                form=form,
            ),
        )

    def _supersede(self, request: HttpRequest, wrong: ProgramVersion, form: SupersedeForm) -> Correction | None:
        right, reason = form.cleaned_data["right"], form.cleaned_data["reason"]
        try:
            return actions.supersede(wrong=wrong, right=right, reason=reason, by=actor(request))
        except CannotPublishError:
            form.add_error("right", _("Nothing was published: mend the draft's faults first."))
        except MomentError as error:
            form.add_error("right", str(error))
        except actions.RehearsalError as error:
            form.add_error(error.field or None, str(error))
        return None

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: post what was shown."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = self.run_of(request, pk, Permission.PUBLISH_PROGRAM)
        try:
            actions.post(correction=run, by=actor(request))
        except actions.RehearsalError as error:
            messages.error(request, str(error))
        return redirect("admin:rehearsals_correction_change", run.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far it is, or the effect."""
        try:
            run: Correction = self.run_of(request, UUID(object_id))
        except ValueError:
            raise Http404 from None
        effects = effects_of(run) if run.phase == Correction.Phase.POST or run.status == "done" else None
        rows = run.members.select_related("membership__customer").order_by("-size", "id")[:NAMED]
        return TemplateResponse(
            request,
            "admin/rehearsals/correction.html",
            self.context(
                request,
                title=str(run),
                run=run,
                program=run.program,
                is_posting=run.phase == Correction.Phase.POST,
                progress=progress_text(run),
                effects=effects,
                rows=_rows(rows, effects) if effects else [],
                can_post=run.can_be_posted and self._may(request, Permission.PUBLISH_PROGRAM, run),
                post_words=_post_words(effects) if effects else "",
            ),
        )

    def cancelled_words(self, run: Correction) -> str:
        if run.phase == Correction.Phase.POST:
            return _("Posting is stopped. What is posted stays; “Go on” posts the rest.")
        return _("The correction is stopped. Nothing was posted.")

    def members(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """List the members whom it concerns, page by page."""
        run: Correction = self.run_of(request, pk)
        members = run.members.select_related("membership__customer").order_by("pk")
        try:
            after = UUID(request.GET["after"]) if request.GET.get("after") else None
        except ValueError:
            raise Http404 from None
        rows = list((members if after is None else members.filter(pk__gt=after))[: PAGE + 1])
        effects = effects_of(run)
        return TemplateResponse(
            request,
            "admin/rehearsals/correction_members.html",
            self.context(
                request,
                title=_("Members whom the correction concerns"),
                run=run,
                effects=effects,
                is_posting=run.phase == Correction.Phase.POST,
                rows=_rows(rows[:PAGE], effects),
                following=rows[PAGE - 1].pk if len(rows) > PAGE else None,
            ),
        )

    def csv(self, request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
        """Give the members whom it concerns: as shown, and as posted."""
        run: Correction = self.run_of(request, pk)
        if what != "members":
            raise Http404
        units = list(Unit.objects.filter(program=run.program).order_by("code"))
        names = [f"{stage}_{unit.code}" for stage in ("shown", "posted") for unit in units]
        head = ("card", "external_id", *names, "tier_before", "tier_after")
        members = run.members.select_related("membership").order_by("pk")
        return csvs.answer("correction-members", head, (_plain(one, units) for one in members.iterator(1_000)))


def _plain(row: Corrected, units: list[Unit]) -> tuple[Any, ...]:
    last = row.posted or row.shown or {}
    amounts = [
        formats.steps(unit, told["units"].get(unit.code, 0)) if told is not None else ""
        for told in (row.shown, row.posted)
        for unit in units
    ]
    return (row.membership.card, row.membership.external_id, *amounts, last.get("before", ""), last.get("after", ""))


def _rows(rows: QuerySet[Corrected] | list[Corrected], effects: Effects) -> list[dict[str, Any]]:
    return [
        {
            "pk": row.membership_id,
            "name": row.membership.customer.full_name or _("No name"),
            "card": row.membership.card_shown,
            "shown": effects.written(row.shown),
            "posted": effects.written(row.posted) if row.posted is not None else None,
            "differs": row.differs,
            "tiers": effects.tiers(row.posted or row.shown),
        }
        for row in rows
    ]


def _post_words(effects: Effects) -> str:
    text = ngettext("Post for %(count)s member", "Post for %(count)s members", effects.members)
    return text % {"count": formats.number(effects.members)}
