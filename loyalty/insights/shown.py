"""The figures as they are read: tiles with their change, bars, rows and things to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from loyalty.insights.figures import LONG, SHORT, Attention, Figures, Outstanding, Pair
from loyalty.purchases.models import Activity
from programs.engine.terms import Tier
from programs.models import Program

Status = Activity.Status
LOOKS: dict[str, tuple[str, str]] = {
    Status.FAILED: ("circle-alert", "bad"),
    Status.WAITING: ("triangle-alert", "warn"),
    Status.RECORDED: ("refresh-cw", "info"),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure. ``tone`` is good or bad only where a direction is so by itself."""

    name: str
    value: str
    change: str
    before: str
    icon: str
    tone: str
    definition: str


@dataclass(frozen=True, slots=True)
class TierRow:
    """A tier's members, their share, and the length of its bar out of 100."""

    name: str
    members: str
    share: str
    length: str
    series: int


@dataclass(frozen=True, slots=True)
class UnitRow:
    """What members hold of one unit; ``note`` says where that is nothing to be spent."""

    name: str
    note: str
    available: str
    pending: str
    held: str


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing for staff to look at, and the page that mends it."""

    icon: str
    tone: str
    title: str
    note: str
    href: str


def tiles(found: Figures, *, program: Program) -> list[Tile]:
    """Return the tiles in their order."""
    currency, days = program.currency, {"days": SHORT}
    share = formats.percent(Decimal(found.active.now) / found.members.now) if found.members.now else _("n/a")
    by_members = (
        formats.percent(Decimal(found.by_members.now) / found.purchases.now) if found.purchases.now else _("n/a")
    )
    made = [
        _tile(_("Members"), found.members, _("cards that are not closed; compared with %(days)s days ago") % days),
        _tile(
            _("Active members"),
            found.active,
            _("%(share)s of all; bought in the last %(days)s days") % {"share": share, "days": LONG},
        ),
        _tile(
            _("Purchases"),
            found.purchases,
            _("last %(days)s days; %(share)s of them with a card") % {"days": SHORT, "share": by_members},
        ),
        _tile(
            _("Sales"), found.sales, _("last %(days)s days, less what was returned of them") % days, currency=currency
        ),
    ]
    for held in found.outstanding:
        pair = found.issued.get(held.unit.pk, Pair(0, 0))
        made.append(_issued(held, pair, program=program))
        if held.unit.is_spendable:
            made.append(_held(held, program=program))
    return made


def tier_rows(found: Figures, *, tiers: Sequence[Tier]) -> list[TierRow]:
    """Return the tiers from the highest down with their members."""
    counts = {one.code: one.members for one in found.tiers}
    total, most = sum(counts.values()), max(counts.values(), default=0)
    rows = []
    for rank, tier in reversed(list(enumerate(tiers))):
        members = counts.get(tier.code, 0)
        rows.append(
            TierRow(
                name=tier.name,
                members=formats.number(members),
                share=formats.percent(Decimal(members) / total) if total else _("n/a"),
                length=f"{100 * members / most:.1f}" if most else "0",
                series=4 - min(rank, 2),
            )
        )
    return rows


def unit_rows(found: Figures, *, program: Program) -> list[UnitRow]:
    """Return what members hold, unit by unit."""
    currency = program.currency
    return [
        UnitRow(
            name=row.unit.name_plural,
            note="" if row.unit.is_spendable else _("cannot be spent"),
            available=formats.figure(row.unit, row.available, currency=currency),
            pending=formats.figure(row.unit, row.pending, currency=currency),
            held=formats.figure(row.unit, row.held, currency=currency),
        )
        for row in found.outstanding
    ]


def matters(attention: Attention, *, program: Program) -> list[Matter]:
    """Return what needs a hand; the calm line comes last where the queue is empty."""
    found: list[Matter] = []
    if attention.failed:
        title = ngettext("%(count)s activity failed", "%(count)s activities failed", attention.failed)
        found.append(_matter(Status.FAILED, title, attention.failed, attention.failed_since, program))
    if attention.waiting:
        title = ngettext(
            "%(count)s return waits for its purchase", "%(count)s returns wait for their purchases", attention.waiting
        )
        found.append(_matter(Status.WAITING, title, attention.waiting, attention.waiting_since, program))
    if attention.backlog:
        title = ngettext(
            "%(count)s activity is being counted", "%(count)s activities are being counted", attention.backlog
        )
        found.append(_matter(Status.RECORDED, title, attention.backlog, attention.backlog_since, program))
    else:
        found.append(Matter("circle-check", "good", _("Queue is clear"), _("Everything that arrived is counted."), ""))
    return found


def _matter(status: str, title: str, number: int, since: datetime | None, program: Program) -> Matter:
    icon, tone = LOOKS[status]
    note = _("Oldest since %(moment)s.") % {"moment": formats.moment(since, zone=program.zone)} if since else ""
    href = f"{reverse('admin:purchases_activity_changelist')}?status__exact={status}"
    return Matter(icon, tone, title % {"count": formats.number(number)}, note, href)


def _tile(name: str, pair: Pair, definition: str, *, currency: str = "") -> Tile:
    def written(value: int) -> str:
        return formats.money(value, currency, drop_cents=True) if currency else formats.number(value)

    value = formats.money(whole(pair.now, currency), currency, drop_cents=True) if currency else written(pair.now)
    before = written(whole(pair.before, currency) if currency else pair.before)
    return _compared(name, value, before, pair, definition, is_better_up=True)


def _issued(held: Outstanding, pair: Pair, *, program: Program) -> Tile:
    name = _("%(units)s issued") % {"units": _capital(held.unit.name_plural)}
    definition = _("earned in the last %(days)s days; returns not taken off") % {"days": SHORT}
    value = formats.figure(held.unit, pair.now, currency=program.currency)
    before = formats.figure(held.unit, pair.before, currency=program.currency)
    return _compared(name, value, before, pair, definition, is_better_up=False)


def _held(held: Outstanding, *, program: Program) -> Tile:
    total = held.available + held.pending + held.held
    name = _("%(units)s outstanding") % {"units": _capital(held.unit.name_plural)}
    value = formats.figure(held.unit, total, currency=program.currency)
    return Tile(name, value, "", _("as it stands now"), "", "", _("what all members together hold"))


def _compared(name: str, value: str, before: str, pair: Pair, definition: str, *, is_better_up: bool) -> Tile:
    if not pair.before:
        return Tile(name, value, "", _("no earlier period"), "", "", definition)
    share = Decimal(pair.now - pair.before) / pair.before
    icon = "arrow-up-right" if share > 0 else "arrow-down-right" if share < 0 else "minus"
    tone = "" if not is_better_up or not share else "good" if share > 0 else "bad"
    change = formats.percent(abs(share))
    return Tile(name, value, change, _("from %(before)s") % {"before": before}, icon, tone, definition)


def whole(minor: int, currency: str) -> int:
    """Return an amount rounded to whole units of the currency: cents say nothing in a total."""
    step: int = 10 ** formats.minor_digits(currency)
    return round(minor / step) * step


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
