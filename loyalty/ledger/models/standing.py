"""Where a member stands: what the fold of all past activity has come to."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program, ProgramVersion


class StandingQuerySet(models.QuerySet["Standing"]):
    """Words to ask for standings with."""

    def with_due_work(self, *, as_of: object) -> StandingQuerySet:
        """Return those for whom something falls due at or before this moment."""
        return self.filter(due_at__lte=as_of)


class Standing(models.Model):
    """A member's tier, tier credit, counters and next due moment. One row each, locked by whoever folds."""

    membership = models.OneToOneField(
        Membership, models.PROTECT, primary_key=True, related_name="standing", verbose_name=_("member")
    )
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    version = models.ForeignKey(
        ProgramVersion, models.PROTECT, null=True, related_name="+", verbose_name=_("reviewed under")
    )
    as_of = models.DateTimeField(_("as of"))  # All that fell due at or before it is applied.
    due_at = models.DateTimeField(_("next due"), null=True)
    lots_due_at = models.DateTimeField(_("lots next due"), null=True)
    active_at = models.DateTimeField(_("last activity"), null=True)
    tier = models.CharField(_("tier"), max_length=32, blank=True)  # A code of the version's; empty without tiers.
    tier_since = models.DateField(_("since"), null=True)
    tier_until = models.DateField(_("until"), null=True)  # The last day included.
    credit = models.JSONField(_("tier credit"), default=dict)  # {measure: {year: amount in smallest steps}}
    counters = models.JSONField(_("counters of limits"), default=dict)  # {"rule|window|start": consumed}
    memory = models.JSONField(_("what else the fold remembers"), default=dict, db_default={})  # See ``ledger.book``.

    objects = StandingQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        indexes: ClassVar = [
            models.Index(fields=["program", "due_at"], name="ledger_standing_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["program", "tier"], name="ledger_standing_tier"),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.as_of:%Y-%m-%d}"


class TierPeriod(models.Model):
    """A member's tier from a moment on, with what brought it. Ends where the next one begins."""

    class Reason(models.TextChoices):
        JOINED = "joined", _("Joined")
        REACHED = "reached", _("Reached")
        FELL = "fell", _("Not reached again")
        RETURNED = "returned", _("After a return")
        TERMS = "terms", _("New terms")
        GRANTED = "granted", _("Given by staff")
        GRANT_ENDED = "grant_ended", _("Given for a time, which ended")
        RENEWED = "renewed", _("Reached again")
        KEPT_TRIAL = "kept_trial", _("Kept after the trial")
        INVITED = "invited", _("By invitation")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="tier_periods", verbose_name=_("member"))
    tier = models.CharField(_("tier"), max_length=32)
    starts_at = models.DateTimeField(_("from"))
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    activity_id = models.UUIDField(_("activity"), null=True)
    posted_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("period in a tier")
        verbose_name_plural = _("periods in tiers")
        indexes: ClassVar = [
            models.Index(fields=["program", "membership", "starts_at"], name="ledger_tierperiod_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.starts_at:%Y-%m-%d}"

    def since(self, joined_at: datetime) -> datetime:
        """Return from when on the tier counts: the first one from joining, which earlier activity moves back."""
        return min(self.starts_at, joined_at) if self.reason == self.Reason.JOINED else self.starts_at
