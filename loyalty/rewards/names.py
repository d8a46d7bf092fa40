"""What units were spent on, for the lines of a history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from loyalty.rewards.models import Redemption, Voucher
from programs.models import Program

REDEMPTION, VOUCHER = "redemption", "voucher"


@dataclass(frozen=True, slots=True)
class SpentOn:
    """A redemption or a voucher (``kind``) by what people call it; ``is_open`` while units are only set aside."""

    kind: str
    id: UUID
    name: str
    is_open: bool


def spent_on(program: Program, ids: Iterable[UUID | None]) -> dict[UUID, SpentOn]:
    """Return what these are, by id; no query for none, else two."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    redemptions = Redemption.objects.filter(program=program, pk__in=wanted).values_list("pk", "name", "status")
    vouchers = Voucher.objects.filter(program=program, pk__in=wanted).values_list("pk", "name")
    found = {
        pk: SpentOn(REDEMPTION, pk, name, status == Redemption.Status.RESERVED) for pk, name, status in redemptions
    }
    return found | {pk: SpentOn(VOUCHER, pk, name, is_open=False) for pk, name in vouchers}
