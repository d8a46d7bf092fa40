"""How units live under a version, and the ladder of tiers."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models.program import Unit
from programs.models.version import MONTHS, ProgramVersion

KEPT_ALIVE_BY = "purchase, redemption"


class UnitTerms(models.Model):
    """How one unit lives under one version."""

    class Expiry(models.TextChoices):
        NONE = "none", _("Never")
        ROLLING = "rolling", _("So long after it was earned")
        FIXED = "fixed", _("On fixed days")
        INACTIVITY = "inactivity", _("So long without activity")

    class RoundUp(models.TextChoices):
        MONTH = "month", _("The end of the month")
        QUARTER = "quarter", _("The end of the quarter")
        YEAR = "year", _("The end of the year")

    class Debt(models.TextChoices):
        OWE = "owe", _("The balance goes below zero")
        REMEMBER = "remember", _("What is there is taken, the rest from the next units")
        WAIVE = "waive", _("What is there is taken, the rest is waived")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="unit_terms", verbose_name=_("version"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="terms", verbose_name=_("unit"))
    expiry = models.CharField(_("expires"), max_length=16, choices=Expiry.choices, default=Expiry.NONE)
    expiry_months = models.PositiveSmallIntegerField(_("months"), null=True, blank=True, validators=MONTHS)
    expiry_days = models.PositiveSmallIntegerField(
        _("or days"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(7300)]
    )
    round_up = models.CharField(
        _("rounded up to"), max_length=16, choices=RoundUp.choices, blank=True, default="", db_default=""
    )
    fixed_days = models.CharField(
        _("fixed days"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Separated by commas: 12-31 for every year, 2026-06-30 for once."),
    )
    fall_months = models.PositiveSmallIntegerField(
        _("months after a fall"),
        null=True,
        blank=True,
        validators=MONTHS,
        help_text=_("How long units that had no end live on when the member falls to a tier where they have one."),
    )
    kept_alive_by = models.CharField(
        _("activity is"),
        max_length=200,
        blank=True,
        default=KEPT_ALIVE_BY,
        db_default=KEPT_ALIVE_BY,
        help_text=_("Separated by commas: purchase, redemption, event, or the code of a type of event."),
    )
    pending_days = models.PositiveSmallIntegerField(
        _("days until it can be spent"), default=0, validators=[MaxValueValidator(730)]
    )
    pending_until = models.DateField(_("or the day from which it can be spent"), null=True, blank=True)
    debt = models.CharField(
        _("return of units already spent"), max_length=16, choices=Debt.choices, default=Debt.OWE, db_default=Debt.OWE
    )

    class Meta:
        verbose_name = _("terms of a unit")
        verbose_name_plural = _("terms of units")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "unit"], name="programs_unitterms_unit_unique"),
            models.CheckConstraint(
                name="programs_unitterms_expiry_has_its_end",
                condition=Q(expiry="none", expiry_months__isnull=True, expiry_days__isnull=True, fixed_days="")
                | Q(expiry="fixed", expiry_months__isnull=True, expiry_days__isnull=True) & ~Q(fixed_days="")
                | Q(expiry__in=["rolling", "inactivity"], fixed_days="")
                & (
                    Q(expiry_months__isnull=False, expiry_months__gte=1, expiry_days__isnull=True)
                    | Q(expiry_days__isnull=False, expiry_days__gte=1, expiry_months__isnull=True)
                ),
                violation_error_message=_(
                    "Say the months, the days or the fixed days that end units; nothing where they never expire."
                ),
            ),
            models.CheckConstraint(
                name="programs_unitterms_round_up_needs_a_time",
                condition=Q(round_up="") | Q(expiry__in=["rolling", "inactivity"]),
                violation_error_message=_("Only an end after months or days can be rounded up."),
            ),
            models.CheckConstraint(
                name="programs_unitterms_inactivity_says_activity",
                condition=~Q(expiry="inactivity") | ~Q(kept_alive_by=""),
                violation_error_message=_("Say what counts as activity, for example: purchase, redemption."),
            ),
            models.CheckConstraint(
                name="programs_unitterms_fall_months_positive",
                condition=Q(fall_months__isnull=True) | Q(fall_months__gte=1),
            ),
            models.CheckConstraint(
                name="programs_unitterms_pending_one_way",
                condition=Q(pending_days=0) | Q(pending_until__isnull=True),
                violation_error_message=_("Units are pending for days or until a day, not both."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.unit)


class Tier(models.Model):
    """One rung of the ladder; the lowest has no condition and belongs to everyone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="tiers", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=32)
    name = models.CharField(_("name"), max_length=60)
    rank = models.PositiveSmallIntegerField(_("place from below"), help_text=_("0 is the lowest tier."))
    by_invitation = models.BooleanField(
        _("by invitation"), default=False, db_default=False, help_text=_("On: only staff give it.")
    )

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering: ClassVar = ["version", "rank"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "code"], name="programs_tier_code_unique"),
            models.UniqueConstraint(fields=["version", "rank"], name="programs_tier_rank_unique"),
            models.CheckConstraint(
                name="programs_tier_lowest_needs_no_invitation",
                condition=Q(by_invitation=False) | Q(rank__gte=1),
                violation_error_message=_("The lowest tier is everyone's: it cannot be by invitation."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TierExpiry(models.Model):
    """How long a unit lives for members of one tier, in place of the unit's own months."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    unit_terms = models.ForeignKey(
        UnitTerms, models.CASCADE, related_name="tier_expiries", verbose_name=_("terms of a unit")
    )
    tier = models.ForeignKey(Tier, models.CASCADE, related_name="+", verbose_name=_("tier"))
    months = models.PositiveSmallIntegerField(
        _("months"), null=True, blank=True, validators=MONTHS, help_text=_("Empty: units never expire.")
    )

    class Meta:
        verbose_name = _("expiry for a tier")
        verbose_name_plural = _("expiry by tier")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit_terms", "tier"], name="programs_tierexpiry_unique"),
            models.CheckConstraint(
                name="programs_tierexpiry_months_positive", condition=Q(months__isnull=True) | Q(months__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.months or '–'}"


class TierCondition(models.Model):
    """What must be reached for a tier: a measure in a window, at exactly the threshold or more."""

    class Measure(models.TextChoices):
        SPEND = "spend", _("Spend")
        VISITS = "visits", _("Visits")
        UNITS = "units", _("Units earned")
        YEARS = "years", _("Years in the tier or above")

    class Window(models.TextChoices):
        CALENDAR_YEAR = "calendar_year", _("Calendar year")
        ROLLING = "rolling", _("Last months")
        ANNIVERSARY = "anniversary", _("Year of membership")
        LIFETIME = "lifetime", _("Whole membership")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tier = models.ForeignKey(Tier, models.CASCADE, related_name="conditions", verbose_name=_("tier"))
    measure = models.CharField(_("measure"), max_length=16, choices=Measure.choices, default=Measure.SPEND)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unit that counts")
    )
    window = models.CharField(_("in"), max_length=16, choices=Window.choices, default=Window.CALENDAR_YEAR)
    months = models.PositiveSmallIntegerField(
        _("months"), null=True, blank=True, validators=MONTHS, help_text=_("For the last months only.")
    )
    for_life = models.BooleanField(
        _("for life"),
        default=False,
        db_default=False,
        help_text=_("On: it does not give the tier for a time but, with the others that are on, for good."),
    )
    threshold = models.DecimalField(
        _("at least"),
        max_digits=15,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text=_("Spend is in the program's currency."),
    )

    class Meta:
        verbose_name = _("condition of a tier")
        verbose_name_plural = _("conditions of a tier")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tier", "measure", "window", "for_life"],
                condition=Q(unit__isnull=True),
                name="programs_tiercondition_measure_unique",
                violation_error_message=_("The tier has such a condition already."),
            ),
            models.UniqueConstraint(
                fields=["tier", "unit", "window", "for_life"],
                condition=Q(unit__isnull=False),
                name="programs_tiercondition_unit_unique",
                violation_error_message=_("The tier has such a condition already."),
            ),
            models.CheckConstraint(name="programs_tiercondition_positive", condition=Q(threshold__gt=0)),
            models.CheckConstraint(
                name="programs_tiercondition_unit_for_units",
                condition=Q(measure="units", unit__isnull=False) | ~Q(measure="units") & Q(unit__isnull=True),
                violation_error_message=_("Name the unit exactly where units earned are the measure."),
            ),
            models.CheckConstraint(
                name="programs_tiercondition_months_for_rolling",
                condition=Q(window="rolling", months__isnull=False, months__gte=1)
                | ~Q(window="rolling") & Q(months__isnull=True),
                violation_error_message=_("Say how many months exactly where the last months count."),
            ),
            models.CheckConstraint(
                name="programs_tiercondition_years_in_a_lifetime",
                condition=~Q(measure="years") | Q(window="lifetime"),
                violation_error_message=_("Years are counted over the whole membership."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit or self.get_measure_display()} ≥ {self.threshold.normalize():f}"


class TierBenefit(models.Model):
    """What a tier brings beside its rates, as data: what members read and apps ask for."""

    class Kind(models.TextChoices):
        MULTIPLIER = "multiplier", _("Multiplier")
        ENTITLEMENT = "entitlement", _("Entitlement")
        FREE_SHIPPING = "free_shipping", _("Free shipping")
        PARTNER_PERK = "partner_perk", _("Perk of a partner")
        BIRTHDAY_GIFT = "birthday_gift", _("Birthday gift")
        EARLY_ACCESS = "early_access", _("Early access")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tier = models.ForeignKey(Tier, models.CASCADE, related_name="benefits", verbose_name=_("tier"))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=80, help_text=_("What the customer reads."))
    detail = models.CharField(_("in detail"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("benefit of a tier")
        verbose_name_plural = _("benefits of a tier")
        ordering: ClassVar = ["tier", "position", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tier", "kind", "name"], name="programs_tierbenefit_unique"),
        ]

    def __str__(self) -> str:
        return self.name
