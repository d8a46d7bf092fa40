"""Groups of rules and types of events: rows on the version's page, and a page for each group with its limits."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from programs.admin.drafts import NumbersForm, PartAdmin, PartInline, PartOfPartInline, own_page
from programs.admin.looking import NoticesOthers
from programs.admin.wording import group_in_words
from programs.models import EventType, ProgramVersion, RuleCap, RuleGroup


class RuleGroupInline(PartInline):
    """How rules stack."""

    model = RuleGroup
    fields = ("position", "code", "name", "mode", "details")
    readonly_fields = ("details",)
    ordering = ("position", "code")
    verbose_name = _("group")
    verbose_name_plural = _("groups: how rules stack")

    @admin.display(description=_("rules, limits"))
    def details(self, group: RuleGroup) -> Any:
        """The group's rules and limits, in words, which lead to its own page."""
        if group._state.adding:
            return _("after saving")
        assert isinstance(self.parent, ProgramVersion), self.parent
        return own_page(group, group_in_words(group.code, self.parent))


class EventTypeInline(PartInline):
    """What apps may report beside purchases."""

    model = EventType
    fields = ("code", "name", "waits_for_friend")
    ordering = ("code",)
    verbose_name = _("type of event")
    verbose_name_plural = _("types of events")


class GroupCapInline(PartOfPartInline):
    """Limits that the rules of the group share."""

    model = RuleCap
    fk_name = "group"
    form = NumbersForm
    fields = ("counts", "amount", "window", "scope", "per", "is_on")
    verbose_name = _("limit")
    verbose_name_plural = _("limits that its rules share")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A group's limit counts units or times: an amount is each rule's own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "counts":
            field.choices = [choice for choice in RuleCap.Counts.choices if choice[0] != RuleCap.Counts.AMOUNT]
            field.initial = RuleCap.Counts.UNITS.value
        return field


@admin.register(RuleGroup)
class RuleGroupAdmin(NoticesOthers, PartAdmin):
    """Groups of rules of every version."""

    history_kind = "group"
    list_display = ("name", "code", "mode", "version")
    search_fields = ("name", "code")
    fields = ("of_version", ("code", "name"), ("mode", "position"))
    inlines: ClassVar = [GroupCapInline]
    ordering = ("-version__number", "position")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from the version's page alone."""
        return False
