"""Segments: members that staff put together, for rules to ask for."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models.membership import Membership
from programs.models.program import Program


class Segment(models.Model):
    """Some of a program's members, under a name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="segments", verbose_name=_("program"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="programs_segment_code_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """A member in a segment."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"), editable=False)
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="members", verbose_name=_("segment"))
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="segments", verbose_name=_("member"))
    added_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of a segment")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "segment", "membership"],
                name="programs_segmentmember_unique",
                violation_error_message=_("The member is in the segment already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.membership)
