"""The columns of a members file: those of everyone, and those of the program's own units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.moving.faults import HEADER, Fault, UnreadableFileError, fault, unreadable
from programs.engine.terms import Terms
from programs.models import Program, Unit
from programs.terms import schedule_of

KEYS = ("external_id", "card", "email")
PERSONAL = (*KEYS, "phone", "first_name", "last_name", "birth_date", "language", "joined_at")
TIER = ("tier", "tier_until", "tier_reason")
EXPORTED_FROM = "exported_from"
BALANCE, EXPIRES, EARNED = "balance", "balance_expires", "earned_at"
CODE_COLUMNS = ("code", "value", "expires_on")


class NoTermsError(Exception):
    """The program has no version in force: nobody can join it yet."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What rows are read by: the program, its terms in force, its units by code and its present."""

    program: Program
    terms: Terms
    units: dict[str, Unit]
    now: datetime


def frame_of(program: Program) -> Frame:
    """Return what rows of the program are read by. Raises NoTermsError."""
    now = program.now()
    terms = schedule_of(program).at(now)
    if terms is None:
        raise NoTermsError(program.slug)
    units = {unit.code: unit for unit in Unit.objects.filter(program=program) if unit.code in terms.units}
    return Frame(program, terms, units, now)


def of_units(codes: Sequence[str]) -> list[str]:
    """Return the columns about these units."""
    return [f"{part}:{code}" for code in codes for part in (BALANCE, EXPIRES, EARNED)]


def template(frame: Frame) -> list[str]:
    """Return every column that the program's members file can have."""
    tiers = TIER if len(frame.terms.tiers) > 1 else ()
    return [*PERSONAL, *tiers, *of_units(sorted(frame.units))]


def exported(frame: Frame) -> list[str]:
    """Return the columns with which the program's members are exported; read back into it they change nothing."""
    return [column for column in template(frame) if column != "tier_reason" and not column.startswith(EARNED)] + [
        EXPORTED_FROM
    ]


def check_members(columns: Sequence[str], frame: Frame) -> None:
    """Raise UnreadableFileError for columns that mean nothing, or that miss another."""
    known = {*template(frame), *TIER, EXPORTED_FROM}
    faults = [_stranger(column, frame) for column in columns if column not in known]
    for column in columns:
        part, _colon, unit = column.partition(":")
        if part in (EXPIRES, EARNED) and column in known and f"{BALANCE}:{unit}" not in columns:
            faults.append(fault(HEADER, column, column, "lone-column", needs=f"{BALANCE}:{unit}"))
        if column in TIER[1:] and TIER[0] not in columns:
            faults.append(fault(HEADER, column, column, "lone-column", needs=TIER[0]))
    if not set(KEYS) & set(columns):
        faults.append(fault(HEADER, "", "", "no-key-column"))
    if faults:
        raise UnreadableFileError(*faults)


def check_codes(columns: Sequence[str]) -> None:
    """Raise UnreadableFileError for columns that mean nothing in a file of codes."""
    faults = [fault(HEADER, column, column, "unknown-column") for column in columns if column not in CODE_COLUMNS]
    if faults:
        raise UnreadableFileError(*faults)
    if "code" not in columns:
        raise unreadable("no-code-column")


def _stranger(column: str, frame: Frame) -> Fault:
    part, colon, _unit = column.partition(":")
    if colon and part in (BALANCE, EXPIRES, EARNED):
        return fault(HEADER, column, column, "unknown-unit", known=", ".join(sorted(frame.units)))
    return fault(HEADER, column, column, "unknown-column")
