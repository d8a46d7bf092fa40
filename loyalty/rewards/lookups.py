"""Redemptions and vouchers as callers name them."""

from __future__ import annotations

from uuid import UUID

from loyalty.rewards.models import Redemption, Voucher
from loyalty.rewards.problems import UnknownRedemptionError, UnknownVoucherError
from programs import codes
from programs.models import Program


def find_redemption(*, program: Program, reference: str) -> Redemption:
    """Return the program's redemption of this id or code; raise UnknownRedemptionError."""
    rows = Redemption.objects.filter(program=program).select_related("membership__customer", "unit")
    try:
        found = rows.filter(pk=UUID(reference)).first()
    except ValueError:
        code = codes.normal(reference)
        found = rows.filter(code=code).first() if code else None
    if found is None:
        raise UnknownRedemptionError
    found.membership.program = program
    return found


def find_voucher(*, program: Program, code: str) -> Voucher:
    """Return the program's voucher of this code, ours or of a pool; raise UnknownVoucherError."""
    found = vouchers_named(program, {code}).get(code)
    if found is None:
        raise UnknownVoucherError
    return found


def vouchers_named(program: Program, given: set[str]) -> dict[str, Voucher]:
    """Return the program's vouchers by the codes that they were named with; one query."""
    wanted = {code: _spellings(code) for code in given}
    lookups = {lookup for spellings in wanted.values() for lookup in spellings}
    if not lookups:
        return {}
    rows = Voucher.objects.filter(program=program, lookup__in=lookups).select_related("membership__customer")
    known = {}
    for row in rows:
        row.membership.program = program
        known[row.lookup] = row
    found = {code: next((known[one] for one in spellings if one in known), None) for code, spellings in wanted.items()}
    return {code: row for code, row in found.items() if row is not None}


def _spellings(code: str) -> list[str]:
    """Return how a code may stand in the books: as it was typed, or with letters read as the digits they look like."""
    if "\x00" in code or not 0 < len(code) <= 100:
        return []
    ours = codes.normal(code)
    return [codes.plain(code)] if ours is None else [ours, codes.plain(code)]
