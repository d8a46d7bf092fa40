"""A program and the units it counts in."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.models import Business

if TYPE_CHECKING:
    from programs.models.version import ProgramVersion

BACKFILL_ENDS_AFTER = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def validate_zone(value: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(value)s” is not a known time zone."), params={"value": value})


class ProgramQuerySet(models.QuerySet["Program"]):
    """Words to ask for programs with."""

    def live(self) -> ProgramQuerySet:
        """Return the programs that run by the real clock and count in the business's figures."""
        return self.filter(is_sandbox=False)

    def by_the_real_clock(self) -> ProgramQuerySet:
        """Return the programs the scheduler looks after: all but sandboxes with a clock of their own."""
        return self.filter(clock__isnull=True)

    def paused(self) -> ProgramQuerySet:
        """Return the programs that stand still."""
        return self.filter(status=Program.Status.PAUSED)

    def in_backfill(self, *, now: datetime) -> ProgramQuerySet:
        """Return the programs into which a history is being loaded at ``now``."""
        return self.filter(backfill_touched_at__gt=now - BACKFILL_ENDS_AFTER)


class Program(models.Model):
    """One loyalty scheme of a business, and the clock that everything in it goes by.

    ``status_since`` is the moment, by the program's clock, of the last pause, close or return to the active state.
    Where it is closed, units can be spent until ``ends_at``, the first moment at which what is left is gone.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(Business, models.PROTECT, related_name="programs", verbose_name=_("business"))
    slug = models.SlugField(_("short name"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_zone])
    language = models.CharField(_("language"), max_length=10, default="en")
    is_sandbox = models.BooleanField(
        _("sandbox"), default=False, help_text=_("A test copy: no mail leaves, and it is in no figure of the business.")
    )
    clock = models.DateTimeField(
        _("own clock"), null=True, blank=True, help_text=_("A sandbox's own time, which moves only when told.")
    )
    backfill_touched_at = models.DateTimeField(_("backfill seen"), null=True, blank=True, editable=False)
    status = models.CharField(
        _("state"),
        max_length=16,
        choices=Status.choices,
        default=Status.ACTIVE,
        db_default=Status.ACTIVE,
        editable=False,
    )
    status_since = models.DateTimeField(_("in this state since"), null=True, blank=True, editable=False)
    status_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("brought into this state by"),
    )
    ends_at = models.DateTimeField(_("units end"), null=True, blank=True, editable=False)
    has_webhooks = models.BooleanField(default=False, db_default=False, editable=False)  # Whether any is switched on.
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="programs_program_only_sandbox_has_clock", condition=Q(clock__isnull=True) | Q(is_sandbox=True)
            ),
            models.CheckConstraint(
                name="programs_program_currency_is_code", condition=Q(currency__regex=r"^[A-Z]{3}$")
            ),
            models.CheckConstraint(
                name="programs_program_known_state", condition=Q(status__in=["active", "paused", "closed"])
            ),
            models.CheckConstraint(
                name="programs_program_closed_has_end",
                condition=Q(status="closed", ends_at__isnull=False) | ~Q(status="closed") & Q(ends_at__isnull=True),
            ),
            models.CheckConstraint(
                name="programs_program_state_has_moment",
                condition=Q(status="active") | Q(status_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone of the program's days, months and years."""
        return zoneinfo.ZoneInfo(self.timezone)

    def now(self) -> datetime:
        """Return the program's present: its own clock's, else the real one."""
        return self.clock or datetime.now(UTC)

    @property
    def is_paused(self) -> bool:
        """Whether it stands still: nobody joins, nothing is spent, and nothing is judged before it goes on."""
        return self.status == self.Status.PAUSED

    @property
    def is_closed(self) -> bool:
        """Whether earning has come to its end."""
        return self.status == self.Status.CLOSED

    @property
    def is_over(self) -> bool:
        """Whether spending has come to its end too."""
        return self.ends_at is not None and self.now() >= self.ends_at

    @property
    def last_day(self) -> date | None:
        """The last day of spending of a closed program, in its zone; None for one that goes on."""
        return (self.ends_at - INSTANT).astimezone(self.zone).date() if self.ends_at is not None else None

    def reached_by(self, moment: datetime) -> datetime:
        """Return how far its members' time is at ``moment``: a paused program stands where it was paused."""
        if self.is_paused and self.status_since is not None:
            return min(moment, self.status_since)
        return moment

    @property
    def is_in_backfill(self) -> bool:
        """Whether a history is being loaded: due work then waits for the member's own activity."""
        touched = self.backfill_touched_at
        return touched is not None and touched > datetime.now(UTC) - BACKFILL_ENDS_AFTER

    def version_at(self, moment: datetime) -> ProgramVersion | None:
        """Return the published version in force at ``moment``."""
        return self.versions.published().filter(in_force_from__lte=moment).order_by("in_force_from", "number").last()

    @property
    def draft(self) -> ProgramVersion | None:
        """The version being edited, if there is one."""
        return self.versions.drafts().first()


class Unit(models.Model):
    """What a program counts: points, cashback, stamps, nights. How it expires is a version's matter."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="units", verbose_name=_("program"))
    code = models.SlugField(_("code"), max_length=32)
    name = models.CharField(_("name of one"), max_length=40, help_text=_("For example: point"))
    name_plural = models.CharField(_("name of many"), max_length=40, help_text=_("For example: points"))
    precision = models.PositiveSmallIntegerField(
        _("decimals"), default=0, validators=[MaxValueValidator(4)], help_text=_("0 for whole units, 2 for money.")
    )
    is_money = models.BooleanField(_("is money"), default=False, help_text=_("One unit is one of the currency."))
    is_spendable = models.BooleanField(
        _("can be spent"),
        default=True,
        db_default=True,
        help_text=_("Off: it only counts, such as nights towards a tier."),
    )

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="programs_unit_code_unique"),
            models.CheckConstraint(name="programs_unit_precision_0_to_4", condition=Q(precision__lte=4)),
        ]

    def __str__(self) -> str:
        return self.name_plural
