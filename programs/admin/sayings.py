"""Rows that say a condition: typed as ``programs.clauses`` reads it, or picked where there is something to pick."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from babel.numbers import get_currency_precision
from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import UnfoldAdminTextInputWidget
from programs.admin.drafts import NumbersForm, PartFormSet, PartOfPartInline
from programs.admin.fitting import choice_fits
from programs.clauses import DAYS, QUANTITY_PLACES, ClauseError, parsed
from programs.engine.terms import Clause
from programs.models import ClauseKind, ProgramVersion, Rule

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

CHOSEN = (ClauseKind.WEEKDAY, ClauseKind.TIER, ClauseKind.SEGMENT, ClauseKind.STORE)
BOUNDED = (ClauseKind.AMOUNT, ClauseKind.QUANTITY, ClauseKind.AGE)
PICKERS: Mapping[str, tuple[str, ...]] = {
    **{kind.value: ("picked",) for kind in CHOSEN},
    **{kind.value: ("least", "most") for kind in BOUNDED},
    ClauseKind.DATES.value: ("first_day", "last_day"),
    ClauseKind.HOURS.value: ("begins", "ends"),
}
"""By kind of condition: the fields in which it is picked."""


class Pickable:
    """What conditions of one version can be picked from; read once for a page."""

    def __init__(self, version: ProgramVersion) -> None:
        self.version = version

    @cached_property
    def options(self) -> dict[str, list[tuple[str, Any]]]:
        """By kind: codes with their names."""
        program = self.version.program
        return {
            "weekday": [(day, WEEKDAYS_ABBR[place]) for place, day in enumerate(DAYS)],
            "tier": list(self.version.tiers.order_by("rank").values_list("code", "name")),
            "segment": list(program.segments.order_by("name").values_list("code", "name")),
            "store": [
                (code, name or code)
                for code, name in program.business.stores.order_by("code").values_list("code", "name")
            ],
        }

    def choices(self, present: Clause | None) -> list[tuple[str, Any]]:
        """Return what there is, as ``kind:code``, with what stands in the row and is not there (any more)."""
        found = [(f"{kind}:{code}", name) for kind, rows in self.options.items() for code, name in rows]
        if present is not None and present.kind in self.options:
            known = {value.casefold() for value, _name in found}
            found += [
                (f"{present.kind}:{code}", _("%(code)s (not there)") % {"code": code})
                for code in _codes(present)
                if f"{present.kind}:{code}".casefold() not in known
            ]
        return found


class SayingFormSet(PartFormSet):
    """Rows of conditions of one rule."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "rule": self.instance, "pickable": self.pickable}

    @cached_property
    def pickable(self) -> Pickable:
        """What the conditions can be picked from, read once for all rows of the page."""
        known: Pickable | None = getattr(self.instance.version, "_pickable", None)
        if known is None:
            known = self.instance.version._pickable = Pickable(self.instance.version)
        return known


class SayingForm(NumbersForm):
    """A condition as staff write or pick it; the row itself checks it.

    What is picked counts for kinds that can be picked; the text for the others, and where nothing is picked.
    """

    picked = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    least = forms.DecimalField(required=False, min_value=0, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    most = forms.DecimalField(required=False, min_value=0, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    first_day = forms.DateField(required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    last_day = forms.DateField(required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    begins = forms.TimeField(required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    ends = forms.TimeField(required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))

    NAMES: ClassVar = {
        "picked": _("one of"),
        "least": _("at least"),
        "most": _("at most"),
        "first_day": _("first day"),
        "last_day": _("last day"),
        "begins": _("from"),
        "ends": _("until"),
    }

    def __init__(self, *args: Any, rule: Rule, pickable: Pickable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.rule = rule
        self.rule = rule
        present = self._present(rule)
        for name, label in self.NAMES.items():
            self.fields[name].label = label
            if name != "picked":  # Each of those has its own.
                self.fields[name].widget.attrs["aria-label"] = str(label)
        if "value" not in self.fields:
            return
        self.fields["picked"].choices = pickable.choices(present)  # type: ignore[attr-defined]
        self.fields["value"].required = False
        examples = {kind.value: str(example) for kind, example in EXAMPLES.items()}
        chosen = self.initial.get("kind") or next(iter(examples))
        self.fields["value"].widget = UnfoldAdminTextInputWidget(
            attrs={"placeholder": examples.get(chosen, ""), "data-example": "", "aria-label": str(_("is"))}
        )
        self.fields["kind"].widget.attrs["data-examples"] = json.dumps(examples)
        self.fields["negated"].widget = forms.Select(
            choices=[("False", _("is")), ("True", _("is not"))],
            attrs={"class": "lo-field", "aria-label": str(_("is or is not"))},
        )
        if present is not None and (picked := _picked(present, pickable, rule)):
            self.initial.update(picked, value="")

    def _present(self, rule: Rule) -> Clause | None:
        """Return what stands in the row; None for a new one, and for what cannot be read."""
        if self.instance._state.adding or not self.instance.value:
            return None
        try:
            return parsed(self.instance.kind, self.instance.value, digits=_digits(rule))
        except ClauseError:
            return None

    @property
    def kind_shown(self) -> str:
        """The kind that is chosen as the form stands."""
        return str(self["kind"].value() or "") if "kind" in self.fields else ""

    @property
    def is_typed(self) -> bool:
        """Whether the text is where this condition is said: its kind has nothing to pick from, or it cannot be read."""
        return self.kind_shown not in PICKERS or bool(self["value"].value())

    @property
    def pickers(self) -> list[dict[str, Any]]:
        """Where each kind is picked, for the page: boxes of what there is, or two fields."""
        shown = self.kind_shown
        found: list[dict[str, Any]] = []
        for kind in CHOSEN:
            boxes = [one for one in self["picked"].subwidgets if one.data["value"].startswith(f"{kind}:")]
            found.append({"kinds": kind.value, "boxes": boxes, "fields": [], "is_shown": kind == shown})
        for names in dict.fromkeys(names for names in PICKERS.values() if names != ("picked",)):
            kinds = [kind for kind, fields in PICKERS.items() if fields == names]
            fields = [self[name] for name in names]
            found.append({"kinds": " ".join(kinds), "boxes": [], "fields": fields, "is_shown": shown in kinds})
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if not kind:
            return cleaned
        if not choice_fits("kind", kind, trigger=self.rule.trigger):
            self.add_error("kind", _("Only purchases have this. Choose something else, or take the row out."))
        picked = _written(kind, cleaned)
        if picked:
            cleaned["value"] = picked
        elif not cleaned.get("value") and not any(name in self.errors for name in PICKERS.get(kind, ())):
            self.add_error("value", _("Say what it must be."))
        return cleaned


class SayingInline(PartOfPartInline):
    """Rows that say a condition."""

    form = SayingForm
    formset = SayingFormSet

    class Media:
        js = ("js/admin/examples.js",)


def _digits(rule: Rule) -> int:
    return int(get_currency_precision(rule.version.program.currency))


# --- From what is written to what is picked, and back ---------------------------------------------------------------


def _codes(clause: Clause) -> Iterable[str]:
    return [DAYS[int(day) - 1] for day in clause.values] if clause.kind == "weekday" else clause.values


def _picked(clause: Clause, pickable: Pickable, rule: Rule) -> dict[str, Any]:
    """Return a condition as it is picked; nothing for kinds that are only typed."""
    if clause.kind in pickable.options:
        spelled = {value.casefold(): value for value, _name in pickable.choices(clause)}
        return {"picked": [spelled[f"{clause.kind}:{code}".casefold()] for code in _codes(clause)]}
    if clause.kind == "dates":
        return {"first_day": _day(clause.least), "last_day": _day(clause.most)}
    if clause.kind == "hours":
        return {"begins": _minute(clause.least), "ends": _minute(clause.most)}
    if clause.kind in ("amount", "quantity", "age"):
        places = {"amount": _digits(rule), "quantity": QUANTITY_PLACES}.get(clause.kind, 0)
        return {"least": _number(clause.least, places), "most": _number(clause.most, places)}
    return {}


def _day(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)


def _minute(minutes: int | None) -> time | None:
    """Return a time of day; midnight as an end is 00:00."""
    return None if minutes is None else time(*divmod(minutes % (24 * 60), 60))


def _number(steps: int | None, places: int) -> str | None:
    return None if steps is None else f"{Decimal(steps).scaleb(-places).normalize():f}"


def _written(kind: str, cleaned: Mapping[str, Any]) -> str:
    """Return what was picked for a kind as ``programs.clauses`` reads it; empty where nothing was."""
    if kind in CHOSEN:
        begins = f"{kind}:"
        return _listed(one.removeprefix(begins) for one in cleaned.get("picked") or () if one.startswith(begins))
    if kind == ClauseKind.DATES:
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        return f"{first or ''}..{last or ''}" if first or last else ""
    if kind == ClauseKind.HOURS:
        begins_at, ends_at = cleaned.get("begins"), cleaned.get("ends")
        if begins_at is None and ends_at is None:
            return ""
        return f"{begins_at or time():%H:%M}-{_end_of(ends_at)}"
    if kind in BOUNDED:
        least, most = cleaned.get("least"), cleaned.get("most")
        if least is not None and most is not None:
            return f"{least:f}..{most:f}"
        if least is not None:
            return f">= {least:f}"
        return f"<= {most:f}" if most is not None else ""
    return ""


def _end_of(moment: time | None) -> str:
    """Return an end as it is written; midnight is that of the same night."""
    return f"{moment:%H:%M}" if moment not in (None, time()) else "24:00"


def _listed(codes: Iterable[str]) -> str:
    """Return codes with commas between them; one with a comma in it in quotes."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(codes)
    return row.getvalue().replace(",", ", ") if '"' not in row.getvalue() else row.getvalue()
