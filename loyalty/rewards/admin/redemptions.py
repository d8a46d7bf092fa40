"""Admin pages of redemptions: what members chose, where its units came from, and what it paid for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import actor, display
from accounts.roles import Permission
from loyalty.api.problems import ProblemError
from loyalty.rewards.actions import release
from loyalty.rewards.admin import pages
from loyalty.rewards.answers import redemption_reason
from loyalty.rewards.models import Redemption

CHIPS = {"reserved": "warning", "captured": "success", "released": "info", "returned": "info"}


class ReleaseForm(forms.Form):
    """Why a redemption is given free."""

    reason = forms.CharField(label=_("Why"), max_length=200)


@admin.register(Redemption)
class RedemptionAdmin(pages.WorthAdmin):
    """Rewards that members chose. Nobody edits them; what is only set aside can be given free, with a reason."""

    list_display = ("what", "code_shown", "state", "member", "paid", "worth", "asked_at", "program")
    list_display_links = ("what", "code_shown")
    list_filter = ("status", pages.RewardFilter, ("program", admin.RelatedOnlyFieldListFilter))
    change_form_outer_before_template = "admin/rewards/redemption.html"
    fields = (
        ("what", "code_shown"),
        ("member", "status"),
        ("paid", "worth"),
        ("quantity", "basket"),
        ("asked_at", "until"),
        ("settled", "written"),
        "program",
    )
    readonly_fields = (
        *("what", "code_shown", "member", "paid", "worth", "basket"),
        *("asked_at", "until", "settled", "written"),
    )

    @display(description=_("reward"), ordering="name")
    def what(self, row: Redemption) -> str:
        return row.name

    @display(description=_("status"), ordering="status", label=CHIPS)
    def state(self, row: Redemption) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("basket"))
    def basket(self, row: Redemption) -> str:
        return "–" if row.basket_total is None else formats.money(row.basket_total, row.program.currency)

    @display(description=_("asked for"), ordering="created_at")
    def asked_at(self, row: Redemption) -> str:
        return pages.moment(row, row.created_at)

    @display(description=_("set aside until"))
    def until(self, row: Redemption) -> str:
        return pages.moment(row, row.expires_at)

    @display(description=_("settled"))
    def settled(self, row: Redemption) -> str:
        return pages.moment(row, row.settled_at)

    @display(description=_("written"))
    def written(self, row: Redemption) -> str:
        return pages.moment(row, row.posted_at)

    def get_urls(self) -> list[URLPattern]:
        one = path(
            "<uuid:pk>/release/", self.admin_site.admin_view(self.release_one), name="rewards_redemption_release"
        )
        return [one, *super().get_urls()]

    def release_one(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: give free what is set aside, and keep why in its history."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self._may(request, Permission.RELEASE_REWARDS, row):
            raise PermissionDenied
        form = ReleaseForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Nothing was given free: say why."))
        else:
            self._release(request, row, form.cleaned_data["reason"])
        return redirect("admin:rewards_redemption_change", row.pk)

    def _release(self, request: HttpRequest, row: Redemption, reason: str) -> None:
        row.membership.program = row.program
        was_open = row.status == Redemption.Status.RESERVED
        try:
            release(redemption=row, by=actor(request))
        except ProblemError as error:
            messages.error(request, str(error.detail))
            return
        if not was_open:
            messages.info(request, _("It was given free before."))
            return
        self.log_change(request, row, str(_("Given free: %(reason)s") % {"reason": reason}))
        messages.success(request, _("Given free; the member has the units again."))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if isinstance(row, Redemption):
            extra = {
                "redemption": row,
                "told": redemption_reason(row),
                "lots": pages.lots_of(row),
                "moves": pages.moves_of(row),
                "vouchers": list(row.vouchers.all()),
                "activity": pages.activity_address(row.activity_id),
                "can_release": row.status == Redemption.Status.RESERVED
                and self._may(request, Permission.RELEASE_REWARDS, row),
            }
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )
