"""Members of a program, and the stores of a business."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.models import Business, Customer
from programs.cards import shown
from programs.models.program import Program


class Store(models.Model):
    """A shop or a web shop of a business. A till's first word of a store makes it; staff name it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(Business, models.PROTECT, related_name="stores", verbose_name=_("business"))
    code = models.CharField(_("code"), max_length=64)
    name = models.CharField(_("name"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["business", "code"], name="programs_store_code_unique"),
        ]

    def __str__(self) -> str:
        return self.name or _("Store %(code)s") % {"code": self.code}


class Membership(models.Model):
    """A customer in a program: the card number, and since when."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        BLOCKED = "blocked", _("Blocked")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="memberships", verbose_name=_("program"))
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="memberships", verbose_name=_("customer"))
    card = models.CharField(_("card number"), max_length=12)
    external_id = models.CharField(_("number in your system"), max_length=128, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.ACTIVE)
    joined_at = models.DateTimeField(_("joined"))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        indexes: ClassVar = [
            models.Index(fields=["program", "-created_at", "-id"], name="programs_membership_newest"),
            models.Index(fields=["program", "-joined_at", "-id"], name="programs_membership_joined"),
            # The few, who would else be looked for among all.
            models.Index(
                fields=["program", "-created_at"],
                name="programs_membership_inactive",
                condition=Q(status__in=["blocked", "closed"]),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "card"], name="programs_membership_card_unique"),
            models.UniqueConstraint(
                fields=["program", "external_id"],
                name="programs_membership_external_id_unique",
                condition=~Q(external_id=""),
            ),
            models.UniqueConstraint(fields=["program", "customer"], name="programs_membership_customer_unique"),
            models.CheckConstraint(
                name="programs_membership_card_is_12_digits", condition=Q(card__regex=r"^[0-9]{12}$")
            ),
        ]

    def __str__(self) -> str:
        return self.card_shown

    @property
    def card_shown(self) -> str:
        """The card number in groups of four, as on the card."""
        return shown(self.card)
