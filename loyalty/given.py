"""What the environment gives as text, read into what the settings need, or refused with the cure."""

from __future__ import annotations

import warnings
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

HIGHEST_PORT = 65_535
HIGHEST_LIMIT = 10_000_000
BROKERS = ("redis", "rediss")


def port(text: str) -> int:
    """Return the port. Raises ImproperlyConfigured."""
    if text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT:
        return int(text)
    raise ImproperlyConfigured(f"PORT is “{text}”. Set it to a number from 1 to {HIGHEST_PORT}: PORT=8000")


def limit(text: str) -> int:
    """Return how many calls a minute one key may make. Raises ImproperlyConfigured."""
    if text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_LIMIT:
        return int(text)
    cure = f"Set it to a number from 1 to {HIGHEST_LIMIT}: API_LIMIT_PER_MINUTE=6000"
    raise ImproperlyConfigured(f"API_LIMIT_PER_MINUTE is “{text}”. {cure}")


def database(url: str) -> dict[str, Any]:
    """Return Django's settings of the database. Raises ImproperlyConfigured without the address and its password."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The library's warning shows the password.
        config: dict[str, Any] = Env.db_url_config(url)
    if config.get("ENGINE"):
        return config
    cure = "DATABASE_URL=postgres://user:password@db.example.com:5432/loyalty"
    raise ImproperlyConfigured(f"DATABASE_URL is not the address of a database. Set it like this: {cure}")


def broker(url: str) -> str:
    """Return the address of Redis or Valkey, empty if none is given. Raises ImproperlyConfigured."""
    address = urlsplit(url)
    if not url or (address.scheme in BROKERS and address.hostname):
        return url
    cure = "REDIS_URL=redis://redis.example.com:6379/0"
    raise ImproperlyConfigured(f"REDIS_URL is not the address of a Redis or Valkey server. Set it like this: {cure}")


def mail(url: str) -> dict[str, Any]:
    """Return Django's settings of the mail server. Raises ImproperlyConfigured."""
    try:
        config: dict[str, Any] = Env.email_url_config(url)
    except (ImproperlyConfigured, ValueError):
        cure = "EMAIL_URL=smtp+tls://user:password@mail.example.com:587"
        raise ImproperlyConfigured(f"EMAIL_URL is not the address of a mail server. Set it like this: {cure}") from None
    return config
