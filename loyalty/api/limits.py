"""How often a key may call: counted in Redis, exactly, for all processes together, in one round trip.

A window begins with a key's first call and ends a minute later. While Redis is away each process counts by itself: the
API never fails for want of a counter.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from loyalty.api.problems import ThrottledError
from programs.models import ApiKey

WINDOW = 60  # Seconds.
AWAY_FOR = 5.0  # Seconds for which Redis is not asked again after it failed to answer.
TIMEOUT = 1.0
MOST_STANDING_IN = 10_000  # Keys that one process remembers while Redis is away.

COUNT = """
local used = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {used, left}
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still do: ``limit`` calls in a window, ``used`` of them with this one; it ends in ``left`` s."""

    limit: int
    used: int
    left: float

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of the IETF's draft "RateLimit header fields for HTTP"."""
        remaining = max(0, self.limit - self.used)
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w={WINDOW}',
            "RateLimit": f'"default";r={remaining};t={self.seconds}',
        }

    @property
    def seconds(self) -> int:
        """Whole seconds until the window ends, rounded up."""
        return max(1, math.ceil(self.left))

    def check(self) -> None:
        """Raise ThrottledError where this call is one too many."""
        if self.used > self.limit:
            raise ThrottledError(headers={"Retry-After": str(self.seconds)})


def spend(key: ApiKey) -> Allowance:
    """Count one call of the key and return what is left of its window."""
    used, left = _counter().spend(key.pk)
    return Allowance(limit=key.limit_per_minute or settings.API_LIMIT_PER_MINUTE, used=used, left=left)


class Counter:
    """Counts the calls of each key in its window."""

    def __init__(self, redis: Redis) -> None:
        self._count: Script = redis.register_script(COUNT)
        self._stand_in = StandIn()
        self._ask_again_at = 0.0

    def spend(self, key: UUID) -> tuple[int, float]:
        """Return how many calls there were in the window, with this one, and in how many seconds it ends."""
        if time.monotonic() >= self._ask_again_at:
            try:
                used, left = self._count(keys=[f"loyalty:calls:{key.hex}"], args=[WINDOW * 1000])
            except (RedisError, OSError) as error:
                self._ask_again_at = time.monotonic() + AWAY_FOR
                log.warning("calls_counted_by_this_process", error=str(error))
            else:
                return int(used), int(left) / 1000
        return self._stand_in.spend(key, now=time.monotonic())


class StandIn:
    """Counts in the memory of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[UUID, tuple[int, float]] = {}

    def spend(self, key: UUID, *, now: float) -> tuple[int, float]:
        """Return how many calls there were in the window, with this one, and in how many seconds it ends."""
        with self._lock:
            used, ends_at = self._windows.get(key, (0, 0.0))
            if ends_at <= now:
                used, ends_at = 0, now + WINDOW
            if used == 0 and len(self._windows) >= MOST_STANDING_IN:
                self._windows = {pk: window for pk, window in self._windows.items() if window[1] > now}
            self._windows[key] = (used + 1, ends_at)
            return used + 1, ends_at - now


@cache
def _counter() -> Counter:
    # One retry: a connection that outlived a restart of the server is no reason to count apart.
    redis = Redis.from_url(
        str(settings.CACHES["default"]["LOCATION"]),
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),
    )
    return Counter(redis)
