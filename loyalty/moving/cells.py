"""Cells: what a spreadsheet or a text file has in them, as what it means. Each raises CellError where it cannot."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from loyalty.api.formats import LARGEST_AMOUNT
from loyalty.moving.faults import CellError
from programs.engine.dates import LAST_DAY, start_of

FIRST_DAY = date(1900, 1, 1)
EXACT_IN_A_FLOAT = 10**15  # Spreadsheets keep 15 digits of a number and make the rest zeros.
ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
PLAIN = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?", re.ASCII)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ESCAPE = "'"


def text(cell: Any, *, most: int) -> str:
    """Return a text; a whole number is what it looks like."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, datetime | date | time):
        raise CellError("is-a-date")
    if isinstance(cell, int | float):
        return _digits(cell)
    found = unescaped(str(cell)).strip()
    if found in ERRORS:
        raise CellError("is-an-error")
    if "\n" in found or "\r" in found:
        raise CellError("line-break")
    if any(ord(char) < ord(" ") or 0xD800 <= ord(char) <= 0xDFFF for char in found):
        raise CellError("bad-character")
    if len(found) > most:
        raise CellError("too-long", most=str(most))
    return found


def name(cell: Any, *, most: int) -> str:
    """Return a text that names something: a number that a spreadsheet program has rounded names nothing."""
    found = text(cell, most=most)
    if ROUNDED.fullmatch(found):
        raise CellError("mangled")
    return found


def _digits(cell: float) -> str:
    if abs(cell) >= EXACT_IN_A_FLOAT:
        raise CellError("mangled")
    return str(int(cell)) if cell == int(cell) else repr(cell)


def email(cell: Any) -> str:
    """Return an e-mail address."""
    found = text(cell, most=254)
    try:
        validate_email(found)
    except ValidationError:
        raise CellError("not-an-email") from None
    return found


def language(cell: Any) -> str:
    """Return the code of a language, in lower case."""
    found = text(cell, most=10).lower()
    if not LANGUAGE.fullmatch(found):
        raise CellError("not-a-language")
    return found


def day(cell: Any) -> date:
    """Return a day: a date cell, or 2026-01-31."""
    if isinstance(cell, datetime):
        found = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        try:
            found = date.fromisoformat(_dated(cell, "not-a-date"))
        except ValueError:
            raise CellError("not-a-date") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise CellError("date-out-of-range")
    return found


def moment(cell: Any, *, zone: ZoneInfo) -> datetime:
    """Return a moment in UTC: a day is its start in the zone, a time without an offset is one of the zone."""
    if isinstance(cell, datetime):
        found = cell
    elif isinstance(cell, date):
        found = datetime.combine(cell, time.min)
    else:
        try:
            found = datetime.fromisoformat(_dated(cell, "not-a-moment"))
        except ValueError:
            raise CellError("not-a-moment") from None
    if not FIRST_DAY <= found.date() <= LAST_DAY:
        raise CellError("date-out-of-range")
    if found.tzinfo is None and found.time() == time.min:
        return start_of(found.date(), zone)
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)


def is_day(cell: Any) -> bool:
    """Return whether a cell says a day and no time."""
    if isinstance(cell, datetime):
        return cell.time() == time.min and cell.tzinfo is None
    return not isinstance(cell, str) or len(cell.strip()) == len("2026-01-31")


def _dated(cell: Any, code: str) -> str:
    if not isinstance(cell, str):
        raise CellError(code)
    if cell.strip() in ERRORS:
        raise CellError("is-an-error")
    return cell.strip()


def steps(cell: Any, *, digits: int, unit: str, has_decimal_commas: bool) -> int:
    """Return an amount in smallest steps."""
    found = number(cell, has_decimal_commas=has_decimal_commas).scaleb(digits)
    if found != found.to_integral_value():
        raise CellError("too-precise", unit=unit, digits=str(digits))
    if abs(found) >= LARGEST_AMOUNT:
        raise CellError("too-much")
    return int(found)


def number(cell: Any, *, has_decimal_commas: bool) -> Decimal:
    """Return a decimal number."""
    if isinstance(cell, bool | datetime | date | time):
        raise CellError("not-a-number")
    if isinstance(cell, int | float):
        try:  # 0.1 + 0.2 in a formula is 0.3 to whoever reads the sheet.
            return Decimal(cell).quantize(Decimal("1E-10")).normalize() if abs(cell) < LARGEST_AMOUNT else Decimal(cell)
        except InvalidOperation:
            raise CellError("not-a-number") from None
    found = str(cell).strip()
    if found in ERRORS:
        raise CellError("is-an-error")
    if has_decimal_commas and found.count(",") == 1 and "." not in found:
        found = found.replace(",", ".")
    if not PLAIN.fullmatch(found):
        raise CellError("mangled" if ROUNDED.fullmatch(found) else "not-a-number")
    return Decimal(found)


def escaped(value: str) -> str:
    """Return a text that no spreadsheet program takes for a formula; ``unescaped`` gives it back as it was."""
    if value.startswith(ESCAPE) or (value.startswith(FORMULA_STARTS) and not re.fullmatch(r"[+-][\d ().]+", value)):
        return f"{ESCAPE}{value}"
    return value


def unescaped(value: str) -> str:
    """Return a text without the mark that kept it from being a formula."""
    if value.startswith(ESCAPE) and value[1:2] in (*FORMULA_STARTS, ESCAPE):
        return value[1:]
    return value
