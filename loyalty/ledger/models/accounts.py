"""The double-entry books: one set per unit of a program."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program, Unit


class Account(models.Model):
    """Where units stand. A member's account keeps its balance; a program's is the sum of its entries."""

    class Kind(models.TextChoices):
        AVAILABLE = "available", _("Available")
        PENDING = "pending", _("Pending")
        HELD = "held", _("Held")
        ISSUED = "issued", _("Issued")
        REDEEMED = "redeemed", _("Redeemed")
        EXPIRED = "expired", _("Expired")
        REVERSED = "reversed", _("Reversed")
        ADJUSTED = "adjusted", _("Adjusted")

    MEMBER_KINDS = (Kind.AVAILABLE, Kind.PENDING, Kind.HELD)
    PROGRAM_KINDS = (Kind.ISSUED, Kind.REDEEMED, Kind.EXPIRED, Kind.REVERSED, Kind.ADJUSTED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(
        Membership, models.PROTECT, null=True, related_name="accounts", verbose_name=_("member")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    balance = models.BigIntegerField(_("balance"), null=True)  # Smallest steps of the unit; null on program accounts.

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "membership", "unit", "kind"],
                name="ledger_account_one_per_member",
                condition=Q(membership__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["program", "unit", "kind"],
                name="ledger_account_one_per_program",
                condition=Q(membership__isnull=True),
            ),
            models.CheckConstraint(
                name="ledger_account_kind_fits_owner",
                condition=Q(membership__isnull=False, balance__isnull=False, kind__in=["available", "pending", "held"])
                | Q(
                    membership__isnull=True,
                    balance__isnull=True,
                    kind__in=["issued", "redeemed", "expired", "reversed", "adjusted"],
                ),
            ),
            # Only what can be spent may be owed: a debt is a negative available balance.
            models.CheckConstraint(
                name="ledger_account_only_available_owes",
                condition=Q(balance__isnull=True) | Q(balance__gte=0) | Q(kind="available"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.unit_id}"


class Transaction(models.Model):
    """One thing that happened to value. Its entries sum to zero for each unit. Written once, never changed."""

    class Kind(models.TextChoices):
        EARN = "earn", _("Earned")
        MATURE = "mature", _("Became spendable")
        HOLD = "hold", _("Set aside")
        RELEASE = "release", _("Given free")
        REDEEM = "redeem", _("Spent")
        EXPIRE = "expire", _("Expired")
        REVERSE = "reverse", _("Taken back")
        RESTORE = "restore", _("Given back")
        ADJUST = "adjust", _("Corrected")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="transactions", verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    activity_id = models.UUIDField(_("activity"), null=True)  # What caused it; null where time alone did.
    redemption_id = models.UUIDField(_("redemption or voucher"), null=True)  # What the units were spent on.
    occurred_at = models.DateTimeField(_("happened"))
    posted_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("ledger transaction")
        verbose_name_plural = _("ledger transactions")
        indexes: ClassVar = [
            models.Index(fields=["program", "membership", "-posted_at", "-id"], name="ledger_tx_of_member"),
        ]
        constraints: ClassVar = [
            # An activity earns once and is taken back by its refund once, whatever is retried.
            models.UniqueConstraint(
                fields=["program", "activity_id", "kind"],
                name="ledger_tx_once_per_activity",
                condition=Q(activity_id__isnull=False, kind__in=["earn", "reverse"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.occurred_at:%Y-%m-%d}"


class Entry(models.Model):
    """One movement on one account. Written once, never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="entries", verbose_name=_("transaction"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", verbose_name=_("account"))
    amount = models.BigIntegerField(_("amount"))  # Smallest step of the account's unit, signed.
    balance_after = models.BigIntegerField(_("balance after"), null=True)  # Null exactly on program accounts.

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_entry_moves_something", condition=~Q(amount=0)),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d}"
