"""How amounts, units, days and times are written: the one place that knows, for pages, mails and explanations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Protocol

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision, get_currency_symbol
from django.utils.translation import get_language, to_locale

MINUS = "\u2212"
NO_BREAK = "\u00a0"
_SPACES = re.compile(r"[ \u2009]")
_GLUED_CODE = re.compile(r"([A-Z]{3})(\d)")  # Babel's English writes CZK160; the standard has a space there.


class UnitLike(Protocol):
    """What counts: its names, how many decimals it has, and whether it is money."""

    name: str
    name_plural: str
    precision: int
    is_money: bool


def locale() -> Locale:
    """Return the locale of the language in use; Babel's English is American."""
    return Locale.parse(to_locale(get_language() or "en"))


def number(value: Decimal | int, *, decimals: int = 0) -> str:
    """Return a number with exactly so many decimals and a true minus."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return _joined(str(format_decimal(value, format=pattern, locale=locale())))


def rate(value: Decimal) -> str:
    """Return a rate as short as it can be: 1.5, 2, 0.125."""
    return _joined(str(format_decimal(value.normalize(), format="#,##0.########", locale=locale())))


def percent(share: Decimal | float, *, decimals: int = 1) -> str:
    """Return a share of one in percent."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + " %"
    if locale().language == "en":
        pattern = pattern.replace(" %", "%")
    return _joined(str(format_percent(share, format=pattern, locale=locale())))


def money(minor: int, currency: str, *, drop_cents: bool = False) -> str:
    """Return an amount given in minor units; ``drop_cents`` shortens whole amounts, for sentences."""
    digits = get_currency_precision(currency)
    value = Decimal(minor).scaleb(-digits)
    short = drop_cents and value == value.to_integral_value()
    written = format_currency(
        value.to_integral_value() if short else value,
        currency,
        locale=locale(),
        format=_pattern_without_cents() if short else None,
        currency_digits=not short,
    )
    return _joined(str(written))


def minor_digits(currency: str) -> int:
    """Return how many decimals amounts of a currency have: 2, or 0 for JPY."""
    return get_currency_precision(currency)


def currency_sign(currency: str) -> str:
    """Return the sign of a currency, or its code."""
    return str(get_currency_symbol(currency, locale=locale()))


def steps(unit: UnitLike, amount: int) -> Decimal:
    """Return an amount of smallest steps as units."""
    return Decimal(amount).scaleb(-unit.precision)


def figure(unit: UnitLike, amount: int, *, currency: str) -> str:
    """Return an amount of a unit without its name: ``1,642``, or ``€24.60`` where the unit is money."""
    if unit.is_money:
        return money(_minor(unit, amount, currency), currency)
    return number(steps(unit, amount), decimals=unit.precision)


def units(unit: UnitLike, amount: int, *, currency: str) -> str:
    """Return an amount of a unit with its name: ``1 point``, ``1,642 points``, ``€24.60``."""
    if unit.is_money:
        return figure(unit, amount, currency=currency)
    return f"{figure(unit, amount, currency=currency)}{NO_BREAK}{unit_name(unit, steps(unit, abs(amount)))}"


def unit_name(unit: UnitLike, value: Decimal | int) -> str:
    """Return the unit's name as it stands after this number."""
    return unit.name if locale().plural_form(value) == "one" else unit.name_plural


def signed(written: str, amount: int) -> str:
    """Return a written amount with a plus where it is a gain; the minus is there already."""
    return f"+{written}" if amount > 0 else written


def day(value: date, *, year: bool = True) -> str:
    """Return a day for a sentence, month in words: ``18 November 2027``."""
    if locale().language == "en":
        return _unbroken(str(format_date(value, "d MMMM y" if year else "d MMMM", locale=locale())))
    if year:
        return _unbroken(str(format_date(value, "long", locale=locale())))
    return _unbroken(str(format_skeleton("MMMMd", value, locale=locale())))


def short_day(value: date, *, year: bool = False) -> str:
    """Return a day for a row: ``14 Nov``, or ``14 Nov 2025``."""
    if locale().language == "en":
        return _unbroken(str(format_date(value, "d MMM y" if year else "d MMM", locale=locale())))
    return _unbroken(str(format_skeleton("yMMMd" if year else "MMMd", value, locale=locale())))


def month(value: date) -> str:
    """Return a month as a heading: ``November 2026``."""
    return str(format_date(value, "LLLL y", locale=locale()))


def short_month(value: date) -> str:
    """Return a month for an axis: ``Nov``."""
    return str(format_date(value, "LLL", locale=locale()))


def moment(value: datetime, *, zone: tzinfo) -> str:
    """Return a day and time in a zone: ``9 Dec 2025, 12:50``."""
    local = value.astimezone(zone)
    return f"{short_day(local.date(), year=True)}, {_unbroken(str(format_datetime(local, 'HH:mm', locale=locale())))}"


def clock(value: time) -> str:
    """Return a time of the day: ``09:00``."""
    return _unbroken(str(format_time(value, "HH:mm", locale=locale())))


def zone(value: tzinfo) -> str:
    """Return what people call a zone's time: ``Pacific Time``."""
    return str(get_timezone_name(value, width="long", locale=locale()))


def listed(parts: Sequence[str]) -> str:
    """Return what stands in a row in a sentence: ``a, b, and c``."""
    return str(format_list(list(parts), locale=locale()))


def _minor(unit: UnitLike, amount: int, currency: str) -> int:
    """Return a money unit's smallest steps as minor units of the currency."""
    return int(steps(unit, amount).scaleb(get_currency_precision(currency)))


def _pattern_without_cents() -> str:
    return str(re.sub(r"0\.0+", "0", locale().currency_formats["standard"].pattern))


def _joined(written: str) -> str:
    """Return it with a true minus and with spaces that never break."""
    return _GLUED_CODE.sub(rf"\1{NO_BREAK}\2", _unbroken(written).replace("-", MINUS))


def _unbroken(written: str) -> str:
    """Return it with spaces that never break."""
    return _SPACES.sub(NO_BREAK, written)
