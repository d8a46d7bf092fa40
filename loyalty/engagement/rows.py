"""One thing that happened, written out for people: title, place, day, sums and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import formats
from loyalty.engagement.keyset import Place
from loyalty.ledger.models import Account, Entry, Lot, Transaction
from loyalty.ledger.openings import openings_among
from loyalty.purchases.event_names import event_names
from loyalty.purchases.explanations import explain
from loyalty.purchases.models import Activity, Judgement, ReceiptKey
from loyalty.rewards.names import SpentOn, spent_on
from programs.engine.tiers import UNIT
from programs.models import Program, Unit
from programs.terms import terms_of

Kind = Transaction.Kind

ICONS: dict[str, str] = {
    Kind.EARN: "shopping-bag",
    Kind.MATURE: "calendar-check",
    Kind.HOLD: "ticket",
    Kind.RELEASE: "ticket",
    Kind.REDEEM: "ticket",
    Kind.EXPIRE: "calendar-x",
    Kind.REVERSE: "undo-2",
    Kind.RESTORE: "undo-2",
    Kind.ADJUST: "pencil",
}
ICONS_OF_ACTIVITY: dict[str, str] = {
    Activity.Kind.PURCHASE: "shopping-bag",
    Activity.Kind.REFUND: "undo-2",
    Activity.Kind.EVENT: "sparkles",
}


@dataclass(frozen=True, slots=True)
class Sum:
    """A movement of one unit, written out: with the unit's name where the program has several.

    ``after`` is the balance after it, empty where the unit is none to be spent.
    """

    written: str
    is_gain: bool
    after: str = ""
    question: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule's part in the explanation; ``figure`` is empty where it gave nothing."""

    name: str
    text: str
    figure: str
    is_cut: bool
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened, ready to read. ``counted`` and ``idle`` explain it, where it was judged.

    ``question`` is what is asked of: all gains, else all losses. ``together``: the sums that several lines make up.
    """

    place: Place
    icon: str
    title: str
    note: str
    day: date
    sums: list[Sum] = field(default_factory=list)
    counted: list[Line] = field(default_factory=list)
    idle: list[Line] = field(default_factory=list)
    towards: str = ""
    is_return: bool = False

    @property
    def is_gain(self) -> bool:
        """Whether anything came in."""
        return any(one.is_gain for one in self.sums)

    @property
    def question(self) -> str:
        """What the explanation explains."""
        return formats.listed([one.question for one in self.sums if one.question and one.is_gain == self.is_gain])

    @property
    def together(self) -> list[str]:
        """The sums whose lines are more than one."""
        return [one.written for one in self.sums if sum(line.unit == one.unit for line in self.counted) > 1]


def activities_by_id(program: Program, ids: Iterable[UUID | None]) -> dict[UUID, Activity]:
    wanted = {one for one in ids if one is not None}
    found = Activity.objects.filter(program=program, pk__in=wanted).select_related("store") if wanted else ()
    return {one.pk: one for one in found}


def pending_row(
    lot: Lot,
    unit: Unit,
    program: Program,
    activities: dict[UUID, Activity],
    events: Mapping[UUID, str],
    *,
    several: bool = False,
) -> Row:
    """Return units that are on the way; ``events`` are what events are called, ``several``: the program's units."""
    assert lot.matures_at is not None
    activity = activities.get(lot.activity_id) if lot.activity_id else None
    earned = lot.earned_at.astimezone(program.zone).date()
    arrives = formats.short_day(lot.matures_at.astimezone(program.zone).date())
    shown = formats.units if several else formats.figure
    written = formats.signed(shown(unit, lot.remaining, currency=program.currency), lot.remaining)
    return Row(
        place=Place(lot.earned_at, lot.matures_at, lot.pk),
        icon="hourglass",
        title=_activity_title(activity, program, events) if activity else _("Earned"),
        note=_noted(activity, earned),
        day=earned,
        sums=[Sum(written=written, is_gain=True, after=_("from %(day)s") % {"day": arrives})],
    )


def _activity_title(activity: Activity, program: Program, events: Mapping[UUID, str]) -> str:
    if activity.kind == Activity.Kind.EVENT:
        return events[activity.pk]
    named = _("Purchase") if activity.kind == Activity.Kind.PURCHASE else _("Return")
    if activity.total is None:
        return named
    amount = formats.money(activity.total, activity.currency or program.currency)
    if activity.kind == Activity.Kind.PURCHASE:
        return _("Purchase, %(amount)s") % {"amount": amount}
    return _("Return, %(amount)s") % {"amount": amount}


def _noted(activity: Activity | None, day: date) -> str:
    """Return the place and the day; a day never stands alone on a line's end with half of it below."""
    shown = formats.short_day(day)
    place = str(activity.store) if activity is not None and activity.store is not None else ""
    return f"{place} · {shown}" if place else shown


def _spent_title(kind: str, spent: SpentOn) -> str:
    """Return what was done for a reward: its own name once the units are spent on it."""
    said = {
        Kind.HOLD: _("Set aside for %(reward)s"),
        Kind.RELEASE: _("Given back: %(reward)s"),
        Kind.RESTORE: _("Given back: %(reward)s"),
    }
    if kind not in said or (kind == Kind.HOLD and not spent.is_open):
        return spent.name
    return said[Kind(kind)] % {"reward": spent.name}


class Writer:
    """Writes the rows of one page; loads what all of them need at once."""

    def __init__(self, program: Program, units: Sequence[Unit], shown: Sequence[Any], *, explained: bool) -> None:
        self.program = program
        self.units = {unit.pk: unit for unit in units}
        self.by_code = {unit.code: unit for unit in units}
        self.shown = shown
        transactions = [one for one in shown if isinstance(one, Transaction)]
        alone = {one.pk for one in shown if isinstance(one, Activity)}
        self.activities = activities_by_id(program, alone | {one.activity_id for one in transactions})
        self.events = event_names(self.activities.values(), program=program)
        self.spent = spent_on(program, [one.redemption_id for one in transactions])
        self.entries = self._entries(transactions)
        self.openings = openings_among((one.pk for one in transactions if one.kind == Kind.ADJUST), program=program)
        self.returned = self._returned() if explained else {}
        self.judgements = self._judgements() if explained else {}

    def rows(self) -> list[Row]:
        return [self._row(one) for one in self.shown]

    def _row(self, one: Any) -> Row:
        activity = self.activities.get(one.pk if isinstance(one, Activity) else one.activity_id)
        judged = activity is not None and (isinstance(one, Activity) or one.kind != Kind.EXPIRE)
        judgement = self.judgements.get(activity.pk) if activity is not None and judged else None
        day = one.occurred_at.astimezone(self.program.zone).date()
        sums = self._sums(one)
        is_return = activity is not None and activity.kind == Activity.Kind.REFUND
        lines = self._taken_back(sums) if is_return and judgement is not None else self._lines(judgement)
        return Row(
            place=Place(one.occurred_at, one.listed_at, one.pk),
            icon=self._icon(one, activity),
            title=self._title(one, activity),
            note=self._note(one, activity, day),
            day=day,
            sums=sums,
            counted=[line for line in lines if line.figure],
            idle=[line for line in lines if not line.figure],
            towards=self._towards(judgement),
            is_return=is_return,
        )

    def _icon(self, one: Any, activity: Activity | None) -> str:
        if isinstance(one, Activity):
            return ICONS_OF_ACTIVITY[one.kind]
        if self._counts_anew(one):
            return "refresh-cw"
        if one.pk in self.openings:
            return "wallet"
        is_event = activity is not None and activity.kind == Activity.Kind.EVENT
        return ICONS_OF_ACTIVITY[Activity.Kind.EVENT] if is_event and one.kind == Kind.EARN else ICONS[one.kind]

    def _title(self, one: Any, activity: Activity | None) -> str:
        if isinstance(one, Activity):
            return _activity_title(one, self.program, self.events)
        if activity is not None and one.kind in (Kind.EARN, Kind.MATURE, Kind.REVERSE):
            return _activity_title(activity, self.program, self.events)
        if self._counts_anew(one):
            return _("The count starts again")
        spent = self.spent.get(one.redemption_id) if one.redemption_id is not None else None
        if spent is not None:
            return _spent_title(one.kind, spent)
        if one.pk in self.openings:
            return _("Opening balance")
        titles = {
            Kind.EARN: _("Earned"),
            Kind.MATURE: _("Arrived"),
            Kind.HOLD: _("Set aside"),
            Kind.RELEASE: _("Given back"),
            Kind.REDEEM: _("Spent"),
            Kind.EXPIRE: _("Expired"),
            Kind.REVERSE: _("Taken back"),
            Kind.RESTORE: _("Given back"),
            Kind.ADJUST: _("Corrected"),
        }
        return titles[one.kind]

    def _counts_anew(self, one: Transaction) -> bool:
        """Whether all that ended can never be spent: nothing was lost with it."""
        ended = [self.units[entry.account.unit_id] for entry in self.entries.get(one.pk, ())]
        return one.kind == Kind.EXPIRE and not any(unit.is_spendable for unit in ended)

    def _note(self, one: Any, activity: Activity | None, day: date) -> str:
        if isinstance(one, Transaction) and one.kind == Kind.MATURE and activity is not None:
            earned = formats.short_day(activity.occurred_at.astimezone(self.program.zone).date())
            return _("%(earned)s, arrived %(day)s") % {"earned": earned, "day": formats.short_day(day)}
        bought = self.returned.get(activity.purchase_external_id) if activity is not None else None
        if bought is not None:
            told = formats.short_day(bought.astimezone(self.program.zone).date())
            return _("from purchase of %(bought)s · %(day)s") % {"bought": told, "day": formats.short_day(day)}
        return _noted(activity, day)

    def _sums(self, one: Any) -> list[Sum]:
        if isinstance(one, Activity):
            unit = min(self.units.values(), key=lambda unit: not unit.is_spendable)
            return [Sum(written=formats.figure(unit, 0, currency=self.program.currency), is_gain=False)]
        return [self._sum(entry) for entry in self.entries.get(one.pk, ())]

    def _sum(self, entry: Entry) -> Sum:
        unit = self.units[entry.account.unit_id]
        return Sum(
            written=formats.signed(self._amount(unit, entry.amount), entry.amount),
            is_gain=entry.amount > 0,
            after=self._amount(unit, entry.balance_after or 0) if unit.is_spendable else "",
            question=formats.units(unit, abs(entry.amount), currency=self.program.currency),
            unit=unit.code,
        )

    def _amount(self, unit: Unit, amount: int) -> str:
        written = formats.units if len(self.units) > 1 else formats.figure
        return written(unit, amount, currency=self.program.currency)

    def _lines(self, judgement: Judgement | None) -> list[Line]:
        if judgement is None:
            return []
        reasons = explain(judgement, program=self.program, units=self.by_code)
        return [
            Line(
                name=reason.name,
                text=reason.text,
                figure=self._amount(reason.unit, reason.units) if reason.fired else "",
                is_cut=reason.cut_by is not None,
                unit=reason.unit.code,
            )
            for reason in reasons
        ]

    def _taken_back(self, sums: Sequence[Sum]) -> list[Line]:
        text = _("what the returned goods had earned")
        return [
            Line(_("Taken back with the return"), text, one.written, is_cut=False, unit=one.unit)
            for one in sums
            if one.unit
        ]

    def _towards(self, judgement: Judgement | None) -> str:
        """Return what counted towards a tier of the version's, of money and of units."""
        if judgement is None:
            return ""
        tiers = terms_of(judgement.version_id).tiers
        asked = {one.measure for tier in tiers for one in (*tier.conditions, *tier.life)}
        credit = {measure: sum(years.values()) for measure, years in judgement.facts.get("credit", {}).items()}
        counted = {measure: abs(amount) for measure, amount in credit.items() if amount and measure in asked}
        written = [formats.money(counted["spend"], self.program.currency)] if "spend" in counted else []
        for code, unit in self.by_code.items():
            if f"{UNIT}{code}" in counted:
                written.append(formats.units(unit, counted[f"{UNIT}{code}"], currency=self.program.currency))
        return formats.listed(written)

    def _entries(self, transactions: Sequence[Transaction]) -> dict[UUID, list[Entry]]:
        found: dict[UUID, list[Entry]] = {}
        if not transactions:
            return found
        entries = Entry.objects.filter(
            transaction__in=[one.pk for one in transactions],
            account__kind=Account.Kind.AVAILABLE,
            account__membership__isnull=False,
        ).select_related("account")
        for entry in sorted(entries, key=lambda one: (not self.units[one.account.unit_id].is_spendable, one.pk)):
            found.setdefault(entry.transaction_id, []).append(entry)
        return found

    def _judgements(self) -> dict[UUID, Judgement]:
        if not self.activities:
            return {}
        found = Judgement.objects.filter(activity_id__in=self.activities)
        return {one.activity_id: one for one in found}

    def _returned(self) -> dict[str, datetime]:
        """Return when the purchases were made that these returns are of."""
        names = {one.purchase_external_id for one in self.activities.values()} - {""}
        if not names:
            return {}
        keys = ReceiptKey.objects.filter(program=self.program, kind=Activity.Kind.PURCHASE, external_id__in=names)
        bought = Activity.objects.filter(pk__in=keys.values("activity_id"))
        return dict(bought.values_list("external_id", "occurred_at"))
