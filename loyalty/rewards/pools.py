"""Pools of voucher codes that others made: filled here, each code once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import structlog
from django.db import transaction

from accounts.formats import minor_digits
from accounts.models import User
from loyalty.rewards.models import PoolCode
from programs.models import Program

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A code of up to 64 characters, what it is worth in the program's currency, and its last day; None: not said."""

    code: str
    value: Decimal | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """How many codes came into the pool, and how many were there already."""

    new: int
    known: int


@transaction.atomic
def add_codes(*, program: Program, pool: str, codes: Sequence[PoolRow], by: User | None) -> Added:
    """Put codes into a pool; one that is there already stays as it is. Three queries; ``by`` None is the operator."""
    rows = {row.code.strip(): row for row in codes}
    known = known_codes(program=program, pool=pool, codes=list(rows))
    digits, now = minor_digits(program.currency), datetime.now(UTC)
    made = [
        PoolCode(
            program=program,
            pool=pool,
            code=code,
            value_minor=int(row.value.scaleb(digits)) if row.value is not None else None,
            expires_on=row.expires_on,
            added_at=now,
        )
        for code, row in rows.items()
        if code not in known
    ]
    PoolCode.objects.bulk_create(made, ignore_conflicts=True)
    # What a twin put there meanwhile was passed over.
    new = PoolCode.objects.filter(pk__in=[row.pk for row in made]).count() if made else 0
    log.info("codes_added", program=program.slug, pool=pool, new=new, by=str(by.pk) if by is not None else "operator")
    return Added(new=new, known=len(codes) - new)


def known_codes(*, program: Program, pool: str, codes: Sequence[str]) -> set[str]:
    """Return which of these codes the pool has, given out or not."""
    found = PoolCode.objects.filter(program=program, pool=pool, code__in=codes)
    return set(found.values_list("code", flat=True))
