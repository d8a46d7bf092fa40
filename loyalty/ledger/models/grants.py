"""Tiers that staff gave a member, beside what the member's own activity reaches."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program


class TierGrantQuerySet(models.QuerySet["TierGrant"]):
    """Words to ask for grants with."""

    def not_ended(self) -> TierGrantQuerySet:
        """Return those that staff have not ended; their last day may have passed."""
        return self.filter(ended_at__isnull=True)


class TierGrant(models.Model):
    """A tier given by a person, with the reason. Its end by hand is the only thing that changes on it."""

    class Kind(models.TextChoices):
        HAND = "hand", _("By hand")
        INVITATION = "invitation", _("By invitation")
        TRIAL = "trial", _("On trial")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="tier_grants", verbose_name=_("member"))
    tier = models.CharField(_("tier"), max_length=32)  # A code of the version's in force when it was given.
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    reason = models.CharField(_("reason"), max_length=500)
    starts_at = models.DateTimeField(_("from"))
    until = models.DateField(_("last day"), null=True, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("given by")
    )  # Null: an operator, by a command.
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )

    objects = TierGrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier given by staff")
        verbose_name_plural = _("tiers given by staff")
        indexes: ClassVar = [
            models.Index(fields=["program", "membership", "starts_at"], name="ledger_tiergrant_of_member"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_tiergrant_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="ledger_tiergrant_ends_after_start",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="ledger_tiergrant_trial_has_end", condition=~Q(kind="trial") | Q(until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.starts_at:%Y-%m-%d}"
