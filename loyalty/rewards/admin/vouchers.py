"""Admin pages of vouchers: what brought each, and what became of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import display
from loyalty.ledger.queries import present_of
from loyalty.rewards.admin import pages
from loyalty.rewards.answers import EXPIRED, voucher_status
from loyalty.rewards.models import Voucher

CHIPS = {"issued": "success", "redeemed": "info", "withdrawn": "danger", EXPIRED: "warning"}


def status_words(row: Voucher) -> tuple[str, Any]:
    """Return where a voucher stands at its member's present (with the standing), as a code and in words."""
    standing = row.membership.standing
    status = voucher_status(row, now=present_of(program=row.program, standing=standing, now=row.program.now()))
    return status, _("Expired") if status == EXPIRED else row.get_status_display()


@admin.register(Voucher)
class VoucherAdmin(pages.WorthAdmin):
    """Codes that are good for a reward once. Only tills use them, and only returns withdraw them."""

    code_field = "lookup"
    list_display = ("what", "code_shown", "state", "member", "worth", "issued_on", "ends", "program")
    list_display_links = ("what", "code_shown")
    list_filter = ("status", "reason", pages.RewardFilter, ("program", admin.RelatedOnlyFieldListFilter))
    change_form_outer_before_template = "admin/rewards/voucher.html"
    fields = (
        ("what", "code_shown"),
        ("member", "stands"),
        ("worth", "paid"),
        ("issued_on", "ends"),
        ("reason", "used_on"),
        "program",
    )
    readonly_fields = ("what", "code_shown", "member", "stands", "worth", "paid", "issued_on", "ends", "used_on")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("membership__standing")

    @display(description=_("reward"), ordering="name")
    def what(self, row: Voucher) -> str:
        return row.name

    @display(description=_("status"), label=CHIPS)
    def state(self, row: Voucher) -> tuple[str, Any]:
        return status_words(row)

    @display(description=_("status"))
    def stands(self, row: Voucher) -> Any:
        return status_words(row)[1]

    @display(description=_("issued"), ordering="issued_at")
    def issued_on(self, row: Voucher) -> str:
        return pages.moment(row, row.issued_at)

    @display(description=_("expires"), ordering="expires_at")
    def ends(self, row: Voucher) -> Any:
        return pages.moment(row, row.expires_at) if row.expires_at else _("no end")

    @display(description=_("used"))
    def used_on(self, row: Voucher) -> str:
        return pages.moment(row, row.redeemed_at)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra = _story(row) if isinstance(row, Voucher) else {}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def _story(row: Voucher) -> dict[str, Any]:
    """Return what brought a voucher and what became of it, step by step."""
    steps = [{"what": _brought(row), "when": pages.moment(row, row.issued_at), "address": _brought_by(row)}]
    if row.status == Voucher.Status.REDEEMED:
        search = reverse("admin:purchases_activity_changelist") + "?" + urlencode({"q": row.redemption_ref})
        steps.append(
            {
                "what": _("Used for %(ref)s.") % {"ref": row.redemption_ref or "–"},
                "when": pages.moment(row, row.redeemed_at),
                "address": search if row.redemption_ref else "",
            }
        )
    if row.status == Voucher.Status.WITHDRAWN:
        steps.append(
            {
                "what": _("Withdrawn: a return left too few units, so those of this voucher came back first."),
                "when": "",
                "address": pages.activity_address(row.withdrawn_by),
            }
        )
    if status_words(row)[0] == EXPIRED:
        steps.append({"what": _("Expired unused."), "when": pages.moment(row, row.expires_at), "address": ""})
    return {
        "voucher": row,
        "stands": status_words(row)[1],
        "steps": steps,
        "lots": pages.lots_of(row),
        "moves": pages.moves_of(row),
    }


def _brought(row: Voucher) -> Any:
    if row.reason == Voucher.Reason.CONVERTED:
        return _("%(units)s turned into it.") % {"units": pages.units_of(row)}
    return _("The member chose it, and it was handed out from a pool.")


def _brought_by(row: Voucher) -> str:
    if row.redemption_id is not None:
        return reverse("admin:rewards_redemption_change", args=[row.redemption_id])
    return pages.activity_address(row.activity_id)
