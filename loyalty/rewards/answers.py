"""Rewards, redemptions and vouchers as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from loyalty.api.formats import decimal_text, digits_of, moment_text
from loyalty.rewards.models import Redemption, Voucher
from loyalty.rewards.queries import Offer
from programs.codes import shown
from programs.models import Program

RedemptionStatus = Literal["reserved", "captured", "released", "returned"]
VoucherStatus = Literal["issued", "redeemed", "expired", "withdrawn"]
EXPIRED: VoucherStatus = "expired"
PERCENT_PLACES = 4


class RewardAnswer(msgspec.Struct, kw_only=True):
    """A reward as one member has it.

    ``price`` is in ``unit`` (null: it costs nothing); of one ``by_amount`` it is the price of ``value``, in steps of
    ``step``. ``reason`` says why it is not available, ``reason_code`` the same as a code; ``opens_at`` when it opens;
    ``stock`` how many are left, null for no end.
    """

    code: str
    name: str
    detail: str
    kind: str
    price: str
    unit: str | None
    value: str | None
    percent: str | None
    by_amount: bool
    step: str | None
    several: bool
    available: bool
    reason: str | None
    reason_code: str | None
    opens_at: str | None
    stock: int | None


class RedemptionAnswer(msgspec.Struct, kw_only=True):
    """A reward that a member chose. ``status``: reserved, captured, released or returned.

    ``voucher``: the code that it brought, of a pool; null for most.
    """

    id: UUID
    code: str
    status: RedemptionStatus
    member: str
    reward: str
    name: str
    quantity: int
    unit: str | None
    units: str
    value: str | None
    percent: str | None
    basket_total: str | None
    created_at: str
    expires_at: str
    settled_at: str | None
    voucher: str | None
    reason: str


class VoucherAnswer(msgspec.Struct, kw_only=True):
    """A code that is good for a reward once. ``status``: issued, redeemed, expired or withdrawn.

    ``value`` is null for percent; ``expires_at`` the first moment at which it is gone.
    """

    code: str
    reward: str
    name: str
    value: str | None
    percent: str | None
    status: VoucherStatus
    issued_at: str
    expires_at: str | None
    redeemed_at: str | None
    redemption_ref: str | None
    reason: str


def reward_answer(offer: Offer, *, program: Program) -> RewardAnswer:
    """Return an offer as the API shows it."""
    reward, digits = offer.reward, digits_of(program.currency)
    return RewardAnswer(
        code=reward.code,
        name=reward.name,
        detail=reward.detail,
        kind=reward.kind,
        price=decimal_text(reward.price, offer.unit.precision if offer.unit else 0),
        unit=reward.unit or None,
        value=_money(reward.value if reward.percent is None else None, digits),
        percent=percent_text(reward.percent),
        by_amount=reward.by_amount,
        step=decimal_text(reward.step, digits) if reward.by_amount else None,
        several=reward.several,
        available=offer.is_available,
        reason=offer.reason or None,
        reason_code=offer.refusal or None,
        opens_at=_moment(offer.opens_at, program),
        stock=offer.left,
    )


def redemption_answer(row: Redemption, *, program: Program) -> RedemptionAnswer:
    """Return a redemption (membership and unit loaded) as the API shows it, in the active language."""
    digits = digits_of(program.currency)
    vouchers = row.vouchers.all() if row.status == Redemption.Status.CAPTURED else ()
    voucher = next(iter(vouchers), None)  # Of a pool there is one.
    return RedemptionAnswer(
        id=row.pk,
        code=shown(row.code),
        status=cast("RedemptionStatus", row.status),
        member=row.membership.card,
        reward=row.reward,
        name=row.name,
        quantity=row.quantity,
        unit=row.unit.code if row.unit else None,
        units=decimal_text(row.units, row.unit.precision if row.unit else 0),
        value=_money(row.value, digits),
        percent=percent_text(row.percent),
        basket_total=_money(row.basket_total, digits),
        created_at=moment_text(row.created_at, program.zone),
        expires_at=moment_text(row.expires_at, program.zone),
        settled_at=_moment(row.settled_at, program),
        voucher=shown(voucher.code) if voucher is not None else None,
        reason=redemption_reason(row),
    )


def voucher_answer(row: Voucher, *, program: Program, now: datetime) -> VoucherAnswer:
    """Return a voucher as the API shows it at its member's present, in the active language."""
    return VoucherAnswer(
        code=shown(row.code),
        reward=row.reward,
        name=row.name,
        value=_money(row.value if row.percent is None else None, digits_of(program.currency)),
        percent=percent_text(row.percent),
        status=voucher_status(row, now=now),
        issued_at=moment_text(row.issued_at, program.zone),
        expires_at=_moment(row.expires_at, program),
        redeemed_at=_moment(row.redeemed_at, program),
        redemption_ref=row.redemption_ref or None,
        reason=voucher_reason(row, now=now),
    )


def voucher_status(row: Voucher, *, now: datetime) -> VoucherStatus:
    """Return where a voucher stands at a moment."""
    if row.status == Voucher.Status.ISSUED and row.has_expired(at=now):
        return EXPIRED
    return cast("VoucherStatus", row.status)


def voucher_reason(row: Voucher, *, now: datetime) -> str:
    """Return why there is such a voucher, or why it is good no more, in the active language."""
    if row.status == Voucher.Status.WITHDRAWN:
        return _("Withdrawn, since a return took its units back.")
    if row.status == Voucher.Status.REDEEMED:
        return _("Used.")
    if row.has_expired(at=now):
        return _("Its time is over.")
    if row.reason == Voucher.Reason.CONVERTED:
        return _("Your units turned into it.")
    return _("You chose it.")


def redemption_reason(row: Redemption) -> str:
    """Return where a redemption stands, in words, in the active language."""
    return {
        Redemption.Status.RESERVED: _("The units are set aside until it is redeemed."),
        Redemption.Status.CAPTURED: _("Redeemed."),
        Redemption.Status.RELEASED: _("The time was up, so the units are free again.")
        if row.is_timed_out
        else _("It was given up, so the units are free again."),
        Redemption.Status.RETURNED: _("A return gave the units back."),
    }[Redemption.Status(row.status)]


def percent_text(given: int | None) -> str | None:
    """Return a percentage as short as it can be: "10", "12.5"."""
    if given is None:
        return None
    text = decimal_text(given, PERCENT_PLACES)
    return text.rstrip("0").rstrip(".")


def _money(minor: int | None, digits: int) -> str | None:
    return None if minor is None else decimal_text(minor, digits)


def _moment(value: datetime | None, program: Program) -> str | None:
    return None if value is None else moment_text(value, program.zone)
