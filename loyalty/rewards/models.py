"""What members redeemed, the vouchers they hold, and what is left of a stock."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs import codes
from programs.models import Membership, Program, ProgramVersion, Unit


class Redemption(models.Model):
    """A reward that a member chose: its units are set aside, then spent or given free. Its terms stay those of then."""

    class Status(models.TextChoices):
        RESERVED = "reserved", _("Set aside")
        CAPTURED = "captured", _("Redeemed")
        RELEASED = "released", _("Given free")
        RETURNED = "returned", _("Given back with a return")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="redemptions", verbose_name=_("member"))
    version = models.ForeignKey(ProgramVersion, models.PROTECT, related_name="+", verbose_name=_("version"))
    reward = models.CharField(_("reward"), max_length=40)  # A code of the version's.
    name = models.CharField(_("name"), max_length=80)
    code = models.CharField(_("code"), max_length=12)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.RESERVED)
    quantity = models.PositiveIntegerField(_("how many"), default=1)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", verbose_name=_("unit"))
    units = models.BigIntegerField(_("units"), default=0)  # Smallest steps.
    value = models.BigIntegerField(_("worth"), null=True)  # Minor units.
    percent = models.BigIntegerField(_("percent"), null=True)  # Ten-thousandths of a percent.
    basket_total = models.BigIntegerField(_("basket"), null=True)  # Minor units.
    taken = models.JSONField(default=list)  # [[lot, smallest steps]], in the order in which they were taken.
    created_at = models.DateTimeField(_("asked for"))
    posted_at = models.DateTimeField(_("written"))
    expires_at = models.DateTimeField(_("set aside until"))
    settled_at = models.DateTimeField(_("settled"), null=True)
    is_timed_out = models.BooleanField(_("time was up"), default=False)
    activity_id = models.UUIDField(_("purchase"), null=True)  # What it paid for.
    returned_by = models.UUIDField(_("return"), null=True)  # The one return that may give it back.

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        indexes: ClassVar = [
            models.Index(fields=["program", "membership", "-created_at", "-id"], name="rewards_redemption_of_member"),
            models.Index(fields=["program", "-posted_at", "-id"], name="rewards_redemption_newest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="rewards_redemption_code_unique"),
            models.CheckConstraint(
                name="rewards_redemption_amounts_not_negative",
                condition=Q(units__gte=0, quantity__gt=0) & (Q(value__isnull=True) | Q(value__gte=0)),
            ),
            models.CheckConstraint(
                name="rewards_redemption_settled_once_not_reserved",
                condition=Q(status="reserved", settled_at__isnull=True)
                | ~Q(status="reserved") & Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="rewards_redemption_units_have_unit", condition=Q(units=0) | Q(unit__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code_shown}"

    @property
    def code_shown(self) -> str:
        """The code in groups of four."""
        return codes.shown(self.code)


class Voucher(models.Model):
    """A code that is good for a reward once. Whether it has expired, the member's present says."""

    class Status(models.TextChoices):
        ISSUED = "issued", _("Issued")
        REDEEMED = "redeemed", _("Redeemed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Reason(models.TextChoices):
        CONVERTED = "converted", _("Units turned into it")
        CHOSEN = "chosen", _("The member chose it")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="vouchers", verbose_name=_("member"))
    version = models.ForeignKey(ProgramVersion, models.PROTECT, related_name="+", verbose_name=_("version"))
    reward = models.CharField(_("reward"), max_length=40)  # A code of the version's.
    name = models.CharField(_("name"), max_length=80)
    code = models.CharField(_("code"), max_length=64)
    lookup = models.CharField(max_length=64)  # The code as ``programs.codes.plain`` spells it.
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.ISSUED)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    value = models.BigIntegerField(_("worth"), null=True)  # Minor units.
    percent = models.BigIntegerField(_("percent"), null=True)  # Ten-thousandths of a percent.
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", verbose_name=_("unit"))
    units = models.BigIntegerField(_("units"), default=0)  # That turned into it, in smallest steps.
    taken = models.JSONField(default=list)  # [[lot, smallest steps]]
    uses = models.JSONField(default=dict)  # Of limits, by their keys; given back when it is withdrawn.
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, null=True, related_name="vouchers", verbose_name=_("redemption")
    )
    activity_id = models.UUIDField(_("activity"), null=True)  # What brought it.
    issued_at = models.DateTimeField(_("issued"))
    posted_at = models.DateTimeField(_("written"))
    expires_at = models.DateTimeField(_("expires"), null=True)
    redeemed_at = models.DateTimeField(_("redeemed"), null=True)
    redemption_ref = models.CharField(_("redeemed for"), max_length=128, blank=True)
    withdrawn_by = models.UUIDField(_("withdrawn by"), null=True)  # The return.

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        indexes: ClassVar = [
            models.Index(fields=["program", "membership", "-posted_at", "-id"], name="rewards_voucher_of_member"),
            models.Index(fields=["program", "-posted_at", "-id"], name="rewards_voucher_newest"),
            models.Index(fields=["program", "lookup"], name="rewards_voucher_by_code"),
        ]
        constraints: ClassVar = [
            # Two pools may hold the same code: what others made is not ours to tell apart.
            models.UniqueConstraint(
                fields=["program", "lookup"], name="rewards_voucher_code_unique", condition=~Q(reason="chosen")
            ),
            models.UniqueConstraint(
                fields=["program", "redemption"],
                name="rewards_voucher_one_per_redemption",
                condition=Q(redemption__isnull=False),
            ),
            models.CheckConstraint(
                name="rewards_voucher_redeemed_says_when",
                condition=Q(status="redeemed", redeemed_at__isnull=False)
                | ~Q(status="redeemed") & Q(redeemed_at__isnull=True, redemption_ref=""),
            ),
            models.CheckConstraint(name="rewards_voucher_units_not_negative", condition=Q(units__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code_shown}"

    @property
    def code_shown(self) -> str:
        """The code as it is printed: ours in groups of four."""
        return codes.shown(self.code)

    def has_expired(self, *, at: datetime) -> bool:
        """Whether nobody can use it any more at this moment."""
        return self.expires_at is not None and self.expires_at <= at


class RewardStock(models.Model):
    """How many of a reward were given out, and how many staff added to what the terms say."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    reward = models.CharField(_("reward"), max_length=40)
    claimed = models.PositiveIntegerField(_("given out"), default=0)
    added = models.IntegerField(_("added by staff"), default=0)

    class Meta:
        verbose_name = _("stock of a reward")
        verbose_name_plural = _("stocks of rewards")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "reward"], name="rewards_stock_once"),
            models.CheckConstraint(name="rewards_stock_claimed_not_negative", condition=Q(claimed__gte=0)),
        ]

    def __str__(self) -> str:
        return self.reward


class PoolCode(models.Model):
    """A code that somebody else gave us to hand on: free, set aside with a redemption, or issued as a voucher."""

    class State(models.TextChoices):
        FREE = "free", _("Free")
        HELD = "held", _("Set aside")
        ISSUED = "issued", _("Issued")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    pool = models.SlugField(_("pool"), max_length=64, db_index=False)
    code = models.CharField(_("code"), max_length=64)  # Its case is kept.
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.FREE)
    value_minor = models.BigIntegerField(_("worth"), null=True)  # Minor units; else what the reward says.
    expires_on = models.DateField(_("last day"), null=True)
    added_at = models.DateTimeField(_("added"), default=timezone.now)
    issued_at = models.DateTimeField(_("issued"), null=True)
    redemption_id = models.UUIDField(_("redemption"), null=True)
    voucher_id = models.UUIDField(_("voucher"), null=True)

    class Meta:
        verbose_name = _("code of a pool")
        verbose_name_plural = _("codes of pools")
        indexes: ClassVar = [
            models.Index(fields=["program", "pool", "id"], name="rewards_poolcode_free", condition=Q(state="free")),
            models.Index(fields=["program", "redemption_id"], name="rewards_poolcode_held", condition=Q(state="held")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "pool", "code"], name="rewards_poolcode_once"),
            models.CheckConstraint(name="rewards_poolcode_has_code", condition=~Q(code="")),
            models.CheckConstraint(
                name="rewards_poolcode_held_for_a_redemption",
                condition=Q(state="free", redemption_id__isnull=True) | ~Q(state="free"),
            ),
            models.CheckConstraint(
                name="rewards_poolcode_value_positive",
                condition=Q(value_minor__isnull=True) | Q(value_minor__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.code


def left_of(stock: RewardStock | None, *, terms: int | None) -> int | None:
    """Return how many are left of a reward of which the terms have so many; None for no end."""
    if terms is None:
        return None
    return max(0, terms + (stock.added - stock.claimed if stock is not None else 0))


def claimable(*, quantity: int, terms: int) -> Q:
    """Return the condition under which so many can still be given out of a stock of so many."""
    return Q(claimed__lte=F("added") + (terms - quantity))
