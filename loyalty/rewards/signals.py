"""News of rewards, for the rooms above them."""

from django.dispatch import Signal

# Sent in the transaction that sets its units aside, under the member's lock, with the ``redemption``
# (membership and its program loaded).
redemption_reserved = Signal()

# Sent in the transaction that uses it, with the ``voucher`` (membership and program loaded), under the member's lock.
voucher_redeemed = Signal()
