"""What tills and apps report, each once, and how it was judged."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from loyalty.api.problems import CATALOGUE
from programs.models import Membership, Program, ProgramVersion, Store, Unit

ENROLMENT = "enrolment"  # The type of the event that the joining itself is; no app can send it.


class ActivityQuerySet(models.QuerySet["Activity"]):
    """Words to ask for activity with."""

    def awaiting_accrual(self, *, at: datetime) -> ActivityQuerySet:
        """Return what is recorded and due to be judged at this moment; what of a paused program is, waits."""
        recorded = self.filter(status=Activity.Status.RECORDED, due_at__lte=at)
        return recorded.exclude(program__in=Program.objects.paused().values("pk"))

    def purchases(self) -> ActivityQuerySet:
        """Return the purchases alone."""
        return self.filter(kind=Activity.Kind.PURCHASE)

    def refunds(self) -> ActivityQuerySet:
        """Return the refunds alone."""
        return self.filter(kind=Activity.Kind.REFUND)

    def events(self) -> ActivityQuerySet:
        """Return the events alone."""
        return self.filter(kind=Activity.Kind.EVENT)

    def failed(self) -> ActivityQuerySet:
        """Return the shelf: what could not be accrued and waits for staff."""
        return self.filter(status=Activity.Status.FAILED)

    def in_order(self) -> ActivityQuerySet:
        """Return it in the order in which it is judged."""
        return self.order_by("occurred_at", "position", "posted_at", "id")


class Activity(models.Model):
    """A purchase, a refund or an event as it was reported. Only its progress ever changes."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        REFUND = "refund", _("Return")
        EVENT = "event", _("Event")

    class Status(models.TextChoices):
        RECORDED = "recorded", _("Recorded")
        WAITING = "waiting", _("Waiting for a purchase")
        ACCRUED = "accrued", _("Accrued")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(
        Membership, models.PROTECT, null=True, related_name="activity", verbose_name=_("member")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    external_id = models.CharField(_("receipt"), max_length=128)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices)
    occurred_at = models.DateTimeField(_("happened"))
    posted_at = models.DateTimeField(_("recorded"))
    due_at = models.DateTimeField(_("judged from"))  # Later than posted_at only where it lies in the future.
    position = models.PositiveSmallIntegerField(default=0)  # Place in the request.
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    total = models.BigIntegerField(_("total"), null=True)  # Minor units, tax included.
    tax = models.BigIntegerField(_("tax"), null=True)  # Minor units.
    lines = models.JSONField(_("lines"), default=list)  # See ``loyalty.purchases.lines``.
    store = models.ForeignKey(Store, models.PROTECT, null=True, related_name="+", verbose_name=_("store"))
    channel = models.CharField(_("channel"), max_length=32, blank=True)
    terminal = models.CharField(_("terminal"), max_length=64, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict)
    event_type = models.CharField(_("type of event"), max_length=40, blank=True, default="", db_default="")
    friend = models.ForeignKey(  # Whose first purchase an event waits for.
        Membership, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("friend")
    )
    purchase_external_id = models.CharField(_("returned receipt"), max_length=128, blank=True)
    paid = models.BigIntegerField(_("paid with rewards"), default=0, db_default=0)  # Minor units of the total.
    payments = models.JSONField(_("redemptions and vouchers"), default=list, db_default=[])  # See ``rewards.payments``.
    freed = models.JSONField(default=dict, db_default={})  # {"line's number": thousandths that a voucher paid for}
    returned = models.BigIntegerField(_("returned"), default=0)  # Of a purchase: minor units taken back so far.
    is_void = models.BooleanField(_("wholly returned"), default=False)
    detail = models.TextField(_("what is wrong"), blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity")
        indexes: ClassVar = [
            models.Index(fields=["program", "membership", "occurred_at"], name="purchases_activity_of_member"),
            models.Index(fields=["program", "occurred_at"], name="purchases_activity_figures"),
            models.Index(fields=["program", "kind", "-posted_at", "-id"], name="purchases_activity_newest"),
            models.Index(fields=["due_at"], name="purchases_activity_recorded", condition=Q(status="recorded")),
            models.Index(
                fields=["program", "purchase_external_id"],
                name="purchases_activity_refunds",
                condition=Q(kind="refund"),
            ),
            models.Index(
                fields=["program", "friend"],
                name="purchases_activity_friends",
                condition=Q(friend__isnull=False, status="waiting"),
            ),
            models.Index(
                fields=["program", "posted_at"],
                name="purchases_activity_shelf",
                condition=Q(status__in=["failed", "waiting"]),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="purchases_activity_total_not_negative", condition=Q(total__isnull=True) | Q(total__gte=0)
            ),
            models.CheckConstraint(
                name="purchases_activity_paid_within_total",
                condition=Q(paid=0) | Q(paid__gt=0, total__isnull=False, paid__lte=models.F("total")),
            ),
            models.CheckConstraint(
                name="purchases_activity_returned_within_total",
                condition=Q(returned=0) | Q(returned__gte=0, total__isnull=False, returned__lte=models.F("total")),
            ),
            models.CheckConstraint(
                name="purchases_activity_refund_names_purchase",
                condition=~Q(kind="refund") | ~Q(purchase_external_id=""),
            ),
            models.CheckConstraint(
                name="purchases_activity_event_has_type",
                condition=Q(kind="event") & ~Q(event_type="") | ~Q(kind="event") & Q(event_type=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.external_id}"

    @property
    def what_is_wrong(self) -> str:
        """Why it could not be accrued, in words: ``detail`` keeps a code where the catalogue has one."""
        return str(CATALOGUE[self.detail].title) if self.detail in CATALOGUE else self.detail


class ReceiptKey(models.Model):
    """The natural key of an activity, unique for ever: tills are offline for days and repeat blindly."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16)
    external_id = models.CharField(max_length=128)
    activity_id = models.UUIDField()
    digest = models.BinaryField(max_length=16)  # Of the body as it was understood.

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "kind", "external_id"], name="purchases_receiptkey_unique_for_ever"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class Judgement(models.Model):
    """The facts an activity was judged by, and their explanation. Written once, never rebuilt from history."""

    activity = models.OneToOneField(Activity, models.PROTECT, primary_key=True, related_name="judgement")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    version = models.ForeignKey(ProgramVersion, models.PROTECT, related_name="+", verbose_name=_("version"))
    tier = models.CharField(_("tier"), max_length=32, blank=True)
    facts = models.JSONField(_("facts"))  # See ``programs.engine.earning.Evaluation``.
    posted_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")

    def __str__(self) -> str:
        return str(self.activity_id)


class Rejudgement(models.Model):
    """How a corrective run judged an activity again. The latest one stands in place of the judgement's facts.

    Written once, never changed. ``facts`` are as those of a judgement, ``awards`` all that the activity now comes to:
    [[rule, unit, smallest steps], …]; ``run`` is the corrective run.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="rejudgements")
    run = models.UUIDField()
    version = models.ForeignKey(ProgramVersion, models.PROTECT, related_name="+", verbose_name=_("version"))
    tier = models.CharField(_("tier"), max_length=32, blank=True)
    facts = models.JSONField(_("facts"))
    awards = models.JSONField(_("awards"))
    posted_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("corrected judgement")
        verbose_name_plural = _("corrected judgements")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "activity", "run"], name="purchases_rejudgement_once"),
        ]

    def __str__(self) -> str:
        return str(self.activity_id)


class Award(models.Model):
    """What one rule gave for one activity, or took back with its refund. Written once, never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="awards", verbose_name=_("activity"))
    rule = models.CharField(_("rule"), max_length=40)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    amount = models.BigIntegerField(_("amount"))  # Smallest steps of the unit; negative on a refund.

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "activity", "rule", "unit"], name="purchases_award_once"),
            models.CheckConstraint(name="purchases_award_moves_something", condition=~Q(amount=0)),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.amount:+d}"


class Budget(models.Model):
    """How much of a limit on the whole program is used in one window; ``key`` is the engine's name of both."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    key = models.CharField(_("limit and window"), max_length=255)
    used = models.BigIntegerField(_("used"), default=0)  # As the limit counts: minor units, smallest steps or times.

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "key"], name="purchases_budget_once"),
            models.CheckConstraint(name="purchases_budget_used_not_negative", condition=Q(used__gte=0)),
        ]

    def __str__(self) -> str:
        return self.key
