"""Members and entries as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from loyalty.api.formats import decimal_text, moment_text
from loyalty.ledger.queries import BalanceView, MemberView, NextTierView, TierView
from programs.models import Membership, Program


class TierAnswer(msgspec.Struct, kw_only=True):
    """The tier held: ``until`` is the last day included, null without an end."""

    code: str
    name: str
    since: date
    until: date | None


class MissingAnswer(msgspec.Struct, kw_only=True):
    """What is still missing for the next tier; spend in the program's currency, ``by`` the last day that counts.

    ``measure`` is spend, visits, years, or the code of a unit.
    """

    measure: str
    need: str
    have: str
    missing: str
    by: date | None


class NextTierAnswer(msgspec.Struct, kw_only=True):
    """The tier above, and how far it is."""

    code: str
    name: str
    missing: list[MissingAnswer]


class ExpiryAnswer(msgspec.Struct, kw_only=True):
    """What goes next, and the first moment at which it is gone."""

    amount: str
    at: str


class BalanceAnswer(msgspec.Struct, kw_only=True):
    """What a member has of one unit; a negative ``available`` is a debt."""

    available: str
    pending: str
    held: str
    next_expiry: ExpiryAnswer | None


class MemberAnswer(msgspec.Struct, kw_only=True):
    """A member with tier and balances as they hold at ``as_of``."""

    id: UUID
    card: str
    external_id: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    language: str | None
    status: str
    joined_at: str
    as_of: str
    tier: TierAnswer | None
    next_tier: NextTierAnswer | None
    balances: dict[str, BalanceAnswer]


class SourceAnswer(msgspec.Struct, kw_only=True):
    """What caused an entry: an activity, a redemption, a voucher, time, or ``opening``: brought from elsewhere."""

    type: str
    id: UUID | None
    external_id: str | None


class EntryAnswer(msgspec.Struct, kw_only=True):
    """One movement on one of a member's accounts; amounts in the unit."""

    id: UUID
    kind: str
    unit: str
    account: str
    amount: str
    balance_after: str
    occurred_at: str
    posted_at: str
    source: SourceAnswer
    reason: str


def member_answer(member: Membership, view: MemberView, *, program: Program) -> MemberAnswer:
    """Return one member as the API shows it."""
    customer = member.customer
    return MemberAnswer(
        id=member.pk,
        card=member.card,
        external_id=member.external_id or None,
        email=customer.email or None,
        first_name=customer.first_name or None,
        last_name=customer.last_name or None,
        language=customer.language or None,
        status=member.status,
        joined_at=moment_text(member.joined_at, program.zone),
        as_of=moment_text(view.as_of, program.zone),
        tier=_tier(view.tier) if view.tier else None,
        next_tier=_next_tier(view.next_tier) if view.next_tier else None,
        balances={code: _balance(balance, program=program) for code, balance in view.balances.items()},
    )


def member_answers(
    members: Sequence[Membership], views: Mapping[UUID, MemberView], *, program: Program
) -> dict[UUID, MemberAnswer]:
    """Return the members as the API shows them, by id."""
    return {member.pk: member_answer(member, views[member.pk], program=program) for member in members}


def _tier(tier: TierView) -> TierAnswer:
    return TierAnswer(code=tier.code, name=tier.name, since=tier.since, until=tier.until)


def _next_tier(tier: NextTierView) -> NextTierAnswer:
    missing = [
        MissingAnswer(
            measure=one.measure,
            need=decimal_text(one.need, one.precision),
            have=decimal_text(one.have, one.precision),
            missing=decimal_text(one.missing, one.precision),
            by=one.by,
        )
        for one in tier.missing
    ]
    return NextTierAnswer(code=tier.code, name=tier.name, missing=missing)


def _balance(balance: BalanceView, *, program: Program) -> BalanceAnswer:
    def text(amount: int) -> str:
        return decimal_text(amount, balance.precision)

    expiry: Any = None
    if balance.next_expiry is not None:
        amount, at = balance.next_expiry
        expiry = ExpiryAnswer(amount=text(amount), at=moment_text(at, program.zone))
    return BalanceAnswer(
        available=text(balance.available),
        pending=text(balance.pending),
        held=text(balance.held),
        next_expiry=expiry,
    )
