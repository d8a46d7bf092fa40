"""Till keys: make one, revoke one. The secret is shown once and never stored."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog
from django.db import transaction

from accounts.history.models import Change
from accounts.history.recording import described, differences
from accounts.models import User
from programs.journal import OF_KEY, record_key
from programs.models import ApiKey, Program

SCOPES = (
    "members:read",
    "members:write",
    "purchases:read",
    "purchases:write",
    "refunds:write",
    "events:write",
    "quotes",
    "rewards:read",
    "redemptions:write",
    "vouchers:write",
    "sandbox",
    "insights:read",
)
DEFAULT_SCOPES = SCOPES[:-1]

PREFIX_LENGTH = 8
PREFIX_ALPHABET = string.ascii_lowercase + string.digits

log = structlog.get_logger(__name__)


class UnknownScopeError(ValueError):
    """Scopes were asked for that do not exist; ``scopes`` names them."""

    def __init__(self, scopes: Iterable[str]) -> None:
        self.scopes = tuple(scopes)
        super().__init__(", ".join(self.scopes))


def digest_of(secret: str) -> str:
    """Return what is stored of a secret: it has 256 random bits, so a plain SHA-256 cannot be reversed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_key(
    *,
    program: Program,
    name: str,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    expires_at: datetime | None = None,
    by: User | None,
) -> tuple[ApiKey, str]:
    """Return a new key and its secret, ``loy_`` + 8 characters that name it + ``_`` + 43 that prove it."""
    asked = set(scopes)
    if unknown := sorted(asked.difference(SCOPES)):
        raise UnknownScopeError(unknown)
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(PREFIX_LENGTH))
    secret = f"loy_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        program=program,
        name=name,
        prefix=prefix,
        digest=digest_of(secret),
        scopes=[scope for scope in SCOPES if scope in asked],
        expires_at=expires_at,
    )
    record_key(key, action=Change.Action.ADDED, by=by, lines=differences({}, described(key, OF_KEY)))
    log.info("key_created", key=key.prefix, program=program.slug, by=str(by) if by else None)
    return key, secret


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User | None) -> bool:
    """Close the key from now on; return whether it was open. Its past use stays known."""
    now = datetime.now(UTC)
    closed = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)
    if closed:
        key.revoked_at = now
        record_key(key, action=Change.Action.REVOKED, by=by)
        log.info("key_revoked", key=key.prefix, by=str(by) if by else None)
    return bool(closed)
