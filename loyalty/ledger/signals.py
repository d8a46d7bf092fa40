"""News of the ledger, for the rooms above it."""

from django.dispatch import Signal

# Sent in the transaction that enrols them, with ``memberships``, their programs' ``schedules`` by id, and whether
# ``is_joining_rewarded``: who moves in from another system may have been welcomed there.
members_joined = Signal()

# Sent before members are folded in this room, with the ``book`` and the ``schedules`` by program: who knows what
# happened completes what is remembered of it.
book_opened = Signal()

# Sent in the transaction that writes them, with the ``book`` and the ``results`` of the folds by member: who keeps what
# units bought writes that down, too.
book_written = Signal()

# Sent with a ``membership`` before its units are spent: who knows of activity that waits to be judged has it judged.
units_wanted = Signal()
