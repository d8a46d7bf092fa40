"""Why an entry is in a member's books, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from loyalty.ledger.models import Transaction
from loyalty.purchases.models import Activity
from loyalty.rewards.names import SpentOn


def entry_reason(
    *,
    kind: str,
    activity: Activity | None,
    event: str = "",
    spent: SpentOn | None = None,
    is_opening: bool = False,
) -> str:
    """Return the sentence for a posting of this kind, in the active language.

    ``event``: what the event is called; ``spent``: what the units were spent on; ``is_opening``: units that the member
    brought from elsewhere.
    """
    if is_opening:
        return _("Opening balance")
    sentence = {
        Transaction.Kind.EARN: _("Earned"),
        Transaction.Kind.MATURE: _("Became spendable"),
        Transaction.Kind.HOLD: _("Set aside"),
        Transaction.Kind.RELEASE: _("Given free"),
        Transaction.Kind.REDEEM: _("Spent"),
        Transaction.Kind.EXPIRE: _("Expired"),
        Transaction.Kind.REVERSE: _("Taken back"),
        Transaction.Kind.RESTORE: _("Given back"),
        Transaction.Kind.ADJUST: _("Corrected"),
    }[Transaction.Kind(kind)]
    if spent is not None:
        return _("%(what)s: %(activity)s") % {"what": sentence, "activity": spent.name}
    if activity is None:
        return sentence
    return _("%(what)s: %(activity)s") % {"what": sentence, "activity": event or activity}
