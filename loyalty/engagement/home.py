"""What stands on the first page: the facts under the balance, and the way to the next tier."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.utils.translation import gettext as _

from accounts import formats
from loyalty.engagement.members import Visit
from loyalty.ledger.queries import NextTierView, RungView
from programs.engine.terms import RATE_SCALE, Rule
from programs.models import Unit

INSTANT = timedelta(microseconds=1)
WARNED = timedelta(days=60)
RUNGS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """A line under the balance. ``kind``: stays, expires, arrives; ``count`` decides the form of the verb."""

    kind: str
    amount: str
    day: str
    count: int
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """The balance that stands on the ticket."""

    label: str
    balance: str
    size: str
    facts: list[Fact] = field(default_factory=list)
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What one of the currency gives: ``$1`` gives ``1.25 points``, or so many percent back."""

    given: str
    each: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """The way from one rung to the next; ``done`` of ``whole``."""

    label: str
    done: int
    whole: int


@dataclass(frozen=True, slots=True)
class RungShown:
    """A rung under the bar."""

    name: str
    figure: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class TierPanel:
    """The member's tier, what to do next, and how far it is."""

    name: str
    until: str
    action: str
    keep: str
    pieces: list[Piece]
    rungs: list[RungShown]
    gain: Rate | None


def ticket(visit: Visit) -> Ticket:
    """Return the balance of the first unit with its facts, and of other units the facts alone."""
    unit, program = visit.unit, visit.membership.program
    balance = visit.view.balances.get(unit.code)
    written = formats.figure(unit, balance.available if balance else 0, currency=program.currency)
    return Ticket(
        label=spendable_label(unit),
        balance=written,
        size=_size(written),
        facts=_facts(visit),
        rate=_rate(visit, tier=visit.view.tier.code if visit.view.tier else ""),
    )


def _size(written: str) -> str:
    """Return the class that keeps a long balance beside the code."""
    steps = ((9, "balance-longest"), (7, "balance-longer"), (5, "balance-long"))
    return next((name for length, name in steps if len(written) > length), "")


def spendable_label(unit: Unit) -> str:
    """Return what stands over a balance."""
    if unit.is_money:
        return _("To spend at the till")
    name = unit.name_plural
    return _("%(units)s to spend") % {"units": name[:1].upper() + name[1:]}


def tier_panel(visit: Visit) -> TierPanel | None:
    """Return the tier panel; None in a program without tiers."""
    tier, following = visit.view.tier, visit.view.next_tier
    if tier is None:
        return None
    today = visit.at.date()
    ladder = _window(visit.view.ladder, tier.code)
    have = _have(visit, following, today)
    return TierPanel(
        name=tier.name,
        until=_("until %(day)s") % {"day": formats.day(tier.until)} if tier.until else _("always yours"),
        action=_action(visit, following, today) if following else _at_the_top(visit, tier.name, tier.until, today),
        keep=_keeping(visit, tier.code, tier.name, tier.until, have, today) if following else "",
        pieces=_pieces(ladder, have),
        rungs=_rungs(visit, ladder, tier.code, following.code if following else "", have),
        gain=_rate(visit, tier=following.code, named=following.name) if following else None,
    )


def day_before(moment: datetime, visit: Visit) -> date:
    """Return the last day of what is gone from ``moment`` on, as the program's calendar has it."""
    return (moment - INSTANT).astimezone(visit.membership.program.zone).date()


def _facts(visit: Visit) -> list[Fact]:
    currency, today = visit.membership.program.currency, visit.at.date()
    facts: list[Fact] = []
    spendable = visit.view.balances.get(visit.unit.code)
    if visit.view.stays_until is not None and spendable is not None and spendable.available > 0:
        last = day_before(visit.view.stays_until, visit)
        named = visit.unit.name_plural
        facts.append(Fact("stays", named, _short_of_year(last, today), 2, warns=last - today < WARNED))
    for unit in visit.units:
        balance = visit.view.balances.get(unit.code)
        if balance is None or balance.next_expiry is None or facts:
            continue
        amount, at = balance.next_expiry
        last = day_before(at, visit)
        written = formats.units(unit, amount, currency=currency)
        facts.append(Fact("expires", written, _short_of_year(last, today), _count(unit, amount), warns=True))
    by_code = {unit.code: unit for unit in visit.units}
    for arrival in visit.view.arriving[:2]:
        unit, day = by_code[arrival.unit], arrival.at.astimezone(visit.membership.program.zone).date()
        written = formats.units(unit, arrival.amount, currency=currency)
        facts.append(Fact("arrives", written, _short_of_year(day, today), _count(unit, arrival.amount)))
    return facts


def _count(unit: Unit, amount: int) -> int:
    return 1 if unit.is_money or amount == 10**unit.precision else 2


def _short_of_year(day: date, today: date) -> str:
    return formats.day(day, year=day.year != today.year)


def _rate(visit: Visit, *, tier: str, named: str = "") -> Rate | None:
    """Return the rate of the one rule that holds for every purchase; None where several rules share the work."""
    rules = [rule for rule in visit.view.terms.rules if rule.unit == visit.unit.code]
    if len(rules) != 1:
        return None
    rule, program = rules[0], visit.membership.program
    if named and rule.rate_for(tier) == rule.rate_for(visit.view.tier.code if visit.view.tier else ""):
        return None
    return _written_rate(visit, rule, tier, named, program.currency)


def _written_rate(visit: Visit, rule: Rule, tier: str, named: str, currency: str) -> Rate:
    value = Decimal(rule.rate_for(tier)) / RATE_SCALE
    if rule.effect == "percent":
        return Rate(given=formats.percent(value / 100, decimals=_decimals(value)), tier=named)
    one = formats.money(10**visit.view.terms.digits, currency, drop_cents=True)
    units = f"{formats.rate(value)}{formats.NO_BREAK}{formats.unit_name(visit.unit, value)}"
    return Rate(given=units, each=one, tier=named)


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _have(visit: Visit, following: NextTierView | None, today: date) -> int:
    """Return this year's tier credit in minor units."""
    if following is not None and following.missing:
        return following.missing[0].have
    credit = visit.membership.standing.credit.get("spend", {})
    return int(credit.get(str(today.year), 0))


def _action(visit: Visit, following: NextTierView, today: date) -> str:
    asked = [one for one in following.missing if one.missing > 0]
    if not asked or asked[0].by is None:
        return _("%(tier)s is next") % {"tier": following.name}
    amount = formats.money(asked[0].missing, visit.membership.program.currency, drop_cents=True)
    words = {"amount": amount, "day": _short_of_year(asked[0].by, today), "tier": following.name}
    if asked[0].have > 0:
        return _("Spend %(amount)s more by %(day)s to reach %(tier)s") % words
    return _("Spend %(amount)s by %(day)s to reach %(tier)s") % words


def _at_the_top(visit: Visit, name: str, until: date | None, today: date) -> str:
    code = visit.view.tier.code if visit.view.tier else ""
    keep = _keeping(visit, code, name, until, _have(visit, None, today), today)
    need = next((rung.threshold for rung in visit.view.ladder if rung.code == code), None)
    if keep or until is None or need is None:
        return keep or _("%(tier)s is the highest level, and it is yours") % {"tier": name}
    amount = formats.money(need, visit.membership.program.currency, drop_cents=True)
    return _("Spend %(amount)s in %(year)s to keep %(tier)s after that") % {
        "amount": amount,
        "year": until.year,
        "tier": name,
    }


def _keeping(visit: Visit, code: str, name: str, until: date | None, have: int, today: date) -> str:
    """Return how to keep the tier in its last year; empty where it is kept already."""
    need = next((rung.threshold for rung in visit.view.ladder if rung.code == code), None)
    if until is None or until.year != today.year or need is None or have >= need:
        return ""
    amount = formats.money(need - have, visit.membership.program.currency, drop_cents=True)
    words = {"amount": amount, "day": _short_of_year(until, today), "tier": name}
    return _("Spend %(amount)s more by %(day)s to keep %(tier)s") % words


def _window(ladder: list[RungView], code: str) -> list[RungView]:
    """Return the rungs around the member's where the whole ladder would be too long for the bar."""
    if len(ladder) <= RUNGS_SHOWN:
        return list(ladder)
    mine = next((index for index, rung in enumerate(ladder) if rung.code == code), 0)
    first = min(max(mine - 1, 0), len(ladder) - 3)
    return list(ladder[first : first + 3])


def _pieces(ladder: list[RungView], have: int) -> list[Piece]:
    pieces = []
    for below, above in pairwise(ladder):
        low, high = below.threshold or 0, above.threshold or 0
        whole = max(high - low, 1)
        label = _("%(below)s to %(above)s") % {"below": below.name, "above": above.name}
        pieces.append(Piece(label, min(max(have - low, 0), whole), whole))
    return pieces


def _rungs(visit: Visit, ladder: list[RungView], mine: str, following: str, have: int) -> list[RungShown]:
    currency = visit.membership.program.currency
    shown = []
    for rung in ladder:
        figure = formats.money(rung.threshold or 0, currency, drop_cents=True)
        if rung.code == following:
            spent = formats.money(have, currency, drop_cents=True)
            figure = _("%(have)s of %(need)s") % {"have": spent, "need": figure}
        shown.append(RungShown(rung.name, figure, rung.code == mine))
    return shown
