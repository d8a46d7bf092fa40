"""News of purchases, returns and events, for the rooms above them."""

from django.dispatch import Signal

# Sent in the transaction that judged it, once all of it is written, with the ``book`` and the ``results`` of the folds
# by member, whose verdicts and refusals name the activity.
activity_judged = Signal()

# Sent in the transaction that sets one ``activity`` aside because its fold failed; nothing of the member is locked.
activity_set_aside = Signal()
