"""Versions of a program's terms: one draft beside the published ones, which never change."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models.program import Program


class VersionQuerySet(models.QuerySet["ProgramVersion"]):
    """Words to ask for versions with."""

    def published(self) -> VersionQuerySet:
        """Return the frozen ones."""
        return self.filter(status=ProgramVersion.Status.PUBLISHED)

    def drafts(self) -> VersionQuerySet:
        """Return those that can still be edited."""
        return self.filter(status=ProgramVersion.Status.DRAFT)


class ProgramVersion(models.Model):
    """A state of a program's terms. Once published it is frozen, by the database itself."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    class TierValidity(models.TextChoices):
        NEXT_YEAR = "next_year", _("The rest of the calendar year and the whole next one")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="versions", verbose_name=_("program"))
    number = models.PositiveIntegerField(_("number"), editable=False)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.DRAFT, editable=False)
    in_force_from = models.DateTimeField(_("in force from"), null=True, blank=True, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published by"),
    )
    note = models.CharField(_("what changes"), max_length=200, blank=True)
    preset = models.CharField(max_length=64, blank=True, editable=False)  # The preset it was loaded from, if any.
    tax_earns = models.BooleanField(
        _("tax earns"), default=False, help_text=_("Off: the tax that a purchase states is taken off before earning.")
    )
    tier_validity = models.CharField(
        _("a tier is held"), max_length=16, choices=TierValidity.choices, default=TierValidity.NEXT_YEAR
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of the terms")
        verbose_name_plural = _("versions of the terms")
        ordering: ClassVar = ["program", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "number"], name="programs_version_number_unique"),
            models.UniqueConstraint(fields=["program"], condition=Q(status="draft"), name="programs_version_one_draft"),
            models.CheckConstraint(
                name="programs_version_published_has_moment",
                condition=Q(status="draft") | Q(in_force_from__isnull=False, published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return _("%(program)s, version %(number)s") % {"program": self.program, "number": self.number}

    @property
    def is_draft(self) -> bool:
        """Whether it can still be edited."""
        return self.status == self.Status.DRAFT

    def is_in_force(self, *, at: datetime) -> bool:
        """Whether activity at this moment is judged by this version."""
        return self.program.version_at(at) == self
