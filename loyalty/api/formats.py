"""How amounts and moments are written and read: decimal strings and ISO 8601, whole numbers inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.translation import gettext_lazy as _

from loyalty.api.decoding import REQUIRED, WRONG_TYPE
from loyalty.api.problems import field_code, invalid

LARGEST_AMOUNT = 10**13  # Minor units; a thousand of the largest still fit a 64-bit column.
FIRST_YEAR, LAST_YEAR = 1900, 8999

NOT_A_NUMBER = field_code(
    "not-a-number", title=_("This is not a decimal number"), cure=_("Send a string such as “10.99”, without exponent.")
)
TOO_PRECISE = field_code(
    "too-precise", title=_("There are too many decimals"), cure=_("Send no more decimals than the currency has.")
)
AMOUNT_OUT_OF_RANGE = field_code(
    "amount-out-of-range", title=_("The amount is too large"), cure=_("Send a smaller amount.")
)
OFFSET_MISSING = field_code(
    "offset-missing",
    title=_("The time has no offset"),
    cure=_("End it with Z or an offset, such as 2026-03-29T10:15:00+02:00."),
)
NOT_A_MOMENT = field_code(
    "not-a-moment", title=_("This is not a time by ISO 8601"), cure=_("Send such as 2026-03-29T10:15:00+02:00.")
)
DATE_OUT_OF_RANGE = field_code(
    "date-out-of-range", title=_("The date is out of range"), cure=_("Send a date between the years 1900 and 8999.")
)

_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


def digits_of(currency: str) -> int:
    """Return how many minor digits the currency has."""
    return get_currency_precision(currency)


def decimal_text(amount: int, digits: int) -> str:
    """Return smallest steps as a decimal string with exactly these digits: (1099, 2) is "10.99"."""
    if digits == 0:
        return str(amount)
    whole, rest = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{whole}.{rest:0{digits}d}"


def smallest_steps(given: Any, digits: int, *, pointer: str) -> int:
    """Return a decimal string or JSON number in smallest steps; raise InvalidError unless it is exactly that."""
    number = _number(given, pointer=pointer)
    steps = number.scaleb(digits)
    if steps != steps.to_integral_value():
        raise invalid(pointer, TOO_PRECISE)
    if abs(steps) >= LARGEST_AMOUNT:
        raise invalid(pointer, AMOUNT_OUT_OF_RANGE)
    return int(steps)


def _number(given: Any, *, pointer: str) -> Decimal:
    if given is None:
        raise invalid(pointer, REQUIRED)
    if isinstance(given, str):
        if not _PLAIN.fullmatch(given):
            raise invalid(pointer, NOT_A_NUMBER)
        return Decimal(given)
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise invalid(pointer, WRONG_TYPE)
    return Decimal(given)


def moment(given: str, *, pointer: str) -> datetime:
    """Return the time in UTC; raise InvalidError where it cannot be read or has no offset."""
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(pointer, NOT_A_MOMENT) from None
    if parsed.tzinfo is None:
        raise invalid(pointer, OFFSET_MISSING)
    if not FIRST_YEAR < parsed.year < LAST_YEAR:
        raise invalid(pointer, DATE_OUT_OF_RANGE)
    return parsed.astimezone(UTC)


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """Return the time in the program's zone, with its offset."""
    return moment.astimezone(zone).isoformat()
