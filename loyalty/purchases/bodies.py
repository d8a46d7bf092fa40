"""The shapes of the bodies of purchases, quotes, returns and events, as the API's description shows them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

MOST_LINES = 1_000

Text = Annotated[str, Meta(max_length=200)]
ExternalId = Annotated[str, Meta(min_length=1, max_length=128, description="Unique for ever in program and kind.")]
MemberName = Annotated[
    str, Meta(min_length=1, max_length=150, description="A card number or external_id:…", examples=["external_id:42"])
]
MomentText = Annotated[
    str,
    Meta(
        max_length=64,
        description="ISO 8601 with an offset.",
        examples=["2026-03-29T10:15:00+02:00"],
        extra_json_schema={"format": "date-time"},
    ),
]
AmountText = Annotated[
    Any,
    Meta(
        description="A decimal with no more digits than the currency has; a string or a number.",
        examples=["10.99"],
        extra_json_schema={"anyOf": [{"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, {"type": "number"}]},
    ),
]
QuantityText = Annotated[
    Any,
    Meta(
        description="0 or more with at most 3 decimals; a string or a number. 1 if absent.",
        examples=["1"],
        extra_json_schema={
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"},
                {"type": "number", "minimum": 0},
                {"type": "null"},
            ]
        },
    ),
]
OptionalAmount = Annotated[
    Any,
    Meta(
        description="A decimal with no more digits than the currency has; a string or a number.",
        extra_json_schema={
            "anyOf": [{"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, {"type": "number"}, {"type": "null"}]
        },
    ),
]
Attributes = Annotated[dict[str, Any], Meta(description="Anything of your own, up to 16 KB.")]
Tags = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)]


class LineBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line: ``amount`` is its total after discounts, tax included; negative for a discount."""

    amount: AmountText
    sku: Text | None = None
    name: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    tags: Tags | None = None
    quantity: QuantityText = None
    attributes: Attributes | None = None


class BasketBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a purchase and a quote have in common."""

    currency: Annotated[str, Meta(max_length=3, min_length=3, examples=["EUR"])]
    total: AmountText
    member: MemberName | None = None
    tax: OptionalAmount = None
    lines: Annotated[list[LineBody], Meta(max_length=MOST_LINES)] | None = None
    store: Annotated[str, Meta(max_length=64)] | None = None
    channel: Annotated[str, Meta(max_length=32)] | None = None
    terminal: Annotated[str, Meta(max_length=64)] | None = None
    redemptions: Annotated[list[str], Meta(max_length=50)] | None = None
    vouchers: Annotated[list[str], Meta(max_length=50)] | None = None
    attributes: Attributes | None = None


class PurchaseBody(BasketBody, kw_only=True):
    """A purchase as a till posts it."""

    external_id: ExternalId
    occurred_at: MomentText


class QuoteBody(BasketBody, kw_only=True):
    """A purchase that nobody has made yet: now, where no time is given."""

    occurred_at: MomentText | None = None


class RefundLineBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What comes back of one line: pieces (the amount prorates), an amount, both, or all that is left of it."""

    line: Annotated[int, Meta(ge=1, le=MOST_LINES, description="The line's number in the purchase, from 1.")]
    quantity: QuantityText = None
    amount: OptionalAmount = None


class RefundBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A return: of lines, of an amount of a purchase without lines, or of all that is left."""

    external_id: ExternalId
    purchase: Annotated[str, Meta(min_length=1, max_length=128, description="The purchase's external_id.")]
    occurred_at: MomentText
    lines: Annotated[list[RefundLineBody], Meta(max_length=MOST_LINES)] | None = None
    amount: OptionalAmount = None
    redemptions: Annotated[list[str], Meta(max_length=50)] | None = None


class EventBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something that a member did beside buying; of what type, the program's terms say."""

    external_id: ExternalId
    member: MemberName
    type: Annotated[str, Meta(min_length=1, max_length=40, description="The code of a type of event.")]
    occurred_at: MomentText
    attributes: Attributes | None = None
