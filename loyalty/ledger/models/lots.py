"""Lots: batches of earned units, each with its own end."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program, Unit


class Lot(models.Model):
    """What one activity earned in one unit, and what became of it. Amounts in smallest steps of the unit.

    ``amount = remaining + spent + expired + reversed``; what paid an older debt counts as spent.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="lots", verbose_name=_("member"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    activity_id = models.UUIDField(_("activity"), null=True)
    amount = models.BigIntegerField(_("earned"))
    remaining = models.BigIntegerField(_("left"))
    expired = models.BigIntegerField(_("expired"), default=0)
    reversed = models.BigIntegerField(_("taken back"), default=0)
    waived = models.BigIntegerField(_("expired and not taken back again"), default=0)
    earned_at = models.DateTimeField(_("earned"))
    matures_at = models.DateTimeField(_("spendable from"), null=True)  # Null once it is (or at once was) spendable.
    expires_at = models.DateTimeField(_("expires"), null=True)  # Null: never, or with the member's inactivity.

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        indexes: ClassVar = [
            models.Index(
                fields=["program", "membership", "earned_at"], name="ledger_lot_open", condition=Q(remaining__gt=0)
            ),
            models.Index(fields=["program", "activity_id"], name="ledger_lot_of_activity"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_lot_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="ledger_lot_waives_what_expired", condition=Q(waived__gte=0, waived__lte=F("expired"))
            ),
            models.CheckConstraint(
                name="ledger_lot_never_overdrawn",
                condition=Q(remaining__gte=0, expired__gte=0, reversed__gte=0)
                & Q(amount__gte=F("remaining") + F("expired") + F("reversed")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining}/{self.amount}"
