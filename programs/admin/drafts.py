"""What the pages and rows of a version's parts have in common: edited while it is a draft, read for ever."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import (
    PaginationInlineFormSet,
    TabularInline,
    TenantAdmin,
    TenantInline,
    UnfoldAdminSelectWidget,
    name_for_screen_readers,
)
from accounts.roles import Permission
from programs.admin.recorded import RecordedTerms
from programs.models import ProgramVersion, Reward, Rule, RuleGroup, Tier, UnitTerms


def version_of(obj: Model | None) -> ProgramVersion | None:
    """Return the version that a part belongs to, or the version itself."""
    if obj is None or isinstance(obj, ProgramVersion):
        return obj
    return obj.version if isinstance(obj, Tier | Rule | RuleGroup | UnitTerms | Reward) else None


class DraftOnly:
    """For pages and rows that can be edited while their version is a draft, and read for ever."""

    view_permission: ClassVar[Permission] = Permission.EDIT_PROGRAM
    change_permission: ClassVar[Permission | None] = Permission.EDIT_PROGRAM

    def is_editable(self, obj: Model | None) -> bool:
        version = version_of(obj)
        return version is None or version.is_draft


class PartFormSet(PaginationInlineFormSet):  # type: ignore[misc]
    """Rows of a version or of one of its parts; one that another tab has taken out says so."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        key = form.fields.get(self.model._meta.pk.name)
        if key is not None:
            key.error_messages["invalid_choice"] = _(
                "This row was taken out in another tab meanwhile. Take it out here too, or add it again as a new one."
            )


class PartInline(DraftOnly, TenantInline, TabularInline):  # type: ignore[misc]
    """Rows of a version, or of one of its parts."""

    business_path = "program__business"
    add_permission = Permission.EDIT_PROGRAM
    delete_permission = Permission.EDIT_PROGRAM
    hide_title = True
    formset = PartFormSet

    def is_frozen(self, obj: Model | None) -> bool:
        """Whether the rows can only be read."""
        return obj is not None and not self.is_editable(obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only units of the same program, and tiers and groups of the same version."""
        version = version_of(self.parent)
        if version is not None and db_field.name == "unit":
            kwargs["queryset"] = version.program.units.all()
        if version is not None and db_field.name == "tier":
            kwargs["queryset"] = version.tiers.order_by("rank")
        if version is not None and db_field.name == "group":
            kwargs["queryset"] = version.groups.order_by("position")
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if version is not None and field is not None:
            field.choices = list(field.choices)  # Asked once for all rows.
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_detours(super().formfield_for_dbfield(db_field, request, **kwargs))


class PartOfPartInline(PartInline):
    """Rows of a tier, a rule, a group or a unit's terms."""

    business_path = "version__program__business"


class PartAdmin(RecordedTerms, DraftOnly, TenantAdmin):
    """A page for one part of a version. Parts are added and taken out on the version's page."""

    business_path = "version__program__business"
    list_select_related: ClassVar[Any] = ("version__program",)
    list_filter = ("version__status",)
    ordering = ("-version__number", "pk")
    readonly_fields: ClassVar[tuple[str, ...]] = ("of_version",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("version__program")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_detours(super().formfield_for_dbfield(db_field, request, **kwargs))

    def of_version(self, part: Any) -> Any:
        """The version that the part stands in, and the way back to it."""
        address = reverse("admin:programs_programversion_change", args=[part.version_id])
        return format_html('<a class="lo-link" href="{}">{}</a>', address, part.version)

    of_version.short_description = _("version")  # type: ignore[attr-defined]


class NumbersForm(forms.ModelForm):  # type: ignore[type-arg]
    """Shows rates and amounts as short as they can be: 1.5, not 1.5000."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.initial.items():
            if isinstance(value, Decimal):
                self.initial[name] = Decimal(f"{value.normalize():f}")


def offer(
    form: forms.BaseForm, name: str, choices: Iterable[tuple[str, Any]], *, none: Any = "–", help_text: Any = ""
) -> None:
    """Let a field of text be chosen from what there is; what stands there stays a choice."""
    field = form.fields.get(name)
    if field is None:
        return
    known = [("", none), *choices]
    present = str(form.initial.get(name) or "")
    if present and present not in {value for value, _label in known}:
        known.append((present, _("%(code)s (not there)") % {"code": present}))
    form.fields[name] = forms.ChoiceField(
        label=field.label,
        help_text=help_text,
        required=False,
        choices=known,
        widget=UnfoldAdminSelectWidget(choices=known),
    )
    name_for_screen_readers(form.fields[name])


def shown_if(field: str, condition: str) -> str:
    """Return for the theme when a field is shown: always on a page that is only read, where there are no inputs."""
    return f"typeof {field} === 'undefined' || {condition}"


def own_page(part: Model, lines: Iterable[str]) -> Any:
    """Return what is said of a part, line by line, and the way to its own page."""
    address = reverse(f"admin:programs_{part._meta.model_name}_change", args=[part.pk])
    said = format_html_join("", '<span class="lo-second">{}</span>', ((line,) for line in lines))
    return format_html('{}<a class="lo-link" href="{}">{}</a>', said, address, _("Open %(part)s") % {"part": part})


def without_detours(field: Any) -> Any:
    """Take away the theme's ways out of a choice: what is offered has pages of its own."""
    widget = getattr(field, "widget", None)
    for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
        if hasattr(widget, name):
            setattr(widget, name, False)
    return field
