"""Where news goes, what there is to tell, and how each delivery went."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from loyalty.webhooks.event_types import ENDPOINT_TEST
from programs.models import Membership, Program

LONGEST_URL = 500
ANSWER_KEPT = 1024  # Bytes of an answer's body.


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Words to ask for endpoints with."""

    def on(self) -> EndpointQuerySet:
        """Return those that are sent to."""
        return self.filter(disabled_at__isnull=True)

    def with_due_work(self, *, at: datetime) -> EndpointQuerySet:
        """Return those that are sent to and have a delivery to be tried at this moment."""
        due = Delivery.objects.due(at=at).filter(program_id=OuterRef("program_id"), endpoint_id=OuterRef("pk"))
        return self.on().filter(Exists(due))


class Endpoint(models.Model):
    """An address of another system that is told what happens in one program.

    Its secret is never kept: it is made of the seed and the installation's SECRET_KEY (see ``signing``). The mark is a
    part of the secret's fingerprint, which shows whether it can still be made.
    """

    class Reason(models.TextChoices):
        STAFF = "staff", _("Switched off by staff")
        GONE = "gone", _("It answered 410 Gone")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="webhook_endpoints", verbose_name=_("program"))
    url = models.CharField(_("address"), max_length=LONGEST_URL, help_text=_("https://…, reachable from the internet."))
    description = models.CharField(
        _("what it is"), max_length=120, blank=True, help_text=_("Which system listens there, and who looks after it.")
    )
    event_types = models.JSONField(_("is told"), default=list, blank=True)  # Empty: everything, also what is to come.
    seed = models.BinaryField(max_length=32)
    mark = models.CharField(max_length=16)
    former_seed = models.BinaryField(max_length=32, null=True)
    former_mark = models.CharField(max_length=16, blank=True)
    former_until = models.DateTimeField(_("former secret signs until"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    disabled_at = models.DateTimeField(_("switched off"), null=True)
    disabled_reason = models.CharField(_("why it is off"), max_length=16, choices=Reason.choices, blank=True)
    disabled_note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        indexes: ClassVar = [
            models.Index(fields=["program"], name="webhooks_endpoint_on", condition=Q(disabled_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="webhooks_endpoint_off_has_reason",
                condition=Q(disabled_at__isnull=True, disabled_reason="")
                | Q(disabled_at__isnull=False) & ~Q(disabled_reason=""),
            ),
            models.CheckConstraint(
                name="webhooks_endpoint_former_secret_has_end",
                condition=Q(former_seed__isnull=True, former_until__isnull=True)
                | Q(former_seed__isnull=False, former_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def is_on(self) -> bool:
        """Whether it is sent to."""
        return self.disabled_at is None

    def hears(self, event_type: str) -> bool:
        """Return whether it asked for this type."""
        return not self.event_types or event_type in self.event_types


class Sequence(models.Model):
    """The number of the last message about a member; counted under the lock of the member's standing."""

    membership = models.OneToOneField(Membership, models.PROTECT, primary_key=True, related_name="+")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="webhooks_sequence_not_negative", condition=Q(last__gte=0)),
        ]

    def __str__(self) -> str:
        return str(self.last)


class Message(models.Model):
    """One piece of news, written in the transaction that makes it true. ``data`` never changes.

    ``key`` is set where the same must not be told twice. ``sequence`` counts a member's messages from 1.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="+", verbose_name=_("member"))
    type = models.CharField(_("type"), max_length=40)
    sequence = models.BigIntegerField(_("number"), null=True)
    key = models.CharField(max_length=120, blank=True)
    data = models.JSONField(_("what is told"))
    occurred_at = models.DateTimeField(_("happened"))
    created_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "membership", "sequence"], name="webhooks_message_sequence_unique"
            ),
            models.UniqueConstraint(
                fields=["program", "membership", "key"], name="webhooks_message_told_once", condition=~Q(key="")
            ),
            models.CheckConstraint(
                name="webhooks_message_of_member_has_sequence",
                condition=Q(membership__isnull=True, sequence__isnull=True)
                | Q(membership__isnull=False, sequence__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"

    @property
    def is_test(self) -> bool:
        """Whether staff sent it to try the address."""
        return self.type == ENDPOINT_TEST


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Words to ask for deliveries with."""

    def pending(self) -> DeliveryQuerySet:
        """Return those that are still to be tried."""
        return self.filter(status=Delivery.Status.PENDING)

    def given_up(self) -> DeliveryQuerySet:
        """Return those that no attempt brought through."""
        return self.filter(status=Delivery.Status.GIVEN_UP)

    def unclaimed(self, *, at: datetime) -> DeliveryQuerySet:
        """Return those that no process is trying at this moment."""
        return self.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=at))

    def due(self, *, at: datetime) -> DeliveryQuerySet:
        """Return those to be tried at this moment that nobody is trying."""
        return self.pending().unclaimed(at=at).filter(due_at__lte=at)

    def in_turn(self) -> DeliveryQuerySet:
        """Return those whose member has no earlier message that this endpoint was not even tried with."""
        earlier = Delivery.objects.pending().filter(
            step=0,
            program_id=OuterRef("program_id"),
            endpoint_id=OuterRef("endpoint_id"),
            membership_id=OuterRef("membership_id"),
            sequence__lt=OuterRef("sequence"),
        )
        return self.exclude(Exists(earlier))


class Delivery(models.Model):
    """A message on its way to one endpoint. ``step`` is the place in the schedule of attempts, from 0.

    Whoever tries it holds a lease; where the process dies, the lease runs out and another tries.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        GIVEN_UP = "given_up", _("Given up")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="deliveries", verbose_name=_("webhook"))
    message = models.ForeignKey(Message, models.PROTECT, related_name="deliveries", verbose_name=_("message"))
    membership = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="+", verbose_name=_("member"))
    sequence = models.BigIntegerField(_("number"), null=True)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.PENDING)
    step = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"))
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    answered = models.PositiveSmallIntegerField(_("last answer"), null=True)  # HTTP status; null: none came.
    created_at = models.DateTimeField(_("written"))
    settled_at = models.DateTimeField(_("settled"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes: ClassVar = [
            models.Index(
                fields=["program", "endpoint", "due_at"],
                name="webhooks_delivery_due",
                condition=Q(status="pending"),
            ),
            models.Index(
                fields=["program", "endpoint", "membership", "sequence"],
                name="webhooks_delivery_in_turn",
                condition=Q(status="pending", step=0),
            ),
            models.Index(fields=["settled_at"], name="webhooks_delivery_age", condition=Q(status="delivered")),
            models.Index(
                fields=["program", "created_at"], name="webhooks_delivery_shelf", condition=Q(status="given_up")
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "endpoint", "message"], name="webhooks_delivery_once"),
            models.CheckConstraint(
                name="webhooks_delivery_settled_unless_pending",
                condition=Q(status="pending", settled_at__isnull=True)
                | ~Q(status="pending") & Q(settled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.message.type


class Attempt(models.Model):
    """One try to deliver, and what came back: a status and the beginning of the answer, or why there was none."""

    class Fault(models.TextChoices):
        NONE = "", _("None")
        REFUSED = "refused", _("The address may not be called")
        UNKNOWN_HOST = "unknown-host", _("The name was not found")
        NO_CONNECTION = "no-connection", _("No connection")
        TLS = "tls", _("The certificate or the encryption is not accepted")
        TIMEOUT = "timeout", _("No answer in time")
        BROKEN = "broken", _("The answer could not be read")
        NO_SECRET = "no-secret", _("The secret must be renewed: SECRET_KEY has changed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery"))
    number = models.PositiveIntegerField(_("attempt"))
    started_at = models.DateTimeField(_("tried"))
    duration_ms = models.PositiveIntegerField(_("took"))
    answered = models.PositiveSmallIntegerField(_("answer"), null=True)  # HTTP status.
    fault = models.CharField(_("fault"), max_length=16, choices=Fault.choices, blank=True)
    answer = models.TextField(_("what it said"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "delivery", "number"], name="webhooks_attempt_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.answered or self.fault}"
