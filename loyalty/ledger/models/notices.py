"""What a member must be told before it is lost."""

from __future__ import annotations

from datetime import UTC
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Membership, Program


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Words to ask for notices with."""

    def unsent(self) -> NoticeQuerySet:
        """Return those that hold a loss back."""
        return self.filter(sent_at__isnull=True)


class Notice(models.Model):
    """A loss to come: units (``what`` is the unit) or a tier (``what`` is the tier). It waits until this was sent."""

    class Kind(models.TextChoices):
        EXPIRY = "expiry", _("Units expire")
        TIER = "tier", _("A tier ends")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="notices", verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    what = models.CharField(_("what"), max_length=32)
    ends_at = models.DateTimeField(_("due"))  # When it would be lost; later where the notice is sent later.
    created_at = models.DateTimeField(_("written"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice before a loss")
        verbose_name_plural = _("notices before a loss")
        indexes: ClassVar = [
            models.Index(
                fields=["program", "ends_at"], name="ledger_notice_unsent", condition=models.Q(sent_at__isnull=True)
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "membership", "kind", "what", "ends_at"], name="ledger_notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.what} {self.ends_at:%Y-%m-%d}"

    @property
    def key(self) -> str:
        """What the member's memory knows it by."""
        return f"{self.kind}|{self.what}|{self.ends_at.astimezone(UTC).isoformat()}"
