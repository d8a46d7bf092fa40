"""Says values of one program's terms: amounts, rates, units, conditions, and what codes stand for."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.utils.dates import WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from programs.clauses import QUANTITY_PLACES, ClauseError, parsed
from programs.content import CapContent, ClauseContent, Content, LineRateContent, RuleContent
from programs.engine.terms import Clause
from programs.models import ClauseKind, Program, Rule, RuleCap, Unit

Lines = dict[str, str]
"""What is said of a part: the name of each value, and the value in words."""


@dataclass(frozen=True, slots=True)
class Words:
    """Currency and units of the terms, names of tiers, rules, groups, events, segments by code, the time zone."""

    currency: str
    units: Mapping[str, Unit]
    tiers: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC

    @property
    def digits(self) -> int:
        """The currency's decimals."""
        return get_currency_precision(self.currency)

    def amount(self, value: Decimal) -> str:
        """An amount of purchases, as money."""
        minor = value.scaleb(self.digits)
        if minor != minor.to_integral_value():
            return f"{formats.rate(value)}{formats.NO_BREAK}{self.currency}"
        return formats.money(int(minor), self.currency)

    def unit(self, code: str) -> str:
        """The name of many of a unit."""
        return self.units[code].name_plural if code in self.units else code

    def units_of(self, code: str, value: Decimal) -> str:
        """A number of a unit: “5 points”."""
        unit = self.units.get(code)
        name = formats.unit_name(unit, value.normalize()) if unit else code
        return f"{formats.rate(value)}{formats.NO_BREAK}{name}"

    def short_rate(self, rule: RuleContent, value: Decimal) -> str:
        """A rate without what it is a rate of: “1.5”, “25 %”."""
        is_percent = rule.effect in (Rule.Effect.PERCENT, Rule.Effect.BONUS)
        return f"{formats.rate(value)}{formats.NO_BREAK}%" if is_percent else formats.rate(value)

    def rate(self, rule: RuleContent, value: Decimal) -> str:
        """What a rule gives at this rate."""
        said = {
            "rate": formats.rate(value),
            "units": self.units_of(rule.unit, value),
            "one": self.amount(Decimal(1)),
            "of": self.rules.get(rule.of, rule.of),
        }
        if rule.effect == Rule.Effect.PERCENT:
            return self.short_rate(rule, value)
        if rule.effect == Rule.Effect.FIXED:
            return said["units"]
        if rule.effect == Rule.Effect.PER_ITEM:
            return _("%(units)s for each piece") % said
        if rule.effect == Rule.Effect.STAMP:
            return _("%(units)s for each whole piece") % said
        if rule.effect == Rule.Effect.MULTIPLIER:
            return _("%(rate)s times the rate of “%(of)s”") % said
        if rule.effect == Rule.Effect.BONUS:
            return _("%(percent)s of what “%(of)s” gives") % {**said, "percent": self.short_rate(rule, value)}
        return _("%(units)s for each %(one)s") % said


def words_for(program: Program, *versions: Content | None) -> Words:
    """Return the words for some versions' terms; the last knows best what a code is called. Two queries."""
    known = [terms for terms in versions if terms]
    return Words(
        currency=program.currency,
        units={unit.code: unit for unit in program.units.all()},
        tiers={tier.code: tier.name for terms in known for tier in terms.tiers},
        rules={rule.code: rule.name for terms in known for rule in terms.rules},
        groups={group.code: group.name for terms in known for group in terms.groups},
        events={event.code: event.name for terms in known for event in terms.events},
        segments={segment.code.casefold(): segment.name for segment in program.segments.all()},
        zone=program.zone,
    )


def switched(is_on: bool) -> str:
    """Return whether something is on."""
    return _("on") if is_on else _("off")


def months(count: int) -> str:
    """Return a number of months."""
    return ngettext("%(count)d month", "%(count)d months", count) % {"count": count}


def days(count: int) -> str:
    """Return a number of days."""
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


# --- Conditions ------------------------------------------------------------------------------------------------------


def condition_lines(clauses: Iterable[ClauseContent], words: Words) -> Lines:
    """Return each kind of condition with what it asks; several of one kind stand together."""
    kinds: dict[str, list[str]] = {}
    for given in clauses:
        kinds.setdefault(given.kind, []).append(condition(given, words))
    labels = dict(ClauseKind.choices)
    return {
        _("Only if %(kind)s") % {"kind": str(labels.get(kind, kind)).lower()}: _(" and ").join(said)
        for kind, said in kinds.items()
    }


def condition(given: ClauseContent, words: Words) -> str:
    """Return what a condition asks, in words; as it was written where it cannot be read."""
    try:
        clause = parsed(given.kind, given.value, digits=words.digits)
    except ClauseError:
        said = given.value
    else:
        said = _said(clause, given.value, words)
    return _("not %(condition)s") % {"condition": said} if given.negated else said


def _said(clause: Clause, written: str, words: Words) -> str:
    if clause.kind in ("amount", "quantity", "age"):
        return _bounds(clause, words)
    if clause.kind == "weekday":
        return _or(str(WEEKDAYS[int(day) - 1]) for day in clause.values)
    if clause.kind == "dates":
        return _dates(clause)
    if clause.kind == "nth":
        return _("number %(numbers)s") % {"numbers": _or(clause.values)}
    if clause.kind == "every_nth":
        return _("one in %(count)d") % {"count": clause.least or 0}
    if clause.kind == "birthday":
        return _birthday(clause)
    if clause.kind == "first_lines":
        return _("the first %(count)d of “%(category)s”") % {
            "count": clause.most or 0,
            "category": written.rpartition(":")[0].strip(),
        }
    if clause.kind == "attribute":
        name, _sign, allowed = (part.strip() for part in written.partition("="))
        return _("“%(name)s” is %(values)s") % {"name": name, "values": _list(allowed)} if allowed else name
    if clause.kind in ("tier", "segment"):
        names = words.tiers if clause.kind == "tier" else words.segments
        return _or(names.get(code, code) for code in clause.values)
    return written if clause.kind == "hours" else _list(written)


def _list(written: str) -> str:
    parts = next(csv.reader([written], skipinitialspace=True), [])
    return _or(part.strip() for part in parts if part.strip())


def _or(values: Iterable[str]) -> str:
    return str(get_text_list(list(values), _("or")))


def _bounds(clause: Clause, words: Words) -> str:
    def said(value: int) -> str:
        if clause.kind == "amount":
            return formats.money(value, words.currency)
        return months(value) if clause.kind == "age" else formats.rate(Decimal(value).scaleb(-QUANTITY_PLACES))

    if clause.least is not None and clause.most is not None:
        return _("from %(least)s to %(most)s") % {"least": said(clause.least), "most": said(clause.most)}
    if clause.least is not None:
        return _("at least %(least)s") % {"least": said(clause.least)}
    return _("at most %(most)s") % {"most": said(clause.most or 0)}


def _dates(clause: Clause) -> str:
    least, most = (None if day is None else formats.day(date.fromordinal(day)) for day in (clause.least, clause.most))
    if least is not None and least == most:
        return _("on %(day)s") % {"day": least}
    if least is not None and most is not None:
        return _("from %(least)s to %(most)s") % {"least": least, "most": most}
    return _("from %(day)s on") % {"day": least} if least is not None else _("up to %(day)s") % {"day": most}


def _birthday(clause: Clause) -> str:
    if clause.values:
        return _("in its month")
    least, most = clause.least or 0, clause.most or 0
    if least == most == 0:
        return _("on the day itself")
    return _("from %(least)s to %(most)s") % {"least": _around(least), "most": _around(most)}


def _around(day: int) -> str:
    if day == 0:
        return _("the day itself")
    return _("%(days)s before") % {"days": days(-day)} if day < 0 else _("%(days)s after") % {"days": days(day)}


# --- Rates of lines, limits ------------------------------------------------------------------------------------------


def line_rate_lines(rule: RuleContent, words: Words) -> Lines:
    """Return the rates of some lines."""
    return {_line_rate_name(given, words): words.rate(rule, given.rate) for given in rule.line_rates}


def _line_rate_name(given: LineRateContent, words: Words) -> str:
    kind = str(dict(ClauseKind.choices).get(given.clause.kind, given.clause.kind)).lower()
    return _("Rate for lines with %(kind)s %(values)s") % {"kind": kind, "values": condition(given.clause, words)}


def cap_lines(caps: Iterable[CapContent], unit: str, words: Words) -> Lines:
    """Return limits with what they count and where; ``unit`` is the code of the one that is given."""
    return {_cap_name(cap): _cap(cap, unit, words) for cap in caps}


def _cap_name(cap: CapContent) -> str:
    names = {
        RuleCap.Counts.AMOUNT: _("Counts at most, %(window)s"),
        RuleCap.Counts.UNITS: _("Gives at most, %(window)s"),
        RuleCap.Counts.TIMES: _("Applies at most, %(window)s"),
    }
    name = names[RuleCap.Counts(cap.counts)] % {
        "window": str(dict(RuleCap.Window.choices)[RuleCap.Window(cap.window)]).lower()
    }
    if cap.scope == RuleCap.Scope.PROGRAM:
        name = _("%(limit)s, all members together") % {"limit": name}
    return _("%(limit)s, apart for each “%(per)s”") % {"limit": name, "per": cap.per} if cap.per else name


def _cap(cap: CapContent, unit: str, words: Words) -> str:
    said = limit_in_words(cap, unit, words)
    return said if cap.is_on else _("%(limit)s (switched off)") % {"limit": said}


def limit_in_words(cap: CapContent, unit: str, words: Words) -> str:
    """Return how much a limit lets through; ``unit`` is the code of the one that is given."""
    if cap.counts == RuleCap.Counts.AMOUNT:
        return words.amount(cap.amount)
    if cap.counts == RuleCap.Counts.UNITS:
        return words.units_of(unit, cap.amount) if unit else formats.rate(cap.amount)
    return ngettext("%(count)d time", "%(count)d times", int(cap.amount)) % {"count": int(cap.amount)}
