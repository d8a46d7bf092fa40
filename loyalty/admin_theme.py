"""How the admin looks and what its side bar offers; the theme reads this as its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# The tokens of the staff side, as the theme's two scales: greys, and the accent in light (600) and in dark (500).
BASE = {
    "50": "#f6f7f5",
    "100": "#f0f2ef",
    "200": "#e0e4e0",
    "300": "#b3bfbc",
    "400": "#93a19d",
    "500": "#5f6b67",
    "600": "#47534f",
    "700": "#384447",
    "800": "#283235",
    "900": "#161d1f",
    "950": "#0e1314",
}
PRIMARY = {
    "50": "#f1f8f6",
    "100": "#e2f1ee",
    "200": "#c2e2dc",
    "300": "#8ecabf",
    "400": "#6fdccd",
    "500": "#4cc9b9",
    "600": "#0b6b64",
    "700": "#0a5e58",
    "800": "#0a4c48",
    "900": "#123230",
    "950": "#06201d",
}


def _page(label: str) -> Any:
    """Return the admin's page about a model; settings are read before there are any."""
    from django.apps import apps  # noqa: PLC0415 -- see above
    from django.contrib import admin  # noqa: PLC0415 -- see above

    return admin.site.get_model_admin(apps.get_model(label))


def _sees(label: str) -> Callable[[HttpRequest], bool]:
    """Return the question whether the person may see rows of this model."""
    return lambda request: bool(_page(label).has_view_permission(request))


def _item(title: Any, icon: str, label: str, **extra: Any) -> dict[str, Any]:
    address = reverse_lazy(f"admin:{label.lower().replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": address, "permission": _sees(label), **extra}


def failed_count(request: HttpRequest) -> str:
    """Return how many receipts wait on the shelf, for the badge beside the activity; nothing where none do."""
    page = _page("purchases.Activity")
    if not page.has_view_permission(request):
        return ""
    waiting = page.get_queryset(request).filter(status="failed").count()
    return str(waiting) if waiting else ""


SHELF_BADGE = {"badge": "loyalty.admin_theme.failed_count", "badge_variant": "danger"}

NAVIGATION: list[dict[str, Any]] = [
    {
        "items": [
            {"title": _("Overview"), "icon": "home", "link": reverse_lazy("admin:index")},
        ],
    },
    {
        "title": _("Customers"),
        "separator": True,
        "items": [
            _item(_("Members"), "group", "programs.Membership"),
            _item(_("Activity"), "receipt_long", "purchases.Activity", **SHELF_BADGE),
            _item(_("Redemptions"), "redeem", "rewards.Redemption"),
            _item(_("Vouchers"), "confirmation_number", "rewards.Voucher"),
            _item(_("Ledger"), "account_balance", "ledger.Transaction"),
            _item(_("Lots"), "layers", "ledger.Lot"),
            _item(_("Given tiers"), "workspace_premium", "ledger.TierGrant"),
            _item(_("Notices"), "notifications", "ledger.Notice"),
            _item(_("Moving in"), "move_to_inbox", "moving.Moving"),
        ],
    },
    {
        "title": _("Promises"),
        "separator": True,
        "items": [
            _item(_("Programs"), "loyalty", "programs.Program"),
            _item(_("Versions of the terms"), "history_edu", "programs.ProgramVersion"),
            _item(_("Back-tests"), "history", "rehearsals.BackTest"),
            _item(_("Corrections"), "published_with_changes", "rehearsals.Correction"),
            _item(_("Tiers"), "social_leaderboard", "programs.Tier"),
            _item(_("Earning rules"), "rule", "programs.Rule"),
            _item(_("Rewards"), "featured_seasonal_and_gifts", "programs.Reward"),
            _item(_("Stocks of rewards"), "inventory_2", "rewards.RewardStock"),
            _item(_("Pools of codes"), "qr_code_2", "rewards.PoolCode"),
            _item(_("Segments"), "groups", "programs.Segment"),
        ],
    },
    {
        "title": _("Business"),
        "separator": True,
        "items": [
            _item(_("Businesses"), "storefront", "accounts.Business"),
            _item(_("Stores"), "store", "programs.Store"),
            _item(_("Till keys"), "key", "programs.ApiKey"),
            _item(_("Webhooks"), "webhook", "webhooks.Endpoint"),
            _item(_("Deliveries"), "outbox", "webhooks.Delivery"),
            _item(_("Staff"), "badge", "accounts.StaffRole"),
            _item(_("Sign-ins"), "person", "accounts.User"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Loyalty"),
    "SITE_HEADER": _("Loyalty"),
    "SITE_SYMBOL": "loyalty",
    "SITE_URL": "/staff/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": BASE,
        "primary": PRIMARY,
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-600)",
            "default-dark": "var(--color-base-300)",
            "important-light": "#16201f",
            "important-dark": "#e8eeec",
        },
    },
    "STYLES": [lambda _request: static("css/admin.css")],
    "DASHBOARD_CALLBACK": "programs.admin.home.overview",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
