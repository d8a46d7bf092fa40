"""Conditions as staff write them, read as the engine's clauses.

- sku, category, brand, tag, store, channel, tier, segment: a list, ``travel, rides``; a text with a comma in "quotes"
- amount, quantity, age: ``>= 50.00``, ``<= 20``, ``10..20``
- weekday: ``mon, wed`` or ``mon-fri``; hours: ``09:00-17:00``, past midnight too
- dates: ``2026-11-01..2026-11-30``, either side open, or one day; nth: ``1``, ``1, 2`` or ``every 10``
- birthday: ``month``, or days around it, ``-7..7``; attribute: ``place=Prague, Brno``, or ``place`` for any value
- first_lines: ``stay: 3``

What can be read may still never hold; that is for ``programs.faults`` to say.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from programs.engine.terms import Clause

BOUNDS = re.compile(r"(?P<sign>>=|<=)\s*(?P<bound>\S+)|(?P<least>[^\s.]\S*?)?\s*\.\.\s*(?P<most>\S+)?")
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", re.ASCII)
EVERY = re.compile(r"every\s+(\d+)", re.ASCII)
FIRST_LINES = re.compile(r"(.+):\s*(\d+)", re.ASCII)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY = 24 * 60
QUANTITY_PLACES = 3


class ClauseError(ValueError):
    """The text cannot be read; it says what to write instead."""


def parsed(kind: str, text: str, *, negated: bool = False, digits: int = 2) -> Clause:
    """Return a condition as the engine reads it; ``digits`` are the currency's. Raises ``ClauseError``."""
    read = READERS.get(kind)
    if read is None:
        raise ClauseError(_("“%(kind)s” is no kind of condition.") % {"kind": kind})
    return read(kind, " ".join(text.split()), negated, digits)


def _refuse(text: str, instead: str | Promise) -> ClauseError:
    return ClauseError(_("“%(text)s” cannot be read. %(instead)s") % {"text": text, "instead": instead})


def _list(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    values = _texts(text)
    if not values:
        raise _refuse(text, _("Write one or more, with commas between them: travel, rides."))
    return Clause(kind, negated, values)


def _texts(text: str) -> tuple[str, ...]:
    """Return the texts of a list, each once, as they are compared."""
    row = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(dict.fromkeys(part.strip().casefold() for part in row if part.strip()))


def _amount(kind: str, text: str, negated: bool, digits: int) -> Clause:
    return _bounds(kind, text, negated, places=digits, example=_("Write for example >= 50, <= 20 or 10..20."))


def _quantity(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    return _bounds(kind, text, negated, places=QUANTITY_PLACES, example=_("Write for example >= 2, <= 5 or 2..5."))


def _age(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    example = _("Write whole months, for example >= 12, <= 3 or 3..12.")
    return _bounds(kind, text, negated, places=0, example=example)


def _birthday(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    if text.casefold() == "month":
        return Clause(kind, negated, ("month",))
    example = _("Write month, or the days around the birthday: -7..7.")
    clause = _bounds(kind, text, negated, places=0, example=example, may_be_negative=True)
    if clause.least is None or clause.most is None:
        raise _refuse(text, example)
    return clause


def _bounds(
    kind: str, text: str, negated: bool, *, places: int, example: str | Promise, may_be_negative: bool = False
) -> Clause:
    found = BOUNDS.fullmatch(text)
    if found is None:
        raise _refuse(text, example)
    least = found["bound"] if found["sign"] == ">=" else found["least"]
    most = found["bound"] if found["sign"] == "<=" else found["most"]
    bounds = [None if part is None else _scaled(part, places) for part in (least, most)]
    unread = any(bound is None for bound, part in zip(bounds, (least, most), strict=True) if part is not None)
    negative = not may_be_negative and any(bound is not None and bound < 0 for bound in bounds)
    if unread or negative or bounds == [None, None]:
        raise _refuse(text, example)
    return Clause(kind, negated, least=bounds[0], most=bounds[1])


def _scaled(text: str, places: int) -> int | None:
    """Return a number in steps of so many places; None for what is no number, or has more of them."""
    if NUMBER.fullmatch(text) is None:
        return None
    steps = Decimal(text).scaleb(places)
    return int(steps) if steps == steps.to_integral_value() else None


def _weekday(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    days: set[int] = set()
    for part in _texts(text.replace("–", "-")):
        ends = [_day(name.strip()) for name in part.split("-")]
        if len(ends) > 2 or None in ends:
            raise _refuse(text, _("Write days of the week: mon, wed, or mon-fri."))
        first, last = ends[0] or 0, ends[-1] or 0
        days |= {(first + step) % 7 + 1 for step in range((last - first) % 7 + 1)}
    if not days:
        raise _refuse(text, _("Write days of the week: mon, wed, or mon-fri."))
    return Clause(kind, negated, tuple(str(day) for day in sorted(days)))


def _day(name: str) -> int | None:
    """Return the place in the week, 0 for Monday, of a day's English name of three letters or more."""
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return next((i for i, full in enumerate(names) if name[:3] == DAYS[i] and full.startswith(name)), None)


def _hours(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    found = HOURS.fullmatch(text)
    numbers = [int(part) for part in found.groups()] if found else []
    if not numbers or max(numbers[1], numbers[3]) > 59:
        raise _refuse(text, _("Write from when to when: 09:00-17:00."))
    least, most = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if least >= MINUTES_OF_DAY or most > MINUTES_OF_DAY:
        raise _refuse(text, _("Write from when to when: 09:00-17:00."))
    return Clause(kind, negated, least=least, most=most)


def _dates(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    first, dots, last = (part.strip() for part in text.partition(".."))
    try:
        least = date.fromisoformat(first).toordinal() if first else None
        most = date.fromisoformat(last).toordinal() if last else None if dots else least
    except ValueError:
        least = most = None
    if least is None and most is None:
        raise _refuse(text, _("Write the first and the last day: 2026-11-01..2026-11-30."))
    return Clause(kind, negated, least=least, most=most)


def _nth(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    every = EVERY.fullmatch(text.casefold())
    if every:
        return Clause("every_nth", negated, least=int(every[1]))
    numbers = _texts(text)
    if not numbers or not all(re.fullmatch(r"\d{1,9}", one, re.ASCII) for one in numbers):
        raise _refuse(text, _("Write which purchase: 1, or 1, 2, 3, or every 10."))
    return Clause(kind, negated, tuple(str(int(one)) for one in numbers))


def _attribute(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    name, equals, allowed = (part.strip() for part in text.partition("="))
    values = _texts(allowed)
    if not name or (equals and not values):
        raise _refuse(text, _("Write the attribute and what it may be: place=Prague, Brno."))
    return Clause(kind, negated, (name.casefold(), *values))


def _first_lines(kind: str, text: str, negated: bool, _digits: int) -> Clause:
    found = FIRST_LINES.fullmatch(text)
    if found is None:
        raise _refuse(text, _("Write the category, and how many of its lines count: stay: 3."))
    return Clause(kind, negated, (found[1].strip().casefold(),), most=int(found[2]))


READERS: dict[str, Callable[[str, str, bool, int], Clause]] = {
    "sku": _list,
    "category": _list,
    "brand": _list,
    "tag": _list,
    "first_lines": _first_lines,
    "amount": _amount,
    "quantity": _quantity,
    "store": _list,
    "channel": _list,
    "weekday": _weekday,
    "hours": _hours,
    "dates": _dates,
    "nth": _nth,
    "birthday": _birthday,
    "tier": _list,
    "segment": _list,
    "age": _age,
    "attribute": _attribute,
}
