"""The rules of earning: rows on the version's page, and a page for each rule with its conditions, rates and limits."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import UnfoldAdminTextInputWidget
from programs.admin.drafts import NumbersForm, PartAdmin, PartInline, PartOfPartInline, offer, own_page, shown_if
from programs.admin.wording import rule_in_words
from programs.models import ClauseKind, ProgramVersion, Rule, RuleCap, RuleClause, RuleLineRate, TierRate

Effect, Trigger = Rule.Effect, Rule.Trigger
OF_ANOTHER = (Effect.MULTIPLIER, Effect.BONUS)
EXAMPLES = {
    ClauseKind.SKU: "A-100, A-101",
    ClauseKind.CATEGORY: "travel, rides",
    ClauseKind.BRAND: "Residence Inn, TownePlace",
    ClauseKind.TAG: "organic, sale",
    ClauseKind.FIRST_LINES: "stay: 3",
    ClauseKind.AMOUNT: ">= 50.00",
    ClauseKind.QUANTITY: "2..5",
    ClauseKind.STORE: "prague-1, prague-2",
    ClauseKind.CHANNEL: "app, web",
    ClauseKind.WEEKDAY: "mon-fri",
    ClauseKind.HOURS: "09:00-17:00",
    ClauseKind.DATES: "2027-11-01..2027-11-30",
    ClauseKind.NTH: _("1, or: every 10"),
    ClauseKind.BIRTHDAY: _("month, or days around it: -7..7"),
    ClauseKind.TIER: "silver, gold",
    ClauseKind.SEGMENT: "staff, press",
    ClauseKind.AGE: ">= 12",
    ClauseKind.ATTRIBUTE: "place=Prague, Brno",
}
"""What a condition of each kind may say."""


class RuleRowForm(NumbersForm):
    """A rule in brief. What an effect needs beside its rate stands on the rule's own page, so some are chosen there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "effect" in self.fields:
            possible = _effects_in_brief(self.instance)
            choices = [(value, label) for value, label in Effect.choices if value in possible]
            self.fields["effect"].choices = choices  # type: ignore[attr-defined]


def _effects_in_brief(rule: Rule) -> tuple[str, ...]:
    """Return the effects that the rest of the rule allows."""
    if rule.effect in OF_ANOTHER:
        return (rule.effect,)
    if rule.trigger != Trigger.PURCHASE:
        return (Effect.FIXED,)
    if rule.pieces != Rule.Pieces.SUM:
        return (Effect.PER_ITEM,)
    return tuple(effect for effect in Effect.values if effect not in OF_ANOTHER)


class RuleInline(PartInline):
    """The rules of earning, in order."""

    model = Rule
    form = RuleRowForm
    ordering = ("position", "code")
    verbose_name_plural = _("earning rules, in order")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        rate = "rate_shown" if self.is_frozen(obj) else "rate"
        return ("position", "code", "name", "unit", "effect", rate, "is_on", "details")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["details", "rate_shown"]

    @admin.display(description=_("rate"))
    def rate_shown(self, rule: Rule) -> str:
        return formats.rate(rule.rate)

    @admin.display(description=_("in words"))
    def details(self, rule: Rule) -> Any:
        """What stands on the rule's own page, in words, which leads there."""
        if rule._state.adding:
            return _("after saving")
        assert isinstance(self.parent, ProgramVersion), self.parent
        return own_page(rule, rule_in_words(rule.code, self.parent))


class SayingForm(NumbersForm):
    """A condition as staff write it, with an example for its kind beside it; the row itself checks it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "value" not in self.fields:
            return
        examples = {kind.value: str(example) for kind, example in EXAMPLES.items()}
        chosen = self.initial.get("kind") or next(iter(examples))
        self.fields["value"].widget = UnfoldAdminTextInputWidget(
            attrs={"placeholder": examples.get(chosen, ""), "data-example": "", "aria-label": str(_("is"))}
        )
        self.fields["kind"].widget.attrs["data-examples"] = json.dumps(examples)


class SayingInline(PartOfPartInline):
    """Rows that say a condition."""

    form = SayingForm

    class Media:
        js = ("js/admin/examples.js",)


class RuleClauseInline(SayingInline):
    """All of these must hold, else the rule gives nothing."""

    model = RuleClause
    fields = ("kind", "negated", "value")
    verbose_name = _("condition")
    verbose_name_plural = _("only if all of these hold")


class RuleLineRateInline(SayingInline):
    """Rates for some lines, in place of the rule's own."""

    model = RuleLineRate
    fields = ("position", "kind", "negated", "value", "rate")
    ordering = ("position",)
    verbose_name_plural = _("other rates for some lines, of which the first that fits counts")


class TierRateInline(PartOfPartInline):
    """Rates that stand in place of the rule's own."""

    model = TierRate
    form = NumbersForm
    fields = ("tier", "rate")
    ordering = ("tier__rank",)
    verbose_name_plural = _("other rates for members of a tier")


class RuleCapInline(PartOfPartInline):
    """Limits of the rule."""

    model = RuleCap
    fk_name = "rule"
    form = NumbersForm
    fields = ("counts", "amount", "window", "scope", "per", "is_on")
    verbose_name = _("limit")
    verbose_name_plural = _("limits")


class RuleForm(NumbersForm):
    """A rule; what its trigger or its effect does not need is left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = self.instance.version
        offer(self, "event", version.event_types.values_list("code", "name"))
        others = version.rules.exclude(pk=self.instance.pk).order_by("position", "code")
        offer(
            self,
            "of",
            others.values_list("code", "name"),
            help_text=_("Its rate is multiplied, or the percentage is taken of what it gives."),
        )
        for name, rows in (("unit", version.program.units.all()), ("group", version.groups.order_by("position"))):
            if name in self.fields:
                self.fields[name].queryset = rows  # type: ignore[attr-defined]
        if "group" in self.fields:
            self.fields["group"].empty_label = _("Stands alone")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        effect = cleaned.get("effect")
        if cleaned.get("trigger") != Trigger.EVENT:
            cleaned["event"] = ""
        if effect not in OF_ANOTHER:
            cleaned["of"] = ""
        if effect != Effect.MULTIPLIER:
            cleaned["of_tier_rate"] = False
        if effect != Effect.PER_ITEM:
            cleaned["pieces"] = Rule.Pieces.SUM
        return cleaned


@admin.register(Rule)
class RuleAdmin(PartAdmin):
    """Earning rules of every version."""

    form = RuleForm
    history_kind = "rule"
    list_display = ("name", "code", "unit", "effect", "rate_shown", "is_on", "version")
    list_select_related = ("version__program", "unit")
    search_fields = ("name", "code")
    fieldsets: ClassVar = (
        (None, {"fields": ("of_version", ("code", "name"), "is_on")}),
        (_("When it applies"), {"fields": (("trigger", "event"),)}),
        (
            _("What it gives"),
            {"fields": ("effect", ("rate", "unit"), ("of", "of_tier_rate"), "pieces")},
        ),
        (_("How it stacks"), {"fields": (("group", "position"),)}),
    )
    conditional_fields: ClassVar = {
        "event": shown_if("trigger", "trigger == 'event'"),
        "of": shown_if("effect", "['multiplier', 'bonus'].includes(effect)"),
        "of_tier_rate": shown_if("effect", "effect == 'multiplier'"),
        "pieces": shown_if("effect", "effect == 'per_item'"),
    }
    inlines: ClassVar = [RuleClauseInline, TierRateInline, RuleLineRateInline, RuleCapInline]
    ordering = ("-version__number", "position")

    @admin.display(description=_("rate"), ordering="rate")
    def rate_shown(self, rule: Rule) -> str:
        return formats.rate(rule.rate)
