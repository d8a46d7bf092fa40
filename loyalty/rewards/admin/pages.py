"""What the pages of redemptions and vouchers have in common."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin import ReadOnlyAdmin, amount_of
from loyalty.ledger.models import Lot, Transaction
from loyalty.rewards.models import Redemption, Voucher
from programs import codes
from programs.engine.terms import RATE_SCALE
from programs.models import Reward

Row = Redemption | Voucher


class RewardFilter(admin.SimpleListFilter):
    """By what was chosen; the rewards of all versions that the person may see."""

    title = _("reward")
    parameter_name = "reward"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rewards = Reward.objects.order_by("version__number")
        if not request.user.is_superuser:
            rewards = rewards.filter(version__program__business__in=businesses_of(request, Permission.SEE_MEMBERS))
        return sorted(dict(rewards.values_list("code", "name")).items(), key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reward=self.value()) if self.value() else queryset


class WorthAdmin(ReadOnlyAdmin):
    """Pages of what members have for units: read only, found by code however it is typed, or by the member."""

    view_permission = Permission.SEE_MEMBERS
    list_select_related = ("program", "membership__customer", "unit")
    search_fields = ("=membership__card", "=membership__external_id")
    search_help_text = _("A code, a card number or a member's number in your system.")
    code_field = "code"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program", "membership__customer", "unit")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        spellings = {codes.plain(search_term), codes.normal(search_term) or ""} - {""}
        if "\x00" not in search_term and spellings:
            found = queryset.filter(**{f"{self.code_field}__in": spellings})
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]

    @display(description=_("code"))
    def code_shown(self, row: Row) -> str:
        return row.code_shown

    @display(description=_("member"))
    def member(self, row: Row) -> str:
        return f"{row.membership.card_shown} · {row.membership.customer}"

    @display(description=_("units"))
    def paid(self, row: Row) -> str:
        return units_of(row)

    @display(description=_("worth"))
    def worth(self, row: Row) -> str:
        return worth_of(row)


def units_of(row: Row) -> str:
    """Return what a redemption or voucher took: “500 points”; a dash for nothing."""
    return formats.units(row.unit, row.units, currency=row.program.currency) if row.unit and row.units else "–"


def worth_of(row: Row) -> str:
    """Return what it takes off: “$10.00”, “20 %”; a dash where it is good for a thing."""
    if row.percent is not None:
        return f"{formats.rate(Decimal(row.percent) / RATE_SCALE)}{formats.NO_BREAK}%"
    return "–" if row.value is None else formats.money(row.value, row.program.currency)


def moment(row: Row, value: Any) -> str:
    """Return a moment of the row's program; a dash for none."""
    return formats.moment(value, zone=row.program.zone) if value else "–"


def lots_of(row: Row) -> list[dict[str, Any]]:
    """Return the lots that its units came from, in the order in which they were taken; one query."""
    taken = [(UUID(lot), amount) for lot, amount in row.taken]
    lots = Lot.objects.filter(program_id=row.program_id).in_bulk([lot for lot, _amount in taken]) if taken else {}
    return [
        {
            "pk": lot,
            "amount": amount_of(row.unit, amount, row.program) if row.unit else "–",
            "earned": moment(row, lots[lot].earned_at) if lot in lots else "–",
            "ends": moment(row, lots[lot].expires_at) if lot in lots else "–",
        }
        for lot, amount in taken
    ]


def moves_of(row: Row) -> Sequence[dict[str, Any]]:
    """Return what it did to the member's units, the first first; one query."""
    rows = Transaction.objects.filter(
        program_id=row.program_id, membership_id=row.membership_id, redemption_id=row.pk
    ).order_by("posted_at", "pk")
    return [
        {
            "what": one.get_kind_display(),
            "address": reverse("admin:ledger_transaction_change", args=[one.pk]),
            "when": moment(row, one.occurred_at),
        }
        for one in rows
    ]


def activity_address(pk: UUID | None) -> str:
    """Return the page of a purchase, a return or an event; empty for none."""
    return reverse("admin:purchases_activity_change", args=[pk]) if pk is not None else ""
