"""What staff say to start a back-test or a correction."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loyalty.rehearsals.reading import present_of_program
from loyalty.rewards.worth import unit_worth
from programs.engine.dates import local_day, months_later
from programs.models import ProgramVersion, Unit

WORTH = "worth_"


class BackTestForm(forms.Form):
    """The period, what the draft is compared with, whether rule dates are moved, and what units are worth."""

    IN_FORCE, AS_IT_WAS = "in_force", "as_it_was"

    first_day = forms.DateField(label=_("First day"))
    last_day = forms.DateField(label=_("Last day"))
    against = forms.ChoiceField(label=_("Against"))
    moves_dates = forms.BooleanField(label=_("Move rule dates into the period"), required=False)

    def __init__(self, version: ProgramVersion, data: Any = None) -> None:
        program = version.program
        today = local_day(present_of_program(program), program.zone)
        last = today - timedelta(days=1)
        super().__init__(
            data,
            initial={
                "first_day": (months_later(last, -12) + timedelta(days=1)).isoformat(),
                "last_day": last.isoformat(),
                "against": self.IN_FORCE,
                "moves_dates": True,
            },
        )
        self.in_force = program.version_at(present_of_program(program))
        choices: list[tuple[str, Any]] = [(self.AS_IT_WAS, _("each day the version then in force"))]
        if self.in_force is not None:
            told = _("version %(number)d, in force, all along") % {"number": self.in_force.number}
            choices.insert(0, (self.IN_FORCE, told))
        field = self.fields["against"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        self.units = list(program.units.filter(is_spendable=True))
        for unit in self.units:
            self.fields[WORTH + unit.code] = forms.DecimalField(
                label=_("One %(unit)s is worth") % {"unit": unit.name},
                required=False,
                min_value=0,
                max_digits=12,
                decimal_places=6,
                initial=round(worth.money, 6) if (worth := unit_worth(program, unit)) is not None else None,
                disabled=unit.is_money,
            )

    @property
    def worth_fields(self) -> list[tuple[Unit, forms.BoundField]]:
        """The fields of what units are worth, but for those that are money."""
        return [(unit, self[WORTH + unit.code]) for unit in self.units if not unit.is_money]

    def asked(self) -> dict[str, Any]:
        """Return what was asked for, as ``actions.request_back_test`` takes it."""
        given = self.cleaned_data
        worth: dict[str, Decimal] = {
            unit.code: value for unit in self.units if (value := given.get(WORTH + unit.code)) is not None
        }
        return {
            "first_day": given["first_day"],
            "last_day": given["last_day"],
            "moves_dates": given["moves_dates"],
            "against": self.in_force if given["against"] == self.IN_FORCE else None,
            "worth": worth,
        }


class SupersedeForm(forms.Form):
    """Which terms are right, and what was wrong."""

    right = forms.ModelChoiceField(ProgramVersion.objects.none(), label=_("Right terms"))
    reason = forms.CharField(label=_("What was wrong"), max_length=500, strip=True)

    def __init__(self, wrong: ProgramVersion, data: Any = None) -> None:
        super().__init__(data)
        later = wrong.program.versions.filter(number__gt=wrong.number).select_related("program").order_by("-number")
        self.candidates = list(later)
        field = self.fields["right"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = later
        if self.candidates:
            self.initial["right"] = self.candidates[0].pk
