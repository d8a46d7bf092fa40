"""A member's vouchers and redemptions in short, for the page of the member."""

from __future__ import annotations

from typing import Any

from loyalty.rewards.admin import pages
from loyalty.rewards.admin.vouchers import status_words
from loyalty.rewards.models import Redemption, Voucher
from programs.models import Membership

SHOWN = 5


def rewards_of(member: Membership) -> dict[str, Any]:
    """Return the latest few vouchers and redemptions of a member (program loaded); two queries."""
    vouchers = Voucher.objects.filter(program=member.program, membership=member).select_related("unit")
    redemptions = Redemption.objects.filter(program=member.program, membership=member).select_related("unit")
    return {
        "vouchers": [
            _row(one, member, *status_words(_with(one, member))) for one in vouchers.order_by("-posted_at")[:SHOWN]
        ],
        "redemptions": [
            _row(_with(one, member), member, one.status, one.get_status_display())
            for one in redemptions.order_by("-created_at", "-pk")[:SHOWN]
        ],
    }


def _with(row: Any, member: Membership) -> Any:
    row.program, row.membership = member.program, member
    return row


def _row(row: Redemption | Voucher, member: Membership, status: str, words: Any) -> dict[str, Any]:
    when = row.issued_at if isinstance(row, Voucher) else row.created_at
    return {
        "pk": row.pk,
        "name": row.name,
        "code": row.code_shown,
        "status": status,
        "words": words,
        "worth": pages.worth_of(row),
        "units": pages.units_of(row),
        "when": pages.moment(row, when),
    }
