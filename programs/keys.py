"""Till keys: make one, rotate one, revoke one. The secret is shown once and never stored."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction

from accounts.history.models import Change
from accounts.history.recording import described, differences
from accounts.models import User
from programs.journal import OF_KEY, record_key
from programs.models import ApiKey, Program, Store

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

OVERLAP = timedelta(days=7)  # For which a key that was rotated still works beside its successor.
LONGEST_OVERLAP = timedelta(days=90)
STORE_LENGTH = 64

log = structlog.get_logger(__name__)


class UnknownScopeError(ValueError):
    """Scopes were asked for that do not exist; ``scopes`` names them."""

    def __init__(self, scopes: Iterable[str]) -> None:
        self.scopes = tuple(scopes)
        super().__init__(", ".join(self.scopes))


class BadStoreError(ValueError):
    """What is named as a store cannot be a store's code; ``stores`` names them."""

    def __init__(self, stores: Iterable[str]) -> None:
        self.stores = tuple(stores)
        super().__init__(", ".join(self.stores))


class KeyClosedError(Exception):
    """The key opens nothing any more, so nothing can take its place."""


class KeyRotatedError(Exception):
    """The key has a successor that works."""


def digest_of(secret: str) -> str:
    """Return what is stored of a secret: it has 256 random bits, so a plain SHA-256 cannot be reversed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_key(
    *,
    program: Program,
    name: str,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    stores: Iterable[str] = (),
    limit_per_minute: int | None = None,
    expires_at: datetime | None = None,
    replaces: ApiKey | None = None,
    by: User | None,
) -> tuple[ApiKey, str]:
    """Return a new key and its secret, ``loy_`` + 8 characters that name it + ``_`` + 43 that prove it.

    ``stores``: codes of the stores that it may speak for, empty for all; the key's word makes one that is new.
    ``limit_per_minute``: calls, None for what the installation allows each key.
    Raises UnknownScopeError, BadStoreError.
    """
    asked, bound_to = set(scopes), sorted(set(stores))
    if unknown := sorted(asked.difference(SCOPES)):
        raise UnknownScopeError(unknown)
    if bad := [code for code in bound_to if not _can_be_store(code)]:
        raise BadStoreError(bad)
    fresh = [Store(business_id=program.business_id, code=code) for code in bound_to]
    Store.objects.bulk_create(fresh, ignore_conflicts=True)
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(PREFIX_LENGTH))
    secret = f"loy_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        program=program,
        name=name,
        prefix=prefix,
        digest=digest_of(secret),
        scopes=[scope for scope in SCOPES if scope in asked],
        stores=bound_to,
        limit_per_minute=limit_per_minute,
        expires_at=expires_at,
        replaces=replaces,
    )
    record_key(key, action=Change.Action.ADDED, by=by, lines=differences({}, described(key, OF_KEY)))
    log.info("key_created", key=key.prefix, program=program.slug, by=str(by) if by else None)
    return key, secret


@transaction.atomic
def rotate_key(*, key: ApiKey, overlap: timedelta = OVERLAP, by: User | None) -> tuple[ApiKey, str]:
    """Return a successor that may do the same, and its secret; the key itself works on for ``overlap``, then closes.

    A key that was made to expire has a successor that lives as long. Raises KeyClosedError, and KeyRotatedError where
    there is one already: revoke that one first if its secret was lost.
    """
    assert timedelta(0) <= overlap <= LONGEST_OVERLAP, overlap
    now = datetime.now(UTC)
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("program__business").get(pk=key.pk)
    if not old.is_usable:
        raise KeyClosedError
    if old.successors.usable(at=now).exists():
        raise KeyRotatedError
    successor, secret = create_key(
        program=old.program,
        name=old.name,
        scopes=old.scopes,
        stores=old.stores,
        limit_per_minute=old.limit_per_minute,
        expires_at=None if old.expires_at is None else now + (old.expires_at - old.created_at),
        replaces=old,
        by=by,
    )
    closes_at = now + overlap
    key.expires_at = old.expires_at = closes_at if old.expires_at is None else min(old.expires_at, closes_at)
    old.save(update_fields=["expires_at"])
    log.info("key_rotated", key=old.prefix, successor=successor.prefix, by=str(by) if by else None)
    return successor, secret


def _can_be_store(code: str) -> bool:
    return 0 < len(code) <= STORE_LENGTH and code.isprintable()


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
