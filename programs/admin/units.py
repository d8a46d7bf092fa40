"""How units live under a version: rows on the version's page, and a page for each unit's terms."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import UnfoldAdminCheckboxSelectMultipleWidget
from programs.admin.drafts import PartAdmin, PartInline, PartOfPartInline, own_page, shown_if
from programs.admin.looking import NoticesOthers
from programs.admin.wording import unit_in_words
from programs.models import ProgramVersion, TierExpiry, UnitTerms

Expiry = UnitTerms.Expiry
BY_TIME = (Expiry.ROLLING, Expiry.INACTIVITY)


class UnitTermsInline(PartInline):
    """How each unit lives under this version, in words."""

    model = UnitTerms
    fields = ("unit", "details")
    readonly_fields = ("details",)
    verbose_name = _("unit")
    verbose_name_plural = _("units")

    @admin.display(description=_("how it lives and ends"))
    def details(self, terms: UnitTerms) -> Any:
        """How the unit lives, in words, which leads to the page of its terms."""
        if terms._state.adding:
            return _("after saving")
        assert isinstance(self.parent, ProgramVersion), self.parent
        return own_page(terms, unit_in_words(terms.unit.code, self.parent))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("unit")


class UnitTermsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The terms of a unit; what its kind of expiry does not need is left out."""

    kept_alive_by = forms.MultipleChoiceField(
        label=_("Activity is"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kept_alive_by" not in self.fields:
            return
        chosen = [code.strip() for code in self.instance.kept_alive_by.split(",") if code.strip()]
        known = {
            "purchase": _("A purchase"),
            "redemption": _("Spending units"),
            "event": _("Any event"),
            **{event.code: event.name for event in self.instance.version.event_types.all()},
        }
        unknown = {code: _("%(code)s (not there)") % {"code": code} for code in chosen if code not in known}
        self.fields["kept_alive_by"].choices = list({**known, **unknown}.items())  # type: ignore[attr-defined]
        self.initial["kept_alive_by"] = chosen

    def clean_kept_alive_by(self) -> str:
        return ", ".join(self.cleaned_data["kept_alive_by"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        expiry = cleaned.get("expiry")
        if expiry not in BY_TIME:
            cleaned.update(expiry_months=None, expiry_days=None, round_up="", fall_months=None)
        if expiry != Expiry.FIXED:
            cleaned["fixed_days"] = ""
        if expiry != Expiry.INACTIVITY and not cleaned.get("kept_alive_by"):
            cleaned["kept_alive_by"] = self.instance.kept_alive_by
        return cleaned


class TierExpiryInline(PartOfPartInline):
    """Months for members of some tiers, in place of the unit's own."""

    model = TierExpiry
    fields = ("tier", "months")
    verbose_name = _("tier")
    verbose_name_plural = _("other months for members of a tier")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "months":
            field.widget.attrs["placeholder"] = _("never expires")
        return field


@admin.register(UnitTerms)
class UnitTermsAdmin(NoticesOthers, PartAdmin):
    """Terms of units in every version."""

    form = UnitTermsForm
    history_kind = "unit"
    list_display = ("unit", "expiry", "expiry_months", "version")
    list_select_related = ("version__program", "unit")
    readonly_fields = ("of_version", "unit")
    inlines: ClassVar = [TierExpiryInline]
    fieldsets: ClassVar = (
        (None, {"fields": (("of_version", "unit"),)}),
        (
            _("How it ends"),
            {
                "fields": (
                    "expiry",
                    ("expiry_months", "expiry_days"),
                    "round_up",
                    "fixed_days",
                    "kept_alive_by",
                    "fall_months",
                )
            },
        ),
        (_("When it can be spent"), {"fields": (("pending_days", "pending_until"), "debt")}),
    )
    conditional_fields: ClassVar = {
        "expiry_months": shown_if("expiry", "['rolling', 'inactivity'].includes(expiry)"),
        "expiry_days": shown_if("expiry", "['rolling', 'inactivity'].includes(expiry)"),
        "round_up": shown_if("expiry", "['rolling', 'inactivity'].includes(expiry)"),
        "fall_months": shown_if("expiry", "['rolling', 'inactivity'].includes(expiry)"),
        "fixed_days": shown_if("expiry", "expiry == 'fixed'"),
        "kept_alive_by": shown_if("expiry", "expiry == 'inactivity'"),
    }

    def history_code(self, obj: UnitTerms) -> str:
        return obj.unit.code

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from the version's page alone."""
        return False
