"""Admin pages of the ledger: books to read, tiers to give, notices to see."""

from loyalty.ledger.admin.books import LotAdmin, ReadOnlyAdmin, TransactionAdmin, amount_of
from loyalty.ledger.admin.grants import TierGrantAdmin
from loyalty.ledger.admin.notices import NoticeAdmin

__all__ = ["LotAdmin", "NoticeAdmin", "ReadOnlyAdmin", "TierGrantAdmin", "TransactionAdmin", "amount_of"]
