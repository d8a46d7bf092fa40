"""Admin pages of deliveries: each with its attempts and answers, and each can be sent again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast

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
from loyalty.webhooks.actions import send_again
from loyalty.webhooks.delivering import body_of
from loyalty.webhooks.models import Attempt, Delivery

STATES = {"pending": "info", "retrying": "warning", "delivered": "success", "given_up": "danger", "held": "warning"}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was sent to other systems. Filter by “Given up” for what never arrived."""

    view_permission = Permission.MANAGE_KEYS
    list_display = ("what", "member", "endpoint", "state", "last_answer", "next_attempt", "written")
    list_display_links = ("what",)
    list_select_related = ("program", "endpoint", "message", "membership__customer")
    list_filter = (
        "status",
        ("endpoint", admin.RelatedOnlyFieldListFilter),
        ("program", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("=membership__card", "=membership__external_id", "=message__type")
    search_help_text = _("A card number, a member's number in your system, or a type such as purchase.accrued.")
    actions = ("send_again",)
    change_form_outer_before_template = "admin/webhooks/delivery_head.html"
    change_form_outer_after_template = "admin/webhooks/delivery_attempts.html"
    fields = (("what", "endpoint"), ("member", "number"), ("written", "next_attempt"), ("message_id_shown", "program"))
    readonly_fields = ("what", "member", "number", "written", "next_attempt", "message_id_shown")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @display(description=_("type"), ordering="message__type")
    def what(self, row: Delivery) -> str:
        return row.message.type

    @display(description=_("member"))
    def member(self, row: Delivery) -> str:
        return f"{row.membership.card_shown} · {row.membership.customer}" if row.membership else "–"

    @display(description=_("sequence number"))
    def number(self, row: Delivery) -> str:
        return "–" if row.sequence is None else formats.number(row.sequence)

    @display(description=_("webhook-id"))
    def message_id_shown(self, row: Delivery) -> str:
        return str(row.message_id)

    @display(description=_("state"), ordering="status", label=STATES)
    def state(self, row: Delivery) -> tuple[str, Any]:
        return state_of(row)

    @display(description=_("last answer"), ordering="answered")
    def last_answer(self, row: Delivery) -> Any:
        if not row.tries:
            return "–"
        given = row.answered or _("none came")
        return (
            _("%(answer)s at attempt %(number)s") % {"answer": given, "number": row.tries} if row.tries > 1 else given
        )

    @display(description=_("next attempt"), ordering="due_at")
    def next_attempt(self, row: Delivery) -> Any:
        if row.status != Delivery.Status.PENDING:
            return "–"
        return formats.moment(row.due_at, zone=row.program.zone) if row.endpoint.is_on else _("once it is switched on")

    @display(description=_("written"), ordering="created_at")
    def written(self, row: Delivery) -> str:
        return formats.moment(row.created_at, zone=row.program.zone)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Whether the person may send anything again in any business."""
        return bool(request.user.is_superuser or businesses_of(request, Permission.MANAGE_KEYS))

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Send the chosen deliveries now, delivered or not."""
        if not request.user.is_superuser:
            queryset = queryset.filter(program__business__in=businesses_of(request, Permission.MANAGE_KEYS))
        count = send_again(deliveries=queryset, at=datetime.now(UTC), by=actor(request))
        text = ngettext("%(count)d message is sent again.", "%(count)d messages are sent again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        one = path("<uuid:pk>/again/", self.admin_site.admin_view(self.send_one), name="webhooks_delivery_again")
        return [one, *super().get_urls()]

    def send_one(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: send this one again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self._may(request, Permission.MANAGE_KEYS, row):
            raise PermissionDenied
        self.send_again(request, Delivery.objects.filter(pk=row.pk))
        return redirect("admin:webhooks_delivery_change", row.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = cast("Delivery | None", self.get_object(request, object_id))
        extra: dict[str, Any] = {}
        if row is not None:
            key, words = state_of(row)
            extra = {"state": key, "state_words": words, "told": _told(row), "attempts": _attempts(row)}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def state_of(row: Delivery) -> tuple[str, Any]:
    """Return where a delivery stands, as a key and in words."""
    if row.status != Delivery.Status.PENDING:
        return row.status, row.get_status_display()
    if not row.endpoint.is_on:
        return "held", _("Waits: the webhook is off")
    return ("retrying", _("Retrying")) if row.step else ("pending", _("On its way"))


def _told(row: Delivery) -> str:
    """Return the body as it is sent, with lines and indents for people."""
    return json.dumps(json.loads(body_of(row.message, zone=row.program.zone)), ensure_ascii=False, indent=2)


def _attempts(row: Delivery) -> list[dict[str, Any]]:
    """Return the attempts, the newest first."""
    return [
        {
            "number": one.number,
            "at": formats.moment(one.started_at, zone=row.program.zone),
            "took": _("%(milliseconds)s ms") % {"milliseconds": formats.number(one.duration_ms)},
            "status": one.answered,
            "is_success": one.answered is not None and one.answered // 100 == 2,
            "fault": one.get_fault_display() if one.fault else "",
            "answer": one.answer,
        }
        for one in Attempt.objects.filter(program_id=row.program_id, delivery=row).order_by("-number")
    ]
