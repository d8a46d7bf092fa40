"""Writes messages and their deliveries in the transaction of what they tell, one statement per table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from accounts.ids import new_id
from loyalty.api.formats import moment_text
from loyalty.webhooks.models import Delivery, Endpoint, Message
from loyalty.webhooks.models import Sequence as Counter
from loyalty.webhooks.payloads import About, member_news
from programs.models import Membership, Program

Ears = Mapping[UUID, Sequence[Endpoint]]
"""By program: the endpoints that are sent to."""


@dataclass(frozen=True, slots=True)
class Draft:
    """News of a member (its program loaded): ``told`` are the fields that the type has beside those of ``About``.

    ``key``: where it must not be told twice.
    """

    member: Membership
    event_type: str
    occurred_at: datetime
    shape: type[About]
    told: Mapping[str, Any]
    key: str = ""


def ears_of(programs: Iterable[Program]) -> Ears:
    """Return the endpoints of the programs that have any; no query where none has."""
    listening = [program.pk for program in programs if program.has_webhooks]
    found: dict[UUID, list[Endpoint]] = defaultdict(list)
    if listening:
        for endpoint in Endpoint.objects.on().filter(program_id__in=listening).order_by("created_at", "pk"):
            found[endpoint.program_id].append(endpoint)
    return found


def wanted(ears: Ears, program_id: UUID, event_type: str) -> bool:
    """Return whether anybody asked for this type."""
    return any(endpoint.hears(event_type) for endpoint in ears.get(program_id, ()))


def write(drafts: Sequence[Draft], ears: Ears) -> int:
    """Write the news that anybody asked for, in order, and return how many; the members' standings are locked."""
    drafts = [draft for draft in drafts if wanted(ears, draft.member.program_id, draft.event_type)]
    drafts = _untold(drafts)
    if not drafts:
        return 0
    members = {draft.member.pk: draft.member for draft in drafts}
    last = dict.fromkeys(members, 0) | dict(
        Counter.objects.filter(membership_id__in=members).values_list("membership_id", "last")
    )
    now = datetime.now(UTC)
    messages = []
    for place, draft in enumerate(drafts):
        last[draft.member.pk] += 1
        messages.append(_message(draft, sequence=last[draft.member.pk], at=now + timedelta(microseconds=place)))
    Message.objects.bulk_create(messages)
    Delivery.objects.bulk_create(
        [
            delivery_of(message, endpoint, due_at=now)
            for message in messages
            for endpoint in ears[message.program_id]
            if endpoint.hears(message.type)
        ]
    )
    Counter.objects.bulk_create(
        [
            Counter(membership_id=pk, program_id=members[pk].program_id, last=count)
            for pk, count in sorted(last.items())
        ],
        update_conflicts=True,
        unique_fields=["membership"],
        update_fields=["last"],
    )
    send_soon()
    return len(messages)


def delivery_of(message: Message, endpoint: Endpoint, *, due_at: datetime) -> Delivery:
    """Return the row that brings a message to an endpoint, first tried at ``due_at``."""
    return Delivery(
        program_id=message.program_id,
        endpoint=endpoint,
        message=message,
        membership_id=message.membership_id,
        sequence=message.sequence,
        due_at=due_at,
        created_at=message.created_at,
    )


def send_soon() -> None:
    """Have the sender look once the transaction is committed, not only at the next sweep."""
    from loyalty.webhooks.tasks import nudge  # noqa: PLC0415 -- tasks import the rest, never the other way at the top

    transaction.on_commit(nudge)


def _untold(drafts: Sequence[Draft]) -> list[Draft]:
    keyed = {(draft.member.pk, draft.key) for draft in drafts if draft.key}
    if not keyed:
        return list(drafts)
    rows = Message.objects.filter(
        program_id__in={draft.member.program_id for draft in drafts},
        membership_id__in={pk for pk, _key in keyed},
        key__in={key for _pk, key in keyed},
    )
    told = set(rows.values_list("membership_id", "key"))
    return [draft for draft in drafts if not draft.key or (draft.member.pk, draft.key) not in told]


def _message(draft: Draft, *, sequence: int, at: datetime) -> Message:
    program = draft.member.program
    told = draft.shape(
        program=program.slug,
        sandbox=program.is_sandbox,
        member=member_news(draft.member),
        sequence=sequence,
        occurred_at=moment_text(draft.occurred_at, program.zone),
        **draft.told,
    )
    return Message(
        id=new_id(),
        program_id=program.pk,
        membership_id=draft.member.pk,
        type=draft.event_type,
        sequence=sequence,
        key=draft.key,
        data=msgspec.to_builtins(told),
        occurred_at=draft.occurred_at,
        created_at=at,
    )
