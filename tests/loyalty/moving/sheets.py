"""Files as people send them, and what became of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import openpyxl

from loyalty.moving import actions
from loyalty.moving.faults import WORDS
from loyalty.moving.models import Moving
from programs.models import Program


def csv_of(*lines: str, encoding: str = "utf-8") -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode(encoding)


def xlsx_of(*rows: Sequence[Any]) -> bytes:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(list(row))
    kept = io.BytesIO()
    workbook.save(kept)
    return kept.getvalue()


def check(program: Program, body: bytes, *, by: Any = None, **options: Any) -> Moving:
    """Return the file after its dry run."""
    given = {"kind": Moving.Kind.MEMBERS, "file_name": "members.csv", **options}
    moving = actions.take_file(program=program, body=body, by=by, **given)
    actions.go_on(moving_id=moving.pk, seconds=60)
    moving.refresh_from_db()
    return moving


def move(program: Program, body: bytes, *, by: Any = None, **options: Any) -> Moving:
    """Return the file after its good rows were moved in."""
    moving = actions.confirm(moving=check(program, body, by=by, **options), by=by)
    actions.go_on(moving_id=moving.pk, seconds=60)
    moving.refresh_from_db()
    return moving


def faults(moving: Moving, *, remarks: bool = False) -> list[tuple[int, str, str, str]]:
    """Return row, column, value and code of each fault; its words can be written."""
    found = list(moving.faults.filter(is_remark=remarks).order_by("row", "id"))
    assert all(str(WORDS[one.code]) % one.more for one in found)
    return [(one.row, one.column, one.value, one.code) for one in found]


def counts(moving: Moving) -> tuple[int, int, int, int]:
    """Return how many rows were new, changed, unchanged and bad."""
    return tuple(moving.counts.get(kind, 0) for kind in actions.KINDS)
