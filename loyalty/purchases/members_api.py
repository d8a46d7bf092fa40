"""Members over HTTP. It stands here, above the ledger, since a member is shown as of all that has fallen due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from loyalty.api.endpoints import Endpoint, json_answer
from loyalty.api.formats import decimal_text, moment_text
from loyalty.api.pagination import PageAnswer, page_of
from loyalty.api.preferences import language_for
from loyalty.api.schema import CURSOR, IDEMPOTENCY_KEY, MEMBER, PAGE_SIZE, documented
from loyalty.ledger.answers import EntryAnswer, MemberAnswer, SourceAnswer
from loyalty.ledger.inputs import CorrectionBody, MemberBody, member_changes, member_details
from loyalty.ledger.lookups import known_tier, known_unit
from loyalty.ledger.members import correct, enrol, find_member, members_of
from loyalty.ledger.models import Entry, Transaction
from loyalty.ledger.openings import openings_among
from loyalty.purchases.accrual import accrue_now, bring_up_to_date
from loyalty.purchases.answers import present_members
from loyalty.purchases.entry_reasons import entry_reason
from loyalty.purchases.event_names import event_names
from loyalty.purchases.models import Activity
from loyalty.rewards.names import SpentOn, spent_on
from programs.models import Program

MEMBERS = "Members"
TIME, OPENING = "time", "opening"
NAMED_BY = ("kind", "external_id", "event_type", "occurred_at")  # What the reason of an entry calls its activity by.
TIER = OpenApiParameter("tier", str, description="Members who hold the tier of this code.")
UNIT = OpenApiParameter("unit", str, description="Entries of the unit of this code.")


class Members(Endpoint):
    """Enrol a member, or fill in what was not known of one; list the members."""

    scopes: ClassVar = {"GET": "members:read", "POST": "members:write"}

    @documented(
        name="members_list",
        summary="List members, newest first",
        answers={200: PageAnswer[MemberAnswer]},
        errors=[400],
        parameters=[CURSOR, PAGE_SIZE, TIER],
        tag=MEMBERS,
    )
    def get(self, request: Request) -> HttpResponse:
        rows = members_of(self.program)
        asked = request.query_params.get("tier")
        if asked:
            rows = rows.filter(standing__tier=known_tier(program=self.program, code=asked))
        page = page_of(request, rows, posted_at="created_at", place=lambda member: member.created_at)
        shown = present_members(page.rows, program=self.program)
        results = [shown[member.pk] for member in page.rows]
        if asked:  # What fell due just now may have moved some to another tier.
            results = [one for one in results if one.tier is not None and one.tier.code == asked]
        return json_answer(PageAnswer(results=results, next=page.next, previous=page.previous))

    @documented(
        name="members_create",
        summary="Enrol a member",
        body=MemberBody,
        answers={201: MemberAnswer, 200: MemberAnswer},
        errors=[400, 409, 413, 415, 422],
        parameters=[IDEMPOTENCY_KEY],
        tag=MEMBERS,
    )
    def post(self, request: Request) -> HttpResponse:
        enrolment = enrol(program=self.program, details=member_details(request.data), by=self.key)
        member = enrolment.membership
        if enrolment.is_new:
            accrue_now(membership=member)
        answer = present_members([member], program=self.program)[member.pk]
        return json_answer(answer, status=201 if enrolment.is_new else 200)


class Member(Endpoint):
    """One member."""

    scopes: ClassVar = {"GET": "members:read", "PATCH": "members:write"}

    @documented(
        name="members_read",
        summary="Show a member with tier and balances",
        answers={200: MemberAnswer},
        errors=[404],
        parameters=[MEMBER],
        tag=MEMBERS,
    )
    def get(self, request: Request, member: str) -> HttpResponse:
        found = find_member(program=self.program, reference=member)
        return json_answer(present_members([found], program=self.program)[found.pk])

    @documented(
        name="members_update",
        summary="Correct what is known of a member",
        body=CorrectionBody,
        answers={200: MemberAnswer},
        errors=[400, 404, 409, 413, 415],
        parameters=[MEMBER],
        tag=MEMBERS,
    )
    def patch(self, request: Request, member: str) -> HttpResponse:
        found = find_member(program=self.program, reference=member)
        correct(membership=found, changes=member_changes(request.data), by=self.key)
        return json_answer(present_members([found], program=self.program)[found.pk])


class Entries(Endpoint):
    """What moved on a member's accounts."""

    scopes: ClassVar = {"GET": "members:read"}

    @documented(
        name="members_entries",
        summary="List what moved on a member's accounts, newest first",
        answers={200: PageAnswer[EntryAnswer]},
        errors=[400, 404],
        parameters=[MEMBER, CURSOR, PAGE_SIZE, UNIT],
        tag=MEMBERS,
    )
    def get(self, request: Request, member: str) -> HttpResponse:
        found = find_member(program=self.program, reference=member)
        bring_up_to_date(memberships=[found])
        rows = Entry.objects.filter(
            program=self.program, transaction__membership=found, account__membership=found
        ).select_related("transaction", "account__unit")
        if asked := request.query_params.get("unit"):
            rows = rows.filter(account__unit=known_unit(program=self.program, code=asked))
        page = page_of(
            request, rows, posted_at="transaction__posted_at", place=lambda entry: entry.transaction.posted_at
        )
        language = language_for(
            request.headers.get("Accept-Language", ""), found.customer.language, self.program.language
        )
        with translation.override(language):
            results = _entry_answers(page.rows, program=self.program)
        return json_answer(PageAnswer(results=results, next=page.next, previous=page.previous))


def _entry_answers(rows: Sequence[Entry], *, program: Program) -> list[EntryAnswer]:
    ids = {entry.transaction.activity_id for entry in rows if entry.transaction.activity_id}
    found = Activity.objects.filter(program=program, pk__in=ids).only(*NAMED_BY) if ids else []
    activity = {row.pk: row for row in found}
    events = event_names(activity.values(), program=program)
    spent = spent_on(program, [entry.transaction.redemption_id for entry in rows])
    adjusted = {entry.transaction_id for entry in rows if entry.transaction.kind == Transaction.Kind.ADJUST}
    openings = openings_among(adjusted, program=program)
    return [_entry_answer(entry, activity, events, spent, openings, program=program) for entry in rows]


def _entry_answer(
    entry: Entry,
    activity: Mapping[UUID, Activity],
    events: Mapping[UUID, str],
    spent: Mapping[UUID, SpentOn],
    openings: Set[UUID],
    *,
    program: Program,
) -> EntryAnswer:
    unit, posting = entry.account.unit, entry.transaction
    cause = activity.get(posting.activity_id) if posting.activity_id else None
    bought = spent.get(posting.redemption_id) if posting.redemption_id else None
    return EntryAnswer(
        id=entry.pk,
        kind=posting.kind,
        unit=unit.code,
        account=entry.account.kind,
        amount=decimal_text(entry.amount, unit.precision),
        balance_after=decimal_text(entry.balance_after or 0, unit.precision),
        occurred_at=moment_text(posting.occurred_at, program.zone),
        posted_at=moment_text(posting.posted_at, program.zone),
        source=_source(cause, bought, is_opening=posting.pk in openings),
        reason=entry_reason(
            kind=posting.kind,
            activity=cause,
            event=events.get(cause.pk, "") if cause else "",
            spent=bought,
            is_opening=posting.pk in openings,
        ),
    )


def _source(cause: Activity | None, bought: SpentOn | None, *, is_opening: bool) -> SourceAnswer:
    if cause is not None:
        return SourceAnswer(type=cause.kind, id=cause.pk, external_id=cause.external_id)
    if bought is not None:
        return SourceAnswer(type=bought.kind, id=bought.id, external_id=None)
    return SourceAnswer(type=OPENING if is_opening else TIME, id=None, external_id=None)
