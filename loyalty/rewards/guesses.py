"""Codes cannot be tried out: after some that do not exist a key has to wait."""

from __future__ import annotations

import time

from django.core.cache import cache

from loyalty.api.problems import ThrottledError
from loyalty.rewards.models import PoolCode
from programs import codes
from programs.models import ApiKey

MOST, WINDOW = 20, 600  # Wrong codes of one key, and in how many seconds.


def check(key: ApiKey) -> None:
    """Raise ThrottledError where the key has named too many codes that do not exist."""
    if (cache.get(_name(key)) or 0) >= MOST:
        raise ThrottledError(headers={"Retry-After": str(WINDOW - int(time.time()) % WINDOW)})


def missed(key: ApiKey, code: str) -> None:
    """Count a code that does not exist; one that cannot exist, such as a misread one, is no guess."""
    if codes.normal(code) is None and not _may_be_foreign(key, code):
        return
    name = _name(key)
    cache.add(name, 0, WINDOW)
    try:
        cache.incr(name)
    except ValueError:  # The window closed in between.
        cache.add(name, 1, WINDOW)


def _may_be_foreign(key: ApiKey, code: str) -> bool:
    """Whether it could be a code of a pool, which has no check character of ours."""
    return "\x00" not in code and len(code) <= 64 and PoolCode.objects.filter(program_id=key.program_id).exists()


def _name(key: ApiKey) -> str:
    return f"missed-codes-{key.pk}-{int(time.time()) // WINDOW}"
