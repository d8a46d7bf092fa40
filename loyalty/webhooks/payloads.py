"""What a message tells, in the shapes of the API's answers. Amounts are decimal strings; nothing personal is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from loyalty.api.formats import decimal_text
from loyalty.ledger.models import Account
from loyalty.purchases.answers import AwardAnswer
from loyalty.purchases.lines import LineAnswer
from loyalty.rewards.answers import RedemptionAnswer, VoucherAnswer
from programs.engine.state import State
from programs.models import Membership, Program, Unit


class MemberNews(msgspec.Struct, kw_only=True):
    """Whom it is about; ask the API for names and addresses."""

    id: UUID
    card: str
    external_id: str | None


class BalanceNews(msgspec.Struct, kw_only=True):
    """What the member has of one unit once all of this is done; a negative ``available`` is a debt."""

    available: str
    pending: str
    held: str


class TierNews(msgspec.Struct, kw_only=True):
    """A tier by its code and name; null where the terms have none."""

    code: str
    name: str


class ActivityNews(msgspec.Struct, kw_only=True):
    """A purchase or a return, as in ``GET purchases/{external_id}/`` without the member and the explanation."""

    id: UUID
    external_id: str
    status: str
    occurred_at: str
    posted_at: str
    currency: str
    total: str | None
    tax: str | None
    lines: list[LineAnswer]
    store: str | None
    channel: str | None
    terminal: str | None
    purchase: str | None
    paid: str | None
    redemptions: list[str]
    vouchers: list[str]
    attributes: dict[str, Any]
    awards: list[AwardAnswer]
    detail: str


class About(msgspec.Struct, kw_only=True):
    """What all news of a member has: ``sequence`` counts the member's messages, ``occurred_at`` is when it happened.

    ``sandbox``: the program is a test copy.
    """

    program: str
    sandbox: bool
    member: MemberNews
    sequence: int
    occurred_at: str


class PurchaseNews(About, kw_only=True):
    """A purchase was judged."""

    purchase: ActivityNews
    balances: dict[str, BalanceNews]


class PurchaseFailedNews(About, kw_only=True):
    """A purchase could not be judged; ``code`` is one of the catalogue's, or null. Staff can have it tried again."""

    purchase: ActivityNews
    code: str | None


class RefundNews(About, kw_only=True):
    """A return was judged."""

    refund: ActivityNews
    balances: dict[str, BalanceNews]


class EnrolledNews(About, kw_only=True):
    """Somebody joined."""

    joined_at: str
    tier: TierNews | None


class TierChangedNews(About, kw_only=True):
    """A member has another tier. ``until``: the last day included, null without an end or where it changed again."""

    tier: TierNews | None
    previous: TierNews | None
    until: str | None
    reason: str


class UnitsNews(About, kw_only=True):
    """Units that have expired, or will at ``at``: the first moment at which they are gone."""

    unit: str
    amount: str
    at: str
    balances: dict[str, BalanceNews]


class VoucherNews(About, kw_only=True):
    """A voucher was issued or used."""

    voucher: VoucherAnswer


class RedemptionNews(About, kw_only=True):
    """A reward was asked for, or that was settled."""

    redemption: RedemptionAnswer


class TestNews(msgspec.Struct, kw_only=True):
    """Sent by staff to see whether an address listens."""

    program: str
    sandbox: bool
    endpoint: UUID
    note: str


def member_news(member: Membership) -> MemberNews:
    """Return whom it is about."""
    return MemberNews(id=member.pk, card=member.card, external_id=member.external_id or None)


def balances_news(state: State, *, program: Program, units: Mapping[tuple[UUID, str], Unit]) -> dict[str, BalanceNews]:
    """Return a state's balances by unit."""
    kind = Account.Kind
    found = {}
    for code in sorted({unit for unit, _account in state.balances}):
        digits = units[program.pk, code].precision
        available, pending, held = (
            decimal_text(state.balance(code, account), digits) for account in (kind.AVAILABLE, kind.PENDING, kind.HELD)
        )
        found[code] = BalanceNews(available=available, pending=pending, held=held)
    return found
