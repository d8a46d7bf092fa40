"""What members brought with them from another system: each balance and each tier once."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program, Unit


class OpeningBalance(models.Model):
    """Units that a member had elsewhere, moved in by a file. ``amount`` in smallest steps. Written once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(
        Membership, models.PROTECT, related_name="opening_balances", verbose_name=_("member")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    amount = models.BigIntegerField(_("amount"))
    transaction_id = models.UUIDField(_("ledger transaction"))
    moved_at = models.DateTimeField(_("moved in"))
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("moved in by")
    )  # Null: an operator, by a command.

    class Meta:
        verbose_name = _("opening balance")
        verbose_name_plural = _("opening balances")
        indexes: ClassVar = [
            models.Index(fields=["program", "transaction_id"], name="ledger_opening_of_transaction"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "membership", "unit"], name="ledger_openingbalance_once"),
            models.CheckConstraint(name="ledger_openingbalance_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d}"


class OpeningTier(models.Model):
    """The tier that a member had elsewhere, moved in by a file; the grant says how it goes on. Written once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+", verbose_name=_("member"))
    tier = models.CharField(_("tier"), max_length=32)
    until = models.DateField(_("last day"), null=True)
    grant_id = models.UUIDField(_("tier given by staff"))
    moved_at = models.DateTimeField(_("moved in"))
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("moved in by")
    )

    class Meta:
        verbose_name = _("opening tier")
        verbose_name_plural = _("opening tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "membership"], name="ledger_openingtier_once"),
        ]

    def __str__(self) -> str:
        return self.tier
