"""Admin pages of members: who they are, and where they stand at their present."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import display
from accounts.roles import Permission
from loyalty.ledger import measures
from loyalty.ledger.admin import ReadOnlyAdmin
from loyalty.ledger.models import Standing, TierGrant, TierPeriod
from loyalty.ledger.queries import MemberView, MissingView, member_views
from loyalty.purchases.accrual import bring_up_to_date
from loyalty.rewards.admin.of_member import rewards_of
from programs.cards import DIGITS
from programs.models import Membership, Program, ProgramVersion
from programs.terms import schedule_of

TIERS_SHOWN = 50


@admin.register(Membership)
class MemberAdmin(ReadOnlyAdmin):
    """Members of a program. Found by card as it is printed, by number, e-mail or name."""

    view_permission = Permission.SEE_MEMBERS
    list_display = ("person", "card_number", "external_id", "email", "tier", "joined", "status", "program")
    list_display_links = ("person", "card_number")
    list_select_related = ("program", "customer", "standing")
    list_filter = ("status", ("program", admin.RelatedOnlyFieldListFilter))
    search_fields = ("customer__email", "customer__first_name", "customer__last_name", "=external_id")
    search_help_text = _("A card number, a number in your system, an e-mail address or a name.")
    change_form_outer_before_template = "admin/purchases/member_standing.html"
    list_before_template = "admin/moving/members_links.html"
    fields = (
        ("person", "card_number"),
        ("email", "phone"),
        ("birth_date", "language"),
        ("external_id", "status"),
        ("joined", "program"),
    )
    readonly_fields = ("person", "email", "phone", "card_number", "birth_date", "language", "joined")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.select_related("program", "customer", "standing").prefetch_related("standing__version__tiers")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Membership], search_term: str
    ) -> tuple[QuerySet[Membership], bool]:
        """Find a card however it is written: 1234 5678 9012, 1234-5678-9012 or without gaps."""
        digits = search_term.replace(" ", "").replace("-", "")
        if len(digits) == DIGITS and digits.isascii() and digits.isdigit():
            found = queryset.filter(card=digits)
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]

    @display(description=_("name"), ordering="customer__last_name")
    def person(self, member: Membership) -> Any:
        return member.customer.full_name or _("No name")

    @display(description=_("card number"), ordering="card")
    def card_number(self, member: Membership) -> str:
        return member.card_shown.replace(" ", formats.NO_BREAK)

    @display(description=_("e-mail"), ordering="customer__email")
    def email(self, member: Membership) -> str:
        return member.customer.email or "–"

    @display(description=_("phone"))
    def phone(self, member: Membership) -> str:
        return member.customer.phone or "–"

    @display(description=_("birth date"))
    def birth_date(self, member: Membership) -> str:
        return formats.day(member.customer.birth_date) if member.customer.birth_date else "–"

    @display(description=_("language"))
    def language(self, member: Membership) -> str:
        return member.customer.language or member.program.language

    @display(description=_("tier"), ordering="standing__tier")
    def tier(self, member: Membership) -> str:
        standing: Standing | None = getattr(member, "standing", None)
        if standing is None or standing.version is None:
            return "–"
        names = {tier.code: tier.name for tier in standing.version.tiers.all()}
        return names.get(standing.tier, "–")

    @display(description=_("joined"), ordering="joined_at")
    def joined(self, member: Membership) -> str:
        return formats.short_day(member.joined_at.astimezone(member.program.zone).date(), year=True)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show tiers that hold now: what has fallen due for those on the page is done first."""
        extra = {"can_move": self._may(request, Permission.MOVE_MEMBERS, None)}
        response = super().changelist_view(request, {**extra, **(extra_context or {})})
        page = (getattr(response, "context_data", None) or {}).get("cl")
        if page is not None:
            page.result_list = self._brought_up_to_date(request, list(page.result_list))
        return response  # type: ignore[no-any-return]

    def _brought_up_to_date(self, request: HttpRequest, shown: list[Membership]) -> list[Membership]:
        due = [member for member in shown if _is_due(member)]
        if not due:
            return shown
        bring_up_to_date(memberships=due)
        fresh = self.get_queryset(request).in_bulk([member.pk for member in due])
        return [fresh.get(member.pk, member) for member in shown]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        member = self.get_object(request, object_id)
        extra = {}
        if isinstance(member, Membership):
            can_give = self._may(request, Permission.GRANT_TIERS, member)
            extra = {"member": member, "standing": _standing_of(member), "can_give_tiers": can_give}
            extra["rewards"] = rewards_of(member)
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def _is_due(member: Membership) -> bool:
    standing: Standing | None = getattr(member, "standing", None)
    return standing is not None and standing.due_at is not None and standing.due_at <= member.program.now()


def _standing_of(member: Membership) -> dict[str, Any] | None:
    """Return where the member stands at their present, in words; None before anything was opened for them."""
    if not Standing.objects.filter(pk=member.pk).exists():
        return None
    bring_up_to_date(memberships=[member])
    view = member_views(memberships=[member])[member.pk]
    program = member.program
    today = view.as_of.astimezone(program.zone).date()
    return {
        "as_of": formats.moment(view.as_of, zone=program.zone),
        "tier": view.tier,
        "given": TierGrant.Kind(view.tier.given).label if view.tier and view.tier.given else "",
        "is_kept_till_told": bool(view.tier and view.tier.until and view.tier.until < today),
        "next": _next_tier(view, program),
        "keep": _missing(view.keeping, view, program),
        "is_kept": _is_kept(view),
        "tiers": _history(member) if view.tier else [],
        "balances": _balances(view, program),
    }


def _is_kept(view: MemberView) -> bool:
    """Whether what keeps the tier beyond its last day is done; of a level by years that is for next year to say."""
    goes_by_months = view.terms.tier_validity == ProgramVersion.TierValidity.MONTHS
    return goes_by_months and bool(view.keeping) and not any(one.missing for one in view.keeping)


def _next_tier(view: MemberView, program: Program) -> dict[str, Any] | None:
    if view.next_tier is None:
        return None
    return {"name": view.next_tier.name, "missing": _missing(view.next_tier.missing, view, program)}


def _missing(asked: Iterable[MissingView], view: MemberView, program: Program) -> list[dict[str, Any]]:
    """Return what is not there yet of what a tier asks for, in words."""
    units, currency = {unit.code: unit for unit in view.units}, program.currency
    return [
        {
            "missing": measures.written(one.measure, one.missing, units=units, currency=currency),
            "have": measures.figure(one.measure, one.have, units=units, currency=currency),
            "need": measures.figure(one.measure, one.need, units=units, currency=currency),
            "by": one.by,
        }
        for one in asked
        if one.missing
    ]


def _history(member: Membership) -> list[dict[str, Any]]:
    """Return the member's tiers with what brought each, the newest first."""
    names = {tier.code: tier.name for terms in schedule_of(member.program).versions for tier in terms.tiers}
    periods = TierPeriod.objects.filter(program=member.program, membership=member).order_by("-posted_at")
    return [
        {
            "tier": names.get(period.tier, period.tier),
            "since": formats.moment(period.since(member.joined_at), zone=member.program.zone),
            "reason": period.get_reason_display(),
        }
        for period in periods[:TIERS_SHOWN]
    ]


def _balances(view: MemberView, program: Program) -> list[dict[str, Any]]:
    units = {unit.code: unit for unit in program.units.all()}
    rows = []
    for code, balance in view.balances.items():
        unit = units[code]
        expiry = balance.next_expiry

        def figure(amount: int, unit: Any = unit) -> str:
            return formats.figure(unit, amount, currency=program.currency)

        rows.append(
            {
                "unit": unit,
                "available": figure(balance.available),
                "pending": figure(balance.pending),
                "held": figure(balance.held),
                "expires": figure(expiry[0]) if expiry else "",
                "expires_at": expiry[1] if expiry else None,
                "is_kept_till_told": bool(expiry and expiry[1] <= view.as_of),
                "owed": formats.units(unit, balance.owed, currency=program.currency) if balance.owed else "",
            }
        )
    return rows
