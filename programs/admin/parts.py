"""The parts of a version: units' terms, tiers, rules; on the version's page and on pages of their own."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import F, Max, Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import (
    PaginationInlineFormSet,
    TabularInline,
    TenantAdmin,
    TenantInline,
    UnfoldAdminDecimalFieldWidget,
    name_for_screen_readers,
)
from accounts.roles import Permission
from programs.models import ProgramVersion, Rule, RuleCap, Tier, TierCondition, TierRate, UnitTerms


def version_of(obj: Model | None) -> ProgramVersion | None:
    """Return the version that a part belongs to, or the version itself."""
    if obj is None or isinstance(obj, ProgramVersion):
        return obj
    return obj.version if isinstance(obj, Tier | Rule) else None


class DraftOnly:
    """For pages and rows that can be edited while their version is a draft, and read for ever."""

    view_permission: ClassVar[Permission] = Permission.EDIT_PROGRAM
    change_permission: ClassVar[Permission | None] = Permission.EDIT_PROGRAM

    def is_editable(self, obj: Model | None) -> bool:
        version = version_of(obj)
        return version is None or version.is_draft


class PartInline(DraftOnly, TenantInline, TabularInline):  # type: ignore[misc]
    """Rows of a version, or of one of its parts."""

    business_path = "program__business"
    add_permission = Permission.EDIT_PROGRAM
    delete_permission = Permission.EDIT_PROGRAM

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only units of the same program and tiers of the same version."""
        version = version_of(self.parent)
        if version is not None and db_field.name == "unit":
            kwargs["queryset"] = version.program.units.all()
        if version is not None and db_field.name == "tier":
            kwargs["queryset"] = version.tiers.order_by("rank")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class NumbersForm(forms.ModelForm):  # type: ignore[type-arg]
    """Shows rates and amounts as short as they can be: 1.5, not 1.5000."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.initial.items():
            if isinstance(value, Decimal):
                self.initial[name] = Decimal(f"{value.normalize():f}")


class UnitTermsInline(PartInline):
    """How each unit lives under this version."""

    model = UnitTerms
    hide_title = True
    fields = ("unit", "expiry", "expiry_months", "pending_days")


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rung of the ladder with what must be spent for it; further conditions stand on the tier's own page."""

    threshold = forms.DecimalField(
        label=_("spend in a calendar year, at least"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=15,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )

    class Meta:
        model = Tier
        fields = ("rank", "code", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_for_screen_readers(self.fields["threshold"])
        condition = self._condition()
        if condition is not None:
            self.initial["threshold"] = f"{condition.threshold:.2f}"

    def _get_validation_exclusions(self) -> set[str]:
        """Leave places to the whole ladder's check, which knows where the other rows go."""
        return {*super()._get_validation_exclusions(), "rank"}  # type: ignore[misc]

    def _condition(self) -> TierCondition | None:
        if self.instance._state.adding:
            return None
        by_spend = (TierCondition.Measure.SPEND, TierCondition.Window.CALENDAR_YEAR)
        return next((c for c in self.instance.conditions.all() if (c.measure, c.window) == by_spend), None)

    def save_threshold(self) -> None:
        """Write what was asked for; an empty field takes the condition away."""
        if "threshold" not in self.changed_data:
            return
        threshold = self.cleaned_data["threshold"]
        by_spend = {
            "tier": self.instance,
            "measure": TierCondition.Measure.SPEND,
            "window": TierCondition.Window.CALENDAR_YEAR,
        }
        if threshold is None:
            TierCondition.objects.filter(**by_spend).delete()
        else:
            TierCondition.objects.update_or_create(**by_spend, defaults={"threshold": threshold})


class TierFormSet(PaginationInlineFormSet):  # type: ignore[misc]
    """The ladder's rows, which may change places with each other in one go."""

    def clean(self) -> None:
        super().clean()
        standing = [row for row in self.forms if row not in self.deleted_forms and row.cleaned_data]
        places = Counter(row.cleaned_data.get("rank") for row in standing)
        for rank, count in places.items():
            if rank is not None and count > 1:
                raise forms.ValidationError(
                    _("%(count)d tiers have the place %(rank)d."), params={"count": count, "rank": rank}
                )

    def save(self, commit: bool = True) -> Any:
        """Free the old places first: the database knows no moment at which two tiers share one."""
        moving = [row for row in self.initial_forms if "rank" in row.changed_data or row in self.deleted_forms]
        if commit and moving:
            highest = self.queryset.aggregate(highest=Max("rank"))["highest"] or 0
            wanted = max([row.cleaned_data.get("rank") or 0 for row in self.forms if row.cleaned_data], default=0)
            ids = [row.instance.pk for row in moving]
            Tier.objects.filter(pk__in=ids).update(rank=F("rank") + max(highest, wanted) + 1)
        return super().save(commit=commit)


class TierInline(PartInline):
    """The ladder, from below."""

    model = Tier
    form = TierForm
    formset = TierFormSet
    ordering = ("rank",)
    hide_title = True
    verbose_name_plural = _("tiers, from below")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("conditions")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """A form's own field cannot be shown read-only, so the frozen ladder has a column in its place."""
        return ["asks_for"] if obj is not None and not self.is_editable(obj) else []

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        last = "asks_for" if obj is not None and not self.is_editable(obj) else "threshold"
        return ("rank", "code", "name", last)

    @admin.display(description=_("spend in a calendar year, at least"))
    def asks_for(self, tier: Tier) -> str:
        return ", ".join(f"{c.threshold:,.2f}" for c in tier.conditions.all()) or "–"


class RuleInline(PartInline):
    """The rules of earning, in order."""

    model = Rule
    form = NumbersForm
    ordering = ("position", "code")
    hide_title = True
    verbose_name_plural = _("earning rules, in order")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("tier_rates__tier", "caps")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        frozen = obj is not None and not self.is_editable(obj)
        return ("position", "code", "name", "unit", "effect", "rate_shown" if frozen else "rate", "details")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["details", "rate_shown"]

    @admin.display(description=_("rate"))
    def rate_shown(self, rule: Rule) -> str:
        return formats.rate(rule.rate)

    @admin.display(description=_("by tier, limits"))
    def details(self, rule: Rule) -> Any:
        """The rates of tiers and the limits, which stand on the rule's own page."""
        if rule._state.adding:
            return _("after saving")
        said = [*map(str, rule.tier_rates.all()), *map(str, rule.caps.all())]
        words = ", ".join(said) or _("none")
        return _own_page("rule", rule.pk, words)


def _own_page(model: str, pk: Any, words: Any) -> Any:
    return format_html(
        '<a class="lo-link" href="{}">{}</a>', reverse(f"admin:programs_{model}_change", args=[pk]), words
    )


class PartOfPartInline(PartInline):
    """Rows of a tier or of a rule."""

    hide_title = True
    business_path = "version__program__business"


class TierConditionInline(PartOfPartInline):
    """All of these must be reached for the tier."""

    model = TierCondition
    form = NumbersForm
    fields = ("measure", "window", "threshold")


class TierRateInline(PartOfPartInline):
    """Rates that stand in place of the rule's own."""

    model = TierRate
    form = NumbersForm
    fields = ("tier", "rate")


class RuleCapInline(PartOfPartInline):
    """Limits on the amount that the rule counts."""

    model = RuleCap
    form = NumbersForm
    fields = ("window", "amount")


class PartAdmin(DraftOnly, TenantAdmin):
    """A page for one part of a version. Parts are added and taken out on the version's page."""

    business_path = "version__program__business"
    list_select_related: ClassVar[Any] = ("version__program",)
    list_filter = ("version__status",)
    ordering = ("-version__number", "pk")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("version__program")


@admin.register(Tier)
class TierAdmin(PartAdmin):
    """Tiers of every version."""

    list_display = ("name", "code", "rank", "version")
    search_fields = ("name", "code")
    fields = ("version", "rank", "code", "name")
    readonly_fields = ("version",)
    inlines: ClassVar = [TierConditionInline]
    ordering = ("-version__number", "rank")


@admin.register(Rule)
class RuleAdmin(PartAdmin):
    """Earning rules of every version."""

    form = NumbersForm
    list_display = ("name", "code", "unit", "effect", "rate", "version")
    list_select_related = ("version__program", "unit")
    search_fields = ("name", "code")
    fields = ("version", ("code", "name"), "position", "unit", ("effect", "rate"))
    readonly_fields = ("version",)
    inlines: ClassVar = [TierRateInline, RuleCapInline]
    ordering = ("-version__number", "position")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if isinstance(obj, Rule) and "unit" in form.base_fields:
            form.base_fields["unit"].queryset = obj.version.program.units.all()
        return form
