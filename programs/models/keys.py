"""Keys that tills and web shops sign in with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models.program import Program

HIGHEST_LIMIT = 10_000_000
EXPIRES_SOON = timedelta(days=14)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Words to ask for keys with."""

    def usable(self, *, at: datetime) -> ApiKeyQuerySet:
        """Return the keys that are neither revoked nor expired at this moment."""
        return self.filter(revoked_at__isnull=True).filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at))


class ApiKey(models.Model):
    """A till's key. Only its SHA-256 is kept; the prefix tells staff which key it is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.CASCADE, related_name="api_keys", verbose_name=_("program"))
    name = models.CharField(_("name"), max_length=120, help_text=_("Which till or shop uses it."))
    prefix = models.CharField(_("begins with"), max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("may do"), default=list)
    stores = models.JSONField(_("stores"), default=list, db_default=[])  # Codes; empty: every store of the business.
    limit_per_minute = models.PositiveIntegerField(
        _("calls a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(HIGHEST_LIMIT)],
        help_text=_("At most so many; empty: as many as the installation allows each key."),
    )
    replaces = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="successors",
        verbose_name=_("takes the place of"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("till key")
        verbose_name_plural = _("till keys")
        ordering: ClassVar = ["program", "name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="programs_apikey_limit_positive",
                condition=Q(limit_per_minute__isnull=True) | Q(limit_per_minute__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_usable(self) -> bool:
        """Whether the key still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > datetime.now(UTC))

    @property
    def expires_soon(self) -> bool:
        """Whether it still opens something, but not for much longer."""
        return self.is_usable and self.expires_at is not None and self.expires_at <= datetime.now(UTC) + EXPIRES_SOON
