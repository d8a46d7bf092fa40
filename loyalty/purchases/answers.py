"""Activity as the API shows it: what was sent, who it was for, what it earned and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.utils import translation
from msgspec.structs import replace

from loyalty.api.conditions import etag_of
from loyalty.api.formats import decimal_text, digits_of, moment_text
from loyalty.api.preferences import language_for
from loyalty.ledger.answers import MemberAnswer, member_answers
from loyalty.ledger.queries import member_views
from loyalty.purchases.accrual import bring_up_to_date
from loyalty.purchases.explanations import Reason, explain, explain_award
from loyalty.purchases.lines import LineAnswer, shown, shown_returned
from loyalty.purchases.models import Activity, Award, Judgement
from loyalty.purchases.receipts import receipt_codes
from programs import codes
from programs.models import Membership, Program, Unit


class AwardAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one rule gave, in the unit; negative where a return took it back."""

    unit: str
    amount: str
    rule: str
    reason: str
    line: int | None = None


class ExplanationAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one rule, and why; ``cut_by`` names the limit that cut it."""

    rule: str
    fired: bool
    reason: str
    cut_by: str | None = None


class ActivityAnswer(msgspec.Struct, kw_only=True):
    """A purchase, a return or an event; ``type`` is the event's, ``total`` that of what was bought or came back.

    ``receipt_code``: with what a member can claim a guest's purchase; None once one has.
    ``paid``: what of a purchase redemptions and vouchers paid; of a return ``redemptions`` are those that it names.
    """

    id: UUID
    external_id: str
    kind: str
    type: str | None
    status: str
    member: MemberAnswer | None
    occurred_at: str
    posted_at: str
    currency: str
    total: str | None
    tax: str | None
    lines: list[LineAnswer]
    store: str | None
    channel: str | None
    terminal: str | None
    purchase: str | None
    receipt_code: str | None
    paid: str | None
    redemptions: list[str]
    vouchers: list[str]
    attributes: dict[str, Any]
    awards: list[AwardAnswer]
    explanation: list[ExplanationAnswer]
    detail: str


def activity_answers(rows: Sequence[Activity], *, program: Program, accept_language: str) -> list[ActivityAnswer]:
    """Return the activity as the API shows it, in a fixed number of queries; reasons in the reader's language."""
    members = list({row.membership_id: row.membership for row in rows if row.membership is not None}.values())
    shown_members = present_members(members, program=program)
    units = {unit.code: unit for unit in Unit.objects.filter(program=program)} if rows else {}
    receipts = receipt_codes(rows)
    answers: list[ActivityAnswer] = []
    for row in rows:
        own = row.membership.customer.language if row.membership is not None else ""
        with translation.override(language_for(accept_language, own, program.language)):
            member = shown_members[row.membership_id] if row.membership_id else None
            answers.append(
                activity_answer(row, member, program=program, units=units, receipt_code=receipts.get(row.pk))
            )
    return answers


def present_members(members: Sequence[Membership], *, program: Program) -> dict[UUID, MemberAnswer]:
    """Return the members as they stand at their present: what has fallen due is done first."""
    if not members:
        return {}
    for member in members:
        member.program = program
    bring_up_to_date(memberships=list(members))
    return members_as_they_stand(members, program=program)


def members_as_they_stand(members: Sequence[Membership], *, program: Program) -> dict[UUID, MemberAnswer]:
    """Return the members as they were brought up to date."""
    views = member_views(memberships=list(members))
    return member_answers(members, views, program=program)


def etag_of_member(shown: MemberAnswer) -> str:
    """Return the tag of a member's state, which does not go with the time."""
    return etag_of(replace(shown, as_of=""))


def etag_of_activity(shown: ActivityAnswer) -> str:
    """Return the tag of what has become of an activity and its member."""
    return etag_of(replace(shown, member=None if shown.member is None else replace(shown.member, as_of="")))


def activity_answer(
    row: Activity,
    member: MemberAnswer | None,
    *,
    program: Program,
    units: Mapping[str, Unit],
    receipt_code: str | None = None,
) -> ActivityAnswer:
    """Return one activity (store, judgement and awards loaded) as the API shows it, in the active language."""
    digits = digits_of(program.currency)
    judgement: Judgement | None = getattr(row, "judgement", None)
    awards = list(row.awards.all())
    reasons = explain(judgement, program=program, units=units, awards=awards) if judgement else []
    return ActivityAnswer(
        id=row.pk,
        external_id=row.external_id,
        kind=row.kind,
        type=row.event_type or None,
        status=row.status,
        member=member,
        occurred_at=moment_text(row.occurred_at, program.zone),
        posted_at=moment_text(row.posted_at, program.zone),
        currency=row.currency or program.currency,
        total=None if row.total is None else decimal_text(row.total, digits),
        tax=None if row.tax is None else decimal_text(row.tax, digits),
        lines=(shown_returned if row.kind == Activity.Kind.REFUND else shown)(row.lines, digits=digits),
        store=row.store.code if row.store else None,
        channel=row.channel or None,
        terminal=row.terminal or None,
        purchase=row.purchase_external_id or None,
        receipt_code=receipt_code,
        paid=decimal_text(row.paid, digits) if row.kind == Activity.Kind.PURCHASE else None,
        redemptions=[one["id"] for one in row.payments if one["kind"] == "redemption"],
        vouchers=[codes.shown(one["code"]) for one in row.payments if one["kind"] == "voucher"],
        attributes=row.attributes,
        awards=[_award(award, judgement, program=program) for award in awards],
        explanation=[_part(reason) for reason in reasons],
        detail=row.what_is_wrong,
    )


def _award(award: Award, judgement: Judgement | None, *, program: Program) -> AwardAnswer:
    return AwardAnswer(
        unit=award.unit.code,
        amount=decimal_text(award.amount, award.unit.precision),
        rule=award.rule,
        reason=explain_award(award, judgement=judgement, program=program),
    )


def _part(reason: Reason) -> ExplanationAnswer:
    return ExplanationAnswer(rule=reason.rule, fired=reason.fired, reason=reason.text, cut_by=reason.cut_by)
