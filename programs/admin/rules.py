"""The rules of earning: rows on the version's page, and a page for each rule with its conditions, rates and limits."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.validators import MaxValueValidator
from django.db.models import Max, Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import businesses_of
from accounts.roles import Permission
from programs import content
from programs.admin import fitting, panels
from programs.admin.drafts import NumbersForm, PartAdmin, PartFormSet, PartInline, PartOfPartInline, offer, own_page
from programs.admin.looking import Looked
from programs.admin.sayings import SayingFormSet, SayingInline
from programs.admin.typed import rule_as_typed, with_rule
from programs.admin.wording import rule_in_words
from programs.changes.rules import rule_lines
from programs.changes.sentence import rule_sentence
from programs.changes.words import Words, words_for
from programs.content import Content, RuleContent
from programs.faults import faults_of
from programs.models import ProgramVersion, Rule, RuleCap, RuleClause, RuleLineRate, TierRate

Effect, Trigger = Rule.Effect, Rule.Trigger
OF_ANOTHER = (Effect.MULTIPLIER, Effect.BONUS)
LAST_PLACE = 9_999


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


class RuleRowsFormSet(PartFormSet):
    """Rows of a rule, which may not be saved yet itself."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.rule = self.instance
        return form


class LineRateFormSet(SayingFormSet):
    """Rates of some lines; all of them go where what the rule gives does not go by line."""

    def _should_delete_form(self, form: Any) -> bool:
        rule = self.instance
        if self.is_bound and not fitting.fits("line_rates", trigger=rule.trigger, effect=rule.effect):
            return True
        return bool(super()._should_delete_form(form))


class RuleClauseInline(SayingInline):
    """All of these must hold, else the rule gives nothing."""

    model = RuleClause
    fields = ("kind", "negated", "value")
    verbose_name = _("condition")
    verbose_name_plural = _("only if all of these hold")


class RuleLineRateInline(SayingInline):
    """Rates for some lines, in place of the rule's own."""

    model = RuleLineRate
    formset = LineRateFormSet
    fields = ("position", "kind", "negated", "value", "rate")
    ordering = ("position",)
    verbose_name = _("rate")
    verbose_name_plural = _("other rates for some lines, of which the first that fits counts")


class TierRateInline(PartOfPartInline):
    """Rates that stand in place of the rule's own."""

    model = TierRate
    form = NumbersForm
    formset = RuleRowsFormSet
    fields = ("tier", "rate")
    ordering = ("tier__rank",)
    verbose_name = _("rate")
    verbose_name_plural = _("other rates for members of a tier")


class RuleCapForm(NumbersForm):
    """A limit; what it counts must be there."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        counts = cleaned.get("counts")
        if counts and not fitting.choice_fits("counts", counts, trigger=self.instance.rule.trigger):
            self.add_error("counts", _("Only purchases have an amount. Limit the units or the times."))
        return cleaned


class RuleCapInline(PartOfPartInline):
    """Limits of the rule."""

    model = RuleCap
    fk_name = "rule"
    form = RuleCapForm
    formset = RuleRowsFormSet
    fields = ("counts", "amount", "window", "scope", "per", "is_on")
    verbose_name = _("limit")
    verbose_name_plural = _("limits")


class RuleForm(NumbersForm):
    """A rule; what its trigger or its effect does not need is left out."""

    draft: ClassVar[ProgramVersion | None] = None  # For a rule that is to be added.

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.draft is not None and self.instance._state.adding:
            self.instance.version = self.draft
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
        if "trigger" in self.fields:
            self.fields["trigger"].widget = forms.RadioSelect(choices=Trigger.choices)
        if "position" in self.fields:
            self.fields["position"].validators.append(MaxValueValidator(LAST_PLACE))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        trigger, effect = cleaned.get("trigger"), cleaned.get("effect")
        others = self.instance.version.rules.exclude(pk=self.instance.pk)
        if (other := others.filter(code=cleaned.get("code", "")).first()) is not None:
            self.add_error("code", _("“%(rule)s” has this code.") % {"rule": other})
        if not trigger or not effect:
            return cleaned
        if not fitting.choice_fits("effect", effect, trigger=trigger):
            self.add_error("effect", _("Without a purchase there is no amount and no line: give units, or percent."))
        empty = {"event": "", "of": "", "of_tier_rate": False, "pieces": Rule.Pieces.SUM}
        left_out = {name for name in empty if not fitting.fits(name, trigger=trigger, effect=effect)}
        return cleaned | {name: empty[name] for name in left_out}


@admin.register(Rule)
class RuleAdmin(Looked, PartAdmin):
    """Earning rules of every version."""

    add_permission = Permission.EDIT_PROGRAM
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
    inlines: ClassVar = [RuleClauseInline, TierRateInline, RuleLineRateInline, RuleCapInline]
    ordering = ("-version__number", "position")
    change_form_template = "admin/programs/rule_form.html"
    look_template = "admin/programs/rule_look.html"

    @admin.display(description=_("rate"), ordering="rate")
    def rate_shown(self, rule: Rule) -> str:
        return formats.rate(rule.rate)

    # --- A new one -----------------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add a rule to the draft that the address names; to the only one there is, if it names none."""
        if self.has_add_permission(request) and self._draft(request) is None:
            messages.info(request, _("Open a draft, and add the rule there."))
            return redirect("admin:programs_programversion_changelist")
        return super().add_view(request, form_url, extra_context)  # type: ignore[no-any-return]

    def added_to(self, request: HttpRequest) -> ProgramVersion | None:
        return self._draft(request)

    def _draft(self, request: HttpRequest) -> ProgramVersion | None:
        drafts = ProgramVersion.objects.drafts().select_related("program")
        if not request.user.is_superuser:
            drafts = drafts.filter(program__business__in=businesses_of(request, Permission.EDIT_PROGRAM))
        if wanted := request.GET.get("version"):
            return next((draft for draft in drafts if str(draft.pk) == wanted), None)
        few = list(drafts[:2])
        return few[0] if len(few) == 1 else None

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            form.draft = self._draft(request)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        draft = self._draft(request)
        assert draft is not None, "add_view asks for it"
        last = draft.rules.aggregate(last=Max("position"))["last"]
        unit = draft.program.units.order_by("pk").first()
        return {"position": 0 if last is None else last + 1, "unit": unit.pk if unit else None}

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Let the rows of a new rule know its version."""
        return super().get_formsets_with_inlines(request, obj or Rule(version=self._draft(request)))

    def response_post_save_add(self, request: HttpRequest, obj: Rule) -> HttpResponse:
        return redirect("admin:programs_programversion_change", obj.version_id)

    def response_post_save_change(self, request: HttpRequest, obj: Rule) -> HttpResponse:
        return redirect("admin:programs_programversion_change", obj.version_id)

    # --- A purchase tried ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        tried = path("try/<uuid:version>/", self.admin_site.admin_view(self.try_it), name="programs_rule_try")
        return [tried, *super().get_urls()]

    def try_it(self, request: HttpRequest, version: Any) -> HttpResponse:
        """GET: an example purchase, and what it would get under the version."""
        seen = ProgramVersion.objects.select_related("program")
        if not request.user.is_superuser:
            seen = seen.filter(program__business__in=businesses_of(request, self.view_permission))
        found = seen.filter(pk=version).first()
        if found is None:
            raise Http404
        return TemplateResponse(
            request,
            "admin/programs/try.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Try a purchase against version %(number)d") % {"number": found.number},
                "version": found,
                "try_it": partial(panels.shown, panels.TRY, request, found, content.read(found)),
            },
        )

    # --- As it stands in the form --------------------------------------------------------------------------------

    def looked(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        """Return the rule in a sentence, what is wrong with it, and a purchase tried against the draft with it."""
        form = context["adminform"].form
        version: ProgramVersion = form.instance.version
        terms, code = content.read(version), str(form.initial.get("code") or "")
        rule = next((one for one in terms.rules if one.code == form.instance.code), None)
        if form.is_bound:
            rule = rule_as_typed(form, [inline.formset for inline in context["inline_admin_formsets"]])
        if rule is not None:
            terms = with_rule(terms, rule, code=code or rule.code)
        words = words_for(version.program, terms)
        return {
            **_told(rule, terms, version, words),
            "version": version,
            "rules": _beside(terms, version, rule, words),
            "table": json.dumps(fitting.table()),
            "rows": {inline.formset.prefix: inline for inline in context["inline_admin_formsets"]},
            "try_it": partial(
                panels.shown,
                panels.TRY,
                request,
                version,
                terms,
                rule=rule,
                form_id="rule_form" if version.is_draft else "try_form",
            ),
        }


def _told(rule: RuleContent | None, terms: Content, version: ProgramVersion, words: Words) -> dict[str, Any]:
    if rule is None:
        return {"sentence": [], "lines": {}, "faults": []}
    faults = faults_of(version, terms) if version.is_draft else []
    return {
        "sentence": rule_sentence(rule, terms, words),
        "lines": rule_lines(rule, words),
        "faults": [fault.message for fault in faults if fault.where == f"rule:{rule.code}"],
    }


def _beside(terms: Content, version: ProgramVersion, rule: RuleContent | None, words: Words) -> list[dict[str, Any]]:
    """Return the version's rules for the way from one to the other."""
    pages = dict(version.rules.values_list("code", "pk"))
    return [
        {
            "name": one.name,
            "said": words.rate(one, one.rate) if one.rate else "",
            "is_on": one.is_on,
            "pk": pages.get(one.code),
            "is_open": one is rule,
        }
        for one in terms.rules
    ]
