"""News of the ledger, for the rooms above it."""

from django.dispatch import Signal

# Sent in the transaction that enrols them, with ``memberships`` and their programs' ``schedules`` by id.
members_joined = Signal()
