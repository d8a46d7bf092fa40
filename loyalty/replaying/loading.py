"""A whole load: several connections at once, each with members of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from zlib import crc32

from loyalty.replaying.client import PATIENCE, Client, ServerAwayError, TurnedAwayError
from loyalty.replaying.lanes import Lane
from loyalty.replaying.reading import Purchase, Reading
from loyalty.replaying.tally import Tally

LOOKS_EVERY = 0.2
LAST_WORD = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to load, and how hard."""

    url: str
    key: str
    connections: int = 6
    patience: float = PATIENCE

    def client(self, *, stop: Event | None = None, patience: float | None = None) -> Client:
        """Return a connection of its own."""
        return Client(url=self.url, key=self.key, stop=stop or Event(), patience=patience or self.patience)


def load(
    reading: Reading,
    *,
    target: Target,
    shift: timedelta,
    present: datetime | None,
    tally: Tally,
    tell: Callable[[Tally], None],
) -> None:
    """Post every purchase and wait until each has come to its end; ``tally`` holds what became of them.

    ``present``: see ``Lane``. Raises ServerAwayError, TurnedAwayError and whatever ``tell`` raises; all connections
    have ended by then, and a repeat goes on from there.
    """
    stop = Event()

    def lane(purchases: Sequence[Purchase]) -> Lane:
        client = target.client(stop=stop)
        return Lane(client=client, purchases=purchases, shift=shift, present=present, tally=tally)

    with backfill(target):
        lane(reading.purchases).post_first()
        lanes = [lane(dealt) for dealt in deal(reading.purchases, hands=target.connections)]
        with ThreadPoolExecutor(max_workers=len(lanes) or 1) as pool:
            futures = [pool.submit(one.run, patience=target.patience) for one in lanes]
            try:
                _watch(futures, tally, tell)
            finally:
                stop.set()


@contextmanager
def backfill(target: Target) -> Iterator[None]:
    """Keep due work for the members' own activity until the load is over, however it ends."""
    target.client().call("PUT", "backfill/", {"on": True})
    try:
        yield
    finally:
        # A server that is away, or a key taken away meanwhile: it ends by itself, an hour after the last activity.
        with suppress(ServerAwayError, TurnedAwayError):
            target.client(patience=LAST_WORD).call("PUT", "backfill/", {"on": False})


def deal(purchases: Sequence[Purchase], *, hands: int) -> list[list[Purchase]]:
    """Deal the purchases out, all of one member to one hand, in order; guests by their receipt."""
    dealt: list[list[Purchase]] = [[] for _hand in range(hands)]
    for purchase in purchases:
        whose = purchase.member or purchase.external_id
        dealt[crc32(whose.encode()) % hands].append(purchase)
    return [hand for hand in dealt if hand]


def _watch(futures: list[Future[None]], tally: Tally, tell: Callable[[Tally], None]) -> None:
    """Tell how far it is until all is done, or the first connection fails."""
    open_futures = set(futures)
    while open_futures:
        done, open_futures = wait(open_futures, timeout=LOOKS_EVERY, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        tell(tally)
