"""Idempotency-Key: a repeated request is answered with the answer it once got."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.api.models import StoredAnswer
from loyalty.api.problems import ProblemError, field_code, invalid
from programs.models import Program

KEPT_FOR = timedelta(days=30)
IN_FLIGHT_FOR = timedelta(seconds=60)  # Then whoever asked first is taken for dead.
LONGEST_KEY = 255

BAD_KEY = field_code(
    "bad-idempotency-key",
    title=_("The Idempotency-Key is empty or too long"),
    cure=_("Send 1 to 255 visible ASCII characters, a UUID for example."),
)

# By parsed value: "10.0" is "10.00" and 12:00Z is 13:00+01:00, but only where a field is an amount or a time.
AMOUNTS = frozenset({"total", "tax", "amount", "quantity", "basket_total", "value"})
MOMENTS = frozenset({"occurred_at", "joined_at", "now"})


class KeyReuseError(ProblemError):
    """The key was used for another request."""

    status, code = 422, "idempotency-key-reuse"
    title = _("This Idempotency-Key was used for another request")
    cure = _("Send the first body again, or take a new key.")


class InFlightError(ProblemError):
    """The first request under this key is still being worked on."""

    status, code = 409, "idempotency-in-flight"
    title = _("The first request with this Idempotency-Key is still being worked on")
    cure = _("Send it again in a moment.")


@dataclass(frozen=True)
class Claim:
    """The right to answer under a key; it must be kept or given up."""

    id: UUID
    claimed_at: datetime


@dataclass(frozen=True)
class Replay:
    """The answer once given."""

    status: int
    body: bytes


def claim(*, program: Program, key: str, path: str, body: Any, now: datetime) -> Claim | Replay:
    """Return the stored answer, or claim the key; raise KeyReuseError or InFlightError."""
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise invalid("/Idempotency-Key", BAD_KEY)
    digest = hashlib.sha256(path.encode() + b"\n" + _canonical(body)).digest()
    fresh = StoredAnswer(program=program, key=key, request_digest=digest, created_at=now)
    found = StoredAnswer.objects.filter(program=program, key=key).first()
    if found is None:
        try:
            with transaction.atomic():
                fresh.save(force_insert=True)
        except IntegrityError:
            raise InFlightError from None  # A twin was quicker by less than this moment.
        return Claim(id=fresh.pk, claimed_at=now)
    return _judge(found, digest=digest, now=now)


def _judge(found: StoredAnswer, *, digest: bytes, now: datetime) -> Claim | Replay:
    if bytes(found.request_digest) != digest:
        raise KeyReuseError
    if found.status is not None:
        return Replay(status=found.status, body=bytes(found.body))
    if found.created_at > now - IN_FLIGHT_FOR:
        raise InFlightError
    mark = StoredAnswer.objects.filter(pk=found.pk, status__isnull=True, created_at=found.created_at)
    if not mark.update(created_at=now):
        raise InFlightError
    return Claim(id=found.pk, claimed_at=now)


def keep(claimed: Claim, *, status: int, body: bytes) -> None:
    """Store the answer for whoever asks again."""
    mine = StoredAnswer.objects.filter(pk=claimed.id, created_at=claimed.claimed_at)
    mine.update(status=status, body=body)


def give_up(claimed: Claim) -> None:
    """Store nothing: the request may be corrected and sent again under its key."""
    StoredAnswer.objects.filter(pk=claimed.id, created_at=claimed.claimed_at, status__isnull=True).delete()


def purge(*, now: datetime) -> int:
    """Forget the answers that are older than 30 days, and return how many."""
    deleted, _by_model = StoredAnswer.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted


def _canonical(body: Any) -> bytes:
    return msgspec.json.encode(_normal(body, ""), order="sorted")


def _normal(value: Any, field: str) -> Any:
    """Return the value with nulls dropped, and numbers and times in one spelling."""
    if isinstance(value, dict):
        inside = {key: _normal(inner, key) for key, inner in value.items() if inner is not None and key != "attributes"}
        if value.get("attributes") is not None:
            inside["attributes"] = _normal_free(value["attributes"])
        return inside
    if isinstance(value, list):
        return [_normal(inner, field) for inner in value]
    if field in AMOUNTS:
        return _normal_amount(value)
    if field in MOMENTS and isinstance(value, str):
        return _normal_moment(value)
    return _normal_free(value)


def _normal_free(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal_free(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_normal_free(inner) for inner in value]
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return f"#{Decimal(value).normalize()}"
    return value


def _normal_amount(value: Any) -> Any:
    try:
        return f"#{Decimal(value).normalize()}" if isinstance(value, str | int | Decimal) else value
    except InvalidOperation:
        return value


def _normal_moment(value: str) -> str:
    try:
        parsed = datetime.fromisoformat(value)
        return str(parsed.timestamp()) if parsed.tzinfo else value
    except (ValueError, OverflowError):
        return value
