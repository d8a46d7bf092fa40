"""Calls that come at the same moment are done together: one transaction, one commit, for all of them.

Each caller's thread waits in ``Gatherer.call``. The first becomes the leader and does what has gathered, its own item
among it; what comes meanwhile gathers for the next round, whose leader is the first of those. Nobody waits for a timer:
a lone call is done at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Call(Generic[Item, Result]):
    """One caller: woken with its result, its error, or the lead."""

    item: Item
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    results: list[Result] = field(default_factory=list)
    error: BaseException | None = None


class Gatherer(Generic[Item, Result]):
    """Does items in rounds of at most ``most`` by ``work``, which returns a result for each, in order.

    What ``work`` raises is raised to every caller of the round, so it should return what concerns one item alone.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._has_leader = False

    def call(self, item: Item) -> Result:
        """Return what became of the item; raise what the round it was done in raised."""
        call: _Call[Item, Result] = _Call(item)
        with self._lock:
            self._waiting.append(call)
            call.leads = not self._has_leader
            self._has_leader = True
        if not call.leads:
            call.woken.wait()
        if call.leads:
            self._lead()
        if call.error is not None:
            raise call.error
        return call.results[0]

    def _lead(self) -> None:
        """Do one round, which the caller's own item is part of: it is the oldest that waits."""
        with self._lock:
            taken = [self._waiting.popleft() for _one in range(min(self._most, len(self._waiting)))]
        try:
            results = self._work([call.item for call in taken])
            for call, result in zip(taken, results, strict=True):
                call.results.append(result)
        except BaseException as error:
            for call in taken:
                call.error = error
        finally:
            self._hand_over()
            for call in taken:
                call.leads = False
                call.woken.set()

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._has_leader = False
                return
            following = self._waiting[0]
            following.leads = True
        following.woken.set()
