"""What became of each purchase so far, counted by several connections at once."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock

from loyalty.replaying.reading import Refusal

FINAL = ("accrued", "failed", "refused")
STATUSES = ("accrued", "failed", "refused", "waiting", "recorded", "unposted")


class Tally:
    """Counts of purchases, and the names of those that were refused."""

    def __init__(self, *, total: int, refusals: list[Refusal]) -> None:
        self.total = total + len(refusals)
        self.posted = len(refusals)
        self.settled = Counter({"refused": len(refusals)})
        self.refusals = list(refusals)
        self.moved_at = time.monotonic()
        self._lock = Lock()

    def post(self, count: int) -> None:
        """Note purchases that the server has."""
        with self._lock:
            self.posted += count
            self.moved_at = time.monotonic()

    def settle(self, status: str, refusal: Refusal | None = None) -> None:
        """Note the last status of one purchase."""
        with self._lock:
            self.settled[status] += 1
            self.moved_at = time.monotonic()
            if refusal:
                self.refusals.append(refusal)

    @property
    def done(self) -> int:
        """How many will not change any more."""
        return self.settled.total()

    @property
    def idle(self) -> float:
        """Seconds since anything last moved."""
        return time.monotonic() - self.moved_at

    @property
    def is_clean(self) -> bool:
        """Whether everything was accrued or refused for its own content."""
        left = self.total - self.done
        return not left and not self.settled["failed"] and all(refusal.is_its_own for refusal in self.refusals)

    def counts(self) -> list[tuple[str, int]]:
        """Return the count of each status; accrued, failed and refused even where they are zero."""
        counts = Counter(self.settled)
        counts["recorded"] += self.posted - self.done
        counts["unposted"] = self.total - self.posted
        return [(status, counts[status]) for status in STATUSES if counts[status] or status in FINAL]
