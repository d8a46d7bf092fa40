"""Codes of vouchers that others made, waiting in pools until a member is given one."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from programs.models import Program


class PoolCode(models.Model):
    """One code of a pool. ``value_minor`` in minor units of the program's currency; the code's case is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("program"))
    pool = models.SlugField(_("pool"), max_length=64, db_index=False)
    code = models.CharField(_("code"), max_length=64)
    value_minor = models.BigIntegerField(_("value"), null=True)
    expires_on = models.DateField(_("last day"), null=True)
    added_at = models.DateTimeField(_("added"))
    issued_at = models.DateTimeField(_("given out"), null=True)
    voucher_id = models.UUIDField(_("voucher"), null=True)

    class Meta:
        verbose_name = _("code of a pool")
        verbose_name_plural = _("codes of pools")
        indexes: ClassVar = [
            models.Index(
                fields=["program", "pool", "expires_on", "id"],
                name="rewards_poolcode_free",
                condition=Q(issued_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "pool", "code"], name="rewards_poolcode_once"),
            models.CheckConstraint(name="rewards_poolcode_has_code", condition=~Q(code="")),
            models.CheckConstraint(
                name="rewards_poolcode_value_positive", condition=Q(value_minor__isnull=True) | Q(value_minor__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.code
