"""Admin pages of segments: members that staff put together, for rules to ask for."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import formats
from accounts.admin_base import (
    TabularInline,
    TenantAdmin,
    TenantInline,
    UnfoldAdminTextareaWidget,
    actor,
    display,
)
from accounts.admin_history import RecordedRow
from accounts.history.recording import Part, Place
from accounts.roles import Permission
from programs.journal import place_of, segment_part
from programs.models import Segment, SegmentMember
from programs.segments import add_members

NAMED_AT_MOST = 5


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """A segment, and who is to come into it."""

    add = forms.CharField(
        label=_("Put members in"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("One to a line: card numbers, numbers in your system or e-mail addresses."),
    )

    class Meta:
        model = Segment
        fields = ("program", "code", "name")


class SegmentMemberInline(TenantInline, TabularInline):  # type: ignore[misc]
    """Who is in the segment; a tick takes someone out."""

    model = SegmentMember
    business_path = "program__business"
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    delete_permission = Permission.EDIT_PROGRAM
    fields = ("person", "card", "added")
    readonly_fields = ("person", "card", "added")
    ordering = ("-added_at", "pk")
    hide_title = True
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("membership__customer", "program")

    @display(description=_("name"))
    def person(self, row: SegmentMember) -> Any:
        customer = row.membership.customer
        return customer.full_name or customer.email or _("No name")

    @display(description=_("card number"))
    def card(self, row: SegmentMember) -> str:
        return row.membership.card_shown.replace(" ", formats.NO_BREAK)

    @display(description=_("added"))
    def added(self, row: SegmentMember) -> str:
        return formats.moment(row.added_at, zone=row.program.zone)


@admin.register(Segment)
class SegmentAdmin(RecordedRow, TenantAdmin):
    """Segments of every program."""

    form = SegmentForm
    business_path = "program__business"
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    add_permission = Permission.EDIT_PROGRAM
    list_display = ("name", "code", "program", "size")
    list_select_related = ("program",)
    list_filter = (("program", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name", "code")
    fields = ("program", ("code", "name"), "add")
    readonly_after_creation = ("program", "code")
    inlines: ClassVar = [SegmentMemberInline]
    recorded_fields = ("name",)

    def part_of(self, obj: Segment) -> Part:
        return segment_part(obj)

    def place_of(self, obj: Segment) -> Place:
        return place_of(obj.program)

    def said_of(self, obj: Segment) -> dict[str, str]:
        """Return the name and how many are in it; who they are is no setting."""
        return {**super().said_of(obj), str(_("Members")): formats.number(obj.members.count())}

    def history_zone(self, obj: Segment) -> tzinfo:
        return obj.program.zone

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program").annotate(members_in_it=Count("members"))

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> list[Any]:
        return [SegmentMemberInline] if obj is not None else []

    @display(description=_("members"))
    def size(self, segment: Segment) -> str:
        return formats.number(getattr(segment, "members_in_it", 0))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        given = form.cleaned_data.get("add", "").splitlines()
        if not any(text.strip() for text in given):
            return
        count, unknown = add_members(segment=form.instance, given=given, by=actor(request))
        text = ngettext("%(count)s member came in.", "%(count)s members came in.", count)
        messages.success(request, text % {"count": formats.number(count)})
        if unknown:
            messages.warning(request, _unknown_words(unknown))


def _unknown_words(unknown: list[str]) -> str:
    """Return who was not found, the first few by what was given."""
    named = ", ".join(unknown[:NAMED_AT_MOST])
    more = len(unknown) - NAMED_AT_MOST
    if more <= 0:
        return str(_("No member of the program is named: %(named)s.") % {"named": named})
    text = ngettext(
        "No member of the program is named: %(named)s and %(more)s more.",
        "No member of the program is named: %(named)s and %(more)s more.",
        more,
    )
    return text % {"named": named, "more": formats.number(more)}
