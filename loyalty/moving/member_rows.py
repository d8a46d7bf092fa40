"""Rows of a members file as what they say: pure reading, every fault of a row at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from loyalty.ledger.openings import Opening
from loyalty.moving import cells
from loyalty.moving.columns import BALANCE, EARNED, EXPIRES, EXPORTED_FROM, Frame
from loyalty.moving.faults import CellError, Fault, fault
from loyalty.moving.reading import Row, Sheet
from programs.cards import normal
from programs.engine.dates import after, local_day
from programs.engine.expiry import forfeited_at, lot_end

Read = TypeVar("Read")

TEXTS = {"phone": 32, "first_name": 150, "last_name": 150}


@dataclass(slots=True)
class MemberRow:
    """One member as the file has them. ``balances`` have 0 where the file says 0, and lack what it leaves empty."""

    number: int
    external_id: str = ""
    card: str = ""
    email: str = ""
    personal: dict[str, Any] = field(default_factory=dict)  # By field of a Customer, what the file fills in.
    joined_at: datetime | None = None
    tier: str = ""
    tier_until: date | None = None
    tier_reason: str = ""
    balances: dict[str, Opening] = field(default_factory=dict)
    exported_from: str = ""
    faults: list[Fault] = field(default_factory=list)
    # By unit, or "tier": its end has passed. A fault only where it is not there yet, so that a late repeat is none.
    over: dict[str, Fault] = field(default_factory=dict)

    @property
    def keys(self) -> Iterable[tuple[str, str]]:
        """What the member can be told by."""
        named = (("external_id", self.external_id), ("card", self.card), ("email", self.email.lower()))
        return [(column, value) for column, value in named if value]


def member_rows(sheet: Sheet, frame: Frame) -> list[MemberRow]:
    """Return every row, with what is wrong with it; a member's second row is one of the faults."""
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for given in sheet.rows:
        row = _Reader(given, frame, has_decimal_commas=sheet.has_decimal_commas).read()
        for key in row.keys:
            if key in seen:
                row.faults.append(fault(row.number, key[0], key[1], "same-as-row", first=str(seen[key])))
                break
        for key in row.keys:
            seen.setdefault(key, row.number)
        rows.append(row)
    return rows


class _Reader:
    """Reads one row."""

    def __init__(self, given: Row, frame: Frame, *, has_decimal_commas: bool) -> None:
        self.given = given
        self.frame = frame
        self.has_decimal_commas = has_decimal_commas
        self.row = MemberRow(given.number)

    def read(self) -> MemberRow:
        row, given = self.row, self.given
        if given.has_too_many:
            self._wrong("", "", "too-many-cells")
        row.external_id = self._cell("external_id", lambda cell: cells.name(cell, most=128)) or ""
        row.card = self._cell("card", _card) or ""
        row.email = self._cell("email", cells.email) or ""
        for column, most in TEXTS.items():
            if value := self._cell(column, lambda cell, most=most: cells.name(cell, most=most)):  # type: ignore[misc]
                row.personal[column] = value
        if row.email:
            row.personal["email"] = row.email
        if language := self._cell("language", cells.language):
            row.personal["language"] = language
        if birth_date := self._cell("birth_date", self._birth_date):
            row.personal["birth_date"] = birth_date
        row.joined_at = self._cell("joined_at", self._joined_at)
        row.exported_from = self._cell(EXPORTED_FROM, lambda cell: cells.text(cell, most=64)) or ""
        if row.exported_from != str(self.frame.program.pk):
            # Of its own export the program knows better what members have: that is no news.
            self._read_tier()
            for unit in self.frame.units:
                self._read_balance(unit)
        if not row.keys and not row.faults:
            self._wrong("", "", "nameless")
        return row

    def _read_tier(self) -> None:
        row = self.row
        row.tier = self._cell("tier", self._tier) or ""
        row.tier_until = self._cell("tier_until", cells.day)
        if row.tier_until is not None and row.tier_until < local_day(self.frame.now, self.frame.terms.zone):
            row.over["tier"] = self._fault("tier_until", "ended-in-past")
        row.tier_reason = self._cell("tier_reason", lambda cell: cells.text(cell, most=500)) or ""
        for column in ("tier_until", "tier_reason"):
            if column in self.given.cells and "tier" not in self.given.cells:
                self._wrong(column, self.given.cells[column], "no-tier")

    def _read_balance(self, unit: str) -> None:
        balance, expires, earned = (f"{part}:{unit}" for part in (BALANCE, EXPIRES, EARNED))
        amount = self._cell(balance, lambda cell: self._amount(cell, unit))
        expires_at = self._cell(expires, self._expires_at)
        earned_at = self._cell(earned, self._earned_at)
        if balance not in self.given.cells:
            for column in (expires, earned):
                if column in self.given.cells:
                    self._wrong(column, self.given.cells[column], "nothing-to-date")
        if amount is None:
            return
        if amount and expires_at is not None and expires_at <= self.frame.now:
            self.row.over[unit] = self._fault(expires, "ended-in-past")
        if amount and earned_at is not None and expires_at is None:
            self._check_still_there(unit, earned, earned_at)
        self.row.balances[unit] = Opening(unit, amount, earned_at=earned_at, expires_at=expires_at)

    def _check_still_there(self, unit: str, column: str, earned_at: datetime) -> None:
        """See whether what was earned then would have expired by now under the terms."""
        terms, now = self.frame.terms, self.frame.now
        how, tier = terms.units[unit], self.row.tier or (terms.tiers[0].code if terms.tiers else "")
        end = lot_end(how, tier=tier, earned_at=earned_at, zone=terms.zone)
        if how.expiry == "inactivity":
            end = forfeited_at(how, tier=tier, earned_at=earned_at, later=[now], zone=terms.zone)
        if end is not None and end <= now:
            day = local_day(end, terms.zone).isoformat()
            self.row.over[unit] = self._fault(column, "expired-before", day=day)

    # --- Cells -----------------------------------------------------------------------------------------------

    def _cell(self, column: str, read: Callable[[Any], Read]) -> Read | None:
        """Return what a cell says; None where it is empty or, noted as a fault, cannot be read."""
        cell = self.given.cells.get(column)
        if cell is None:
            return None
        try:
            return read(cell)
        except CellError as error:
            self._wrong(column, cell, error.code, **error.more)
            return None

    def _fault(self, column: str, code: str, **more: str) -> Fault:
        return fault(self.row.number, column, self.given.cells[column], code, **more)

    def _wrong(self, column: str, value: Any, code: str, **more: str) -> None:
        self.row.faults.append(fault(self.row.number, column, value, code, **more))

    def _birth_date(self, cell: Any) -> date:
        found = cells.day(cell)
        if found > local_day(self.frame.now, self.frame.terms.zone):
            raise CellError("born-in-future")
        return found

    def _joined_at(self, cell: Any) -> datetime:
        found = cells.moment(cell, zone=self.frame.terms.zone)
        if found > self.frame.now:
            raise CellError("joined-in-future")
        return found

    def _earned_at(self, cell: Any) -> datetime:
        found = cells.moment(cell, zone=self.frame.terms.zone)
        if found > self.frame.now:
            raise CellError("earned-in-future")
        return found

    def _expires_at(self, cell: Any) -> datetime:
        zone = self.frame.terms.zone
        return after(cells.day(cell), zone) if cells.is_day(cell) else cells.moment(cell, zone=zone)

    def _amount(self, cell: Any, unit: str) -> int:
        known = self.frame.units[unit]
        found = cells.steps(
            cell, digits=known.precision, unit=known.name_plural, has_decimal_commas=self.has_decimal_commas
        )
        if found < 0:
            raise CellError("negative")
        return found

    def _tier(self, cell: Any) -> str:
        found = cells.text(cell, most=32)
        if all(tier.code != found for tier in self.frame.terms.tiers):
            raise CellError("unknown-tier", known=", ".join(tier.code for tier in self.frame.terms.tiers))
        return found


def _card(cell: Any) -> str:
    found = normal(cells.name(cell, most=32))
    if found is None:
        raise CellError("not-a-card")
    return found
