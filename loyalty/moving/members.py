"""Members of a file against those who are there: what each row would do, and doing it for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import Business, Customer, User
from loyalty.api.formats import decimal_text
from loyalty.ledger.actions import open_books
from loyalty.ledger.members import PERSONAL
from loyalty.ledger.models import OpeningBalance, OpeningTier, Standing, TierGrant
from loyalty.ledger.openings import Arrival, Held, Opening, move_in
from loyalty.ledger.sets import update_rows
from loyalty.moving.columns import Frame
from loyalty.moving.faults import Fault, fault
from loyalty.moving.member_rows import MemberRow
from programs.cards import new_card, shown
from programs.models import Membership

NEW, CHANGED, UNCHANGED, BAD = "new", "changed", "unchanged", "bad"


@dataclass(slots=True)
class Verdict:
    """What a row comes to: ``kind`` new, changed, unchanged or bad, and what is to be written for it."""

    row: MemberRow
    kind: str = UNCHANGED
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    membership: Membership | None = None
    customer: Customer | None = None
    filled: dict[str, Any] = field(default_factory=dict)  # Of the customer.
    external_id: str = ""  # Of the membership, where it had none.
    balances: list[Opening] = field(default_factory=list)
    tier: Held | None = None


@dataclass(slots=True)
class Facts:
    """Who is there already of those whom some rows name."""

    by_external_id: dict[str, Membership]
    by_card: dict[str, Membership]
    by_email: dict[str, Customer]
    by_customer: dict[UUID, Membership]
    balances: dict[tuple[UUID, str], int]
    tiers: dict[UUID, tuple[str, date | None]]
    standing: dict[UUID, tuple[str, date | None]]


def judge_all(rows: Sequence[MemberRow], frame: Frame, *, taken: dict[UUID, int] | None = None) -> list[Verdict]:
    """Return what each row would do as things stand. At most seven queries, whatever the number of rows.

    ``taken``: the rows of the file that speak of a member so far, by member; it is added to.
    """
    facts = _facts(rows, frame)
    taken = taken if taken is not None else {}
    return [_judge(row, frame, facts, taken) for row in rows]


@transaction.atomic
def write_all(rows: Sequence[MemberRow], frame: Frame, *, is_joining_rewarded: bool, by: User | None) -> list[Verdict]:
    """Do what good rows say and return what each came to; in a number of queries that the rows do not change.

    One writer of a business at a time: a twin finds what the first has written.
    """
    Business.objects.select_for_update(no_key=True).get(pk=frame.program.business_id)
    verdicts = judge_all(rows, frame)
    good = [verdict for verdict in verdicts if verdict.kind != BAD]
    _fill(good)
    _enrol([verdict for verdict in good if verdict.kind == NEW], frame, is_joining_rewarded=is_joining_rewarded)
    arrivals = [
        Arrival(verdict.membership.pk, verdict.balances, verdict.tier)
        for verdict in good
        if verdict.membership is not None
    ]
    move_in(program=frame.program, arrivals=arrivals, by=by)
    return verdicts


# --- Judging -----------------------------------------------------------------------------------------------------


def _facts(rows: Sequence[MemberRow], frame: Frame) -> Facts:
    members = Membership.objects.filter(program=frame.program).select_related("customer")
    # The indexes leave out empty values, and the database must be told that these are none to use them.
    numbers = [row.external_id for row in rows if row.external_id]
    cards = [row.card for row in rows if row.card]
    named = list(members.exclude(external_id="").filter(external_id__in=numbers)) if numbers else []
    named += list(members.filter(card__in=cards)) if cards else []
    # As the unique index has it: in lower case on both sides, by the database.
    emails = [Lower(Value(row.email)) for row in rows if row.email]
    customers = Customer.objects.filter(business=frame.program.business_id).exclude(email="")
    known = list(customers.alias(lowered=Lower("email")).filter(lowered__in=emails)) if emails else []
    known_ids = [customer.pk for customer in known]
    theirs = list(members.filter(customer__in=known_ids)) if known_ids else []
    found = {member.pk: member for member in (*named, *theirs)}
    balances = OpeningBalance.objects.filter(membership__in=list(found)).values_list(
        "membership_id", "unit__code", "amount"
    )
    tiers = OpeningTier.objects.filter(membership__in=list(found)).values_list("membership_id", "tier", "until")
    standings = Standing.objects.filter(membership__in=list(found)).values_list("membership_id", "tier", "tier_until")
    return Facts(
        by_external_id={member.external_id: member for member in found.values() if member.external_id},
        by_card={member.card: member for member in found.values()},
        by_email={customer.email.lower(): customer for customer in known},
        by_customer={member.customer_id: member for member in found.values()},
        balances={(pk, unit): amount for pk, unit, amount in balances},
        tiers={pk: (tier, until) for pk, tier, until in tiers},
        standing={pk: (tier, until) for pk, tier, until in standings},
    )


def _judge(row: MemberRow, frame: Frame, facts: Facts, taken: dict[UUID, int]) -> Verdict:
    verdict = Verdict(row, faults=list(row.faults))
    if not verdict.faults:
        _find(verdict, facts)
    if not verdict.faults and verdict.membership is not None:
        first = taken.setdefault(verdict.membership.pk, row.number)
        if first != row.number:
            verdict.faults.append(fault(row.number, "", "", "same-as-row", first=str(first)))
    if not verdict.faults:
        _judge_what_comes(verdict, frame, facts)
    if verdict.faults:
        verdict.kind = BAD
    elif verdict.membership is None:
        verdict.kind = NEW
    elif verdict.filled or verdict.external_id or verdict.balances or verdict.tier:
        verdict.kind = CHANGED
    return verdict


def _find(verdict: Verdict, facts: Facts) -> None:
    """Find who the row is about; a fault where its columns name different people."""
    row = verdict.row
    customer = facts.by_email.get(row.email.lower()) if row.email else None
    named = {
        "external_id": facts.by_external_id.get(row.external_id) if row.external_id else None,
        "email": facts.by_customer.get(customer.pk) if customer is not None else None,
        "card": facts.by_card.get(row.card) if row.card else None,
    }
    found = {column: member for column, member in named.items() if member is not None}
    member = next(iter(found.values()), None)
    others = [column for column, other in found.items() if member is not None and other.pk != member.pk]
    if customer is not None and member is not None and member.customer_id != customer.pk and "email" not in others:
        others.append("email")
    if others:
        column = next(iter(found))
        value = dict(row.keys)[column]
        both = ", ".join([column, *others])
        code = "card-taken" if others == ["card"] else "member-conflict"
        at = "card" if code == "card-taken" else column
        verdict.faults.append(fault(row.number, at, row.card if at == "card" else value, code, columns=both))
        return
    verdict.membership = member
    verdict.customer = customer if customer is not None else member.customer if member is not None else None
    if member is not None:
        _check_same(verdict, member, by=", ".join(found))


def _check_same(verdict: Verdict, member: Membership, *, by: str) -> None:
    """See that what the row says of a member who is there does not speak of somebody else."""
    row = verdict.row
    if row.external_id and member.external_id and member.external_id != row.external_id:
        more = {"by": by, "known": member.external_id}
        verdict.faults.append(fault(row.number, "external_id", row.external_id, "other-external-id", **more))
    elif row.external_id and not member.external_id:
        verdict.external_id = row.external_id
    if member.status == Membership.Status.CLOSED:
        verdict.faults.append(fault(row.number, "", "", "member-closed"))
    if row.card and row.card != member.card:
        verdict.remarks.append(fault(row.number, "card", row.card, "other-card", known=shown(member.card)))


def _judge_what_comes(verdict: Verdict, frame: Frame, facts: Facts) -> None:
    row, customer = verdict.row, verdict.customer
    if customer is not None:
        verdict.filled = {name: value for name, value in row.personal.items() if not getattr(customer, name)}
    if row.exported_from == str(frame.program.pk):
        if verdict.membership is None:
            verdict.faults.append(fault(row.number, "", "", "not-in-this-program"))
        return
    for unit, opening in row.balances.items():
        _judge_balance(verdict, unit, opening, frame, facts)
    if row.tier:
        _judge_tier(verdict, frame, facts)


def _judge_balance(verdict: Verdict, unit: str, opening: Opening, frame: Frame, facts: Facts) -> None:
    member = verdict.membership
    known = facts.balances.get((member.pk, unit)) if member is not None else None
    if known is None:
        if opening.amount and unit in verdict.row.over:
            verdict.faults.append(verdict.row.over[unit])
        elif opening.amount:
            verdict.balances.append(opening)
        return
    if known != opening.amount:
        digits = frame.units[unit].precision
        said, had = (decimal_text(amount, digits) for amount in (opening.amount, known))
        verdict.faults.append(fault(verdict.row.number, f"balance:{unit}", said, "other-balance", known=had))


def _judge_tier(verdict: Verdict, frame: Frame, facts: Facts) -> None:
    row, member = verdict.row, verdict.membership
    known = facts.tiers.get(member.pk) if member is not None else None
    if known is not None:
        if known != (row.tier, row.tier_until):
            last_day = f" ({known[1].isoformat()})" if known[1] else ""
            verdict.faults.append(fault(row.number, "tier", row.tier, "other-tier", known=f"{known[0]}{last_day}"))
        return
    tier, until = facts.standing.get(member.pk, ("", None)) if member is not None else ("", None)
    is_held = tier == row.tier and row.tier_until in (None, until)
    is_lowest = frame.terms.rank(row.tier) == 0
    if is_held or is_lowest:
        return
    if "tier" in row.over:
        verdict.faults.append(row.over["tier"])
        return
    invited = next(one.by_invitation for one in frame.terms.tiers if one.code == row.tier)
    kind = TierGrant.Kind.INVITATION if invited else TierGrant.Kind.HAND
    verdict.tier = Held(row.tier, row.tier_until, kind, row.tier_reason or _("Moved in"))


# --- Writing -----------------------------------------------------------------------------------------------------


def _fill(verdicts: Iterable[Verdict]) -> None:
    """Fill in what was not known of those who are there: each field by itself, the others may change meanwhile."""
    given = list(verdicts)
    for name in PERSONAL:
        rows = [(one.customer.pk, one.filled[name]) for one in given if one.customer is not None and name in one.filled]
        update_rows(Customer, (name,), sorted(rows))
    numbers = [(one.membership.pk, one.external_id) for one in given if one.membership is not None and one.external_id]
    update_rows(Membership, ("external_id",), sorted(numbers))


def _enrol(verdicts: Sequence[Verdict], frame: Frame, *, is_joining_rewarded: bool) -> None:
    program = frame.program
    if not verdicts:
        return
    fresh = []
    for verdict in verdicts:
        if verdict.customer is None:
            verdict.customer = Customer(business_id=program.business_id, **verdict.row.personal)
            fresh.append(verdict.customer)
        verdict.membership = Membership(
            program=program,
            customer=verdict.customer,
            card=verdict.row.card or new_card(),
            external_id=verdict.row.external_id,
            joined_at=verdict.row.joined_at or frame.now,
        )
    Customer.objects.bulk_create(fresh)
    members = [verdict.membership for verdict in verdicts if verdict.membership is not None]
    Membership.objects.bulk_create(members)
    open_books(memberships=members, is_joining_rewarded=is_joining_rewarded)
