"""Codes cannot be tried out: after some that do not exist a key has to wait."""

from __future__ import annotations

from django.core.cache import cache

from loyalty.api.problems import ThrottledError
from programs.models import ApiKey

MOST, WINDOW = 20, 600  # Wrong codes of one key, and in how many seconds.


def check(key: ApiKey) -> None:
    """Raise ThrottledError where the key has named too many codes that do not exist."""
    if (cache.get(_name(key)) or 0) >= MOST:
        raise ThrottledError(headers={"Retry-After": str(WINDOW)})


def missed(key: ApiKey) -> None:
    """Count a code that does not exist."""
    name = _name(key)
    cache.add(name, 0, WINDOW)
    try:
        cache.incr(name)
    except ValueError:  # The window closed in between.
        cache.add(name, 1, WINDOW)


def _name(key: ApiKey) -> str:
    return f"missed-codes-{key.pk}"
