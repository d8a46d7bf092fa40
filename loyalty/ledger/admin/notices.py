"""Admin pages of notices before a loss: what members are still to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import formats
from accounts.admin_base import businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin.books import ReadOnlyAdmin
from loyalty.ledger.models import Notice
from loyalty.ledger.notices import mark_sent


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Units that would expire and tiers that would end. The loss waits until its notice was sent."""

    view_permission = Permission.SEE_MEMBERS
    list_display = ("member", "kind", "what", "due", "written", "sent", "program")
    list_display_links = ("member",)
    list_select_related = ("program", "membership__customer")
    list_filter = (
        "kind",
        ("sent_at", admin.EmptyFieldListFilter),
        ("program", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("=membership__card", "=membership__external_id")
    search_help_text = _("A card number or a member's number in your system.")
    actions = ("mark_as_sent",)
    fields = ("member", ("kind", "what"), ("due", "written"), ("sent", "program"))
    readonly_fields = ("member", "due", "written", "sent")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program", "membership__customer")

    @display(description=_("member"))
    def member(self, row: Notice) -> str:
        return f"{row.membership.card_shown} · {row.membership.customer}"

    @display(description=_("due"), ordering="ends_at")
    def due(self, row: Notice) -> str:
        return formats.moment(row.ends_at, zone=row.program.zone)

    @display(description=_("written"), ordering="created_at")
    def written(self, row: Notice) -> str:
        return formats.moment(row.created_at, zone=row.program.zone)

    @display(description=_("sent"), ordering="sent_at")
    def sent(self, row: Notice) -> Any:
        return formats.moment(row.sent_at, zone=row.program.zone) if row.sent_at else _("not yet")

    def has_tell_permission(self, request: HttpRequest) -> bool:
        """Whether the person may say in any business that members were told."""
        return bool(request.user.is_superuser or businesses_of(request, Permission.TELL_MEMBERS))

    @admin.action(description=_("Mark as sent: the member was told"), permissions=["tell"])
    def mark_as_sent(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        """Say that the members of the chosen notices were told."""
        if not request.user.is_superuser:
            queryset = queryset.filter(program__business__in=businesses_of(request, Permission.TELL_MEMBERS))
        rows = queryset.select_related("program").order_by("membership_id", "pk")
        count = sum(mark_sent(notice=row, at=row.program.now()) for row in rows)
        text = ngettext("%(count)d notice is marked as sent.", "%(count)d notices are marked as sent.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)
