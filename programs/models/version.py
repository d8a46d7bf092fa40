"""Versions of a program's terms: one draft beside the published ones, which never change."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models.program import Program, Unit

MONTHS = (MinValueValidator(1), MaxValueValidator(240))


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
        MONTHS = "months", _("A number of months from the day it was reached")
        AS_REACHED = "as_reached", _("As long as what was reached stands in its window")

    class TierFall(models.TextChoices):
        EARNED = "earned", _("To what was earned")
        ONE_STEP = "one_step", _("One tier down")

    class TrialMeasure(models.TextChoices):
        SPEND = "spend", _("Spend")
        VISITS = "visits", _("Visits")
        UNITS = "units", _("Units earned")

    class Month(models.IntegerChoices):
        JANUARY = 1, _("January")
        FEBRUARY = 2, _("February")
        MARCH = 3, _("March")
        APRIL = 4, _("April")
        MAY = 5, _("May")
        JUNE = 6, _("June")
        JULY = 7, _("July")
        AUGUST = 8, _("August")
        SEPTEMBER = 9, _("September")
        OCTOBER = 10, _("October")
        NOVEMBER = 11, _("November")
        DECEMBER = 12, _("December")

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
    tier_months = models.PositiveSmallIntegerField(
        _("months"), default=12, db_default=12, validators=MONTHS, help_text=_("For tiers held a number of months.")
    )
    tier_grace_months = models.PositiveSmallIntegerField(
        _("months of grace"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(24)],
        help_text=_("A tier ends so many months later than it would."),
    )
    tier_fall = models.CharField(
        _("a member falls"),
        max_length=16,
        choices=TierFall.choices,
        default=TierFall.EARNED,
        db_default=TierFall.EARNED,
    )
    reaching_earns_new = models.BooleanField(
        _("what reaches a tier earns at it"),
        default=False,
        db_default=False,
        help_text=_("Off: the purchase that reaches a tier earns at the old one, the next at the new."),
    )
    paid_part_earns = models.BooleanField(
        _("what was paid with units earns"),
        default=False,
        db_default=False,
        help_text=_("Off: the part of a purchase that was paid with units or vouchers is taken off before earning."),
    )
    redeemed_come_back = models.BooleanField(
        _("spent units come back"),
        default=True,
        db_default=True,
        help_text=_("On: a return that names what was paid with units gives them back, to their old ends."),
    )
    claim_days = models.PositiveSmallIntegerField(
        _("days to claim a receipt"),
        default=14,
        db_default=14,
        validators=[MaxValueValidator(366)],
        help_text=_("For so many days after a purchase without a card a member can claim it; 0: never."),
    )
    year_starts = models.PositiveSmallIntegerField(
        _("the program's year begins in"),
        choices=Month.choices,
        default=Month.JANUARY,
        db_default=Month.JANUARY,
        help_text=_("For limits that count in the program's year."),
    )
    trial_tier = models.CharField(
        _("tier on trial"),
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text=_("The code of the tier that staff may give on trial; empty: none."),
    )
    trial_measure = models.CharField(
        _("kept by"), max_length=16, choices=TrialMeasure.choices, blank=True, default="", db_default=""
    )
    trial_unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unit that keeps it")
    )
    trial_need = models.DecimalField(
        _("at least"), max_digits=15, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    trial_months = models.PositiveSmallIntegerField(
        _("kept so many months"), null=True, blank=True, validators=MONTHS, help_text=_("From the end of the trial.")
    )
    trial_once_in_months = models.PositiveSmallIntegerField(
        _("once in so many months"), default=0, db_default=0, help_text=_("0: as often as staff give it.")
    )
    needs_notice = models.BooleanField(
        _("losses need a notice"),
        default=False,
        db_default=False,
        help_text=_("On: units do not expire and tiers do not drop before the member was really told."),
    )
    notice_days = models.PositiveSmallIntegerField(
        _("days between notice and loss"),
        default=30,
        db_default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
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
            models.CheckConstraint(
                name="programs_version_year_starts_in_a_month", condition=Q(year_starts__gte=1, year_starts__lte=12)
            ),
            models.CheckConstraint(name="programs_version_tier_months_positive", condition=Q(tier_months__gte=1)),
            models.CheckConstraint(name="programs_version_notice_days_positive", condition=Q(notice_days__gte=1)),
            models.CheckConstraint(
                name="programs_version_trial_is_whole",
                condition=Q(trial_tier="", trial_measure="", trial_need__isnull=True, trial_months__isnull=True)
                | ~Q(trial_tier="")
                & ~Q(trial_measure="")
                & Q(trial_need__isnull=False, trial_need__gt=0, trial_months__isnull=False, trial_months__gte=1),
                violation_error_message=_("A trial needs its tier, what keeps it, how much of that, and for how long."),
            ),
            models.CheckConstraint(
                name="programs_version_trial_unit_for_units",
                condition=Q(trial_measure="units", trial_unit__isnull=False)
                | (~Q(trial_measure="units") & Q(trial_unit__isnull=True)),
                violation_error_message=_("Name the unit exactly where units earned keep the trial's tier."),
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
