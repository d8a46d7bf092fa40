"""The part of the OpenAPI document that tells what is sent, by the structs that really make the bodies."""

from __future__ import annotations

from typing import Any

from loyalty.api.schema import reference
from loyalty.webhooks import event_types as types
from loyalty.webhooks import payloads

SHAPES = {
    types.PURCHASE_ACCRUED: payloads.PurchaseNews,
    types.PURCHASE_FAILED: payloads.PurchaseFailedNews,
    types.REFUND_ACCRUED: payloads.RefundNews,
    types.MEMBER_ENROLLED: payloads.EnrolledNews,
    types.TIER_CHANGED: payloads.TierChangedNews,
    types.UNITS_EXPIRING: payloads.UnitsNews,
    types.UNITS_EXPIRED: payloads.UnitsNews,
    types.REWARD_ISSUED: payloads.VoucherNews,
    types.REDEMPTION_RESERVED: payloads.RedemptionNews,
    types.REDEMPTION_CAPTURED: payloads.RedemptionNews,
    types.REDEMPTION_RELEASED: payloads.RedemptionNews,
    types.REDEMPTION_RETURNED: payloads.RedemptionNews,
    types.VOUCHER_REDEEMED: payloads.VoucherNews,
    types.ENDPOINT_TEST: payloads.TestNews,
}
HEADERS = {
    "webhook-id": "The same at each attempt: take a message once.",
    "webhook-timestamp": "Seconds since 1970 of this attempt.",
    "webhook-signature": "`v1,` and base64, one for each secret that is valid, separated by spaces.",
}
ANSWERS = {
    "2XX": "Taken.",
    "410": "Nothing more is sent to this address until staff switch it on again.",
    "default": "Tried again: after 5 s, 5 min, 30 min, 2 h, 5 h and 10 h.",
}


def add_webhooks(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """Tell in the schema what is sent to webhooks; a postprocessing hook that runs before the components' own."""
    result["webhooks"] = {name: {"post": _operation(name, shape)} for name, shape in SHAPES.items()}
    return result


def _operation(name: str, shape: Any) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When the message was written."},
            "data": reference(shape),
        },
    }
    return {
        "operationId": "webhook_" + name.replace(".", "_"),
        "summary": str(types.EVENT_TYPES.get(name, "A test that staff sent.")),
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for header, text in HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {status: {"description": text} for status, text in ANSWERS.items()},
    }
