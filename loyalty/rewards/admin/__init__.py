"""Admin pages of what is redeemed: redemptions, vouchers, stocks and pools; and the card beside a reward's form."""

from loyalty.rewards.admin.card import card
from loyalty.rewards.admin.redemptions import RedemptionAdmin
from loyalty.rewards.admin.stock import PoolCodeAdmin, RewardStockAdmin
from loyalty.rewards.admin.vouchers import VoucherAdmin

__all__ = ["PoolCodeAdmin", "RedemptionAdmin", "RewardStockAdmin", "VoucherAdmin", "card"]
