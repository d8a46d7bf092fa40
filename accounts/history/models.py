"""Who changed what of a business's settings: one row for each part that a change touched, written once."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.models import Business


class ChangeQuerySet(models.QuerySet["Change"]):
    """Words to ask for changes with."""

    def of_program(self, program_id: UUID) -> ChangeQuerySet:
        """Return what was changed of one program."""
        return self.filter(program_id=program_id)

    def of_part(self, kind: str, code: str = "") -> ChangeQuerySet:
        """Return what was changed of one part, or of all parts of a kind."""
        return self.filter(kind=kind, code=code) if code else self.filter(kind=kind)

    def newest_first(self) -> ChangeQuerySet:
        """Return them as they are read."""
        return self.order_by("-at", "-id")

    def older_than(self, at: datetime, pk: UUID) -> ChangeQuerySet:
        """Return those that stand below this place in the list."""
        return self.filter(Q(at__lt=at) | Q(at=at, id__lt=pk))


class Change(models.Model):
    """What one person did to one part of the settings, as people read it.

    A part is known by its ``kind`` (program, tier, rule, staff …) and ``code``; ``program_id`` and the ``version`` are
    null where it belongs to neither. They are values, not keys of other tables: a change outlives what it was about.
    """

    class Action(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        REMOVED = "removed", _("Removed")
        STARTED = "started", _("Draft started")
        DISCARDED = "discarded", _("Draft discarded")
        PUBLISHED = "published", _("Published")
        COPIED = "copied", _("Copied")
        PAUSED = "paused", _("Paused")
        RESUMED = "resumed", _("Resumed")
        CLOSED = "closed", _("Closed")
        REOPENED = "reopened", _("Close undone")
        REVOKED = "revoked", _("Revoked")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(Business, models.PROTECT, related_name="+", verbose_name=_("business"))
    program_id = models.UUIDField(_("program"), null=True)
    version = models.PositiveIntegerField(_("version"), null=True)
    kind = models.CharField(_("kind of part"), max_length=32)
    code = models.CharField(_("code"), max_length=200, blank=True)
    what = models.CharField(_("what"), max_length=250)
    action = models.CharField(_("change"), max_length=16, choices=Action.choices)
    lines = models.JSONField(_("before and after"), default=list)  # [name, before, after] of each value, in words.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of the settings")
        verbose_name_plural = _("changes of the settings")
        indexes: ClassVar = [
            models.Index(fields=["business", "-at", "-id"], name="history_change_of_business"),
            models.Index(fields=["program_id", "-at", "-id"], name="history_change_of_program"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="history_change_version_of_program",
                condition=Q(version__isnull=True) | Q(program_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.get_action_display()}"
