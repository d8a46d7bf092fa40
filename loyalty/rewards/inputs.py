"""The bodies with which rewards are redeemed and vouchers used, and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from loyalty.api.decoding import shaped
from loyalty.api.formats import digits_of, smallest_steps
from loyalty.api.problems import invalid
from loyalty.ledger.members import EXTERNAL
from loyalty.rewards.problems import NOT_POSITIVE, QUANTITY_AND_AMOUNT
from programs.cards import normal
from programs.engine.state import Ask
from programs.models import Program

MOST_AT_ONCE = 10_000
Money = Annotated[
    Any,
    Meta(
        description="A decimal with no more digits than the currency has; a string or a number.",
        examples=["120.00"],
        extra_json_schema={
            "anyOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}, {"type": "number"}, {"type": "null"}]
        },
    ),
]


class RedemptionBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a member wants: so many of a reward, or so much money off. ``basket_total`` is the basket before it."""

    member: Annotated[
        str,
        Meta(min_length=1, max_length=150, description="A card number or external_id:…", examples=["external_id:42"]),
    ]
    reward: Annotated[str, Meta(min_length=1, max_length=40, description="The code of a reward.")]
    quantity: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] | None = None
    amount: Money = None
    basket_total: Money = None


class VoucherRedeemBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a voucher is used for: ``redemption_ref`` is your own name of it, such as the receipt."""

    redemption_ref: Annotated[str, Meta(min_length=1, max_length=128)]
    basket_total: Money = None


@dataclass(frozen=True, slots=True)
class RedemptionInput:
    """What is asked for, by whom."""

    member: str
    reward: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class VoucherRedeemInput:
    """What a voucher is used for; the basket in minor units."""

    ref: str
    basket: int | None


def redemption_input(body: Any, *, program: Program) -> RedemptionInput:
    """Return what is asked for, or raise InvalidError with the pointer of what is wrong."""
    given = shaped(body, RedemptionBody)
    digits = digits_of(program.currency)
    if given.quantity is not None and given.amount is not None:
        raise invalid("/quantity", QUANTITY_AND_AMOUNT)
    amount = _positive(given.amount, digits, "/amount")
    member = given.member if given.member.startswith(EXTERNAL) else normal(given.member) or given.member
    return RedemptionInput(member, given.reward, Ask(given.quantity, amount, _basket(given.basket_total, digits)))


def voucher_redeem_input(body: Any, *, program: Program) -> VoucherRedeemInput:
    """Return what a voucher is used for, or raise InvalidError with the pointer of what is wrong."""
    given = shaped(body, VoucherRedeemBody)
    return VoucherRedeemInput(given.redemption_ref, _basket(given.basket_total, digits_of(program.currency)))


def _positive(given: Any, digits: int, pointer: str) -> int | None:
    if given is None:
        return None
    amount = smallest_steps(given, digits, pointer=pointer)
    if amount <= 0:
        raise invalid(pointer, NOT_POSITIVE)
    return amount


def _basket(given: Any, digits: int) -> int | None:
    if given is None:
        return None
    basket = smallest_steps(given, digits, pointer="/basket_total")
    if basket < 0:
        raise invalid("/basket_total", NOT_POSITIVE)
    return basket
