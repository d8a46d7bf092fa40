"""Brings messages to endpoints: claim a lease, send outside of any transaction, write down the answer.

What is promised: each message reaches each endpoint at least once, or is given up after seven attempts; never two
attempts of one delivery at once. A member's messages are first tried in order, one after another; one that failed is
tried again by its own schedule and holds up no later one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from accounts.ids import new_id
from loyalty.api.formats import moment_text
from loyalty.ledger.sets import update_rows
from loyalty.webhooks import posting
from loyalty.webhooks.actions import turn_off
from loyalty.webhooks.models import Attempt, Delivery, Endpoint, Message
from loyalty.webhooks.signing import NoSecretError, signed_headers

log = structlog.get_logger(__name__)

# After the first attempt, how long each following one waits for, from the begin of the one before.
RETRIES = tuple(
    timedelta(**after)
    for after in (
        {"seconds": 5},
        {"minutes": 5},
        {"minutes": 30},
        {"hours": 2},
        {"hours": 5},
        {"hours": 10},
    )
)
LEASE = timedelta(seconds=120)  # Far beyond what an attempt may take, look-up of the name included.
THREADS = 16
AT_ONCE = 4  # Deliveries to one endpoint.
AT_ONCE_FAILING = 1
FAILING_TOGETHER = THREADS // 2  # So that dead endpoints leave room for those that listen.
LOOK_AGAIN = 0.25  # Seconds between looks at the outbox while answers are awaited.
GONE = 410

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery, ready to be sent; ``body`` None where it cannot be signed."""

    delivery: Delivery
    endpoint: Endpoint
    lease: UUID
    started_at: datetime
    body: bytes | None
    headers: Mapping[str, str]


def clock() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def deliver_due(*, now: Clock = clock, seconds: float = 60) -> int:
    """Send what is due until nothing is, for at most so long; return how many attempts were made.

    Safe to run by many processes at once. The database is only asked in this thread.
    """
    return _Pump(now, deadline=time.monotonic() + seconds).run()


class _Pump:
    """Keeps threads busy with sending, each endpoint within its share of them."""

    def __init__(self, now: Clock, *, deadline: float) -> None:
        self.now, self.deadline, self.made = now, deadline, 0
        self.flying: dict[Future[posting.Answer], Parcel] = {}

    def run(self) -> int:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
            while True:
                if time.monotonic() < self.deadline:
                    for parcel in self._claim():
                        self.flying[pool.submit(_send, parcel)] = parcel
                if not self.flying:
                    return self.made
                done, _still = wait(self.flying, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
                answers = [(self.flying.pop(one), one.result()) for one in done]
                record(answers)
                self.made += len(answers)

    def _claim(self) -> Iterator[Parcel]:
        """Yield what may be sent besides what is on its way: endpoints that answer first, each within its share."""
        room = THREADS - len(self.flying)
        if room <= 0:
            return
        at = self.now()
        taken = Counter(parcel.endpoint.pk for parcel in self.flying.values())
        failing = sum(1 for parcel in self.flying.values() if parcel.endpoint.failures)
        # Those that failed least lately come first; which of the healthy ones, chance decides.
        endpoints = Endpoint.objects.with_due_work(at=at).select_related("program").order_by("failures", "?")
        for endpoint in endpoints[:THREADS]:
            share = AT_ONCE_FAILING if endpoint.failures else AT_ONCE
            share = min(share - taken[endpoint.pk], room)
            if endpoint.failures:
                share = min(share, FAILING_TOGETHER - failing)
            if share <= 0:
                continue
            for parcel in claim(endpoint=endpoint, most=share, at=at):
                room -= 1
                failing += bool(endpoint.failures)
                yield parcel


@transaction.atomic
def claim(*, endpoint: Endpoint, most: int, at: datetime) -> list[Parcel]:
    """Take a lease on deliveries to one endpoint (program loaded) that are due and in turn, oldest first."""
    # SQLite has no row locks: IMMEDIATE transactions queue up there.
    skip = connection.features.has_select_for_update_skip_locked
    rows = list(
        Delivery.objects.due(at=at)
        .filter(program_id=endpoint.program_id, endpoint=endpoint)
        .in_turn()
        .select_related("message")
        .select_for_update(skip_locked=skip, of=("self",) if connection.features.has_select_for_update_of else ())
        .order_by("due_at", "pk")[:most]
    )
    if not rows:
        return []
    lease = new_id()
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(lease=lease, leased_until=at + LEASE)
    return [_parcel(row, endpoint, lease=lease, at=at) for row in rows]


def body_of(message: Message, *, zone: object) -> bytes:
    """Return what is sent: the same bytes at each attempt."""
    told = {"type": message.type, "timestamp": moment_text(message.created_at, zone), "data": message.data}  # type: ignore[arg-type]
    return msgspec.json.encode(told)


def _parcel(row: Delivery, endpoint: Endpoint, *, lease: UUID, at: datetime) -> Parcel:
    body = body_of(row.message, zone=endpoint.program.zone)
    try:
        headers = signed_headers(endpoint=endpoint, message_id=str(row.message_id), body=body, at=at)
    except NoSecretError:
        return Parcel(row, endpoint, lease, at, None, {})
    return Parcel(row, endpoint, lease, at, body, headers)


def _send(parcel: Parcel) -> posting.Answer:
    if parcel.body is None:
        return posting.Answer(None, "", Attempt.Fault.NO_SECRET, 0.0)
    return posting.post(
        parcel.endpoint.url,
        body=parcel.body,
        headers=parcel.headers,
        allow_private=settings.WEBHOOKS_ALLOW_PRIVATE,
    )


@transaction.atomic
def record(answers: Sequence[tuple[Parcel, posting.Answer]]) -> None:
    """Write down what came of attempts: settled, due again by the schedule, or given up after the last."""
    if not answers:
        return
    by_id = {parcel.delivery.pk: (parcel, answer) for parcel, answer in answers}
    locked = Delivery.objects.filter(pk__in=by_id).select_for_update(no_key=True).order_by("pk")
    kept = [(row, *by_id[row.pk]) for row in locked if row.lease == by_id[row.pk][0].lease]
    if len(kept) < len(answers):
        log.warning("webhook_lease_lost", count=len(answers) - len(kept))
    Attempt.objects.bulk_create([_attempt(row, parcel, answer) for row, parcel, answer in kept])
    columns = ("status", "step", "tries", "due_at", "answered", "settled_at", "lease", "leased_until")
    update_rows(Delivery, columns, [_progress(row, parcel, answer) for row, parcel, answer in kept])
    _note_on_endpoints([(parcel, answer) for _row, parcel, answer in kept])


def _attempt(row: Delivery, parcel: Parcel, answer: posting.Answer) -> Attempt:
    return Attempt(
        program_id=row.program_id,
        delivery=row,
        number=row.tries + 1,
        started_at=parcel.started_at,
        duration_ms=int(answer.seconds * 1000),
        answered=answer.status,
        fault=answer.fault,
        answer=answer.text,
    )


def _progress(row: Delivery, parcel: Parcel, answer: posting.Answer) -> tuple[object, ...]:
    """Return where a delivery stands after an attempt, in the order of the columns of ``record``."""
    tries, step = row.tries + 1, row.step + 1
    settled: tuple[object, ...]
    ended_at = parcel.started_at + timedelta(seconds=answer.seconds)
    if answer.is_success:
        settled = (Delivery.Status.DELIVERED, step, tries, row.due_at, answer.status, ended_at)
    elif step > len(RETRIES) or answer.status == GONE:
        settled = (Delivery.Status.GIVEN_UP, step, tries, row.due_at, answer.status, ended_at)
    else:
        next_at = parcel.started_at + RETRIES[step - 1]
        settled = (Delivery.Status.PENDING, step, tries, next_at, answer.status, None)
    return (row.pk, *settled, None, None)


def _note_on_endpoints(answers: Iterable[tuple[Parcel, posting.Answer]]) -> None:
    """Remember which endpoints fail, and switch off those that are gone."""
    endpoints: dict[UUID, Endpoint] = {}
    ended: dict[UUID, list[posting.Answer]] = {}
    for parcel, answer in answers:
        endpoints[parcel.endpoint.pk] = parcel.endpoint
        ended.setdefault(parcel.endpoint.pk, []).append(answer)
    for pk, own in sorted(ended.items()):
        rows, now = Endpoint.objects.filter(pk=pk), clock()
        if any(answer.status == GONE for answer in own):
            if turn_off(endpoints[pk], reason=Endpoint.Reason.GONE, note="", at=now):
                log.warning("webhook_gone", endpoint=str(pk))
        elif any(answer.is_success for answer in own):
            rows.filter(failures__gt=0).update(failures=0, failing_since=None)
        else:
            rows.filter(failing_since__isnull=True).update(failing_since=now)
            rows.update(failures=F("failures") + len(own))
