"""Files that staff move in: what was found in each, how far it has come, and what is wrong with which row."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Program


class MovingQuerySet(models.QuerySet["Moving"]):
    """Words to ask for files with."""

    def at_work(self) -> MovingQuerySet:
        """Return those that wait for a worker or are being worked on."""
        return self.filter(status__in=[Moving.Status.CHECKING, Moving.Status.MOVING])

    def left_since(self, moment: datetime) -> MovingQuerySet:
        """Return those at work that nobody has touched since a moment: their nudge or their worker was lost."""
        return self.at_work().filter(touched_at__lt=moment)


class Moving(models.Model):
    """One file: first checked without writing anything, then moved in once someone confirms it.

    ``place`` counts the rows gone through in the present step, ``counts`` what became of them: new, changed,
    unchanged, bad.
    """

    class Kind(models.TextChoices):
        MEMBERS = "members", _("Members")
        CODES = "codes", _("Voucher codes")

    class Status(models.TextChoices):
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        MOVING = "moving", _("Being moved in")
        DONE = "done", _("Moved in")
        UNREADABLE = "unreadable", _("Cannot be read")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    pool = models.CharField(_("pool"), max_length=64, blank=True)
    is_joining_rewarded = models.BooleanField(_("reward joining"), default=False)
    file_name = models.CharField(_("file"), max_length=200)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.CHECKING)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    place = models.PositiveIntegerField(_("rows gone through"), default=0)
    counts = models.JSONField(_("counts"), default=dict)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("uploaded by")
    )  # Null: an operator, by a command.
    made_at = models.DateTimeField(_("uploaded"))
    touched_at = models.DateTimeField(_("last worked on"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = MovingQuerySet.as_manager()

    class Meta:
        verbose_name = _("file moved in")
        verbose_name_plural = _("files moved in")
        indexes: ClassVar = [
            models.Index(fields=["program", "-made_at", "-id"], name="moving_moving_newest"),
            models.Index(
                fields=["touched_at"], name="moving_moving_at_work", condition=Q(status__in=["checking", "moving"])
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="moving_moving_codes_have_a_pool",
                condition=Q(kind="codes", pool__gt="") | Q(kind="members", pool=""),
            ),
            models.CheckConstraint(name="moving_moving_place_in_file", condition=Q(place__lte=models.F("rows"))),
        ]

    def __str__(self) -> str:
        return self.file_name


class MovingFile(models.Model):
    """The file itself, which holds personal data: it is deleted as soon as it is moved in, or a week later."""

    moving = models.OneToOneField(Moving, models.CASCADE, primary_key=True, related_name="file")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    body = models.BinaryField(_("content"))

    class Meta:
        verbose_name = _("content of a file")
        verbose_name_plural = _("contents of files")

    def __str__(self) -> str:
        return str(self.moving_id)


class MovingFault(models.Model):
    """What is wrong with a cell of a bad row (the header is row 1), or, as a remark, worth knowing of a good one.

    ``value`` may be personal: it is deleted with the file, a week after the last step at the latest.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    moving = models.ForeignKey(Moving, models.CASCADE, related_name="faults", verbose_name=_("file"))
    is_remark = models.BooleanField(_("remark"), default=False)
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=80, blank=True)
    value = models.CharField(_("value"), max_length=80, blank=True)
    code = models.CharField(_("code"), max_length=40)
    more = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("fault of a file")
        verbose_name_plural = _("faults of files")
        indexes: ClassVar = [
            models.Index(fields=["moving", "is_remark", "row", "id"], name="moving_fault_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.code}"
