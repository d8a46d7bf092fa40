"""The ladder of a version: rows on the version's page, and a page for each tier."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator
from django.db.models import F, Max, Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import UnfoldAdminDecimalFieldWidget, businesses_of, name_for_screen_readers
from programs import content
from programs.admin import panels
from programs.admin.drafts import NumbersForm, PartAdmin, PartFormSet, PartInline, PartOfPartInline, own_page
from programs.admin.looking import Looked
from programs.admin.typed import tier_as_typed, with_tier
from programs.admin.wording import tier_in_words
from programs.changes.ladder import asked_lines, threshold_in_words, tier_lines
from programs.changes.words import Words, words_for
from programs.content import Content, TierContent
from programs.models import ProgramVersion, Tier, TierBenefit, TierCondition

HIGHEST_PLACE = 999


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rung of the ladder with how much it asks for; of what, and all else, stands on the tier's own page."""

    threshold = forms.DecimalField(
        label=_("at least"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=15,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Of what the ladder counts; in a new ladder that is the spend in a calendar year."),
    )

    class Meta:
        model = Tier
        fields = ("rank", "code", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_for_screen_readers(self.fields["threshold"])
        if "rank" in self.fields:
            self.fields["rank"].validators.append(MaxValueValidator(HIGHEST_PLACE))
        asked = self._asked()
        if len(asked) == 1:
            self.initial["threshold"] = _short(asked[0])
        elif asked or (self.instance.by_invitation and not self.instance._state.adding):
            self.fields["threshold"].disabled = True

    def _get_validation_exclusions(self) -> set[str]:
        """Leave places to the whole ladder's check, which knows where the other rows go."""
        return {*super()._get_validation_exclusions(), "rank"}  # type: ignore[misc]

    def _asked(self) -> list[TierCondition]:
        """Return what gives the tier for a time; what makes it last for life is not for a quick edit."""
        if self.instance._state.adding:
            return []
        return [condition for condition in self.instance.conditions.all() if not condition.for_life]

    def save_threshold(self) -> None:
        """Write what was asked for; an empty field takes the condition away."""
        if "threshold" not in self.changed_data:
            return
        threshold, asked = self.cleaned_data["threshold"], self._asked()
        if threshold is None:
            TierCondition.objects.filter(pk__in=[condition.pk for condition in asked]).delete()
        elif asked:
            TierCondition.objects.filter(pk=asked[0].pk).update(threshold=threshold)
        else:
            TierCondition.objects.create(tier=self.instance, threshold=threshold, **self._as_others_count())

    def _as_others_count(self) -> dict[str, Any]:
        """Return what the highest other tier asks for, if it asks for one thing."""
        ladder = Tier.objects.filter(version=self.instance.version_id).exclude(pk=self.instance.pk)
        for tier in ladder.order_by("-rank").prefetch_related("conditions"):
            asked = [condition for condition in tier.conditions.all() if not condition.for_life]
            if len(asked) == 1:
                like = asked[0]
                return {
                    "measure": like.measure,
                    "unit_id": like.unit_id,
                    "window": like.window,
                    "months": like.months,
                }
        return {}


def _short(condition: TierCondition) -> str:
    """Return money with its cents, everything else as short as it can be."""
    if condition.measure == TierCondition.Measure.SPEND:
        return f"{condition.threshold:.2f}"
    return f"{condition.threshold.normalize():f}"


class TierFormSet(PartFormSet):
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
        for row in standing:
            if row.cleaned_data.get("rank") == 0 and row.instance.by_invitation:
                raise forms.ValidationError(_("The lowest tier is everyone's: it cannot be by invitation."))

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
    verbose_name_plural = _("tiers, from below")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("conditions")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["details"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A form's own field cannot be shown read-only, so the frozen ladder goes without it; the words say it too."""
        quick = () if self.is_frozen(obj) else ("threshold",)
        return ("rank", "code", "name", *quick, "details")

    @admin.display(description=_("asks for, gives"))
    def details(self, tier: Tier) -> Any:
        """What the tier asks for and gives, in words, which leads to its own page."""
        if tier._state.adding:
            return _("after saving")
        assert isinstance(self.parent, ProgramVersion), self.parent
        return own_page(tier, tier_in_words(tier.code, self.parent))


class TierConditionForm(NumbersForm):
    """A condition; what its measure or window does not need is left out."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("measure") != TierCondition.Measure.UNITS:
            cleaned["unit"] = None
        if cleaned.get("measure") == TierCondition.Measure.YEARS:
            cleaned["window"] = TierCondition.Window.LIFETIME
        if cleaned.get("window") != TierCondition.Window.ROLLING:
            cleaned["months"] = None
        return cleaned


class TierConditionInline(PartOfPartInline):
    """All of these must be reached for the tier."""

    model = TierCondition
    form = TierConditionForm
    fields = ("measure", "unit", "threshold", "window", "months", "for_life")
    verbose_name = _("condition")
    verbose_name_plural = _("conditions, all of which must be reached")


class TierBenefitInline(PartOfPartInline):
    """What the tier brings beside its rates."""

    model = TierBenefit
    fields = ("position", "kind", "name", "detail")
    ordering = ("position",)
    verbose_name = _("benefit")
    verbose_name_plural = _("benefits")


class TierPageForm(forms.ModelForm):  # type: ignore[type-arg]
    """A tier on its own page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rank" in self.fields:
            self.fields["rank"].validators.append(MaxValueValidator(HIGHEST_PLACE))

    def clean(self) -> dict[str, Any]:
        """Refuse a place and a code that another tier of the version has, in words."""
        cleaned: dict[str, Any] = super().clean() or {}
        others = Tier.objects.filter(version=self.instance.version_id).exclude(pk=self.instance.pk)
        known: dict[str, dict[Any, str]] = {
            "rank": dict(others.values_list("rank", "name")),
            "code": dict(others.values_list("code", "name")),
        }
        faults = {
            "rank": _("“%(tier)s” has this place. On the draft's page tiers can change places."),
            "code": _("“%(tier)s” has this code."),
        }
        for field, fault in faults.items():
            if (other := known[field].get(cleaned.get(field))) is not None:
                self.add_error(field, fault % {"tier": other})
        return cleaned


@admin.register(Tier)
class TierAdmin(Looked, PartAdmin):
    """Tiers of every version; in a draft with what their change would do to the members."""

    history_kind = "tier"
    form = TierPageForm
    list_display = ("name", "code", "rank", "by_invitation", "version")
    search_fields = ("name", "code")
    fields = ("of_version", ("code", "name"), ("rank", "by_invitation"))
    inlines: ClassVar = [TierConditionInline, TierBenefitInline]
    ordering = ("-version__number", "rank")
    change_form_template = "admin/programs/tier_form.html"
    look_template = "admin/programs/tier_look.html"

    def response_post_save_change(self, request: HttpRequest, obj: Tier) -> HttpResponse:
        return redirect("admin:programs_tier_ladder", obj.version_id)

    def get_urls(self) -> list[URLPattern]:
        ladder = path("ladder/<uuid:version>/", self.admin_site.admin_view(self.ladder), name="programs_tier_ladder")
        return [ladder, *super().get_urls()]

    def ladder(self, request: HttpRequest, version: Any) -> HttpResponse:
        """GET: all tiers of a version, and of a draft what publishing it would do to the members."""
        seen = ProgramVersion.objects.select_related("program")
        if not request.user.is_superuser:
            seen = seen.filter(program__business__in=businesses_of(request, self.view_permission))
        found = seen.filter(pk=version).first()
        if found is None:
            raise Http404
        terms = content.read(found)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Tiers of version %(number)d") % {"number": found.number},
            **_shown(request, found, terms, tier=None),
        }
        return TemplateResponse(request, "admin/programs/tier_ladder.html", context)

    def looked(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        """Return the tier in words, the ladder it stands in, and what the draft with it would do to the members."""
        form = context["adminform"].form
        version: ProgramVersion = form.instance.version
        terms, code = content.read(version), str(form.initial.get("code") or form.instance.code)
        tier = next((one for one in terms.tiers if one.code == form.instance.code), None)
        inlines = context["inline_admin_formsets"]
        if form.is_bound:
            tier = tier_as_typed(form, [inline.formset for inline in inlines])
            terms = with_tier(terms, tier, code=code)
        rows = {inline.formset.prefix: inline for inline in inlines}
        shown = _shown(request, version, terms, tier=tier)
        _say_what_is_in_force(rows["conditions"].formset, code, shown["before"], shown["words"])
        return {**shown, "rows": rows, "lines": tier_lines(tier, shown["words"]) if tier else {}}


def _shown(
    request: HttpRequest, version: ProgramVersion, terms: Content, *, tier: TierContent | None
) -> dict[str, Any]:
    """Return the ladder with what differs from the terms in force, and the panels that know the members."""
    in_force = version.program.version_at(version.program.now())
    before = content.read(in_force) if in_force is not None and in_force != version else None
    words = words_for(version.program, before, terms)
    pages = dict(version.tiers.values_list("code", "pk"))
    old = {one.code: one for one in before.tiers} if before else {}
    of = {"before": before, "looked_at": tier.code if tier else ""}
    return {
        "version": version,
        "before": before,
        "words": words,
        "is_empty": not terms.tiers,
        "ladder": [
            {
                "tier": one,
                "pk": pages.get(one.code),
                "is_open": tier is not None and one.code == tier.code,
                "step": min(place, 3),
                "asks": asked_lines(one, words),
                "was": _was(one, old.get(one.code), words),
                "is_new": bool(before) and one.code not in old,
            }
            for place, one in reversed(list(enumerate(terms.tiers)))
        ],
        "moves": partial(panels.shown, panels.TIER_MOVES, request, version, terms, **of) if version.is_draft else "",
        "spread": partial(panels.shown, panels.TIER_SPREAD, request, version, terms, **of) if version.is_draft else "",
    }


def _was(tier: TierContent, old: TierContent | None, words: Words) -> list[str]:
    """Return what a tier asked for under the terms in force, where that differs."""
    if old is None or old.conditions == tier.conditions:
        return []
    return list(asked_lines(old, words).values()) or [str(_("Everyone's"))]


def _say_what_is_in_force(formset: Any, code: str, before: Content | None, words: Words) -> None:
    """Tell each condition's row how much the terms in force ask for, where that is something else."""
    old = next((tier for tier in before.tiers if tier.code == code), None) if before else None
    known = {(one.measure, one.unit, one.window, one.for_life): one for one in old.conditions} if old else {}
    for form in formset.forms:
        row = form.instance
        found = known.get((row.measure, row.unit.code if row.unit else "", row.window, row.for_life))
        if found is not None and row.threshold is not None and found.threshold != row.threshold:
            form.in_force = threshold_in_words(found, words)
