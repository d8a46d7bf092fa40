"""Files that leave: the members of a program, an empty template, what was wrong with the rows of a file."""

from __future__ import annotations

import csv
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import IO
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.formats import steps
from loyalty.api.formats import moment_text
from loyalty.ledger.models import Account, Lot, Standing
from loyalty.moving.cells import escaped
from loyalty.moving.columns import BALANCE, CODE_COLUMNS, EXPIRES, EXPORTED_FROM, Frame, exported, template
from loyalty.moving.faults import Fault
from loyalty.moving.models import Moving
from loyalty.purchases.accrual import bring_up_to_date
from programs.models import Membership

CHUNK = 1_000
MOST_IN_A_WORKBOOK = 200_000
BOM = "\ufeff"  # Without it Excel takes UTF-8 for the machine's own code page.
CSV, XLSX = "csv", "xlsx"
TYPES = {CSV: "text/csv; charset=utf-8", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}

Cell = str | Decimal | date | None


def members_table(frame: Frame) -> Iterator[Sequence[Cell]]:
    """Yield the header, then each member who has not left, as of the present; six queries for a thousand of them."""
    columns = exported(frame)
    yield columns
    last: UUID | None = None
    members = Membership.objects.filter(program=frame.program).exclude(status=Membership.Status.CLOSED)
    while True:
        rows = members if last is None else members.filter(pk__gt=last)
        chunk = list(rows.select_related("customer", "program").order_by("pk")[:CHUNK])
        if not chunk:
            return
        last = chunk[-1].pk
        bring_up_to_date(memberships=chunk)
        yield from _rows(chunk, frame, columns)


def template_table(frame: Frame, *, kind: str) -> list[Sequence[Cell]]:
    """Return the header of a file of this kind, and nothing below it."""
    return [CODE_COLUMNS if kind == Moving.Kind.CODES else template(frame)]


def faults_table(moving: Moving) -> Iterator[Sequence[Cell]]:
    """Yield what is wrong with which row, in the active language."""
    yield [_("Row"), _("Column"), _("Value"), _("What is wrong")]
    for one in moving.faults.filter(is_remark=False).order_by("row", "id").iterator(chunk_size=CHUNK):
        text = Fault(one.row, one.column, one.value, one.code, one.more).text
        yield [str(one.row), one.column, one.value, text]


def as_csv(table: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the lines of a CSV file."""
    lines = csv.writer(_Echo())
    yield BOM
    for row in table:
        yield lines.writerow([escaped(cell) if isinstance(cell, str) else _plain(cell) for cell in row])


def as_workbook(table: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Return an open XLSX file, whose card numbers and texts are texts and whose amounts are numbers."""
    import openpyxl  # noqa: PLC0415 -- takes a while, and few processes ever write a workbook

    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.freeze_panes = "A2"
    for row in table:
        sheet.append([escaped(cell) if isinstance(cell, str) else cell for cell in row])
    kept = tempfile.TemporaryFile()  # noqa: SIM115 -- the response that sends it closes it
    workbook.save(kept)
    kept.seek(0)
    return kept


def _rows(members: Sequence[Membership], frame: Frame, columns: Sequence[str]) -> Iterator[list[Cell]]:
    ids = [member.pk for member in members]
    standings = Standing.objects.in_bulk(ids)
    codes = {unit.pk: code for code, unit in frame.units.items()}
    balances: dict[tuple[UUID | None, str], int] = {
        (member, codes[unit]): balance or 0
        for member, unit, balance in Account.objects.filter(
            membership__in=ids, unit__in=list(codes), kind=Account.Kind.AVAILABLE
        ).values_list("membership_id", "unit_id", "balance")
    }
    ends = _ends(ids, codes)
    zone = frame.program.zone
    for member in members:
        customer, standing = member.customer, standings[member.pk]
        said: dict[str, Cell] = {
            "external_id": member.external_id,
            "card": member.card,
            "email": customer.email,
            "phone": customer.phone,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "birth_date": customer.birth_date,
            "language": customer.language,
            "joined_at": moment_text(member.joined_at, zone),
            "tier": standing.tier,
            "tier_until": standing.tier_until,
            EXPORTED_FROM: str(frame.program.pk),
        }
        for code, unit in frame.units.items():
            said[f"{BALANCE}:{code}"] = steps(unit, balances.get((member.pk, code), 0))
            end = ends.get((member.pk, code))
            said[f"{EXPIRES}:{code}"] = _last_moment(end, frame) if end is not None else None
        yield [said.get(column) for column in columns]


def _ends(ids: Sequence[UUID], codes: dict[UUID, str]) -> dict[tuple[UUID, str], datetime]:
    """Return when the last of a member's units ends, where all of them do: in the member's favour."""
    found: dict[tuple[UUID, str], list[datetime | None]] = defaultdict(list)
    lots = Lot.objects.filter(membership__in=ids, remaining__gt=0, matures_at__isnull=True)
    for member, unit, end in lots.values_list("membership_id", "unit_id", "expires_at"):
        if unit in codes:
            found[member, codes[unit]].append(end)
    return {key: max(end for end in all_ if end) for key, all_ in found.items() if None not in all_}


def _last_moment(end: datetime, frame: Frame) -> Cell:
    """Return the last day of what ends with a day, else the moment."""
    local = end.astimezone(frame.program.zone)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return local.date() - timedelta(days=1)
    return moment_text(end.astimezone(UTC), frame.program.zone)


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, date) else f"{cell:f}"


class _Echo:
    """What a CSV writer writes to: it gives each line back."""

    def write(self, line: str) -> str:
        return line
