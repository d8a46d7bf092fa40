"""Admin pages of the ledger: for reading. Value is never edited, only moved by what happens."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import BoundedPaginator, TabularInline, TenantAdmin, TenantInline, display
from accounts.roles import Permission
from loyalty.ledger.models import Entry, Lot, OpeningBalance, Transaction
from programs.models import Program, Unit


class ReadOnlyAdmin(TenantAdmin):
    """Pages that only show; the newest rows first, by a key that grows with time, and no page counts the table."""

    business_path = "program__business"
    paginator = BoundedPaginator
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


def amount_of(unit: Unit, steps: int | None, program: Program) -> str:
    """Return an amount of smallest steps as people read it; a dash where there is none."""
    return "–" if steps is None else formats.figure(unit, steps, currency=program.currency)


class EntryInline(TenantInline, TabularInline):  # type: ignore[misc]
    """The entries of a transaction, which sum to zero for each unit."""

    model = Entry
    business_path = "program__business"
    view_permission = Permission.SEE_LEDGER
    fields = ("whose", "kind", "unit", "moved", "after")
    readonly_fields = fields
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account__unit", "program")

    @admin.display(description=_("whose"))
    def whose(self, entry: Entry) -> Any:
        return _("Member") if entry.account.membership_id else _("Program")

    @admin.display(description=_("account"))
    def kind(self, entry: Entry) -> str:
        return entry.account.get_kind_display()

    @admin.display(description=_("unit"))
    def unit(self, entry: Entry) -> str:
        return str(entry.account.unit)

    @admin.display(description=_("amount"))
    def moved(self, entry: Entry) -> str:
        return formats.signed(amount_of(entry.account.unit, entry.amount, entry.program), entry.amount)

    @admin.display(description=_("balance after"))
    def after(self, entry: Entry) -> str:
        return amount_of(entry.account.unit, entry.balance_after, entry.program)


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """What happened to value, and to whose."""

    view_permission = Permission.SEE_LEDGER
    list_display = ("what", "member", "program", "happened", "written")
    list_select_related = ("program", "membership__customer")
    list_filter = ("kind", ("program", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=membership__card", "=membership__external_id")
    search_help_text = _("A card number or a member's number in your system.")
    fields = (("what", "member"), ("happened", "written"), ("program", "cause"))
    readonly_fields = ("what", "member", "happened", "written", "cause")
    inlines: ClassVar = [EntryInline]

    def get_queryset(self, request: HttpRequest) -> Any:
        opening = OpeningBalance.objects.filter(program_id=OuterRef("program_id"), transaction_id=OuterRef("pk"))
        rows = super().get_queryset(request).select_related("program", "membership__customer")
        return rows.annotate(is_opening=Exists(opening))

    @display(description=_("what"), ordering="kind")
    def what(self, row: Transaction) -> Any:
        return _("Opening balance") if getattr(row, "is_opening", False) else row.get_kind_display()

    @display(description=_("member"))
    def member(self, row: Transaction) -> str:
        return f"{row.membership.card_shown} · {row.membership.customer}"

    @display(description=_("caused by"))
    def cause(self, row: Transaction) -> Any:
        if getattr(row, "is_opening", False):
            return _("Moved in from a file")
        if row.activity_id is None:
            return _("A correction") if row.kind == Transaction.Kind.ADJUST else _("Time alone")
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:purchases_activity_change", args=[row.activity_id]), _("The activity")
        )

    @display(description=_("happened"), ordering="occurred_at")
    def happened(self, row: Transaction) -> str:
        return formats.moment(row.occurred_at, zone=row.program.zone)

    @display(description=_("written"), ordering="posted_at")
    def written(self, row: Transaction) -> str:
        return formats.moment(row.posted_at, zone=row.program.zone)


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    """Batches of earned units, and what became of each."""

    view_permission = Permission.SEE_LEDGER
    list_display = ("member", "unit", "earned", "left", "earned_on", "spendable_from", "ends")
    list_select_related = ("program", "membership__customer", "unit")
    list_filter = (("program", admin.RelatedOnlyFieldListFilter), ("unit", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=membership__card", "=membership__external_id")
    search_help_text = _("A card number or a member's number in your system.")
    fields = ("member", "unit", ("earned", "left"), ("gone", "taken_back"), ("earned_on", "spendable_from", "ends"))
    readonly_fields = ("member", "earned", "left", "gone", "taken_back", "earned_on", "spendable_from", "ends")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program", "membership__customer", "unit")

    @display(description=_("member"))
    def member(self, lot: Lot) -> str:
        return f"{lot.membership.card_shown} · {lot.membership.customer}"

    @display(description=_("earned"))
    def earned(self, lot: Lot) -> str:
        return amount_of(lot.unit, lot.amount, lot.program)

    @display(description=_("left"))
    def left(self, lot: Lot) -> str:
        return amount_of(lot.unit, lot.remaining, lot.program)

    @display(description=_("expired"))
    def gone(self, lot: Lot) -> str:
        return amount_of(lot.unit, lot.expired, lot.program)

    @display(description=_("taken back"))
    def taken_back(self, lot: Lot) -> str:
        return amount_of(lot.unit, lot.reversed, lot.program)

    @display(description=_("earned on"), ordering="earned_at")
    def earned_on(self, lot: Lot) -> str:
        return formats.moment(lot.earned_at, zone=lot.program.zone)

    @display(description=_("spendable from"))
    def spendable_from(self, lot: Lot) -> Any:
        return formats.moment(lot.matures_at, zone=lot.program.zone) if lot.matures_at else _("at once")

    @display(description=_("ends"))
    def ends(self, lot: Lot) -> str:
        return formats.moment(lot.expires_at, zone=lot.program.zone) if lot.expires_at else "–"
