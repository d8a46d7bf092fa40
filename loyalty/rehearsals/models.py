"""Terms tried on what has happened: back-tests of drafts, and corrective runs of versions that were wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program, ProgramVersion, Unit

BEAT_HOLDS = timedelta(seconds=60)  # So long a run is believed to be at work after it last told of itself.


class RunQuerySet(models.QuerySet[Any]):
    """Words to ask for runs with."""

    def at_work(self) -> RunQuerySet:
        """Return those that the worker has still to do, or is doing."""
        return self.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])

    def not_held(self, *, now: datetime) -> RunQuerySet:
        """Return those that no worker is at: nobody took them, or who did has not told of itself for a while."""
        return self.at_work().filter(Q(claim__isnull=True) | Q(beat_at__lt=now - BEAT_HOLDS))

    def lost(self, *, now: datetime) -> RunQuerySet:
        """Return those that have waited so long that their message must be lost."""
        return self.at_work().filter(beat_at__lt=now - BEAT_HOLDS)


class Run(models.Model):
    """Work of minutes on a program's past. The row is the intent; a worker does it in slices and hands on.

    ``claim`` names the worker that is at it, ``beat_at`` when it last told of itself; ``state`` is how far it is, so
    that whoever goes on needs nothing else. ``done`` of ``total`` are receipts.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("asked for by")
    )
    requested_at = models.DateTimeField(_("asked for"), default=timezone.now)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.QUEUED)
    claim = models.UUIDField(null=True, editable=False)
    beat_at = models.DateTimeField(default=timezone.now, editable=False)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("of"), default=0)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    detail = models.TextField(_("what went wrong"), blank=True)
    state = models.JSONField(default=dict)  # How far it is: see ``backtest`` and ``correcting``.
    result = models.JSONField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_at_work(self) -> bool:
        """Whether it is still to be done."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def percent(self) -> int:
        """How much is done, in whole percent; what is at work is never all done."""
        if self.status == self.Status.DONE:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0


class BackTest(Run):
    """A draft tried on the past of a period. ``terms`` are what it said when it was asked for; nothing else is tested.

    ``against`` is the version that rules the other side all along; None: each day the one then in force.
    ``worth``: by unit what one is worth in the currency.
    """

    version = models.ForeignKey(ProgramVersion, models.SET_NULL, null=True, related_name="+", verbose_name=_("version"))
    number = models.PositiveIntegerField(_("draft of version"))
    terms = models.JSONField()  # See ``loyalty.rehearsals.snapshots``.
    against = models.ForeignKey(ProgramVersion, models.PROTECT, null=True, related_name="+", verbose_name=_("against"))
    first_day = models.DateField(_("first day"))  # Days of the program's zone, both included.
    last_day = models.DateField(_("last day"))
    until = models.DateTimeField()  # The last moment of the last day, or the program's present.
    moves_dates = models.BooleanField(_("rule dates moved"), default=False)
    worth = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("back-test")
        verbose_name_plural = _("back-tests")
        indexes: ClassVar = [
            models.Index(
                fields=["beat_at"], name="rehearsals_backtest_at_work", condition=Q(status__in=["queued", "running"])
            ),
            models.Index(fields=["program", "-requested_at"], name="rehearsals_backtest_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="rehearsals_backtest_period", condition=Q(last_day__gte=F("first_day"))),
        ]

    def __str__(self) -> str:
        return str(_("Back-test of version %(number)d")) % {"number": self.number}


class Mover(models.Model):
    """A member whose tier at the end of a back-test differs between its two sides."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    back_test = models.ForeignKey(BackTest, models.CASCADE, related_name="movers")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    before = models.CharField(max_length=32, blank=True)  # Codes of tiers.
    after = models.CharField(max_length=32, blank=True)
    is_up = models.BooleanField()
    differences = models.JSONField(default=dict)  # By unit: smallest steps given more or less.

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "back_test", "membership"], name="rehearsals_mover_once"),
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class Correction(Run):
    """What a wrong version judged is judged again by the right one: shown first (``phase`` preview), then posted."""

    class Phase(models.TextChoices):
        PREVIEW = "preview", _("Preview")
        POST = "post", _("Posting")

    wrong = models.ForeignKey(ProgramVersion, models.PROTECT, related_name="+", verbose_name=_("wrong version"))
    right = models.ForeignKey(ProgramVersion, models.PROTECT, related_name="+", verbose_name=_("right version"))
    reason = models.CharField(_("reason"), max_length=500)
    phase = models.CharField(_("phase"), max_length=16, choices=Phase.choices, default=Phase.PREVIEW)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("posted by")
    )

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        indexes: ClassVar = [
            models.Index(
                fields=["beat_at"], name="rehearsals_correction_at_work", condition=Q(status__in=["queued", "running"])
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="rehearsals_correction_two_versions", condition=~Q(wrong=F("right"))),
            models.CheckConstraint(name="rehearsals_correction_has_reason", condition=~Q(reason="")),
            # While one is shown or posted, another would show and post the same once more.
            models.UniqueConstraint(
                fields=["program"],
                name="rehearsals_correction_one_at_a_time",
                condition=Q(status__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        told = {"wrong": self.wrong.number, "right": self.right.number}
        return str(_("Version %(wrong)d corrected by version %(right)d")) % told

    @property
    def can_be_posted(self) -> bool:
        """Whether the effect is shown and waits for the word; also what was stopped midway can go on."""
        if self.phase == self.Phase.PREVIEW:
            return self.status == self.Status.DONE
        return self.status in (self.Status.CANCELLED, self.Status.FAILED)


class Corrected(models.Model):
    """What a correction means for one member: as it was shown, and once posted as it was.

    ``shown`` and ``posted``: {"units": {code: smallest steps}, "before": tier, "after": tier, "count": receipts}.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    correction = models.ForeignKey(Correction, models.PROTECT, related_name="members")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    shown = models.JSONField(null=True)  # Null: it came up only when posting.
    posted = models.JSONField(null=True)
    differs = models.BooleanField(default=False)  # Posted otherwise than shown.
    size = models.BigIntegerField(default=0)  # The sum of what changes, without signs: the largest come first.

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["program", "correction", "-size", "id"], name="rehearsals_corrected_largest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "correction", "membership"], name="rehearsals_corrected_once"),
        ]

    def __str__(self) -> str:
        return str(self.membership_id)


class Adjustment(models.Model):
    """What a correction gave a member of one unit or took, as one ledger transaction. Written once, never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    correction = models.ForeignKey(Correction, models.PROTECT, related_name="adjustments")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    amount = models.BigIntegerField()  # What the right terms make of it, smallest steps, signed.
    transaction_id = models.UUIDField(null=True)  # Null where nothing moved.
    moved = models.BigIntegerField()  # What the books moved: less where units had expired, were waived or remembered.
    posted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "correction", "membership", "unit"], name="rehearsals_adjustment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d}"
