"""Addresses of the API, its description and its problems."""

from django.urls import URLPattern, URLResolver, path, re_path, register_converter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from loyalty.api.endpoints import AnythingConverter, UnknownAddress
from loyalty.api.pages import problem_page, problems_page
from loyalty.purchases.api import Purchase, PurchaseBatch, Purchases, Refund, Refunds
from loyalty.purchases.events_api import Event, Events
from loyalty.purchases.members_api import Entries, Member, Members
from loyalty.purchases.program_api import Backfill, SandboxClock
from loyalty.purchases.quotes_api import Quotes
from loyalty.purchases.receipts_api import ReceiptClaim
from loyalty.purchases.tiers_api import Tiers
from loyalty.rewards.api import (
    Redemption,
    RedemptionCapture,
    RedemptionRelease,
    Redemptions,
    Rewards,
    Voucher,
    VoucherRedeem,
    Vouchers,
)

register_converter(AnythingConverter, "anything")

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/members/", Members.as_view(), name="api-members"),
    path("v1/members/<anything:member>/entries/", Entries.as_view(), name="api-entries"),
    path("v1/members/<anything:member>/tiers/", Tiers.as_view(), name="api-tiers"),
    path("v1/members/<anything:member>/rewards/", Rewards.as_view(), name="api-rewards"),
    path("v1/members/<anything:member>/vouchers/", Vouchers.as_view(), name="api-member-vouchers"),
    path("v1/members/<anything:member>/", Member.as_view(), name="api-member"),
    path("v1/purchases/", Purchases.as_view(), name="api-purchases"),
    path("v1/purchases/batch/", PurchaseBatch.as_view(), name="api-purchases-batch"),
    path("v1/purchases/<anything:external_id>/", Purchase.as_view(), name="api-purchase"),
    path("v1/refunds/", Refunds.as_view(), name="api-refunds"),
    path("v1/refunds/<anything:external_id>/", Refund.as_view(), name="api-refund"),
    path("v1/events/", Events.as_view(), name="api-events"),
    path("v1/events/<anything:external_id>/", Event.as_view(), name="api-event"),
    path("v1/quotes/", Quotes.as_view(), name="api-quotes"),
    path("v1/redemptions/", Redemptions.as_view(), name="api-redemptions"),
    path("v1/redemptions/<anything:redemption>/capture/", RedemptionCapture.as_view(), name="api-redemption-capture"),
    path("v1/redemptions/<anything:redemption>/release/", RedemptionRelease.as_view(), name="api-redemption-release"),
    path("v1/redemptions/<anything:redemption>/", Redemption.as_view(), name="api-redemption"),
    path("v1/vouchers/<anything:code>/redeem/", VoucherRedeem.as_view(), name="api-voucher-redeem"),
    path("v1/vouchers/<anything:code>/", Voucher.as_view(), name="api-voucher"),
    path("v1/receipts/<anything:code>/claim/", ReceiptClaim.as_view(), name="api-receipt-claim"),
    path("v1/sandbox/clock/", SandboxClock.as_view(), name="api-sandbox-clock"),
    path("v1/backfill/", Backfill.as_view(), name="api-backfill"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("problems/", problems_page, name="api-problems"),
    path("problems/<slug:code>/", problem_page, name="api-problem"),
    re_path(r"^v1/", UnknownAddress.as_view(), name="api-unknown"),
]
