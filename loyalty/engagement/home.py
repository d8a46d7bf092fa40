"""What stands on the first page: the facts under the balance, and the tier with what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from accounts import formats
from loyalty.engagement.asks import at_the_top, short_of_year, to_keep, to_reach
from loyalty.engagement.ladder import Piece, RungShown, way
from loyalty.engagement.members import Visit
from loyalty.engagement.rates import Rate, rate, rate_above
from loyalty.ledger.queries import BalanceView
from programs.engine.terms import Terms, UnitTerms
from programs.engine.tiers import UNIT
from programs.models import Unit

INSTANT = timedelta(microseconds=1)
WARNED = timedelta(days=60)
ARRIVALS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Fact:
    """A line under the balance.

    ``kind``: owes, stays, expires, lasts, arrives, has or counts; ``count`` decides the form of the verb. ``why``: the
    tier in which units last, or ``purchase`` where a purchase lets them stay longer.
    """

    kind: str
    amount: str
    day: str = ""
    count: int = 2
    warns: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The balance that stands on the ticket."""

    label: str
    balance: str
    size: str
    facts: list[Fact] = field(default_factory=list)
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class TierPanel:
    """The member's tier, what to do next, and how far it is."""

    name: str
    until: str
    action: str
    keep: str
    keep_warns: bool
    pieces: list[Piece]
    rungs: list[RungShown]
    tracks: list[Piece]
    gain: Rate | None


def ticket(visit: Visit) -> Ticket:
    """Return the balance of the first unit with its facts, and of other units the facts alone."""
    unit, program = visit.unit, visit.membership.program
    balance = visit.view.balances.get(unit.code)
    written = formats.figure(unit, balance.available if balance else 0, currency=program.currency)
    return Ticket(
        label=balance_label(unit, visit.view.terms),
        balance=written,
        size=_size(written),
        facts=_facts(visit),
        rate=None if program.is_closed else rate(visit),
    )


def _size(written: str) -> str:
    """Return the class that keeps a long balance beside the code."""
    steps = ((9, "balance-longest"), (7, "balance-longer"), (5, "balance-long"))
    return next((name for length, name in steps if len(written) > length), "")


def balance_label(unit: Unit, terms: Terms) -> str:
    """Return what stands over a balance."""
    name = unit.name_plural[:1].upper() + unit.name_plural[1:]
    if not unit.is_spendable:
        return _("%(units)s towards your level") % {"units": name} if _counts(unit, terms) else name
    return _("To spend at the till") if unit.is_money else _("%(units)s to spend") % {"units": name}


def tier_panel(visit: Visit) -> TierPanel | None:
    """Return the tier panel; None in a program without tiers."""
    tier, following = visit.view.tier, visit.view.next_tier
    if tier is None:
        return None
    found = way(visit)
    today = visit.at.date()
    return TierPanel(
        name=tier.name,
        until=_until(visit),
        action=to_reach(visit) if following else at_the_top(visit),
        keep=to_keep(visit) if following else "",
        keep_warns=tier.until is not None and tier.until - today < WARNED,
        pieces=found.pieces,
        rungs=found.rungs,
        tracks=found.tracks,
        gain=rate_above(visit),
    )


def day_before(moment: datetime, visit: Visit) -> date:
    """Return the last day of what is gone from ``moment`` on, as the program's calendar has it."""
    return (moment - INSTANT).astimezone(visit.membership.program.zone).date()


def _until(visit: Visit) -> str:
    """Return until when the tier is held, and by what where it was not reached; empty where that is open."""
    tier = visit.view.tier
    assert tier is not None
    if tier.until is None:
        without_end = {"": _("always yours"), "invitation": _("by invitation")}
        return without_end.get(tier.given, _("given to you"))
    if tier.until < visit.at.date():
        return ""
    sentences = {
        "": _("until %(day)s"),
        "invitation": _("by invitation, until %(day)s"),
        "trial": _("on trial until %(day)s"),
    }
    return sentences.get(tier.given, _("given to you until %(day)s")) % {"day": formats.day(tier.until)}


# --- Facts -----------------------------------------------------------------------------------------------------------


def _facts(visit: Visit) -> list[Fact]:
    terms, currency = visit.view.terms, visit.membership.program.currency
    first, *others = sorted(visit.units, key=lambda unit: unit != visit.unit)
    facts = _facts_of(first, visit)
    for unit in others:
        balance = visit.view.balances.get(unit.code)
        if balance is None or balance.available <= 0:
            continue
        amount = formats.units(unit, balance.available, currency=currency)
        if unit.is_spendable:
            facts += [Fact("has", amount), *_facts_of(unit, visit)]
        else:
            kind = "counts" if _counts(unit, terms) else "has"
            facts.append(Fact(kind, amount, _counted_until(unit, balance, visit), _count(unit, balance.available)))
    return facts + _arrivals(visit)


def _facts_of(unit: Unit, visit: Visit) -> list[Fact]:
    """Return what is owed of a unit, and when it ends or that it does not."""
    balance, how = visit.view.balances.get(unit.code), visit.view.terms.units.get(unit.code)
    if balance is None or how is None:
        return []
    owed = balance.owed or -min(balance.available, 0)
    facts = []
    if owed:
        written = formats.units(unit, owed, currency=visit.membership.program.currency)
        facts.append(Fact("owes", written, count=_count(unit, owed)))
    if unit.is_spendable and (end := _end(unit, balance, how, visit)) is not None:
        facts.append(end)
    return facts


def _end(unit: Unit, balance: BalanceView, how: UnitTerms, visit: Visit) -> Fact | None:
    tier = visit.view.tier
    if how.expiry == "none" or (balance.available <= 0 and balance.next_expiry is None):
        return None
    if balance.next_expiry is None:
        is_spared = tier is not None and how.tier_months.get(tier.code, 0) is None
        return Fact("lasts", unit.name_plural, why=tier.name if tier else "") if is_spared else None
    amount, at = balance.next_expiry
    today, last = visit.at.date(), day_before(at, visit)
    if last < today:  # Over, but the member was not told yet: it stays until then.
        return None
    day, warns = short_of_year(last, today), last - today < WARNED
    if how.expiry == "inactivity":
        moved = "purchase" if "purchase" in how.kept_alive_by else ""
        return Fact("stays", unit.name_plural, day, warns=warns, why=moved) if balance.available > 0 else None
    written = formats.units(unit, amount, currency=visit.membership.program.currency)
    return Fact("expires", written, day, _count(unit, amount), warns=warns)


def _counted_until(unit: Unit, balance: BalanceView, visit: Visit) -> str:
    """Return until when units that cannot be spent count, where their days are fixed."""
    how = visit.view.terms.units.get(unit.code)
    if how is None or how.expiry != "fixed" or balance.next_expiry is None:
        return ""
    last, today = day_before(balance.next_expiry[1], visit), visit.at.date()
    return short_of_year(last, today) if last >= today else ""


def _arrivals(visit: Visit) -> list[Fact]:
    program, today = visit.membership.program, visit.at.date()
    by_code = {unit.code: unit for unit in visit.units}
    facts = []
    for arrival in visit.view.arriving[:ARRIVALS_SHOWN]:
        unit, day = by_code[arrival.unit], arrival.at.astimezone(program.zone).date()
        written = formats.units(unit, arrival.amount, currency=program.currency)
        facts.append(Fact("arrives", written, short_of_year(day, today), _count(unit, arrival.amount)))
    return facts


def _counts(unit: Unit, terms: Terms) -> bool:
    """Whether a unit counts towards any tier."""
    asked = {one.measure for tier in terms.tiers for one in (*tier.conditions, *tier.life)}
    return f"{UNIT}{unit.code}" in asked


def _count(unit: Unit, amount: int) -> int:
    return 1 if unit.is_money or amount == 10**unit.precision else 2
