"""What a caller prefers: to wait for the outcome (RFC 7240), and a language."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

LONGEST_WAIT = 10  # Seconds.
MOST_WAITERS = 12  # In one process, fewer than its threads; whoever comes beyond them is answered at once.
FIRST_PAUSE, LONGEST_PAUSE = 0.015, 0.05

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,6})\"?(?:$|[,;\s])", re.IGNORECASE)
_places = threading.BoundedSemaphore(MOST_WAITERS)


def wait_asked(header: str) -> int | None:
    """Return how many seconds ``Prefer: wait=N`` asks for, at most 10; None without it."""
    found = _WAIT.search(header)
    return min(int(found[1]), LONGEST_WAIT) if found else None


def wait_until(is_settled: Callable[[], bool], *, seconds: float) -> bool:
    """Ask again until it is settled or the time is up, and return whether it is; call outside any transaction."""
    if is_settled():
        return True
    if not _places.acquire(blocking=False):
        return False
    try:
        return _poll(is_settled, deadline=time.monotonic() + seconds)
    finally:
        _places.release()


def _poll(is_settled: Callable[[], bool], *, deadline: float) -> bool:
    pause = FIRST_PAUSE
    while time.monotonic() < deadline:
        _lend_connection()
        time.sleep(pause)
        if is_settled():
            return True
        pause = min(pause * 1.2, LONGEST_PAUSE)
    return False


def _lend_connection() -> None:
    """Give a pooled connection back while this thread sleeps, so that waiters do not empty the pool."""
    if "pool" in connection.settings_dict["OPTIONS"] and not connection.in_atomic_block:
        connection.close()


def language_for(accept_language: str, *fallbacks: str) -> str:
    """Return the first language we speak: of Accept-Language, then of the fallbacks in their order."""
    asked = [language for language, _quality in parse_accept_lang_header(accept_language.lower())]
    for language in (*asked, *fallbacks):
        try:
            return get_supported_language_variant(language)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
