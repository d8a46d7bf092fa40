"""Secrets and signatures by Standard Webhooks.

A secret is not kept anywhere: it is an HMAC-SHA-256 of a random seed under a key derived from SECRET_KEY. Who reads the
database alone can sign nothing; who changes SECRET_KEY has to renew the secrets, or keep SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook

from loyalty.webhooks.models import Endpoint

PREFIX = "whsec_"
SALT = "loyalty.webhooks.signing"
SEED_SIZE = 32


class NoSecretError(Exception):
    """SECRET_KEY is not the one with which the endpoint's secret was made."""


def new_seed() -> bytes:
    """Return 256 random bits, out of which a secret is made."""
    return secrets.token_bytes(SEED_SIZE)


def secret_of(seed: bytes, *, key: str | bytes | None = None) -> str:
    """Return the secret that belongs to a seed, as receivers keep it: ``whsec_`` and base64 of 32 bytes."""
    made = salted_hmac(SALT, seed, secret=key, algorithm="sha256").digest()
    return PREFIX + base64.b64encode(made).decode()


def mark_of(secret: str) -> str:
    """Return what is kept of a secret to know it by: 64 bits of its fingerprint."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def secrets_of(endpoint: Endpoint, *, at: datetime) -> list[str]:
    """Return the secrets that sign at this moment, the newest first. Raises NoSecretError."""
    found = [_made(endpoint.seed, endpoint.mark)]
    if endpoint.former_seed is not None and endpoint.former_until is not None and endpoint.former_until > at:
        found.append(_made(endpoint.former_seed, endpoint.former_mark))
    return found


def signed_headers(*, endpoint: Endpoint, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """Return the three headers of Standard Webhooks, with one signature for each secret. Raises NoSecretError."""
    signatures = [Webhook(one).sign(message_id, at, body.decode()) for one in secrets_of(endpoint, at=at)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _made(seed: bytes | memoryview, mark: str) -> str:
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        secret = secret_of(bytes(seed), key=key)
        if secrets.compare_digest(mark_of(secret), mark):
            return secret
    raise NoSecretError
