"""Admin pages of activity: what tills reported, how it was judged, and the shelf of what failed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import formats
from accounts.admin_base import actor, businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin import ReadOnlyAdmin
from loyalty.purchases import lines
from loyalty.purchases.accrual import retry
from loyalty.purchases.explanations import counted_towards_tier, explain
from loyalty.purchases.models import Activity, Judgement
from programs.models import Unit

SHELF = {"recorded": "info", "waiting": "warning", "accrued": "success", "failed": "danger"}


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    """Purchases, returns and events. Filter by “Failed” for the shelf; each can be tried again once it is mended."""

    view_permission = Permission.SEE_MEMBERS
    list_display = ("receipt", "kind", "state", "member", "amount", "happened", "store", "what_is_wrong")
    list_display_links = ("receipt",)
    list_select_related = ("program", "membership__customer", "store")
    list_filter = ("status", "kind", ("program", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=external_id", "=membership__card", "=membership__external_id")
    search_help_text = _("A receipt's number, a card number or a member's number in your system.")
    actions = ("try_again",)
    change_form_outer_before_template = "admin/purchases/activity_shelf.html"
    change_form_outer_after_template = "admin/purchases/activity_judgement.html"
    fields = (
        ("receipt", "kind"),
        ("member", "status"),
        ("happened", "recorded"),
        ("amount", "tax_amount"),
        ("store", "program"),
        ("channel", "terminal"),
        ("event_type",),
        ("returned_amount", "purchase_external_id"),
    )
    readonly_fields = ("receipt", "member", "happened", "recorded", "amount", "tax_amount", "returned_amount")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program", "membership__customer", "store")

    @display(description=_("receipt"), ordering="external_id")
    def receipt(self, row: Activity) -> str:
        return row.external_id

    @display(description=_("status"), ordering="status", label=SHELF)
    def state(self, row: Activity) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("member"))
    def member(self, row: Activity) -> Any:
        return f"{row.membership.card_shown} · {row.membership.customer}" if row.membership else _("Guest")

    @display(description=_("total"))
    def amount(self, row: Activity) -> str:
        return _money(row, row.total)

    @display(description=_("tax"))
    def tax_amount(self, row: Activity) -> str:
        return _money(row, row.tax)

    @display(description=_("returned"))
    def returned_amount(self, row: Activity) -> str:
        return _money(row, row.returned or None)

    @display(description=_("happened"), ordering="occurred_at")
    def happened(self, row: Activity) -> str:
        return formats.moment(row.occurred_at, zone=row.program.zone)

    @display(description=_("recorded"), ordering="posted_at")
    def recorded(self, row: Activity) -> str:
        return formats.moment(row.posted_at, zone=row.program.zone)

    @display(description=_("what is wrong"))
    def what_is_wrong(self, row: Activity) -> str:
        return row.what_is_wrong if row.status == Activity.Status.FAILED else ""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether the person may take activity off the shelf in any business."""
        return bool(request.user.is_superuser or businesses_of(request, Permission.RETRY_ACTIVITY))

    @admin.action(description=_("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Activity]) -> None:
        """Take the chosen failed activity off the shelf, to be judged again."""
        if not request.user.is_superuser:
            queryset = queryset.filter(program__business__in=businesses_of(request, Permission.RETRY_ACTIVITY))
        count = retry(activities=queryset, by=actor(request))
        text = ngettext("%(count)d receipt is tried again.", "%(count)d receipts are tried again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        one = path("<uuid:pk>/retry/", self.admin_site.admin_view(self.retry_one), name="purchases_activity_retry")
        return [one, *super().get_urls()]

    def retry_one(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: try this one again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self._may(request, Permission.RETRY_ACTIVITY, row):
            raise PermissionDenied
        self.try_again(request, Activity.objects.filter(pk=row.pk))
        return redirect("admin:purchases_activity_change", row.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra = {"judged": _judged(row), "can_retry": self.has_retry_permission(request)} if row is not None else {}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def _money(row: Activity, minor: int | None) -> str:
    return "–" if minor is None else formats.money(minor, row.currency or row.program.currency)


def _judged(row: Activity) -> dict[str, Any]:
    """Return the lines, the awards and the reasons in words."""
    program = row.program
    judgement = Judgement.objects.filter(activity=row).select_related("version").first()
    units = {unit.code: unit for unit in Unit.objects.filter(program=program)}
    currency = row.currency or program.currency
    awards = list(row.awards.select_related("unit").order_by("rule"))
    reasons = explain(judgement, program=program, units=units, awards=awards) if judgement else []
    told = {reason.rule: reason.text for reason in reasons}
    return {
        "is_event": row.kind == Activity.Kind.EVENT,
        "lines": [
            {
                "line": line,
                "quantity": lines.quantity_text(line.quantity),
                "amount": formats.money(line.amount, currency),
            }
            for line in lines.read(row.lines)
        ],
        "awards": [
            {
                "amount": formats.signed(
                    formats.units(award.unit, award.amount, currency=program.currency), award.amount
                ),
                "rule": award.rule,
                "reason": told.get(award.rule, ""),
            }
            for award in awards
        ],
        "version": judgement.version if judgement else None,
        "tier": _tier_name(judgement) if judgement else "",
        "reasons": reasons,
        "credit": formats.money(counted_towards_tier(judgement), program.currency) if judgement else "",
        "corrected": _corrected(row) if judgement else None,
    }


def _corrected(row: Activity) -> dict[str, Any] | None:
    """Return what a corrective run has put in the judgement's place; None where nothing has."""
    again = row.rejudgements.select_related("version").order_by("posted_at", "id").last()
    if again is None:
        return None
    units = {unit.code: unit for unit in Unit.objects.filter(program=row.program)}
    awards = [
        {
            "amount": formats.signed(formats.units(units[unit], amount, currency=row.program.currency), amount),
            "rule": rule,
        }
        for rule, unit, amount in again.awards
    ]
    return {"version": again.version, "at": formats.moment(again.posted_at, zone=row.program.zone), "awards": awards}


def _tier_name(judgement: Judgement) -> str:
    tier = judgement.version.tiers.filter(code=judgement.tier).first()
    return tier.name if tier else judgement.tier
