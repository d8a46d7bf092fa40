"""Whether the house is alive and ready, for supervisors, load balancers and monitoring."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from loyalty.purchases.models import Activity


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process lives; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Tell the state of each part; 503 if one is down.

    ``backlog`` is how many activities are recorded, due and not yet accrued; null if the database does not answer.
    """
    waiting = backlog()
    parts = {"database": "down" if waiting is None else "ok", "broker": "ok" if broker_answers() else "down"}
    is_ready = set(parts.values()) == {"ok"}
    return JsonResponse({**parts, "backlog": waiting}, status=200 if is_ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the figures an operator watches, as Prometheus reads them: from this machine, or with METRICS_TOKEN."""
    if not may_read_metrics(request):
        return HttpResponseForbidden("metrics are read from this machine or with METRICS_TOKEN\n", "text/plain")
    waiting = backlog()
    figures = {
        "loyalty_database_up": ("1 if the database answers.", int(waiting is not None)),
        "loyalty_broker_up": ("1 if the broker answers.", int(broker_answers())),
    }
    if waiting is not None:
        figures["loyalty_backlog"] = ("Activities recorded and due, not yet accrued.", waiting)
        figures["loyalty_failed"] = ("Activities set aside for staff.", Activity.objects.failed().count())
    lines = [
        f"# HELP {name} {meaning}\n# TYPE {name} gauge\n{name} {value}\n" for name, (meaning, value) in figures.items()
    ]
    return HttpResponse("".join(lines), content_type="text/plain; version=0.0.4")


def backlog() -> int | None:
    """Return how many activities wait to be accrued; None if the database does not answer."""
    try:
        return Activity.objects.awaiting_accrual(at=datetime.now(UTC)).count()
    except DatabaseError:
        connection.close()  # A broken connection must not be what the next request gets.
        return None


def broker_answers() -> bool:
    """Return whether the broker answers within two seconds."""
    url = settings.REDIS_URL or f"unix://{settings.VALKEY_SOCKET}?db=0"
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def may_read_metrics(request: HttpRequest) -> bool:
    """Return whether the request has the token, or comes from this machine and not through a proxy on it."""
    token = settings.METRICS_TOKEN
    if token and constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        return True
    address = request.META.get("REMOTE_ADDR", "")
    return "X-Forwarded-For" not in request.headers and address != "" and ipaddress.ip_address(address).is_loopback
