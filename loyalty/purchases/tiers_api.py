"""The history of a member's tiers over HTTP, with the reason of each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import translation
from rest_framework.request import Request

from loyalty.api.endpoints import Endpoint, json_answer
from loyalty.api.formats import moment_text
from loyalty.api.pagination import PageAnswer, page_of
from loyalty.api.preferences import language_for
from loyalty.api.schema import CURSOR, MEMBER, PAGE_SIZE, documented
from loyalty.ledger.answers import SourceAnswer
from loyalty.ledger.members import find_member
from loyalty.ledger.models import TierGrant, TierPeriod
from loyalty.purchases.accrual import bring_up_to_date
from loyalty.purchases.models import Activity
from programs.models import Membership, Program
from programs.terms import schedule_of

BY_STAFF = frozenset({TierPeriod.Reason.GRANTED.value, TierPeriod.Reason.INVITED.value})


class TierPeriodAnswer(msgspec.Struct, kw_only=True):
    """A tier from a moment on: ``cause`` is a code, ``reason`` the same in words, ``note`` what staff wrote."""

    id: UUID
    code: str
    name: str
    starts_at: str
    posted_at: str
    cause: str
    reason: str
    note: str | None
    source: SourceAnswer


class Tiers(Endpoint):
    """What tiers a member had, and why each began."""

    scopes: ClassVar = {"GET": "members:read"}

    @documented(
        name="members_tiers",
        summary="List a member's tiers with the reason of each change, newest first",
        answers={200: PageAnswer[TierPeriodAnswer]},
        errors=[400, 404],
        parameters=[MEMBER, CURSOR, PAGE_SIZE],
        tag="Members",
    )
    def get(self, request: Request, member: str) -> HttpResponse:
        found = find_member(program=self.program, reference=member)
        bring_up_to_date(memberships=[found])
        rows = TierPeriod.objects.filter(program=self.program, membership=found).exclude(tier="")
        page = page_of(request, rows, place=lambda period: period.posted_at)
        language = language_for(
            request.headers.get("Accept-Language", ""), found.customer.language, self.program.language
        )
        with translation.override(language):
            results = tier_history(page.rows, membership=found, program=self.program)
        return json_answer(PageAnswer(results=results, next=page.next, previous=page.previous))


def tier_history(rows: Sequence[TierPeriod], *, membership: Membership, program: Program) -> list[TierPeriodAnswer]:
    """Return a member's tiers as they are shown, in the language in use."""
    names = {tier.code: tier.name for terms in schedule_of(program).versions for tier in terms.tiers}
    ids = {row.activity_id for row in rows if row.activity_id}
    activity = Activity.objects.filter(program=program).in_bulk(ids) if ids else {}
    grants = list(TierGrant.objects.filter(program=program, membership=membership).order_by("starts_at"))
    return [
        TierPeriodAnswer(
            id=row.pk,
            code=row.tier,
            name=names.get(row.tier, row.tier),
            starts_at=moment_text(row.since(membership.joined_at), program.zone),
            posted_at=moment_text(row.posted_at, program.zone),
            cause=row.reason,
            reason=row.get_reason_display(),
            note=_note(row, grants),
            source=_source(row, activity),
        )
        for row in rows
    ]


def _note(row: TierPeriod, grants: Sequence[TierGrant]) -> str | None:
    """Return why staff gave the tier, in their words."""
    if row.reason not in BY_STAFF:
        return None
    given = [grant for grant in grants if grant.tier == row.tier and grant.starts_at <= row.starts_at]
    return given[-1].reason if given else None


def _source(row: TierPeriod, activity: Mapping[UUID, Activity]) -> SourceAnswer:
    cause = activity.get(row.activity_id) if row.activity_id else None
    if cause is None:
        kind = "staff" if row.reason in BY_STAFF else "time"
        return SourceAnswer(type=kind, id=None, external_id=None)
    return SourceAnswer(type=cause.kind, id=cause.pk, external_id=cause.external_id)
