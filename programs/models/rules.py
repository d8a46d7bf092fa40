"""The rules of earning: what fires them, what they ask for, what they give, and their limits."""

from __future__ import annotations

from typing import ClassVar

from babel.numbers import get_currency_precision
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.clauses import ClauseError, parsed
from programs.models.program import Unit
from programs.models.terms import Tier
from programs.models.version import ProgramVersion


class EventType(models.Model):
    """What apps may report beside purchases: a review, a check-in, a referral."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="event_types", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    waits_for_friend = models.BooleanField(
        _("waits for the friend"),
        default=False,
        help_text=_("On: it counts once the friend that it names has made a purchase."),
    )

    class Meta:
        verbose_name = _("type of event")
        verbose_name_plural = _("types of events")
        ordering: ClassVar = ["version", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "code"], name="programs_eventtype_code_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class RuleGroup(models.Model):
    """Rules that stack with each other in one way, and may share limits."""

    class Mode(models.TextChoices):
        ALL = "all", _("All of them")
        BEST = "best", _("The best for the member")
        FIRST = "first", _("The first; what it leaves goes to the next")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="groups", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    mode = models.CharField(_("of its rules count"), max_length=16, choices=Mode.choices, default=Mode.ALL)

    class Meta:
        verbose_name = _("group of rules")
        verbose_name_plural = _("groups of rules")
        ordering: ClassVar = ["version", "position", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "code"], name="programs_rulegroup_code_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """An earning rule: for a purchase, an event or joining, what it gives in which unit."""

    class Trigger(models.TextChoices):
        PURCHASE = "purchase", _("A purchase")
        EVENT = "event", _("An event")
        ENROLMENT = "enrolment", _("Joining")

    class Effect(models.TextChoices):
        PER_AMOUNT = "per_amount", _("Units for each 1.00 of the currency")
        PERCENT = "percent", _("Percent of the amount")
        FIXED = "fixed", _("Units")
        PER_ITEM = "per_item", _("Units for each piece")
        STAMP = "stamp", _("Units for each whole piece")
        MULTIPLIER = "multiplier", _("Times the rate of another rule")
        BONUS = "bonus", _("Percent of what another rule gives")

    class Pieces(models.TextChoices):
        SUM = "sum", _("All lines together")
        LARGEST = "largest", _("The line with the most")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ProgramVersion, models.CASCADE, related_name="rules", verbose_name=_("version"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80, help_text=_("What the customer reads."))
    is_on = models.BooleanField(
        _("on"), default=True, db_default=True, help_text=_("Off: it stands here and gives nothing.")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    group = models.ForeignKey(
        RuleGroup,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("group"),
        help_text=_("Empty: it stands alone and counts beside all others."),
    )
    trigger = models.CharField(
        _("for"), max_length=16, choices=Trigger.choices, default=Trigger.PURCHASE, db_default=Trigger.PURCHASE
    )
    event = models.CharField(
        _("type of event"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("The code of the type, for a rule that an event fires."),
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    effect = models.CharField(_("effect"), max_length=16, choices=Effect.choices, default=Effect.PER_AMOUNT)
    rate = models.DecimalField(_("rate"), max_digits=12, decimal_places=4, validators=[MinValueValidator(0)])
    of = models.CharField(
        _("of the rule"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("The code of the rule whose rate is multiplied, or to whose units the percentage is added."),
    )
    of_tier_rate = models.BooleanField(
        _("times the tier's rate"),
        default=False,
        db_default=False,
        help_text=_("Off: a multiplier takes the other rule's own rate, on: the rate of the member's tier."),
    )
    pieces = models.CharField(
        _("pieces"),
        max_length=16,
        choices=Pieces.choices,
        default=Pieces.SUM,
        db_default=Pieces.SUM,
        help_text=_("For units for each piece: which pieces count."),
    )

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        ordering: ClassVar = ["version", "position", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "code"], name="programs_rule_code_unique"),
            models.CheckConstraint(name="programs_rule_rate_not_negative", condition=Q(rate__gte=0)),
            models.CheckConstraint(
                name="programs_rule_event_for_events",
                condition=Q(trigger="event") & ~Q(event="") | ~Q(trigger="event") & Q(event=""),
                violation_error_message=_("Name the type of event exactly where an event fires the rule."),
            ),
            models.CheckConstraint(
                name="programs_rule_without_purchase_gives_units",
                condition=Q(trigger="purchase") | Q(effect__in=["fixed", "bonus"]),
                violation_error_message=_(
                    "An event or joining has no amount and no lines: such a rule gives units, or percent of those."
                ),
            ),
            models.CheckConstraint(
                name="programs_rule_of_another_rule",
                condition=Q(effect__in=["multiplier", "bonus"]) & ~Q(of="") & ~Q(of=F("code"))
                | ~Q(effect__in=["multiplier", "bonus"]) & Q(of=""),
                violation_error_message=_("Name another rule exactly where the effect multiplies it or adds to it."),
            ),
            models.CheckConstraint(
                name="programs_rule_tier_rate_for_multiplier",
                condition=Q(of_tier_rate=False) | Q(effect="multiplier"),
                violation_error_message=_("Only a multiplier can take the tier's rate."),
            ),
            models.CheckConstraint(
                name="programs_rule_pieces_for_per_item",
                condition=Q(pieces="sum") | Q(effect="per_item"),
                violation_error_message=_("Only units for each piece can count the line with the most."),
            ),
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
    """A limit of one rule or one group: for one member or the whole program, in one purchase or one window."""

    class Window(models.TextChoices):
        PURCHASE = "purchase", _("One purchase")
        DAY = "day", _("A day")
        WEEK = "week", _("A week")
        MONTH = "month", _("A calendar month")
        QUARTER = "quarter", _("A quarter")
        YEAR = "year", _("A calendar year")
        PROGRAM_YEAR = "program_year", _("A year of the program")
        LIFETIME = "lifetime", _("All time")

    class Counts(models.TextChoices):
        AMOUNT = "amount", _("Amount of purchases")
        UNITS = "units", _("Units")
        TIMES = "times", _("Times")

    class Scope(models.TextChoices):
        MEMBER = "member", _("Each member")
        PROGRAM = "program", _("The whole program")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, null=True, blank=True, related_name="caps", verbose_name=_("rule"))
    group = models.ForeignKey(
        RuleGroup, models.CASCADE, null=True, blank=True, related_name="caps", verbose_name=_("group")
    )
    is_on = models.BooleanField(
        _("on"), default=True, db_default=True, help_text=_("Off: it stands here and limits nothing.")
    )
    window = models.CharField(_("in"), max_length=16, choices=Window.choices)
    counts = models.CharField(
        _("counts"), max_length=16, choices=Counts.choices, default=Counts.AMOUNT, db_default=Counts.AMOUNT
    )
    scope = models.CharField(
        _("for"), max_length=16, choices=Scope.choices, default=Scope.MEMBER, db_default=Scope.MEMBER
    )
    per = models.CharField(
        _("apart for each"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("The attribute whose values are counted apart, for example: place."),
    )
    amount = models.DecimalField(
        _("at most"),
        max_digits=15,
        decimal_places=4,
        help_text=_("Of purchases in the program's currency, of units, or times."),
    )

    class Meta:
        verbose_name = _("limit of a rule")
        verbose_name_plural = _("limits of a rule")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "window", "counts", "scope", "per"],
                condition=Q(rule__isnull=False),
                name="programs_rulecap_rule_unique",
                violation_error_message=_("The rule has such a limit already."),
            ),
            models.UniqueConstraint(
                fields=["group", "window", "counts", "scope", "per"],
                condition=Q(group__isnull=False),
                name="programs_rulecap_group_unique",
                violation_error_message=_("The group has such a limit already."),
            ),
            models.CheckConstraint(name="programs_rulecap_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="programs_rulecap_of_a_rule_or_a_group",
                condition=Q(rule__isnull=False, group__isnull=True) | Q(rule__isnull=True, group__isnull=False),
            ),
            models.CheckConstraint(
                name="programs_rulecap_group_counts_what_is_given",
                condition=Q(group__isnull=True) | ~Q(counts="amount"),
                violation_error_message=_("A group's limit counts units or times."),
            ),
            models.CheckConstraint(
                name="programs_rulecap_purchase_is_one_members",
                condition=~Q(window="purchase") | Q(scope="member", per="") & ~Q(counts="times"),
                violation_error_message=_("In one purchase a limit counts an amount or units, of the member alone."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_window_display()} ≤ {self.amount.normalize():f}"


class ClauseKind(models.TextChoices):
    """What a condition of a rule looks at; ``programs.clauses`` says how each is written."""

    SKU = "sku", _("Article")
    CATEGORY = "category", _("Category")
    BRAND = "brand", _("Brand")
    TAG = "tag", _("Tag")
    FIRST_LINES = "first_lines", _("First lines of a category")
    AMOUNT = "amount", _("Amount of the purchase")
    QUANTITY = "quantity", _("Pieces")
    STORE = "store", _("Store")
    CHANNEL = "channel", _("Channel")
    WEEKDAY = "weekday", _("Day of the week")
    HOURS = "hours", _("Time of day")
    DATES = "dates", _("Dates")
    NTH = "nth", _("Which purchase of the member")
    BIRTHDAY = "birthday", _("Birthday")
    TIER = "tier", _("Tier")
    SEGMENT = "segment", _("Segment")
    AGE = "age", _("Months since joining")
    ATTRIBUTE = "attribute", _("Attribute")


LINE_KINDS = ("sku", "category", "brand", "tag")


def check_clause(*, rule: Rule, kind: str, value: str) -> None:
    """Refuse a condition that cannot be read, at the field that holds its text."""
    try:
        parsed(kind, value, digits=get_currency_precision(rule.version.program.currency))
    except ClauseError as error:
        raise ValidationError({"value": str(error)}) from error


class RuleClause(models.Model):
    """A condition of a rule, as staff write it; all of a rule's conditions must hold."""

    Kind = ClauseKind

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="clauses", verbose_name=_("rule"))
    kind = models.CharField(_("condition on"), max_length=16, choices=ClauseKind.choices)
    negated = models.BooleanField(_("not"), default=False)
    value = models.CharField(_("is"), max_length=500)

    class Meta:
        verbose_name = _("condition of a rule")
        verbose_name_plural = _("conditions of a rule")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "kind", "negated", "value"],
                name="programs_ruleclause_unique",
                violation_error_message=_("The rule has this condition already."),
            ),
            models.CheckConstraint(name="programs_ruleclause_says_something", condition=~Q(value="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.value}"

    def clean(self) -> None:
        """Refuse a text that cannot be read."""
        if self.kind and self.value:
            check_clause(rule=self.rule, kind=self.kind, value=self.value)


class RuleLineRate(models.Model):
    """Another rate for some lines, in place of the rule's own; the first that fits a line is taken."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="line_rates", verbose_name=_("rule"))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    kind = models.CharField(
        _("lines by"), max_length=16, choices=[one for one in ClauseKind.choices if one[0] in LINE_KINDS]
    )
    negated = models.BooleanField(_("not"), default=False)
    value = models.CharField(_("is"), max_length=500)
    rate = models.DecimalField(_("rate"), max_digits=12, decimal_places=4, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("rate of some lines")
        verbose_name_plural = _("rates of some lines")
        ordering: ClassVar = ["rule", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "kind", "negated", "value"], name="programs_rulelinerate_unique"),
            models.CheckConstraint(name="programs_rulelinerate_not_negative", condition=Q(rate__gte=0)),
            models.CheckConstraint(name="programs_rulelinerate_by_line", condition=Q(kind__in=LINE_KINDS)),
            models.CheckConstraint(name="programs_rulelinerate_says_something", condition=~Q(value="")),
        ]

    def __str__(self) -> str:
        return f"{self.value}: {self.rate.normalize():f}"

    def clean(self) -> None:
        """Refuse a text that cannot be read."""
        if self.kind and self.value:
            check_clause(rule=self.rule, kind=self.kind, value=self.value)
