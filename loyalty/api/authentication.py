"""Who calls: a till key in the Authorization header, and what it may do."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from loyalty.api.problems import KeyMissingError, KeyUnknownError, ScopeMissingError
from programs.models import ApiKey

USE_IS_NOTED_EVERY = timedelta(minutes=1)


class KeyAuthentication(BaseAuthentication):
    """Set ``request.auth`` to the key, its program and business loaded; there is no user."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        secret = _bearer(request.META.get("HTTP_AUTHORIZATION", ""))
        now = datetime.now(UTC)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        keys = ApiKey.objects.usable(at=now).select_related("program__business")
        key = keys.filter(digest=digest).first()
        if key is None:
            raise KeyUnknownError
        _note_use(key, now=now)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _bearer(header: str) -> str:
    scheme, _space, secret = header.partition(" ")
    if not header:
        raise KeyMissingError
    if scheme.lower() != "bearer" or not secret.strip():
        raise KeyUnknownError
    return secret.strip()


def _note_use(key: ApiKey, *, now: datetime) -> None:
    stale = now - USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale)
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now)


class HasScope(BasePermission):
    """The key has the scope that the view's ``scopes`` asks for this method; a method without one is nobody's."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            raise KeyMissingError
        method = "GET" if request.method == "HEAD" else request.method
        scopes: dict[str, str] = getattr(view, "scopes", {})
        if method not in scopes:
            return request.method not in view.allowed_methods  # Answered with 405.
        if scopes[method] not in request.auth.scopes:
            raise ScopeMissingError
        return True
