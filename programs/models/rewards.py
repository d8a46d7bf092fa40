"""What units, tiers and time bring: rewards that members choose, and those that units turn into by themselves."""

from __future__ import annotations

from typing import ClassVar

from babel.numbers import get_currency_precision
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.clauses import ClauseError, parsed
from programs.models.program import Unit, validate_zone
from programs.models.rules import ClauseKind, RuleCap
from programs.models.terms import Tier
from programs.models.version import MONTHS, ProgramVersion

CENT = (MinValueValidator(0), MaxValueValidator(100))
WINDOWS = [one for one in RuleCap.Window.choices if one[0] != RuleCap.Window.PURCHASE]
CLAUSES = ("segment", "birthday", "age", "sku", "category", "brand", "tag")
"""What the conditions of a reward look at: whom it is for, and for which articles it is good."""


class Reward(models.Model):
    """One reward of a version. What is left of its stock is kept in ``loyalty.rewards``, under the same code."""

    class Kind(models.TextChoices):
        MONEY_OFF = "money_off", _("Money off")
        PERCENT_OFF = "percent_off", _("Percent off")
        PRODUCT = "product", _("Product")
        ENTITLEMENT = "entitlement", _("Entitlement, such as early access")
        EVENT_SEAT = "event_seat", _("Seat at an event")
        POOL = "pool", _("Voucher from a pool of codes")
        UNITS = "units", _("Units as a gift")

    class Conversion(models.TextChoices):
        AT_ONCE = "at_once", _("As soon as there are enough units")
        DATES = "dates", _("At set dates")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="rewards", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80, help_text=_("What the customer reads."))
    detail = models.CharField(_("in detail"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_on = models.BooleanField(_("on"), default=True, help_text=_("Off: it stands here and nobody sees it."))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paid in"),
        help_text=_("Empty: it costs nothing."),
    )
    price = models.DecimalField(
        _("price"),
        max_digits=15,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("In that unit."),
    )
    value = models.DecimalField(
        _("worth"),
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In the program's currency: what it takes off, or the most that a product may cost."),
    )
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=4, null=True, blank=True, validators=CENT)
    by_amount = models.BooleanField(
        _("any amount"),
        default=False,
        help_text=_("On: the member says how much money; price and worth are the rate. Off: whole rewards."),
    )
    step = models.DecimalField(
        _("in steps of"),
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Of money, where any amount can be had; empty: the smallest coin."),
    )
    several = models.BooleanField(_("several at once"), default=False)
    most_share = models.DecimalField(
        _("at most of the basket, in percent"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=CENT,
        help_text=_("Of the basket before anything is taken off; empty: no bound."),
    )
    least_basket = models.DecimalField(
        _("from a basket of"), max_digits=15, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    from_tier = models.CharField(
        _("from tier"), max_length=32, blank=True, help_text=_("The lowest tier that may have it; empty: everyone.")
    )
    stock = models.PositiveIntegerField(
        _("stock"), null=True, blank=True, help_text=_("How many there are in all; empty: as many as are asked for.")
    )
    pool = models.SlugField(_("pool of codes"), max_length=64, blank=True)
    gives_unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("gives units of")
    )
    gives = models.DecimalField(
        _("gives"), max_digits=15, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    opens_at = models.DateTimeField(_("from"), null=True, blank=True)
    closes_at = models.DateTimeField(_("to"), null=True, blank=True)
    weekdays = models.CharField(
        _("on the days"), max_length=40, blank=True, help_text=_("For example: tue, thu, or mon-fri.")
    )
    opens_from = models.TimeField(_("from the time"), null=True, blank=True)
    opens_until = models.TimeField(_("to the time"), null=True, blank=True)
    zone = models.CharField(
        _("time zone of these times"),
        max_length=64,
        blank=True,
        validators=[validate_zone],
        help_text=_("For example America/Los_Angeles; empty: the program's."),
    )
    choice = models.SlugField(
        _("one of a choice"),
        max_length=40,
        blank=True,
        help_text=_("Rewards with the same word share their limits, with the group of rules of that code, too."),
    )
    conversion = models.CharField(
        _("units turn into it"),
        max_length=16,
        choices=Conversion.choices,
        blank=True,
        help_text=_("By themselves, each time there are as many as the price; empty: members choose it."),
    )
    closes_on = models.CharField(
        _("counted at the end of"),
        max_length=100,
        blank=True,
        help_text=_("Days of every year, separated by commas: 05-31, 09-30, 01-31."),
    )
    issue_day = models.PositiveSmallIntegerField(
        _("given on day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
        help_text=_("Of the month after."),
    )
    most_at_once = models.PositiveSmallIntegerField(
        _("at most each time"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    most_a_year = models.PositiveSmallIntegerField(
        _("at most in the program's year"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    is_withdrawn = models.BooleanField(
        _("withdrawn after a return"),
        default=False,
        help_text=_(
            "On: where a return leaves too few units, an unused one is withdrawn and its units come back first."
        ),
    )
    lives_months = models.PositiveSmallIntegerField(
        _("its voucher lives months"), null=True, blank=True, validators=MONTHS
    )
    lives_days = models.PositiveSmallIntegerField(
        _("or days"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(7300)]
    )

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering: ClassVar = ["version", "position", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version", "code"],
                name="programs_reward_code_unique",
                violation_error_message=_("The version has a reward of this code already."),
            ),
            models.CheckConstraint(
                name="programs_reward_amounts_not_negative",
                condition=Q(price__gte=0)
                & (Q(value__isnull=True) | Q(value__gte=0))
                & (Q(step__isnull=True) | Q(step__gt=0))
                & (Q(gives__isnull=True) | Q(gives__gt=0)),
            ),
            models.CheckConstraint(
                name="programs_reward_price_has_unit",
                condition=Q(price=0) | Q(unit__isnull=False),
                violation_error_message=_("Say in which unit the price is."),
            ),
            models.CheckConstraint(
                name="programs_reward_shares_within_a_whole",
                condition=(Q(percent__isnull=True) | Q(percent__gt=0, percent__lte=100))
                & (Q(most_share__isnull=True) | Q(most_share__gt=0, most_share__lte=100)),
            ),
            models.CheckConstraint(
                name="programs_reward_gives_units_whole",
                condition=Q(gives__isnull=True, gives_unit__isnull=True)
                | Q(gives__isnull=False, gives_unit__isnull=False),
                violation_error_message=_("Say how many of which unit it gives."),
            ),
            models.CheckConstraint(
                name="programs_reward_dates_are_whole",
                condition=Q(conversion="dates", issue_day__isnull=False) & ~Q(closes_on="")
                | ~Q(conversion="dates") & Q(issue_day__isnull=True, closes_on=""),
                violation_error_message=_(
                    "Say at the end of which days units are counted, and on which day it is given."
                ),
            ),
            models.CheckConstraint(
                name="programs_reward_voucher_lives_one_way",
                condition=Q(lives_months__isnull=True) | Q(lives_days__isnull=True),
                violation_error_message=_("A voucher lives months or days, not both."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RewardTier(models.Model):
    """What is different for members of a tier: another price, worth or percent, another opening."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward = models.ForeignKey(Reward, models.CASCADE, related_name="tiers", verbose_name=_("reward"))
    tier = models.ForeignKey(Tier, models.CASCADE, related_name="+", verbose_name=_("tier"))
    price = models.DecimalField(
        _("price"), max_digits=15, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    value = models.DecimalField(
        _("worth"), max_digits=15, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=4, null=True, blank=True, validators=CENT)
    opens_at = models.DateTimeField(_("from"), null=True, blank=True)

    class Meta:
        verbose_name = _("reward for a tier")
        verbose_name_plural = _("rewards for tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reward", "tier"],
                name="programs_rewardtier_tier_unique",
                violation_error_message=_("The reward has a line for this tier already."),
            ),
            models.CheckConstraint(
                name="programs_rewardtier_amounts_fit",
                condition=(Q(price__isnull=True) | Q(price__gte=0))
                & (Q(value__isnull=True) | Q(value__gte=0))
                & (Q(percent__isnull=True) | Q(percent__gt=0, percent__lte=100)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.tier)


class RewardLimit(models.Model):
    """How often one member may have a reward in a window."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward = models.ForeignKey(Reward, models.CASCADE, related_name="limits", verbose_name=_("reward"))
    window = models.CharField(_("in"), max_length=16, choices=WINDOWS)
    times = models.PositiveIntegerField(_("at most times"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("limit of a reward")
        verbose_name_plural = _("limits of a reward")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reward", "window"],
                name="programs_rewardlimit_window_unique",
                violation_error_message=_("The reward has such a limit already."),
            ),
            models.CheckConstraint(name="programs_rewardlimit_positive", condition=Q(times__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_window_display()} ≤ {self.times}"


class RewardClause(models.Model):
    """Whom a reward is for, or for which articles it is good; all conditions must hold."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward = models.ForeignKey(Reward, models.CASCADE, related_name="clauses", verbose_name=_("reward"))
    kind = models.CharField(
        _("condition on"), max_length=16, choices=[one for one in ClauseKind.choices if one[0] in CLAUSES]
    )
    negated = models.BooleanField(_("not"), default=False)
    value = models.CharField(_("is"), max_length=500)

    class Meta:
        verbose_name = _("condition of a reward")
        verbose_name_plural = _("conditions of a reward")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reward", "kind", "negated", "value"],
                name="programs_rewardclause_unique",
                violation_error_message=_("The reward has this condition already."),
            ),
            models.CheckConstraint(name="programs_rewardclause_says_something", condition=~Q(value="")),
            models.CheckConstraint(
                name="programs_rewardclause_of_a_kind",
                condition=Q(kind__in=CLAUSES),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.value}"

    def clean(self) -> None:
        """Refuse a text that cannot be read."""
        if not (self.kind and self.value):
            return
        try:
            parsed(self.kind, self.value, digits=get_currency_precision(self.reward.version.program.currency))
        except ClauseError as error:
            raise ValidationError({"value": str(error)}) from error
