"""What members do beside buying: written once, judged by the workers like purchases. The joining itself is one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from loyalty.api.decoding import WRONG_TYPE
from loyalty.api.problems import Fault, ProblemError, field_code, invalid
from loyalty.ledger.book import lock_standings
from loyalty.purchases.buyers import member_of, members_named, named_in
from loyalty.purchases.inputs import EventInput, member_name
from loyalty.purchases.intake import (
    Intake,
    Outcome,
    known_receipts,
    nudge_after_commit,
    past_twins,
    receipt_key,
    repeated,
    touch_backfill,
)
from loyalty.purchases.models import ENROLMENT, Activity, ActivityQuerySet, ReceiptKey
from programs.engine.terms import EventType, Schedule, Terms
from programs.models import ApiKey, Membership, Program
from programs.terms import schedule_of

log = structlog.get_logger(__name__)

FRIEND = "friend"
AT_FRIEND = f"/attributes/{FRIEND}"

OWN_FRIEND = field_code(
    "own-friend",
    title=_("Nobody is their own friend"),
    cure=_("Send another member as the friend, or leave the friend out if you vouch for the event."),
)


class UnknownEventTypeError(ProblemError):
    """The terms know no such type of event."""

    status, code = 400, "unknown-event-type"
    title = _("The program's terms know no such type of event")
    cure = _("Send a type that the terms in force at that time name, or add the type to the program's terms.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/type", self.code, str(self.title))])


def record_event(*, program: Program, item: EventInput, by: ApiKey) -> Outcome:
    """Write an event once and return its outcome. One that names a friend waits until that friend has bought.

    Raises UnknownEventTypeError, UnknownMemberError, MemberBlockedError, MemberClosedError, ProgramClosedError,
    InvalidError.
    """
    return past_twins(lambda: _record_event(program=program, item=item, by=by))


def check_known_type(*, program: Program, code: str) -> None:
    """Raise UnknownEventTypeError for a type that no published version knows."""
    known = {code for terms in schedule_of(program).versions for code in terms.events}
    if code not in known | {ENROLMENT}:
        raise UnknownEventTypeError


def record_enrolments(*, memberships: Sequence[Membership], schedules: Mapping[UUID, Schedule]) -> None:
    """Write the joining of new members as an event where their program's terms reward it.

    Call it in the transaction that enrols them; the workers are nudged after its commit.
    """
    now = datetime.now(UTC)
    rows = [
        _enrolment(member, now=now)
        for member in memberships
        if _rewards_joining(schedules[member.program_id].at(member.joined_at))
    ]
    if not rows:
        return
    Activity.objects.bulk_create(rows)
    # No body can have this digest's meaning: whoever sends the same external_id is told that it is taken.
    ReceiptKey.objects.bulk_create([receipt_key(row, row.pk.bytes) for row in rows])
    nudge_after_commit()


def go_on_with_friends(*, bought: Collection[tuple[UUID, UUID]] | None = None) -> int:
    """Let events go on whose friend has a purchase that stands; return how many.

    ``bought`` names the friends as (program, member), None anybody. Accrual calls it while it holds the standings of
    those who bought, as ``record_event`` holds the friend's: whichever comes second sees what the first has written.
    """
    waiting = Activity.objects.events().filter(status=Activity.Status.WAITING, friend__isnull=False)
    if bought is not None:
        programs, friends = {program for program, _friend in bought}, {friend for _program, friend in bought}
        waiting = waiting.filter(program__in=sorted(programs), friend__in=sorted(friends))
    theirs = _standing_purchases().filter(program_id=OuterRef("program_id"), membership_id=OuterRef("friend_id"))
    return waiting.filter(Exists(theirs)).update(status=Activity.Status.RECORDED)


def waits_for_friends(schedule: Schedule) -> bool:
    """Return whether any version of the terms has events that wait for a friend."""
    return any(event.waits_for_friend for terms in schedule.versions for event in terms.events.values())


def _record_event(*, program: Program, item: EventInput, by: ApiKey) -> Outcome:
    now = datetime.now(UTC)
    with transaction.atomic():
        found = known_receipts(program, Activity.Kind.EVENT, {item.external_id}).get(item.external_id)
        if found is not None:
            return repeated(item.external_id, found, item.digest())
        intake = Intake(program=program, now=now)
        intake.check_moment(item.occurred_at)
        intake.check_earns(item.occurred_at)
        row = _event(item, type_=_type_of(item, intake), intake=intake)
        row.save(force_insert=True)
        receipt_key(row, item.digest()).save(force_insert=True)
        touch_backfill(program, now=now)
        nudge_after_commit()
    log.debug("event_recorded", program=program.slug, type=item.type, key=by.prefix)
    return Outcome(item.external_id, row.pk, row.status, is_new=True)


def _type_of(item: EventInput, intake: Intake) -> EventType:
    terms = intake.schedule.at(item.occurred_at)
    found = terms.events.get(item.type) if terms is not None and item.type != ENROLMENT else None
    if found is None:
        raise UnknownEventTypeError
    return found


def _event(item: EventInput, *, type_: EventType, intake: Intake) -> Activity:
    friend_named = _friend_named(item.attributes) if type_.waits_for_friend else None
    members = members_named(intake.program, {item.member, friend_named or ""} - {""})
    member = member_of(item.member, members)
    friend = None if friend_named is None else named_in(members, friend_named, pointer=AT_FRIEND)
    if member is not None and friend is not None and friend.pk == member.pk:
        raise invalid(AT_FRIEND, OWN_FRIEND)
    return Activity(
        program_id=intake.program.pk,
        membership=member,
        kind=Activity.Kind.EVENT,
        event_type=item.type,
        external_id=item.external_id,
        status=Activity.Status.RECORDED if friend is None or _has_bought(friend) else Activity.Status.WAITING,
        occurred_at=item.occurred_at,
        posted_at=intake.now,
        due_at=intake.due_at(item.occurred_at),
        currency=intake.program.currency,
        attributes=item.attributes,
        friend=friend,
    )


def _friend_named(attributes: Mapping[str, Any]) -> str | None:
    """Return the friend as members are looked up; None where the caller vouches for the event."""
    given = attributes.get(FRIEND)
    if given is not None and not isinstance(given, str):
        raise invalid(AT_FRIEND, WRONG_TYPE)
    return None if given is None else member_name(given)


def _has_bought(friend: Membership) -> bool:
    lock_standings([friend.pk], skip_locked=False)
    return _standing_purchases().filter(program_id=friend.program_id, membership=friend).exists()


def _standing_purchases() -> ActivityQuerySet:
    return Activity.objects.purchases().filter(status=Activity.Status.ACCRUED, is_void=False)


def _rewards_joining(terms: Terms | None) -> bool:
    return terms is not None and any(rule.trigger == ENROLMENT for rule in terms.rules)


def _enrolment(member: Membership, *, now: datetime) -> Activity:
    intake_due = now if member.program.clock is not None else max(now, member.joined_at)
    return Activity(
        program_id=member.program_id,
        membership=member,
        kind=Activity.Kind.EVENT,
        event_type=ENROLMENT,
        external_id=f"{ENROLMENT}:{member.pk}",
        status=Activity.Status.RECORDED,
        occurred_at=member.joined_at,
        posted_at=now,
        due_at=intake_due,
        currency=member.program.currency,
    )
