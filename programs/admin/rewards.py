"""Rewards: rows on the version's page, and a page for each with what it is in a sentence and as customers see it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Max, Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import formats
from programs import content
from programs.admin import panels
from programs.admin import reward_fitting as fitting
from programs.admin.adding import AddedToDraft
from programs.admin.drafts import NumbersForm, PartInline, PartOfPartInline, own_page
from programs.admin.looking import Looked
from programs.admin.reward_forms import (
    RewardClauseForm,
    RewardClauseFormSet,
    RewardForm,
    RewardLimitFormSet,
    RewardRowsFormSet,
    RewardTierForm,
)
from programs.admin.reward_typed import reward_as_typed, with_reward
from programs.admin.wording import reward_in_words
from programs.changes.reward_sentence import reward_sentence
from programs.changes.rewards import price, reward_lines
from programs.changes.words import words_for
from programs.content import Content
from programs.faults import faults_of
from programs.models import ProgramVersion, Reward, RewardClause, RewardLimit, RewardTier
from programs.models.rewards import CLAUSES
from programs.reward_content import RewardContent

CARD = "reward_card"
"""The panel that shows ``reward`` as a member sees it, where it ``is_sound``; its fields belong to form ``form_id``."""


class RewardInline(PartInline):
    """The rewards, in order."""

    model = Reward
    form = NumbersForm
    ordering = ("position", "code")
    verbose_name = _("reward")
    verbose_name_plural = _("rewards, in order")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        shown = "price_shown" if self.is_frozen(obj) else "price"
        return ("position", "code", "name", "kind", "unit", shown, "is_on", "details")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["details", "price_shown"]

    @admin.display(description=_("price"))
    def price_shown(self, reward: Reward) -> str:
        return formats.rate(reward.price)

    @admin.display(description=_("in words"))
    def details(self, reward: Reward) -> Any:
        """What stands on the reward's own page, in words, which leads there."""
        if reward._state.adding:
            return _("after saving")
        assert isinstance(self.parent, ProgramVersion), self.parent
        return own_page(reward, reward_in_words(reward.code, self.parent))


class RewardClauseInline(PartOfPartInline):
    """All of these must hold."""

    model = RewardClause
    form = RewardClauseForm
    formset = RewardClauseFormSet
    fields = ("kind", "negated", "value")
    verbose_name = _("condition")
    verbose_name_plural = _("only if all of these hold")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the kinds that rewards look at."""
        if db_field.name == "kind":
            kwargs["choices"] = [("", "–"), *(one for one in db_field.choices if one[0] in CLAUSES)]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


class RewardTierInline(PartOfPartInline):
    """What is different for members of a tier."""

    model = RewardTier
    form = RewardTierForm
    formset = RewardRowsFormSet
    fields = ("tier", "price", "value", "percent", "opens_at")
    ordering = ("tier__rank",)
    verbose_name = _("line for a tier")
    verbose_name_plural = _("what is different for members of a tier")


class RewardLimitInline(PartOfPartInline):
    """How often one member may have it."""

    model = RewardLimit
    form = NumbersForm
    formset = RewardLimitFormSet
    fields = ("times", "window")
    verbose_name = _("limit")
    verbose_name_plural = _("how often a member may have it")


@admin.register(Reward)
class RewardAdmin(Looked, AddedToDraft):
    """Rewards of every version."""

    form = RewardForm
    list_display = ("name", "code", "kind", "price_shown", "stock", "is_on", "version")
    list_select_related = ("version__program", "unit")
    list_filter = ("version__status", "kind")  # type: ignore[assignment]
    search_fields = ("name", "code")
    fields = (
        *("of_version", "code", "name", "detail", "is_on", "position", "kind", "conversion"),
        *("unit", "price", "value", "percent", "by_amount", "step", "several", "most_share", "least_basket"),
        *("from_tier", "stock", "pool", "gives_unit", "gives", "choice"),
        *("opens_at", "closes_at", "weekdays", "opens_from", "opens_until", "zone"),
        *("closes_on", "issue_day", "most_at_once", "most_a_year", "is_withdrawn", "lives_months", "lives_days"),
    )
    inlines: ClassVar = [RewardClauseInline, RewardTierInline, RewardLimitInline]
    ordering = ("-version__number", "position")
    change_form_template = "admin/programs/reward_form.html"
    look_template = "admin/programs/reward_look.html"
    history_kind = "reward"

    @admin.display(description=_("price"), ordering="price")
    def price_shown(self, reward: Reward) -> Any:
        if reward.unit is None or not reward.price:
            return _("nothing")
        return f"{formats.rate(reward.price)}{formats.NO_BREAK}{formats.unit_name(reward.unit, reward.price)}"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        draft = self.draft_of(request)
        assert draft is not None, "add_view asks for it"
        last = draft.rewards.aggregate(last=Max("position"))["last"]
        unit = draft.program.units.filter(is_spendable=True).order_by("pk").first()
        return {
            "position": 0 if last is None else last + 1,
            "unit": unit.pk if unit else None,
            "kind": Reward.Kind.MONEY_OFF.value,
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Read and write moments in the program's time."""
        if object_id is None:
            version = self.draft_of(request)
        else:
            reward = self.get_object(request, object_id)
            version = reward.version if isinstance(reward, Reward) else None
        if version is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with timezone.override(version.program.zone):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            if hasattr(response, "render"):
                response.render()
        return response

    # --- As it stands in the form --------------------------------------------------------------------------------

    def looked(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        """Return the reward in a sentence, what is wrong with it, and how a member would see it."""
        form = context["adminform"].form
        version: ProgramVersion = form.instance.version
        terms, code = content.read(version), str(form.initial.get("code") or "")
        reward = next((one for one in terms.rewards if one.code == form.instance.code), None)
        if form.is_bound:
            reward = reward_as_typed(form, [inline.formset for inline in context["inline_admin_formsets"]])
        if reward is not None:
            terms = with_reward(terms, reward, code=code or reward.code)
        told = _told(reward, terms, version)
        can_edit = self.has_change_permission(request, form.instance)
        return {
            **told,
            "version": version,
            "can_edit": can_edit,
            "rewards": _beside(terms, version, reward),
            "table": json.dumps(fitting.table()),
            "rows": {inline.formset.prefix: inline for inline in context["inline_admin_formsets"]},
            "card": partial(
                panels.shown,
                CARD,
                request,
                version,
                terms,
                reward=reward,
                is_sound=not told["faults"],
                form_id="reward_form" if can_edit else "",
            ),
        }


def _told(reward: RewardContent | None, terms: Content, version: ProgramVersion) -> dict[str, Any]:
    if reward is None:
        return {"sentence": [], "lines": {}, "faults": []}
    words = words_for(version.program, terms)
    faults = faults_of(version, terms) if version.is_draft else []
    return {
        "sentence": reward_sentence(reward, words),
        "lines": reward_lines(reward, words),
        "faults": [fault.message for fault in faults if fault.where == f"reward:{reward.code}"],
    }


def _beside(terms: Content, version: ProgramVersion, reward: RewardContent | None) -> list[dict[str, Any]]:
    """Return the version's rewards for the way from one to the other."""
    words = words_for(version.program, terms)
    pages = dict(version.rewards.values_list("code", "pk"))
    return [
        {
            "name": one.name,
            "said": price(one.price, one, words),
            "is_on": one.is_on,
            "pk": pages.get(one.code),
            "is_open": one is reward,
        }
        for one in terms.rewards
    ]
