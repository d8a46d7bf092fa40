"""What can be told to other systems, each under a name that never changes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Text

PURCHASE_ACCRUED = "purchase.accrued"
PURCHASE_FAILED = "purchase.failed"
REFUND_ACCRUED = "refund.accrued"
MEMBER_ENROLLED = "member.enrolled"
TIER_CHANGED = "member.tier_changed"
UNITS_EXPIRING = "units.expiring"
UNITS_EXPIRED = "units.expired"
REWARD_ISSUED = "reward.issued"
REDEMPTION_RESERVED = "redemption.reserved"
REDEMPTION_CAPTURED = "redemption.captured"
REDEMPTION_RELEASED = "redemption.released"
REDEMPTION_RETURNED = "redemption.returned"
VOUCHER_REDEEMED = "voucher.redeemed"
ENDPOINT_TEST = "endpoint.test"  # Sent by staff to one endpoint, whatever it asked for.

EVENT_TYPES: dict[str, Text] = {
    PURCHASE_ACCRUED: _("A purchase was judged: what it earned."),
    PURCHASE_FAILED: _("A purchase could not be judged and waits for staff."),
    REFUND_ACCRUED: _("A return was judged: what it took back."),
    MEMBER_ENROLLED: _("Somebody joined."),
    TIER_CHANGED: _("A member has another tier."),
    UNITS_EXPIRING: _("Units will expire within the days of notice that the terms give."),
    UNITS_EXPIRED: _("Units have expired."),
    REWARD_ISSUED: _("A member was given a voucher."),
    REDEMPTION_RESERVED: _("Units were set aside for a reward."),
    REDEMPTION_CAPTURED: _("A reward was redeemed."),
    REDEMPTION_RELEASED: _("Units that were set aside are free again."),
    REDEMPTION_RETURNED: _("A return gave the units of a reward back."),
    VOUCHER_REDEEMED: _("A voucher was used."),
}
