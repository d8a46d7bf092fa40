"""The panel in which staff try an example purchase against a draft: on the page of a rule, and on a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import formats
from accounts.admin_base import businesses_of
from accounts.roles import Permission
from loyalty.api.problems import ProblemError
from loyalty.ledger.members import EXTERNAL
from loyalty.purchases.admin.examples import LINES, PREFIX, example
from loyalty.purchases.buyers import members_named
from loyalty.purchases.inputs import PurchaseInput, member_name
from loyalty.purchases.lines import Line
from loyalty.purchases.models import ENROLMENT
from loyalty.purchases.tryouts import Example, Trial, triable, trial
from programs.admin import panels
from programs.content import Content, RuleContent
from programs.faults import faults_of
from programs.models import Membership, Program, ProgramVersion, Unit
from programs.terms import compiled, terms_of

MOST_LINES = 20
YEARS_AHEAD = 5
FIRST_YEAR = 1900


class LineForm(forms.Form):
    """A line of the example."""

    category = forms.CharField(label=gettext_lazy("category"), required=False, max_length=200)
    quantity = forms.DecimalField(
        label=gettext_lazy("pieces"), required=False, min_value=0, max_digits=9, decimal_places=3
    )
    amount = forms.DecimalField(label=gettext_lazy("amount"), required=False, max_digits=12)
    brand = forms.CharField(label=gettext_lazy("brand"), required=False, max_length=200)
    sku = forms.CharField(label=gettext_lazy("article"), required=False, max_length=200)
    tag = forms.CharField(label=gettext_lazy("tag"), required=False, max_length=64)

    def __init__(self, *args: Any, form_id: str, digits: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.digits = digits
        _belong(self, form_id)

    def clean_amount(self) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data["amount"]
        return _checked(amount, self.digits)


class TryForm(forms.Form):
    """The example: what happened when, to whom; its lines beside it."""

    what = forms.ChoiceField(label=gettext_lazy("what"), required=False)
    when = forms.DateTimeField(label=gettext_lazy("when"))
    tier = forms.ChoiceField(label=gettext_lazy("member in the tier"), required=False)
    member = forms.CharField(
        label=gettext_lazy("or a member"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("A card number, or a number in your system."),
    )
    store = forms.ChoiceField(label=gettext_lazy("store"), required=False)
    channel = forms.CharField(label=gettext_lazy("channel"), required=False, max_length=32)
    total = forms.DecimalField(
        label=gettext_lazy("total"),
        required=False,
        min_value=0,
        max_digits=12,
        help_text=gettext_lazy("Without lines."),
    )

    def __init__(self, *args: Any, version: ProgramVersion, said: Content, form_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = version.program
        self.digits = formats.minor_digits(self.program.currency)
        events = [(event.code, event.name) for event in said.events]
        stores = self.program.business.stores.order_by("code")
        offered = {
            "what": [("", _("A purchase")), *events, (ENROLMENT, _("Joining"))],
            "tier": [(tier.code, tier.name) for tier in said.tiers] or [("", "–")],
            "store": [("", _("any")), *((store.code, str(store)) for store in stores)],
        }
        for name, choices in offered.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields["when"].widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
        _belong(self, form_id)

    def clean_when(self) -> datetime:
        when: datetime = self.cleaned_data["when"]
        if not FIRST_YEAR <= when.year <= self.program.now().year + YEARS_AHEAD:
            raise forms.ValidationError(_("Try a day within the next years."))
        return when

    def clean_total(self) -> Decimal | None:
        total: Decimal | None = self.cleaned_data["total"]
        return _checked(total, self.digits)

    def clean_member(self) -> Membership | None:
        text: str = self.cleaned_data["member"].strip()
        if not text:
            return None
        found = members_named(self.program, {member_name(text), EXTERNAL + text})
        if not found:
            raise forms.ValidationError(_("No member of the program is named like that."))
        return next(iter(found.values()))


def _belong(form: forms.Form, form_id: str) -> None:
    """Send the fields with a form that stands elsewhere on the page."""
    for field in form.fields.values():
        field.widget.attrs["form"] = form_id
        if isinstance(field, forms.DecimalField):
            field.widget = forms.TextInput(attrs={"form": form_id, "inputmode": "decimal"})


def _checked(amount: Decimal | None, digits: int) -> Decimal | None:
    if amount is not None and amount.scaleb(digits) != amount.scaleb(digits).to_integral_value():
        raise forms.ValidationError(_("The currency has %(count)d decimals.") % {"count": digits})
    return amount


@panels.panel(panels.TRY)
def try_panel(
    request: HttpRequest,
    version: ProgramVersion,
    said: Content,
    *,
    rule: RuleContent | None = None,
    form_id: str = "try_form",
) -> SafeString:
    """Return the panel: the example as it was sent, else one that fits the rule, and what it would get.

    It is a form of its own, or its fields belong to the form of the page whose id is ``form_id``.
    """
    sent = request.POST if request.method == "POST" else request.GET
    program = version.program
    digits = formats.minor_digits(program.currency)
    with timezone.override(program.zone):
        data = sent if f"{PREFIX}-when" in sent else example(rule, said, program)
        form = TryForm(data, prefix=PREFIX, version=version, said=said, form_id=form_id)
        made = forms.formset_factory(LineForm, extra=0, max_num=MOST_LINES)
        lines = made(_with_more(data), prefix=LINES, form_kwargs={"form_id": form_id, "digits": digits})
        for field in lines.management_form.fields.values():
            field.widget.attrs["form"] = form_id
        is_own = form_id == "try_form"
        return render_to_string(
            "admin/purchases/try_panel.html",
            {
                "form": form,
                "lines": lines,
                "form_id": form_id,
                "is_own": is_own,
                "address": reverse("admin:programs_rule_try", args=[version.pk]),
                "version": version,
                "zone": program.timezone,
                **_result(request, form, lines, version, said),
            },
            request,
        )


def _with_more(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what was sent with one more line, where it was sent for that."""
    if data.get("_look") != f"more:{LINES}":
        return data
    more = data.copy() if isinstance(data, QueryDict) else dict(data)
    count = str(more.get(f"{LINES}-TOTAL_FORMS", ""))
    more[f"{LINES}-TOTAL_FORMS"] = str(int(count) + 1) if count.isdecimal() else "1"
    return more


# --- What it would get ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sum:
    """What is given of one unit: the figure, its name, and how much more or less that is than now."""

    figure: str
    name: str
    difference: str
    is_more: bool
    is_less: bool


def _result(request: HttpRequest, form: TryForm, lines: Any, version: ProgramVersion, said: Content) -> dict[str, Any]:
    """Return what the example would get under the draft and gets now; why not, where it cannot be tried."""
    program = version.program
    if not (lines.is_valid() and form.is_valid()):
        return {"refusal": _("Mend the example above to try it.")}
    member = form.cleaned_data["member"]
    if member is not None and not _may_see_members(request, program):
        return {"refusal": _("Your role does not let you look up members.")}
    tried = _example_of(form, lines, program)
    runnable, left_out = triable(said, faults_of(version, said) if version.is_draft else ())
    units = {unit.code: unit for unit in program.units.all()}
    in_force = program.version_at(program.now())
    try:
        now = None
        terms = compiled(version, runnable) if version.is_draft else terms_of(version.pk)
        found = trial(tried, program=program, terms=terms, units=units)
        if in_force is not None and in_force != version:
            now = trial(tried, program=program, terms=terms_of(in_force.pk), units=units)
    except ProblemError as error:
        return {"refusal": str(error.detail)}
    return {
        "sums": _sums(found, now, units, program, in_force),
        "reasons": [{"reason": one, "figure": _figure(one.unit, one.units, program)} for one in found.reasons],
        "tier": next((tier.name for tier in said.tiers if tier.code == found.tier), ""),
        "left_out": left_out,
        "member": member,
        "in_force": in_force if now is not None else None,
    }


def _may_see_members(request: HttpRequest, program: Program) -> bool:
    return request.user.is_superuser or program.business_id in businesses_of(request, Permission.SEE_MEMBERS)


def _example_of(form: TryForm, lines: Any, program: Program) -> Example:
    given, digits = form.cleaned_data, form.digits
    filled = [_line(one.cleaned_data, digits) for one in lines.forms if one.cleaned_data.get("amount") is not None]
    total = sum(line.amount for line in filled) if filled else int((given["total"] or Decimal(0)).scaleb(digits))
    return Example(
        purchase=PurchaseInput(
            external_id="",
            occurred_at=given["when"],
            currency=program.currency,
            total=max(0, total),
            lines=tuple(filled),
            store=given["store"],
            channel=given["channel"],
        ),
        event=given["what"],
        tier=given["tier"],
        member=given["member"],
    )


def _line(given: Mapping[str, Any], digits: int) -> Line:
    quantity = given["quantity"] if given["quantity"] is not None else Decimal(1)
    return Line(
        amount=int(given["amount"].scaleb(digits)),
        quantity=int(quantity.scaleb(3)),
        sku=given["sku"],
        category=given["category"],
        brand=given["brand"],
        tags=(given["tag"],) if given["tag"] else (),
    )


def _figure(unit: Unit, amount: int, program: Program) -> str:
    return formats.figure(unit, amount, currency=program.currency)


def _sums(
    found: Trial, now: Trial | None, units: Mapping[str, Unit], program: Program, in_force: ProgramVersion | None
) -> list[Sum]:
    known = now.given if now is not None else {}
    codes: Sequence[str] = sorted({*found.given, *known}) or sorted({one.unit.code for one in found.reasons})[:1]
    sums = []
    for code in codes:
        unit, amount, before = units[code], found.given.get(code, 0), known.get(code, 0)
        sums.append(
            Sum(
                figure=_figure(unit, amount, program),
                name="" if unit.is_money else formats.unit_name(unit, formats.steps(unit, amount)),
                difference=_difference(unit, amount, before, program, in_force) if now is not None else "",
                is_more=now is not None and amount > before,
                is_less=now is not None and amount < before,
            )
        )
    return sums


def _difference(unit: Unit, amount: int, before: int, program: Program, in_force: ProgramVersion | None) -> str:
    said = {
        "by": _figure(unit, abs(amount - before), program),
        "before": _figure(unit, before, program),
        "number": in_force.number if in_force is not None else 0,
    }
    if amount > before:
        return _("%(by)s more than version %(number)d gives (%(before)s)") % said
    if amount < before:
        return _("%(by)s less than version %(number)d gives (%(before)s)") % said
    return _("as much as version %(number)d gives") % said
