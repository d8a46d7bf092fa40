"""Sheets: the first one of a CSV or XLSX file, each row under the number that a spreadsheet shows.

The standard library's and openpyxl's readers do the parsing. They stand here themselves, not behind a dataset that is
built whole, since that drops blank rows (the numbers of all that follow would be wrong), refuses ragged ones without
saying which, and has no bound.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.moving.faults import HEADER, Fault, UnreadableFileError, fault, unreadable

MOST_BYTES = 20 * 1024 * 1024
MOST_UNPACKED = 400 * 1024 * 1024  # A workbook is a ZIP file: what it claims to hold is looked at before it is opened.
MOST_ROWS = 100_000
MOST_COLUMNS = 200
ZIP = b"PK\x03\x04"
SNIFFED = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank: its cells by column, empty ones left out."""

    number: int
    cells: dict[str, Any]
    has_too_many: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's rows. ``has_decimal_commas``: its columns are told apart by semicolons, as where 1,5 is a number."""

    columns: tuple[str, ...]
    rows: list[Row]
    has_decimal_commas: bool = False


def read(body: bytes) -> Sheet:
    """Return the sheet in a file, which of the two formats its content says. Raises UnreadableFileError."""
    if len(body) > MOST_BYTES:
        raise unreadable("too-large", most=str(MOST_BYTES // 1024 // 1024))
    if body.startswith(ZIP):
        return _sheet(enumerate(_rows_of_workbook(body), HEADER))
    text = _text(body)
    delimiter = _delimiter(text)
    return _sheet(_rows_of_text(text, delimiter), has_decimal_commas=delimiter == ";")


def _text(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise unreadable("not-utf-8")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable("not-a-kind" if b"\x00" in body[:1024] else "not-utf-8") from None
    if "\x00" in text[:1024]:
        raise unreadable("not-a-kind")
    return text


def _delimiter(text: str) -> str:
    """Return what the header is separated by: what stands in it most often, outside quotes."""
    header = "".join(text.lstrip("\r\n").partition("\n")[0].split('"')[::2])
    return max(SNIFFED, key=header.count)


def _rows_of_text(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[Any]]]:
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield number, cells
    except csv.Error:
        raise unreadable("broken-csv", row=str(number + 1)) from None


def _rows_of_workbook(body: bytes) -> Iterator[Sequence[Any]]:
    import openpyxl  # noqa: PLC0415 -- takes a while, and few processes ever read a workbook

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
                raise unreadable("too-large", most=str(MOST_BYTES // 1024 // 1024))
        workbook = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True)
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # What some programs claim here is wrong.
        yield from sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
    except UnreadableFileError:
        raise
    except Exception:
        raise unreadable("broken-xlsx") from None


def _sheet(numbered: Iterable[tuple[int, Sequence[Any]]], *, has_decimal_commas: bool = False) -> Sheet:
    rows = iter(numbered)
    header = next(((number, cells) for number, cells in rows if not _is_blank(cells)), None)
    if header is None:
        raise unreadable("empty")
    names = [_name(cell) for cell in header[1]]
    found: list[Row] = []
    nameless: set[int] = set()
    for number, cells in rows:
        if _is_blank(cells):
            continue
        if len(found) == MOST_ROWS:
            raise unreadable("too-many-rows", most=f"{MOST_ROWS:,}")
        filled = {place: cell for place, cell in enumerate(cells) if not _is_empty(cell)}
        beyond = [place for place in filled if place >= len(names)]
        nameless |= {place for place in filled if place < len(names) and not names[place]}
        named = {names[place]: cell for place, cell in filled.items() if place < len(names) and names[place]}
        found.append(Row(number, named, has_too_many=bool(beyond)))
    faults = [fault(header[0], _letter(place), "", "nameless-column") for place in sorted(nameless)]
    faults += _twice(header[0], names)
    if faults:
        raise UnreadableFileError(*faults)
    if not found:
        raise unreadable("empty")
    return Sheet(tuple(name for name in names if name), found, has_decimal_commas)


def _twice(row: int, names: Sequence[str]) -> list[Fault]:
    seen: set[str] = set()
    faults = []
    for place, name in enumerate(names):
        if name and name in seen:
            faults.append(fault(row, _letter(place), name, "twice-column"))
        seen.add(name)
    return faults


def _name(cell: Any) -> str:
    return "" if _is_empty(cell) else str(cell).strip().casefold()


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_blank(cells: Sequence[Any]) -> bool:
    return all(_is_empty(cell) for cell in cells)


def _letter(place: int) -> str:
    """Return a column's letters, as a spreadsheet has them: A, B, …, Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
