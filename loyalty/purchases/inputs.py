"""The checks that turn the bodies of purchases, quotes, returns and events into whole numbers and moments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from loyalty.api.decoding import NUMBER_OUT_OF_RANGE, TOO_DEEP, TOO_LONG, shaped
from loyalty.api.formats import digits_of, moment, smallest_steps
from loyalty.api.problems import field_code, invalid
from loyalty.ledger.members import EXTERNAL
from loyalty.purchases.bodies import BasketBody, EventBody, LineBody, PurchaseBody, QuoteBody, RefundBody
from loyalty.purchases.lines import THOUSANDTHS, Line
from loyalty.purchases.returns import WHOLE, Wanted
from programs.cards import normal
from programs.models import Program

ATTRIBUTES_BYTES = 16_384
ATTRIBUTES_DEPTH = 8
LARGEST_INTEGER = 2**63 - 1
EMPTY: tuple[Any, ...] = (None, "", (), {})

TOTAL_MISMATCH = field_code(
    "total-mismatch",
    title=_("The total is not the sum of the lines"),
    cure=_("Send lines whose amounts add up to the total exactly: after discounts, tax included."),
)
NEGATIVE_TOTAL = field_code(
    "negative-total", title=_("The total is negative"), cure=_("Send what was given back as a refund.")
)
NEGATIVE_QUANTITY = field_code(
    "negative-quantity", title=_("The quantity is negative"), cure=_("Send 0 or more, and a discount as an amount.")
)
BAD_TAX = field_code(
    "bad-tax", title=_("The tax does not lie between 0 and the total"), cure=_("Send the tax that the total contains.")
)
CURRENCY_MISMATCH = field_code(
    "currency-mismatch",
    title=_("The program counts in another currency"),
    cure=_("Send the purchase in the currency of the program."),
)
LINES_AND_AMOUNT = field_code(
    "lines-and-amount",
    title=_("A return names lines or an amount, not both"),
    cure=_("Send “lines” for a purchase with lines, “amount” for one without, neither for all that is left."),
)
NEGATIVE_AMOUNT = field_code(
    "negative-amount", title=_("The amount is negative"), cure=_("Send what comes back as a positive amount.")
)


@dataclass(frozen=True, slots=True)
class PurchaseInput:
    """A purchase that fits the program; amounts in minor units, the time in UTC."""

    external_id: str
    occurred_at: datetime
    currency: str
    total: int
    position: int = 0
    member: str = ""  # As ``programs.cards`` or ``external_id:…`` spells it; empty for a guest.
    tax: int | None = None
    lines: tuple[Line, ...] = ()
    store: str = ""
    channel: str = ""
    terminal: str = ""
    redemptions: tuple[str, ...] = ()
    vouchers: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> bytes:
        """Return what tells this body from another one; how numbers and times were spelled does not matter."""
        return _digest(
            occurred_at=self.occurred_at,
            currency=self.currency,
            total=self.total,
            member=self.member,
            tax=self.tax,
            lines=self.lines,
            store=self.store,
            channel=self.channel,
            terminal=self.terminal,
            redemptions=self.redemptions,
            vouchers=self.vouchers,
            attributes=self.attributes,
        )


@dataclass(frozen=True, slots=True)
class EventInput:
    """An event that fits the program; what type it is, is still to be looked up."""

    external_id: str
    occurred_at: datetime
    member: str
    type: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> bytes:
        """Return what tells this body from another one."""
        return _digest(occurred_at=self.occurred_at, member=self.member, type=self.type, attributes=self.attributes)


@dataclass(frozen=True, slots=True)
class RefundInput:
    """A return that fits the program; ``wanted`` is empty for all that is left."""

    external_id: str
    purchase: str
    occurred_at: datetime
    wanted: tuple[Wanted, ...] = ()
    redemptions: tuple[str, ...] = ()

    def digest(self) -> bytes:
        """Return what tells this body from another one."""
        wanted = msgspec.to_builtins(self.wanted)
        return _digest(
            purchase=self.purchase, occurred_at=self.occurred_at, wanted=wanted, redemptions=self.redemptions
        )


def _digest(**parts: Any) -> bytes:
    """Leave out what is empty: a field that tills learn to send later must not change what older receipts were."""
    said = {name: part for name, part in parts.items() if part not in EMPTY}
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).digest()[:16]


def purchase_input(body: Any, *, program: Program, position: int = 0) -> PurchaseInput:
    """Return the checked purchase, or raise InvalidError (or another problem) with the pointer of what is wrong."""
    given = shaped(body, PurchaseBody)
    return _basket(
        given,
        program=program,
        external_id=given.external_id,
        occurred_at=given.occurred_at,
        position=position,
    )


def quote_input(body: Any, *, program: Program) -> PurchaseInput:
    """Return the checked purchase of a quote, without an external_id; raise as for a purchase."""
    given = shaped(body, QuoteBody)
    return _basket(given, program=program, external_id="", occurred_at=given.occurred_at, position=0)


def _basket(
    given: BasketBody, *, program: Program, external_id: str, occurred_at: str | None, position: int
) -> PurchaseInput:
    digits = digits_of(program.currency)
    if given.currency != program.currency:
        raise invalid("/currency", CURRENCY_MISMATCH)
    total = smallest_steps(given.total, digits, pointer="/total")
    if total < 0:
        raise invalid("/total", NEGATIVE_TOTAL)
    lines = tuple(_line(line, place, digits) for place, line in enumerate(given.lines or ()))
    if lines and sum(line.amount for line in lines) != total:
        raise invalid("/total", TOTAL_MISMATCH)
    return PurchaseInput(
        external_id=external_id,
        occurred_at=moment(occurred_at, pointer="/occurred_at") if occurred_at is not None else program.now(),
        currency=given.currency,
        total=total,
        position=position,
        member=member_name(given.member),
        tax=_tax(given.tax, total, digits),
        lines=lines,
        store=given.store or "",
        channel=given.channel or "",
        terminal=given.terminal or "",
        redemptions=tuple(given.redemptions or ()),
        vouchers=tuple(given.vouchers or ()),
        attributes=free(given.attributes, pointer="/attributes"),
    )


def event_input(body: Any) -> EventInput:
    """Return the checked event, or raise InvalidError with the pointer of what is wrong."""
    given = shaped(body, EventBody)
    return EventInput(
        external_id=given.external_id,
        occurred_at=moment(given.occurred_at, pointer="/occurred_at"),
        member=member_name(given.member),
        type=given.type,
        attributes=free(given.attributes, pointer="/attributes"),
    )


def refund_input(body: Any, *, program: Program) -> RefundInput:
    """Return the checked return, or raise InvalidError with the pointer of what is wrong."""
    given = shaped(body, RefundBody)
    if given.lines and given.amount is not None:
        raise invalid("/amount", LINES_AND_AMOUNT)
    return RefundInput(
        external_id=given.external_id,
        purchase=given.purchase,
        occurred_at=moment(given.occurred_at, pointer="/occurred_at"),
        wanted=_wanted(given, digits_of(program.currency)),
        redemptions=tuple(given.redemptions or ()),
    )


def _wanted(given: RefundBody, digits: int) -> tuple[Wanted, ...]:
    if given.amount is not None:
        amount = smallest_steps(given.amount, digits, pointer="/amount")
        if amount < 0:
            raise invalid("/amount", NEGATIVE_AMOUNT)
        return (Wanted(WHOLE, amount=amount),)
    wanted = []
    for place, line in enumerate(given.lines or ()):
        at = f"/lines/{place}"
        quantity = None if line.quantity is None else _quantity(line.quantity, f"{at}/quantity")
        part = None if line.amount is None else smallest_steps(line.amount, digits, pointer=f"{at}/amount")
        wanted.append(Wanted(line.line, quantity, part))
    return tuple(wanted)


def member_name(given: str | None) -> str:
    """Return the reference in one spelling: a card's digits alone."""
    if given is None or given.startswith(EXTERNAL):
        return given or ""
    return normal(given) or given


def _tax(given: Any, total: int, digits: int) -> int | None:
    if given is None:
        return None
    tax = smallest_steps(given, digits, pointer="/tax")
    if not 0 <= tax <= total:
        raise invalid("/tax", BAD_TAX)
    return tax


def _line(given: LineBody, place: int, digits: int) -> Line:
    at = f"/lines/{place}"
    quantity = 1_000 if given.quantity is None else _quantity(given.quantity, f"{at}/quantity")
    return Line(
        amount=smallest_steps(given.amount, digits, pointer=f"{at}/amount"),
        quantity=quantity,
        sku=given.sku or "",
        name=given.name or "",
        category=given.category or "",
        brand=given.brand or "",
        tags=tuple(given.tags or ()),
        attributes=free(given.attributes, pointer=f"{at}/attributes"),
    )


def _quantity(given: Any, pointer: str) -> int:
    quantity = smallest_steps(given, THOUSANDTHS, pointer=pointer)
    if quantity < 0:
        raise invalid(pointer, NEGATIVE_QUANTITY)
    return quantity


def free(given: dict[str, Any] | None, *, pointer: str) -> dict[str, Any]:
    """Return attributes as they can be stored: nulls dropped, not too deep, not too large."""
    if not given:
        return {}
    plain: dict[str, Any] = _plain(given, pointer, ATTRIBUTES_DEPTH)
    if len(msgspec.json.encode(plain)) > ATTRIBUTES_BYTES:
        raise invalid(pointer, TOO_LONG)
    return plain


def _plain(value: Any, pointer: str, depth: int) -> Any:
    if isinstance(value, dict | list) and depth == 0:
        raise invalid(pointer, TOO_DEEP)
    if isinstance(value, dict):
        return {key: _plain(inner, pointer, depth - 1) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner, pointer, depth - 1) for inner in value]
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise invalid(pointer, NUMBER_OUT_OF_RANGE)
    return value
