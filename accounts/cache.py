"""The cache that sign-in limits count in: shared by all processes, and never the reason that nobody can sign in."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

AWAY = (RedisError, OSError)


class SteadyCache(RedisCache):
    """Redis, and while it is away the memory of this process: limits then count in each process by itself."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._stand_in = LocMemCache("steady", {"KEY_PREFIX": params.get("KEY_PREFIX", "")})

    def add(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().add(*args, **kwargs))
        except AWAY:
            return bool(self._stand_in.add(*args, **kwargs))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get(*args, **kwargs)
        except AWAY:
            return self._stand_in.get(*args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(*args, **kwargs)
        except AWAY:
            self._stand_in.set(*args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> int:
        try:
            return int(super().incr(*args, **kwargs))
        except AWAY:
            return int(self._stand_in.incr(*args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().delete(*args, **kwargs))
        except AWAY:
            return bool(self._stand_in.delete(*args, **kwargs))
