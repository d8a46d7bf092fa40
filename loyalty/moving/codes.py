"""Voucher codes of a file against those in the pool."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.formats import minor_digits
from accounts.models import User
from loyalty.moving import cells
from loyalty.moving.faults import CellError, Fault, fault
from loyalty.moving.members import BAD, NEW, UNCHANGED
from loyalty.moving.reading import Row, Sheet
from loyalty.rewards.pools import PoolRow, add_codes, known_codes
from programs.engine.dates import local_day
from programs.models import Program

POOL = re.compile(r"[-a-z0-9_]{1,64}")
MOST = 64


@dataclass(slots=True)
class CodeRow:
    """One code as the file has it; ``kind`` new, unchanged (it is in the pool already) or bad."""

    number: int
    given: PoolRow | None = None
    kind: str = NEW
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    over: Fault | None = None  # Its last day has passed: a fault only where the pool does not have it yet.


def code_rows(sheet: Sheet, program: Program) -> list[CodeRow]:
    """Return every row, with what is wrong with it; the second of two same codes is one of the faults."""
    seen: dict[str, int] = {}
    rows = []
    for given in sheet.rows:
        row = _read(given, program, has_decimal_commas=sheet.has_decimal_commas)
        if row.given is not None and seen.setdefault(row.given.code, row.number) != row.number:
            row.faults.append(fault(row.number, "code", row.given.code, "same-code", first=str(seen[row.given.code])))
        rows.append(row)
    return rows


def judge_codes(rows: Sequence[CodeRow], *, program: Program, pool: str) -> list[CodeRow]:
    """Return the rows with what each would do as things stand. One query."""
    good = [row.given.code for row in rows if row.given is not None and not row.faults]
    known = known_codes(program=program, pool=pool, codes=good)
    for row in rows:
        is_known = row.given is not None and row.given.code in known
        if row.over is not None and not is_known and row.over not in row.faults:
            row.faults.append(row.over)
        row.kind = BAD if row.faults else UNCHANGED if is_known else NEW
    return list(rows)


def write_codes(rows: Sequence[CodeRow], *, program: Program, pool: str, by: User | None) -> list[CodeRow]:
    """Put the good ones into the pool and return what each came to."""
    judged = judge_codes(rows, program=program, pool=pool)
    good = [row.given for row in judged if row.given is not None and row.kind == NEW]
    if good:
        add_codes(program=program, pool=pool, codes=good, by=by)
    return judged


def _read(given: Row, program: Program, *, has_decimal_commas: bool) -> CodeRow:
    row = CodeRow(given.number)
    values: dict[str, Any] = {}
    if given.has_too_many:
        row.faults.append(fault(row.number, "", "", "too-many-cells"))
    if "code" not in given.cells:
        row.faults.append(fault(row.number, "code", "", "no-code"))
    for column, cell in given.cells.items():
        try:
            values[column] = _cell(column, cell, program, has_decimal_commas=has_decimal_commas)
        except CellError as error:
            row.faults.append(fault(row.number, column, cell, error.code, **error.more))
    last_day = values.get("expires_on")
    if last_day is not None and last_day < local_day(program.now(), program.zone):
        row.over = fault(row.number, "expires_on", given.cells["expires_on"], "ended-in-past")
    if "code" in values:
        row.given = PoolRow(values["code"], values.get("value"), values.get("expires_on"))
    return row


def _cell(column: str, cell: Any, program: Program, *, has_decimal_commas: bool) -> Any:
    if column == "code":
        return cells.name(cell, most=MOST)
    if column == "value":
        digits = minor_digits(program.currency)
        found = cells.steps(cell, digits=digits, unit=program.currency, has_decimal_commas=has_decimal_commas)
        if found <= 0:
            raise CellError("not-positive")
        return cells.number(cell, has_decimal_commas=has_decimal_commas)
    return cells.day(cell)
