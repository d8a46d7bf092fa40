"""The forms of a reward and of its rows: picked where there is something to pick from, cleared of what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from programs.admin import reward_fitting as fitting
from programs.admin.drafts import NumbersForm, PartFormSet, offer
from programs.admin.sayings import SayingForm, SayingFormSet
from programs.clauses import DAYS, ClauseError, parsed
from programs.models import Program, ProgramVersion, Reward, Rule
from programs.terms import listed, month_and_day

LAST_PLACE = 9_999
MOMENT = "%Y-%m-%dT%H:%M"
MOMENTS = [MOMENT, f"{MOMENT}:%S", "%Y-%m-%d %H:%M:%S"]
CONVERSIONS = [
    ("", _("Members choose it")),
    (Reward.Conversion.AT_ONCE.value, _("Once there are enough")),
    (Reward.Conversion.DATES.value, _("At set dates")),
]

pools: list[Callable[[Program], list[str]]] = []
"""What rooms above know of pools of codes: each returns the names of a program's pools."""


class MomentInput(forms.DateTimeInput):
    """A day and a time of the program's zone, in one field of the browser."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=MOMENT)


def moment_field(form: forms.BaseForm, name: str) -> None:
    """Let a moment be picked."""
    field = form.fields.get(name)
    if field is None:
        return
    form.fields[name] = forms.DateTimeField(
        label=field.label, required=False, widget=MomentInput(), input_formats=MOMENTS
    )
    form.fields[name].widget.attrs["aria-label"] = str(field.label)


class RewardForm(NumbersForm):
    """A reward; what its kind, or how it is had, does not need is left out."""

    draft: ClassVar[ProgramVersion | None] = None  # For a reward that is to be added.
    CLOCKS = ("opens_from", "opens_until")

    weekdays = forms.MultipleChoiceField(
        label=_("on the days"),
        required=False,
        choices=[(day, WEEKDAYS[place]) for place, day in enumerate(DAYS)],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.draft is not None and self.instance._state.adding:
            self.instance.version = self.draft
        version = self.instance.version
        self._choose_units(version)
        self._choose_codes(version)
        if "conversion" in self.fields:
            self.fields["conversion"] = forms.ChoiceField(
                label=_("how it is had"), choices=CONVERSIONS, required=False, widget=forms.RadioSelect
            )
        for name in ("opens_at", "closes_at"):
            moment_field(self, name)
        for name in self.CLOCKS:
            if name in self.fields:
                self.fields[name] = forms.TimeField(
                    label=self.fields[name].label,
                    required=False,
                    widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
                )
        for name in ("value", "gives", "price", "percent", "step", "most_share", "least_basket"):
            if name in self.fields:
                self.fields[name].widget = forms.TextInput(attrs={"inputmode": "decimal"})
        if "price" in self.fields:
            self.fields["price"].required = False
        if "position" in self.fields:
            self.fields["position"].validators.append(MaxValueValidator(LAST_PLACE))
        self.initial["weekdays"] = _days(self.instance.weekdays)

    def _choose_units(self, version: ProgramVersion) -> None:
        units = version.program.units.order_by("pk")
        for name, rows in (("unit", units.filter(is_spendable=True)), ("gives_unit", units)):
            if name in self.fields:
                self.fields[name].queryset = rows  # type: ignore[attr-defined]
        if "unit" in self.fields:
            self.fields["unit"].empty_label = _("It costs nothing")  # type: ignore[attr-defined]
            if self.instance.unit is not None and not self.instance.unit.is_spendable:
                self.fields["unit"].queryset = units  # type: ignore[attr-defined]

    def _choose_codes(self, version: ProgramVersion) -> None:
        tiers = version.tiers.order_by("rank").values_list("code", "name")
        offer(self, "from_tier", tiers, none=_("Everyone"))
        zones = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
        own = _("The program's, %(zone)s") % {"zone": version.program.timezone}
        offer(self, "zone", [(name, name.replace("_", " ")) for name in zones], none=own)
        others = version.rewards.exclude(pk=self.instance.pk)
        self.known_pools = sorted(
            {name for names in pools for name in names(version.program)}
            | set(others.exclude(pool="").values_list("pool", flat=True))
        )
        self.known_choices = sorted(
            set(others.exclude(choice="").values_list("choice", flat=True))
            | set(version.groups.values_list("code", flat=True))
        )
        for name, known in (("pool", "known-pools"), ("choice", "known-choices")):
            if name in self.fields:
                self.fields[name].widget = forms.TextInput(attrs={"list": known})

    def clean_price(self) -> Any:
        """Return 0 for no price."""
        given = self.cleaned_data["price"]
        return 0 if given is None else given

    def clean_weekdays(self) -> str:
        """Return the days as they are written: “tue, thu”."""
        return ", ".join(self.cleaned_data["weekdays"])

    def clean_closes_on(self) -> str:
        """Refuse a day that no year has, and write all of them alike."""
        days = listed(self.cleaned_data["closes_on"])
        for day in days:
            try:
                month_and_day(day)
            except ValueError:
                raise forms.ValidationError(
                    _("“%(day)s” is no day of the year. Write month and day, for example 05-31.") % {"day": day}
                ) from None
        return ", ".join(days)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        others = self.instance.version.rewards.exclude(pk=self.instance.pk)
        if (other := others.filter(code=cleaned.get("code", "")).first()) is not None:
            self.add_error("code", _("“%(reward)s” has this code.") % {"reward": other})
        kind, conversion = cleaned.get("kind"), cleaned.get("conversion")
        if not kind or conversion is None:
            return cleaned
        by_amount = bool(cleaned.get("by_amount")) and fitting.fits(
            "by_amount", kind=kind, conversion=conversion, by_amount=True
        )
        for name in fitting.FIELDS:
            if name not in self.fields:
                continue
            if not fitting.fits(name, kind=kind, conversion=conversion, by_amount=by_amount):
                cleaned[name] = fitting.EMPTY.get(name)
                self.errors.pop(name, None)
        return cleaned


def _days(text: str) -> list[str]:
    try:
        return [DAYS[int(day) - 1] for day in parsed("weekday", text).values] if text else []
    except ClauseError:
        return []


@dataclass(frozen=True, slots=True)
class Bearer:
    """What the rows of conditions ask of the part that they stand on: written for rules, and about purchases."""

    version: ProgramVersion
    trigger: str = Rule.Trigger.PURCHASE


class RewardRowsFormSet(PartFormSet):
    """Rows of a reward, which may not be saved yet itself."""

    fits_as = ""  # The name of the rows in the table of what fits.

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.reward = self.instance
        return form

    def _should_delete_form(self, form: Any) -> bool:
        if self.is_bound and not _row_fits(self.fits_as, self.instance):
            return True
        return bool(super()._should_delete_form(form))


class RewardLimitFormSet(RewardRowsFormSet):
    fits_as = "limits"


class RewardClauseFormSet(SayingFormSet):
    """Rows of conditions of a reward."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "rule": Bearer(self.instance.version)}

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.reward = self.instance
        return form


class RewardClauseForm(SayingForm):
    """A condition; of a reward that comes by itself it is about the articles it is good for."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind, conversion = cleaned.get("kind"), self.instance.reward.conversion
        if kind and not fitting.condition_fits(kind, conversion=conversion):
            self.add_error(
                "kind", _("Units turn into it for everyone who has them: choose what it is good for, or take this out.")
            )
        return cleaned


class RewardTierForm(NumbersForm):
    """What differs for a tier; what does not fit the reward is left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        moment_field(self, "opens_at")
        for name in ("price", "value", "percent"):
            if name in self.fields:
                self.fields[name].widget = forms.TextInput(
                    attrs={"inputmode": "decimal", "aria-label": str(self.fields[name].label)}
                )

    def has_changed(self) -> bool:
        """Also where nothing was typed, but what stands there fits the reward no more."""
        return super().has_changed() or any(self.initial.get(name) is not None for name in self._unfit())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in self._unfit():
            cleaned[name] = None
            self.errors.pop(name, None)
        return cleaned

    def _unfit(self) -> list[str]:
        reward = self.instance.reward
        return [name for name in ("price", "value", "percent", "opens_at") if not _row_fits(f"tier-{name}", reward)]


def _row_fits(name: str, reward: Reward) -> bool:
    return fitting.fits(name, kind=reward.kind, conversion=reward.conversion, by_amount=reward.by_amount)
