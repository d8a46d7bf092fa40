"""Admin pages of versions: a draft is edited, reviewed and published; what is published can be read."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import TenantAdmin, actor, businesses_of, display
from accounts.roles import Permission
from programs import actions, content
from programs.admin.drafts import DraftOnly, offer, shown_if
from programs.admin.groups import EventTypeInline, RuleGroupInline
from programs.admin.looking import NoticesOthers
from programs.admin.publishing import PublishPage
from programs.admin.recorded import RecordedTerms
from programs.admin.rewards import RewardInline
from programs.admin.rules import RuleInline
from programs.admin.tiers import TierForm, TierInline
from programs.admin.units import UnitTermsInline
from programs.changes import compare
from programs.models import ProgramVersion


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The version's own switches; what a choice does not need is left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "trial_tier", self.instance.tiers.order_by("rank").values_list("code", "name"), none=_("No trial"))
        if "trial_unit" in self.fields:
            self.fields["trial_unit"].queryset = self.instance.program.units.all()  # type: ignore[attr-defined]
        if "trial_need" in self.fields and self.instance.trial_need is not None:
            self.initial["trial_need"] = f"{self.instance.trial_need.normalize():f}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("trial_tier"):
            cleaned.update(trial_measure="", trial_unit=None, trial_need=None, trial_months=None)
        if cleaned.get("trial_measure") != ProgramVersion.TrialMeasure.UNITS:
            cleaned["trial_unit"] = None
        return cleaned


@admin.register(ProgramVersion)
class VersionAdmin(RecordedTerms, NoticesOthers, PublishPage, DraftOnly, TenantAdmin):
    """Versions of the terms. One draft a program can be edited; the published ones are for reading."""

    business_path = "program__business"
    list_display = ("program", "number", "state", "in_force", "note", "published_by", "compared")
    list_display_links = ("program", "number")
    list_select_related = ("program", "published_by")
    list_filter = ("status", ("program", admin.RelatedOnlyFieldListFilter))
    search_fields = ("program__name", "note")
    ordering = ("program__name", "-number")
    form = VersionForm
    fieldsets: ClassVar = (
        (None, {"fields": ("note",)}),
        (
            _("What counts"),
            {
                "fields": (("tax_earns", "paid_part_earns"), ("redeemed_come_back", "year_starts")),
                "classes": ("collapse",),
            },
        ),
        (
            _("How long a tier is held"),
            {
                "fields": ("tier_validity", "tier_months", ("tier_fall", "tier_grace_months"), "reaching_earns_new"),
                "classes": ("collapse",),
            },
        ),
        (
            _("A tier on trial"),
            {
                "fields": (
                    ("trial_tier", "trial_months"),
                    ("trial_measure", "trial_need", "trial_unit"),
                    "trial_once_in_months",
                ),
                "classes": ("collapse",),
                "description": _("Staff may give a tier for a while; who reaches enough in that time keeps it."),
            },
        ),
        (
            _("Notice before a loss"),
            {"fields": (("needs_notice", "notice_days"),), "classes": ("collapse",)},
        ),
    )
    conditional_fields: ClassVar = {
        "tier_months": shown_if("tier_validity", "tier_validity == 'months'"),
        "trial_months": shown_if("trial_tier", "trial_tier != ''"),
        "trial_measure": shown_if("trial_tier", "trial_tier != ''"),
        "trial_need": shown_if("trial_tier", "trial_tier != ''"),
        "trial_unit": shown_if("trial_measure", "trial_measure == 'units'"),
        "trial_once_in_months": shown_if("trial_tier", "trial_tier != ''"),
        "notice_days": shown_if("needs_notice", "needs_notice"),
    }
    inlines: ClassVar = [TierInline, RuleInline, RuleGroupInline, RewardInline, UnitTermsInline, EventTypeInline]
    change_form_outer_before_template = "admin/programs/version_head.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program")

    @display(description=_("state"), ordering="status", label={"draft": "warning", "published": "success"})
    def state(self, version: ProgramVersion) -> tuple[str, str]:
        return version.status, version.get_status_display()

    @display(description=_("in force from"), ordering="in_force_from")
    def in_force(self, version: ProgramVersion) -> str:
        moment = version.in_force_from
        return formats.moment(moment, zone=version.program.zone) if moment else "–"

    @admin.display(description=_("changes"))
    def compared(self, version: ProgramVersion) -> Any:
        """The way to what it says otherwise than the version before it."""
        if version.number == 1:
            return "–"
        page = reverse("admin:programs_program_compare", args=[version.program_id])
        query = urlencode({"from": version.number - 1, "to": version.number})
        return format_html('<a class="lo-link" href="{}?{}">{}</a>', page, query, _("Compare"))

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<uuid:pk>/publish/",
                self.admin_site.admin_view(self.publish_page),
                name="programs_programversion_publish",
            ),
            path(
                "<uuid:pk>/discard/", self.admin_site.admin_view(self.discard), name="programs_programversion_discard"
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        extra = _head_of(version) if version is not None else {}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.forms:
            if isinstance(row, TierForm) and row.has_changed() and row not in formset.deleted_forms:
                row.save_threshold()

    def discard(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask. POST: throw the draft away."""
        version = self.draft_for(request, pk, Permission.EDIT_PROGRAM)
        if request.method != "POST":
            title = _("Discard the draft of version %(number)d") % {"number": version.number}
            return TemplateResponse(request, "admin/programs/discard.html", self.page_context(request, version, title))
        actions.discard_draft(version=version, by=actor(request))
        messages.success(request, _("The draft is discarded; the terms in force stay as they are."))
        return redirect("admin:programs_program_change", version.program_id)

    def draft_for(self, request: HttpRequest, pk: Any, permission: Permission) -> ProgramVersion:
        """Return the draft that a page is about; 404 for a stranger's, 403 for whom the role does not let do it."""
        version = self.get_object(request, str(pk))
        if not isinstance(version, ProgramVersion):
            raise Http404
        if not request.user.is_superuser and version.program.business_id not in businesses_of(request, permission):
            raise PermissionDenied
        if not version.is_draft:
            raise Http404
        return version

    def page_context(self, request: HttpRequest, version: ProgramVersion, title: str) -> dict[str, Any]:
        """Return what every page about one version needs."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": version,
            "version": version,
            "program": version.program,
            "title": title,
        }

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


def _head_of(version: ProgramVersion) -> dict[str, Any]:
    """Return what the page of a version says above its form."""
    program = version.program
    in_force = program.version_at(program.now())
    base = actions.latest_published(program)
    changes = compare(content.read(base), content.read(version), program=program) if version.is_draft and base else []
    return {
        "version": version,
        "in_force": in_force,
        "is_in_force": in_force == version,
        "changes": changes,
        "program": program,
        "zone": program.zone,
        "compared_with": base if version.is_draft else _before(version),
    }


def _before(version: ProgramVersion) -> ProgramVersion | None:
    """Return the version that was published before this one."""
    earlier = version.program.versions.published().filter(number__lt=version.number)
    return earlier.order_by("number").last()
