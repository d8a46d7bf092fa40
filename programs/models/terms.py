"""The parts of a version: how units live, the ladder of tiers, the rules of earning."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models.program import Unit
from programs.models.version import ProgramVersion


class UnitTerms(models.Model):
    """How one unit lives under one version."""

    class Expiry(models.TextChoices):
        NONE = "none", _("Never")
        ROLLING = "rolling", _("Months after it was earned")
        INACTIVITY = "inactivity", _("Months without a purchase or a redemption")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="unit_terms", verbose_name=_("version"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="terms", verbose_name=_("unit"))
    expiry = models.CharField(_("expires"), max_length=16, choices=Expiry.choices, default=Expiry.NONE)
    expiry_months = models.PositiveSmallIntegerField(
        _("months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    pending_days = models.PositiveSmallIntegerField(
        _("days until it can be spent"), default=0, validators=[MaxValueValidator(730)]
    )

    class Meta:
        verbose_name = _("terms of a unit")
        verbose_name_plural = _("terms of units")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "unit"], name="programs_unitterms_unit_unique"),
            models.CheckConstraint(
                name="programs_unitterms_expiry_has_months",
                condition=Q(expiry="none", expiry_months__isnull=True)
                | (~Q(expiry="none") & Q(expiry_months__isnull=False, expiry_months__gte=1)),
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

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering: ClassVar = ["version", "rank"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "code"], name="programs_tier_code_unique"),
            models.UniqueConstraint(fields=["version", "rank"], name="programs_tier_rank_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class TierCondition(models.Model):
    """What must be reached for a tier: a measure in a window, at exactly the threshold or more."""

    class Measure(models.TextChoices):
        SPEND = "spend", _("Spend")

    class Window(models.TextChoices):
        CALENDAR_YEAR = "calendar_year", _("Calendar year")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tier = models.ForeignKey(Tier, models.CASCADE, related_name="conditions", verbose_name=_("tier"))
    measure = models.CharField(_("measure"), max_length=16, choices=Measure.choices, default=Measure.SPEND)
    window = models.CharField(_("in"), max_length=16, choices=Window.choices, default=Window.CALENDAR_YEAR)
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
            models.UniqueConstraint(fields=["tier", "measure", "window"], name="programs_tiercondition_unique"),
            models.CheckConstraint(name="programs_tiercondition_positive", condition=Q(threshold__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_measure_display()} ≥ {self.threshold.normalize():f}"


class Rule(models.Model):
    """An earning rule: for a purchase, what it gives in which unit."""

    class Effect(models.TextChoices):
        PER_AMOUNT = "per_amount", _("Units for each 1.00 of the currency")
        PERCENT = "percent", _("Percent of the amount")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="rules", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80, help_text=_("What the customer reads."))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    effect = models.CharField(_("effect"), max_length=16, choices=Effect.choices, default=Effect.PER_AMOUNT)
    rate = models.DecimalField(_("rate"), max_digits=12, decimal_places=4, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        ordering: ClassVar = ["version", "position", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "code"], name="programs_rule_code_unique"),
            models.CheckConstraint(name="programs_rule_rate_not_negative", condition=Q(rate__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class TierRate(models.Model):
    """A rule's rate for members of one tier, in place of the rule's own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="tier_rates", verbose_name=_("rule"))
    tier = models.ForeignKey(Tier, models.CASCADE, related_name="+", verbose_name=_("tier"))
    rate = models.DecimalField(_("rate"), max_digits=12, decimal_places=4, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("rate of a tier")
        verbose_name_plural = _("rates of tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "tier"], name="programs_tierrate_unique"),
            models.CheckConstraint(name="programs_tierrate_not_negative", condition=Q(rate__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.rate.normalize():f}"


class RuleCap(models.Model):
    """A limit on the amount that one rule counts, for one member, in one purchase or one window."""

    class Window(models.TextChoices):
        PURCHASE = "purchase", _("One purchase")
        DAY = "day", _("A day")
        MONTH = "month", _("A calendar month")
        YEAR = "year", _("A calendar year")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="caps", verbose_name=_("rule"))
    window = models.CharField(_("in"), max_length=16, choices=Window.choices)
    amount = models.DecimalField(
        _("at most"), max_digits=15, decimal_places=4, help_text=_("Of purchases, in the program's currency.")
    )

    class Meta:
        verbose_name = _("limit of a rule")
        verbose_name_plural = _("limits of a rule")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "window"], name="programs_rulecap_unique"),
            models.CheckConstraint(name="programs_rulecap_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_window_display()} ≤ {self.amount.normalize():f}"
