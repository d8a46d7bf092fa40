"""The verbs of webhooks: add, change, rotate the secret, switch off and on, try, send again, forget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from loyalty.webhooks.addresses import check_url
from loyalty.webhooks.event_types import ENDPOINT_TEST, EVENT_TYPES
from loyalty.webhooks.models import Delivery, Endpoint, Message
from loyalty.webhooks.outbox import delivery_of, send_soon
from loyalty.webhooks.payloads import TestNews
from loyalty.webhooks.signing import mark_of, new_seed, secret_of
from programs.models import Program

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=30)
PURGED_AT_ONCE = 1_000
OVERLAP = timedelta(days=1)


class UnknownEventTypeError(ValueError):
    """There is no such type of event."""


class AlreadyOffError(Exception):
    """The webhook is switched off already."""


class AlreadyOnError(Exception):
    """The webhook is switched on already."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint with the secret that it now signs with, to be shown once."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def add_endpoint(
    *, program: Program, url: str, event_types: Sequence[str] = (), description: str = "", by: User | None
) -> NewSecret:
    """Have an address told what happens from now on; no types mean all, also those to come.

    Raises an AddressError, UnknownEventTypeError.
    """
    check_url(url, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE)
    seed = new_seed()
    secret = secret_of(seed)
    endpoint = Endpoint.objects.create(
        program=program,
        url=url,
        description=description,
        event_types=_known(event_types),
        seed=seed,
        mark=mark_of(secret),
    )
    _note_on_program(endpoint)
    log.info("webhook_added", endpoint=str(endpoint.pk), by=str(by.pk) if by else None)
    return NewSecret(endpoint, secret)


def change_endpoint(
    *, endpoint: Endpoint, url: str, event_types: Sequence[str], description: str, by: User
) -> Endpoint:
    """Give an endpoint another address, other types or another description. Raises as ``add_endpoint``."""
    check_url(url, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE)
    endpoint.url, endpoint.event_types, endpoint.description = url, _known(event_types), description
    endpoint.save(update_fields=["url", "event_types", "description"])
    log.info("webhook_changed", endpoint=str(endpoint.pk), by=str(by.pk))
    return endpoint


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint, at: datetime, overlap: timedelta = OVERLAP, by: User) -> NewSecret:
    """Give an endpoint a new secret; the present one signs beside it for ``overlap``, an older one no more."""
    row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    seed = new_seed()
    secret = secret_of(seed)
    row.former_seed, row.former_mark, row.former_until = None, "", None
    if overlap:
        row.former_seed, row.former_mark, row.former_until = row.seed, row.mark, at + overlap
    row.seed, row.mark = seed, mark_of(secret)
    row.save(update_fields=["seed", "mark", "former_seed", "former_mark", "former_until"])
    log.info("webhook_secret_rotated", endpoint=str(row.pk), by=str(by.pk))
    return NewSecret(row, secret)


@transaction.atomic
def switch_off(*, endpoint: Endpoint, note: str, at: datetime, by: User) -> Endpoint:
    """Send nothing more to an endpoint; what was on its way waits. Raises AlreadyOffError."""
    if not turn_off(endpoint, reason=Endpoint.Reason.STAFF, note=note.strip(), at=at):
        raise AlreadyOffError
    log.info("webhook_switched_off", endpoint=str(endpoint.pk), by=str(by.pk))
    endpoint.refresh_from_db()
    return endpoint


def turn_off(endpoint: Endpoint, *, reason: str, note: str, at: datetime) -> bool:
    """Switch an endpoint off inside the caller's transaction; return whether it was on."""
    was_on = (
        Endpoint.objects.on()
        .filter(pk=endpoint.pk)
        .update(disabled_at=at, disabled_reason=reason, disabled_note=note[:200])
    )
    _note_on_program(endpoint)
    return bool(was_on)


@transaction.atomic
def switch_on(*, endpoint: Endpoint, by: User) -> Endpoint:
    """Send to an endpoint again, first what waited. Raises AlreadyOnError."""
    was_off = Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=False).update(
        disabled_at=None, disabled_reason="", disabled_note="", failures=0, failing_since=None
    )
    if not was_off:
        raise AlreadyOnError
    _note_on_program(endpoint)
    send_soon()
    log.info("webhook_switched_on", endpoint=str(endpoint.pk), by=str(by.pk))
    endpoint.refresh_from_db()
    return endpoint


@transaction.atomic
def send_test(*, endpoint: Endpoint, at: datetime, by: User) -> Delivery:
    """Send a test to an endpoint (its program loaded), whatever it asked for; return the delivery."""
    program = endpoint.program
    told = TestNews(
        program=program.slug,
        sandbox=program.is_sandbox,
        endpoint=endpoint.pk,
        note="A test that staff sent. It says nothing about any member.",
    )
    message = Message.objects.create(
        program=program, type=ENDPOINT_TEST, data=msgspec.to_builtins(told), occurred_at=at, created_at=at
    )
    delivery = delivery_of(message, endpoint, due_at=at)
    delivery.save(force_insert=True)
    send_soon()
    log.info("webhook_tested", endpoint=str(endpoint.pk), by=str(by.pk))
    return delivery


@transaction.atomic
def send_again(*, deliveries: Iterable[Delivery], at: datetime, by: User) -> int:
    """Try deliveries anew, now and then by the whole schedule; return how many. Those being tried are left alone."""
    rows = Delivery.objects.unclaimed(at=at).filter(pk__in=[one.pk for one in deliveries])
    count = rows.update(status=Delivery.Status.PENDING, step=0, due_at=at, settled_at=None)
    if count:
        send_soon()
    log.info("webhook_deliveries_repeated", count=count, by=str(by.pk))
    return count


def purge(*, at: datetime) -> int:
    """Forget messages that were delivered to everybody 30 days ago; return how many. Safe to run twice.

    What was told once only is kept until it cannot be told again.
    """
    forgotten = 0
    old = Delivery.objects.filter(status=Delivery.Status.DELIVERED, settled_at__lt=at - KEPT_FOR)
    wanted = Delivery.objects.filter(message_id=OuterRef("message_id")).filter(
        ~Q(status=Delivery.Status.DELIVERED) | Q(settled_at__gte=at - KEPT_FOR)
    )
    told_once = ~Q(message__key="") & Q(message__occurred_at__gt=at)
    ready = old.exclude(told_once).exclude(Exists(wanted))
    while True:
        with transaction.atomic():
            ids = sorted(set(ready.values_list("message_id", flat=True)[:PURGED_AT_ONCE]))
            if not ids:
                return forgotten
            rows = Delivery.objects.filter(message_id__in=ids).select_for_update().order_by("pk")
            again = {row.message_id for row in rows if row.status != Delivery.Status.DELIVERED}
            ids = [pk for pk in ids if pk not in again]  # Staff sent them again meanwhile.
            Delivery.objects.filter(message_id__in=ids).delete()
            Message.objects.filter(pk__in=ids).delete()
        forgotten += len(ids)


def _known(event_types: Sequence[str]) -> list[str]:
    unknown = set(event_types) - EVENT_TYPES.keys()
    if unknown:
        raise UnknownEventTypeError(", ".join(sorted(unknown)))
    return [one for one in EVENT_TYPES if one in event_types]


def _note_on_program(endpoint: Endpoint) -> None:
    """Write on the program whether anybody listens, which the hot path reads instead of asking."""
    programs = Program.objects.filter(pk=endpoint.program_id)
    programs.select_for_update(no_key=True).get()  # Two endpoints at once must not each overlook the other.
    programs.update(has_webhooks=Exists(Endpoint.objects.on().filter(program_id=endpoint.program_id)))
