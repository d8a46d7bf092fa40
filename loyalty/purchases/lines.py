"""The lines of a purchase as they are stored: a compact list, and back to what the API shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from loyalty.api.formats import decimal_text

THOUSANDTHS = 3  # Digits of a quantity.


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. ``amount`` is its total in minor units, ``quantity`` is in thousandths."""

    amount: int
    quantity: int = 1_000
    sku: str = ""
    name: str = ""
    category: str = ""
    brand: str = ""
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}


class LineAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line as the API shows it, what was not sent left out; ``line`` is the number a return takes it from."""

    line: int | None = None
    sku: str = ""
    name: str = ""
    category: str = ""
    brand: str = ""
    tags: list[str] = []
    quantity: str = ""
    amount: str = ""
    attributes: dict[str, Any] = {}


def stored(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the lines as they stand in the database, empty values left out."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(lines)
    return plain


def read(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return the lines of a stored purchase."""
    return msgspec.convert(rows, list[Line])


def shown(rows: Sequence[Mapping[str, Any]], *, digits: int) -> list[LineAnswer]:
    """Return the stored lines as the API shows them; ``digits`` are the currency's."""
    return [
        LineAnswer(
            sku=row.get("sku", ""),
            name=row.get("name", ""),
            category=row.get("category", ""),
            brand=row.get("brand", ""),
            tags=row.get("tags", []),
            quantity=quantity_text(row.get("quantity", 1_000)),
            amount=decimal_text(row["amount"], digits),
            attributes=row.get("attributes", {}),
        )
        for row in rows
    ]


def shown_returned(rows: Sequence[Mapping[str, Any]], *, digits: int) -> list[LineAnswer]:
    """Return what a return takes, or asks for, of each line of its purchase; none for one that was sent without."""
    return [
        LineAnswer(
            line=row["line"],
            quantity="" if (pieces := row.get("quantity")) is None else quantity_text(pieces),
            amount="" if (minor := row.get("amount")) is None else decimal_text(minor, digits),
        )
        for row in rows
        if row["line"]
    ]


def quantity_text(thousandths: int) -> str:
    """Return a quantity without needless zeros: 1500 is "1.5"."""
    return decimal_text(thousandths, THOUSANDTHS).rstrip("0").rstrip(".")
