"""A CSV file of purchases, read whole: what can be posted, in order, and which rows cannot."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from sys import intern
from typing import IO

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

SAMPLE_COLUMNS = {
    "basket_id": "external_id",
    "household_id": "member",
    "timestamp_utc": "occurred_at",
    "store_id": "store",
    "product_id": "sku",
    "product_category": "name",
    "department": "category",
    "brand": "brand",
    "quantity": "quantity",
    "sales_value": "amount",
}
GENERIC_COLUMNS = (
    "external_id",
    "member",
    "occurred_at",
    "total",
    "currency",
    "store",
    "sku",
    "category",
    "brand",
    "quantity",
    "amount",
)
WHOLE = ("member", "occurred_at", "total", "currency", "store")
NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)
NOISE = Decimal("0.000001")  # What a floating-point sum may be off by; more is a real fraction of a cent.
LARGEST = Decimal(10) ** 15


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the message says why."""


class BadRowError(Exception):
    """One row cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A purchase or a row that did not go in, and why. Rows count from 1, the header."""

    row: int
    external_id: str
    code: str
    detail: str
    is_its_own: bool = True  # Refused for its own content, not for what it met.


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the file has it; empty where nothing is said."""

    sku: str
    name: str
    category: str
    brand: str
    quantity: str
    amount: str

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Line:
        """Return a row's line; texts that come again and again are kept once."""
        return cls(*(intern(row.get(name, "")) for name in cls.__slots__))

    def body(self) -> dict[str, str]:
        """Return what is said of the line, as the API takes it."""
        return {name: text for name in self.__slots__ if (text := getattr(self, name))}


@dataclass(slots=True)
class Purchase:
    """One purchase of the file. Amounts are decimal strings with the currency's digits; empty means not given."""

    row: int
    external_id: str
    member: str
    occurred_at: datetime
    currency: str
    total: str
    store: str
    lines: list[Line]

    def body(self, *, shift: timedelta) -> dict[str, object]:
        """Return what the API takes, moved in time by ``shift``."""
        body: dict[str, object] = {
            "external_id": self.external_id,
            "member": f"external_id:{self.member}" if self.member else None,
            "occurred_at": (self.occurred_at + shift).isoformat(),
            "currency": self.currency,
            "total": self.total,
        }
        if self.lines:
            body["lines"] = [line.body() for line in self.lines]
        if self.store:
            body["store"] = self.store
        return body


@dataclass(slots=True)
class Reading:
    """A whole file: its purchases by (occurred_at, place in the file), and the rows that are not among them."""

    purchases: list[Purchase]
    refusals: list[Refusal]


@dataclass(slots=True)
class _Draft:
    """The rows of one external_id, as far as they were read."""

    row: int
    said: dict[str, str]
    lines: list[tuple[int, Line]]
    fault: tuple[int, str] | None = None


def read(path: Path, *, currency: str) -> Reading:
    """Return the purchases of a file in either layout; an empty currency becomes ``currency``."""
    drafts: dict[str, _Draft] = {}
    refusals: list[Refusal] = []
    for number, row in _rows(path):
        external_id = row.get("external_id", "")
        if not external_id:
            refusals.append(_unreadable(number, "", _("external_id is missing")))
            continue
        draft = drafts.setdefault(external_id, _Draft(row=number, said={}, lines=[]))
        _gather(draft, number, row)
    purchases = []
    for external_id, draft in drafts.items():
        try:
            if draft.fault:
                raise BadRowError(draft.fault[1])
            purchases.append(_purchase(external_id, draft, currency))
        except BadRowError as error:
            number = draft.fault[0] if draft.fault else draft.row
            refusals.append(_unreadable(number, external_id, str(error)))
    purchases.sort(key=lambda purchase: (purchase.occurred_at, purchase.row))
    refusals.sort(key=lambda refusal: refusal.row)
    return Reading(purchases=purchases, refusals=refusals)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row's number and its cells by the API's names."""
    try:
        with _opened(path) as file:
            reader = csv.reader(file)
            names = _names(next(reader, []))
            for number, cells in enumerate(reader, start=2):
                if cells:
                    yield number, {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}
    except (OSError, EOFError, csv.Error) as error:
        raise UnreadableFileError(getattr(error, "strerror", None) or str(error)) from error


def _opened(path: Path) -> IO[str]:
    # Bytes that are not UTF-8 survive as surrogates, so that they cost their own row and not the file.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _names(header: Iterable[str]) -> list[str]:
    """Return the API's name of each column, empty for one that is not read."""
    columns = [name.strip().lower() for name in header]
    is_sample = "basket_id" in columns and "external_id" not in columns
    known = SAMPLE_COLUMNS if is_sample else {name: name for name in GENERIC_COLUMNS}
    names = [known.get(column, "") for column in columns]
    missing = [name for name in ("external_id", "occurred_at") if name not in names]
    if "amount" not in names and "total" not in names:
        missing.append("amount")
    if missing:
        raise UnreadableFileError(_("The file lacks the columns: %(names)s.") % {"names": ", ".join(missing)})
    return names


def _gather(draft: _Draft, number: int, row: Mapping[str, str]) -> None:
    """Add a row to its purchase; what every row says of the whole purchase must agree."""
    if draft.fault:
        return
    draft.lines.append((number, Line.of(row)))
    try:
        if not _is_text("".join(row.values())):
            raise BadRowError(_("the row holds bytes that are not text"))
        for name in WHOLE:
            cell = row.get(name, "")
            if cell and draft.said.setdefault(name, cell) != cell:
                raise BadRowError(_("%(name)s differs from the purchase's other rows") % {"name": name})
        for name in ("amount", "quantity", "total"):
            if row.get(name):
                _number(row[name], name)
        if row.get("occurred_at"):
            _moment(row["occurred_at"])
    except BadRowError as error:
        draft.fault = (number, str(error))


def _purchase(external_id: str, draft: _Draft, currency: str) -> Purchase:
    said = draft.said
    if "occurred_at" not in said:
        raise BadRowError(_("occurred_at is missing"))
    currency = said.get("currency", currency)
    digits = get_currency_precision(currency)
    total = _money(said["total"], "total", digits) if "total" in said else None
    lines = _lines(draft, total, digits)
    if total is None:
        total = sum((Decimal(line.amount) for line in lines), Decimal(0))
    return Purchase(
        row=draft.row,
        external_id=external_id,
        member=said.get("member", ""),
        occurred_at=_moment(said["occurred_at"]),
        currency=currency,
        total=f"{total:.{digits}f}",
        store=said.get("store", ""),
        lines=lines,
    )


def _lines(draft: _Draft, total: Decimal | None, digits: int) -> list[Line]:
    """Return a line per row. A lone row may leave its amount to the total, and say nothing but that."""
    lines = []
    for number, line in draft.lines:
        try:
            if line.amount:
                amount = _money(line.amount, "amount", digits)
            elif total is None or len(draft.lines) > 1:
                raise BadRowError(_("amount is missing"))
            elif line.body():
                amount = total
            else:
                return []
        except BadRowError as error:
            draft.fault = (number, str(error))
            raise
        quantity = f"{Decimal(line.quantity):f}" if line.quantity else ""
        lines.append(replace(line, quantity=quantity, amount=f"{amount:.{digits}f}"))
    return lines


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _number(text: str, name: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise BadRowError(_("%(name)s “%(text)s” is not a number") % {"name": name, "text": text})
    value = Decimal(text)
    if abs(value) >= LARGEST:
        raise BadRowError(_("%(name)s “%(text)s” is too large") % {"name": name, "text": text})
    return value


def _money(text: str, name: str, digits: int) -> Decimal:
    """Return an amount in the currency's digits; a float's noise is taken off, a fraction of a cent is refused."""
    value = _number(text, name)
    rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    if abs(value - rounded) > NOISE:
        raise BadRowError(_("%(name)s “%(text)s” has more digits than the currency") % {"name": name, "text": text})
    return rounded + 0  # A negative zero would be another text for the same amount.


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRowError(_("occurred_at “%(text)s” is not a time") % {"text": text}) from None
    if moment.utcoffset() is None:
        raise BadRowError(_("occurred_at “%(text)s” has no offset") % {"text": text})
    return moment


def _unreadable(row: int, external_id: str, detail: str) -> Refusal:
    return Refusal(row=row, external_id=external_id, code="unreadable", detail=detail)
