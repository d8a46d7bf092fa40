"""Value: accounts, transactions, entries and lots; and where each member stands."""

from loyalty.ledger.models.accounts import Account, Entry, Transaction
from loyalty.ledger.models.grants import TierGrant
from loyalty.ledger.models.lots import Lot
from loyalty.ledger.models.notices import Notice
from loyalty.ledger.models.openings import OpeningBalance, OpeningTier
from loyalty.ledger.models.standing import Standing, TierPeriod

__all__ = [
    "Account",
    "Entry",
    "Lot",
    "Notice",
    "OpeningBalance",
    "OpeningTier",
    "Standing",
    "TierGrant",
    "TierPeriod",
    "Transaction",
]
