"""Admin pages of what is redeemed: redemptions, vouchers, stocks and pools; and the card beside a reward's form."""

from loyalty.rewards.admin.card import card

__all__ = ["card"]
