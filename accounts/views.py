"""Pages that belong to no program: a business's colours, and the mails of the embedded default."""

from __future__ import annotations

import ipaddress
from datetime import UTC

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import condition, require_safe

from accounts.brand import fingerprint
from accounts.colour import stylesheet
from accounts.mailbox import latest
from accounts.models import Business

YEAR = 365 * 24 * 3600


def _brand_etag(request: HttpRequest, slug: str) -> str | None:
    business = Business.objects.filter(slug=slug).only("brand").first()
    return f'"{fingerprint(business.brand)}"' if business else None


@require_safe
@condition(etag_func=_brand_etag)
def brand(request: HttpRequest, slug: str) -> HttpResponse:
    """A business's colours; the address carries their fingerprint, so they can be kept for a year."""
    business = get_object_or_404(Business, slug=slug)
    response = HttpResponse(stylesheet(business.brand), content_type="text/css; charset=utf-8")
    if request.GET.get("v") == fingerprint(business.brand):
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, public=True, max_age=60)
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The picture that browsers ask for by this name where a page names none."""
    return redirect(static("img/favicon.png"))


@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """The mails that were not sent, for whoever sits at this machine; elsewhere there is no such page."""
    if not settings.SHOWS_MAIL or not _is_from_this_machine(request):
        raise Http404
    return render(request, "dev/mail.html", {"mails": latest(settings.MAIL_DIR), "zone": UTC})


def _is_from_this_machine(request: HttpRequest) -> bool:
    if request.headers.get("X-Forwarded-For"):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
