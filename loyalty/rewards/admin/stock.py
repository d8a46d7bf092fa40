"""Admin pages of stocks and of pools of codes: how many there were, how many went, and how many are left."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import actor, businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin import ReadOnlyAdmin
from loyalty.rewards import stocks
from loyalty.rewards.models import PoolCode, RewardStock, left_of
from programs.admin.reward_forms import pools
from programs.engine.terms import Reward, Terms
from programs.models import Program

MOST = 1_000_000
STATES = {"free": "success", "held": "warning", "issued": "info"}


def pools_of(program: Program) -> list[str]:
    """Return the names of a program's pools."""
    rows = PoolCode.objects.filter(program=program).order_by()
    return list(rows.values_list("pool", flat=True).distinct())


pools.append(pools_of)


class RestockForm(forms.Form):
    """How many are added, and why; less than 0 takes some away."""

    count = forms.IntegerField(label=_("How many"), min_value=-MOST, max_value=MOST)
    reason = forms.CharField(label=_("Why"), max_length=200)

    def clean_count(self) -> int:
        count: int = self.cleaned_data["count"]
        if count == 0:
            raise forms.ValidationError(_("Say how many are added; less than 0 takes some away."))
        return count


@admin.register(RewardStock)
class RewardStockAdmin(ReadOnlyAdmin):
    """What is left of the rewards that the terms in force have a stock of. Staff add to it, with a reason."""

    view_permission = Permission.SEE_MEMBERS
    list_display = ("name", "reward", "of_terms", "added_shown", "claimed_shown", "left", "program")
    list_display_links = ("name", "reward")
    list_select_related = ("program",)
    list_filter = (("program", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("=reward",)
    search_help_text = _("The code of a reward.")
    change_form_outer_before_template = "admin/rewards/restock.html"
    fields = (("name", "reward"), ("of_terms", "added_shown"), ("claimed_shown", "left"), "program")
    readonly_fields = ("name", "of_terms", "added_shown", "claimed_shown", "left")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show also those of which nothing was given out yet."""
        if self.has_view_permission(request):
            programs = Program.objects.all()
            if not request.user.is_superuser:
                programs = programs.filter(business__in=businesses_of(request, self.view_permission))
            stocks.open_rows(programs)
        response = super().changelist_view(request, extra_context)
        page = (getattr(response, "context_data", None) or {}).get("cl")
        if page is not None:
            page.result_list = list(page.result_list)
            known = stocks.in_force({row.program_id: row.program for row in page.result_list}.values())
            for row in page.result_list:
                row._terms = known[row.program_id]
        return response  # type: ignore[no-any-return]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row._terms = stocks.in_force([row.program])[row.program_id]
        return row

    @display(description=_("name"))
    def name(self, row: RewardStock) -> str:
        reward = _in_force(row)
        return reward.name if reward is not None else row.reward

    @display(description=_("in the terms"))
    def of_terms(self, row: RewardStock) -> Any:
        reward = _in_force(row)
        if reward is None:
            return _("not offered now")
        return _("no end") if reward.stock is None else formats.number(reward.stock)

    @display(description=_("added by staff"), ordering="added")
    def added_shown(self, row: RewardStock) -> str:
        return formats.signed(formats.number(row.added), row.added)

    @display(description=_("given out"), ordering="claimed")
    def claimed_shown(self, row: RewardStock) -> str:
        return formats.number(row.claimed)

    @display(description=_("left"))
    def left(self, row: RewardStock) -> str:
        reward = _in_force(row)
        left = left_of(row, terms=reward.stock) if reward is not None else None
        return "–" if left is None else formats.number(left)

    def get_urls(self) -> list[URLPattern]:
        one = path("<uuid:pk>/restock/", self.admin_site.admin_view(self.restock), name="rewards_rewardstock_restock")
        return [one, *super().get_urls()]

    def restock(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: add so many, and keep why in its history."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self._may(request, Permission.STOCK_REWARDS, row):
            raise PermissionDenied
        form = RestockForm(request.POST)
        if not form.is_valid():
            faults = [str(text) for texts in form.errors.values() for text in texts]
            messages.error(request, _("Nothing was added. %(faults)s") % {"faults": " ".join(faults)})
        else:
            count, reason = form.cleaned_data["count"], form.cleaned_data["reason"]
            stocks.add_stock(program=row.program, reward=row.reward, count=count, by=actor(request))
            said = {"count": formats.signed(formats.number(count), count), "reason": reason}
            self.log_change(request, row, str(_("Stock %(count)s: %(reason)s") % said))
            messages.success(request, _("Stock %(count)s.") % said)
        return redirect("admin:rewards_rewardstock_change", row.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if isinstance(row, RewardStock):
            extra = {
                "stock": row,
                "left": self.left(row),
                "can_restock": self._may(request, Permission.STOCK_REWARDS, row),
            }
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def _in_force(row: RewardStock) -> Reward | None:
    """Return the reward as the terms in force have it."""
    terms: Terms | None = row._terms if hasattr(row, "_terms") else stocks.in_force([row.program])[row.program_id]
    return terms.reward(row.reward) if terms is not None else None


@admin.register(PoolCode)
class PoolCodeAdmin(ReadOnlyAdmin):
    """Codes of pools: which are free, which are set aside, and which voucher each has become."""

    view_permission = Permission.SEE_LEDGER
    list_display = ("code", "pool", "state_shown", "worth", "last_day", "added_on", "program")
    list_select_related = ("program",)
    list_filter = ("state", ("program", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=code", "=pool")
    search_help_text = _("A code, or the name of a pool.")
    list_before_template = "admin/rewards/pools.html"
    fields = (("code", "pool"), ("state", "worth"), ("last_day", "added_on"), "issued_on", "program")
    readonly_fields = ("worth", "last_day", "added_on", "issued_on")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        extra = {"pools": self._counts(request)} if self.has_view_permission(request) else {}
        return super().changelist_view(request, {**extra, **(extra_context or {})})  # type: ignore[no-any-return]

    def _counts(self, request: HttpRequest) -> list[dict[str, Any]]:
        counts = {state: Count("pk", filter=Q(state=state)) for state in PoolCode.State.values}
        rows = self.get_queryset(request).select_related(None).order_by()
        found = rows.values("program__name", "pool").annotate(**counts).order_by("program__name", "pool")
        return [
            {"program": row["program__name"], "pool": row["pool"], "is_empty": row["free"] == 0}
            | {state: formats.number(row[state]) for state in PoolCode.State.values}
            for row in found
        ]

    @display(description=_("state"), ordering="state", label=STATES)
    def state_shown(self, row: PoolCode) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("worth"))
    def worth(self, row: PoolCode) -> Any:
        return (
            _("what the reward says")
            if row.value_minor is None
            else formats.money(row.value_minor, row.program.currency)
        )

    @display(description=_("last day"))
    def last_day(self, row: PoolCode) -> Any:
        return formats.day(row.expires_on) if row.expires_on else _("no end")

    @display(description=_("added"), ordering="added_at")
    def added_on(self, row: PoolCode) -> str:
        return formats.moment(row.added_at, zone=row.program.zone)

    @display(description=_("issued"))
    def issued_on(self, row: PoolCode) -> str:
        return formats.moment(row.issued_at, zone=row.program.zone) if row.issued_at else "–"
