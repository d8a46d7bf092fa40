"""One connection and the purchases it loads, each member's in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loyalty.replaying.client import BROKEN_CODE, Answer, Client, pauses
from loyalty.replaying.reading import Purchase, Refusal
from loyalty.replaying.tally import Tally

BATCH_PURCHASES = 200
BATCH_LINES = 4_000
PROBES = 20
# What the server refuses because of what it already holds, or because it is at fault; the rest is the file's content.
NOT_ITS_OWN = frozenset(
    {
        "external-id-reuse",
        "idempotency-in-flight",
        "member-blocked",
        "member-closed",
        "member-conflict",
        "method-not-allowed",
        "no-terms",
        "not-found",
        "server-error",
        "unavailable",
        "unknown-member",
    }
)
ASKS_EVERY = 2.0  # Seconds, while there is still something to post.
OK = 200

Result = dict[str, Any]


def batches(purchases: Sequence[Purchase]) -> Iterator[list[Purchase]]:
    """Cut purchases, in order, into what one request may carry."""
    batch: list[Purchase] = []
    lines = 0
    for purchase in purchases:
        if batch and (len(batch) == BATCH_PURCHASES or lines + len(purchase.lines) > BATCH_LINES):
            yield batch
            batch, lines = [], 0
        batch.append(purchase)
        lines += len(purchase.lines)
    if batch:
        yield batch


class Lane:
    """Posts its purchases batch by batch, then asks until each is accrued or failed."""

    def __init__(
        self, *, client: Client, purchases: Sequence[Purchase], shift: timedelta, present: datetime | None, tally: Tally
    ) -> None:
        """``present``: what happens later is accrued later and not waited for; None where nothing has to wait."""
        self._client = client
        self._purchases = purchases
        self._shift = shift
        self._present = present
        self._tally = tally
        self._members: dict[str, Answer] = {}
        self._open: deque[Purchase] = deque()
        self._asked_at = time.monotonic()

    def run(self, *, patience: float) -> None:
        """Load everything; raise what the client raises. Gives up when nothing moved anywhere for ``patience`` s."""
        try:
            for batch in batches(self._purchases):
                self._post(batch)
                if time.monotonic() - self._asked_at > ASKS_EVERY:
                    self._ask_oldest()
            pause = pauses()
            while self._open and self._tally.idle < patience:
                if self._ask_oldest():
                    pause = pauses()
                else:
                    self._client.pause(pause())
        finally:
            self._client.close()

    def post_first(self) -> None:
        """Post the first purchase that is taken, alone: a repeat will know by it how far this load was moved."""
        for purchase in islice(self._purchases, PROBES):
            if self.enrol(purchase) is None and self.send([purchase])[0]["status"] != "refused":
                return

    def send(self, batch: list[Purchase]) -> list[Result]:
        """Return the server's word on each purchase. A request that is refused whole is halved to find the culprit."""
        bodies = [purchase.body(shift=self._shift) for purchase in batch]
        answer = self._client.call("POST", "purchases/batch/", {"purchases": bodies})
        if answer.status == OK:
            return list(answer.body["results"])
        if len(batch) > 1:
            middle = len(batch) // 2
            return self.send(batch[:middle]) + self.send(batch[middle:])
        return [{"status": "refused", "code": answer.code, "detail": answer.detail}]

    def enrol(self, purchase: Purchase) -> Answer | None:
        """Make a member known with its first purchase; return the refusal, None where there is none."""
        if not purchase.member:
            return None
        answer = self._members.get(purchase.member)
        if answer is None:
            body = {"external_id": purchase.member}
            if not self._is_ahead(purchase):  # Nobody can have joined in the future.
                body["joined_at"] = (purchase.occurred_at + self._shift).isoformat()
            answer = self._members[purchase.member] = self._client.call("POST", "members/", body)
        return None if answer.status < 300 else answer

    def _post(self, batch: list[Purchase]) -> None:
        welcome = []
        for purchase in batch:
            refused = self.enrol(purchase)
            if refused is None:
                welcome.append(purchase)
            else:
                self._tally.post(1)
                self._refuse(purchase, refused.code, refused.detail)
        if welcome:
            results = self.send(welcome)
            self._tally.post(len(welcome))
            self._note(welcome, results)

    def _ask_oldest(self) -> bool:
        """Ask after the oldest by sending them once more; return whether any of them has come to its end."""
        batch = next(batches(list(islice(self._open, BATCH_PURCHASES))), [])
        for _asked in batch:
            self._open.popleft()
        open_before = len(self._open)
        self._note(batch, self.send(batch) if batch else [])
        self._asked_at = time.monotonic()
        return len(self._open) - open_before < len(batch)

    def _note(self, batch: list[Purchase], results: list[Result]) -> None:
        """Settle what is final and keep the rest to ask again."""
        for purchase, result in zip(batch, results, strict=True):
            status = str(result["status"])
            detail = str(result.get("detail") or "")
            if status == "refused":
                self._refuse(purchase, str(result.get("code") or ""), detail)
            elif status == "failed":
                self._tally.settle(status, _refusal(purchase, status, detail, is_its_own=False))
            elif status == "accrued" or self._is_ahead(purchase):
                self._tally.settle(status)
            else:
                self._open.append(purchase)

    def _refuse(self, purchase: Purchase, code: str, detail: str) -> None:
        is_its_own = code not in NOT_ITS_OWN and not code.startswith(BROKEN_CODE)
        self._tally.settle("refused", _refusal(purchase, code, detail, is_its_own=is_its_own))

    def _is_ahead(self, purchase: Purchase) -> bool:
        return self._present is not None and purchase.occurred_at + self._shift > self._present


def _refusal(purchase: Purchase, code: str, detail: str, *, is_its_own: bool) -> Refusal:
    return Refusal(row=purchase.row, external_id=purchase.external_id, code=code, detail=detail, is_its_own=is_its_own)
