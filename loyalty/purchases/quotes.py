"""What a purchase would earn if it were made: judged in memory like a real one. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.ids import new_id
from loyalty.api.problems import invalid
from loyalty.ledger import book as ledger
from loyalty.ledger.models import Standing
from loyalty.ledger.queries import present_of
from loyalty.purchases.budgets import budgets_to_hold, used_so_far
from loyalty.purchases.buyers import member_of, members_named
from loyalty.purchases.credits import complete as complete_credit
from loyalty.purchases.facts import (
    Row,
    engine_activity,
    engine_lines,
    in_order,
    judged_facts,
    purchases_of_refunds,
    read_for_late_activity,
    read_for_refunds,
    restored_by,
    rows_due,
)
from loyalty.purchases.inputs import PurchaseInput
from loyalty.purchases.intake import NO_TERMS_IN_FORCE, Intake
from loyalty.purchases.lines import stored
from loyalty.purchases.models import Activity
from loyalty.rewards.payments import Basket, Paid, tender_of
from programs.engine.baskets import earning_amount
from programs.engine.state import Outcome, State, Verdict
from programs.engine.terms import Schedule, Terms
from programs.engine.timeline import fold
from programs.models import ApiKey, Membership, Program

NOTHING_PAID = Paid()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What of a total earns, in minor units: without the tax and the part paid with units, where those do not."""

    total: int
    tax: int
    paid: int
    earns: int


@dataclass(frozen=True, slots=True)
class Quote:
    """How a purchase would be judged. ``present`` is where the member stands now; guests have neither."""

    arithmetic: Arithmetic
    member: Membership | None = None
    terms: Terms | None = None
    present: State | None = None
    verdict: Verdict | None = None


def quote(*, program: Program, item: PurchaseInput, by: ApiKey) -> Quote:
    """Return what the purchase would get, judged after all that is recorded of the member already.

    Raises UnknownMemberError, MemberBlockedError, MemberClosedError, ProgramClosedError, InvalidError;
    UnknownRedemptionError, UnknownVoucherError and NotTheirsError of what it is to be paid with.
    """
    with _snapshot():
        intake = Intake(program=program, now=datetime.now(UTC))
        intake.check_moment(item.occurred_at)
        intake.check_earns(item.occurred_at)
        terms = intake.schedule.at(item.occurred_at)
        assert terms is not None, "check_moment refuses it"
        member = member_of(item.member, members_named(program, {item.member} - {""}))
        paid = _paid_of(item, member, program=program, by=by)
        arithmetic = _arithmetic(item, terms, paid)
        if member is None:
            return Quote(arithmetic=arithmetic)
        wanted = row_of(item, program=program, member=member.pk, paid=paid)
        return _judged(wanted, member, program=program, schedule=intake.schedule, arithmetic=arithmetic)


def _paid_of(item: PurchaseInput, member: Membership | None, *, program: Program, by: ApiKey) -> Paid:
    """Return what the redemptions and vouchers that a purchase names pay of it; raise what would refuse them."""
    tender = tender_of(program=program, member=member, redemptions=item.redemptions, vouchers=item.vouchers, by=by)
    if member is not None:
        standing = Standing.objects.get(pk=member.pk)
        tender.check(at=max(item.occurred_at, present_of(program=program, standing=standing, now=program.now())))
    return tender.paid_of(Basket(item.total, engine_lines(stored(item.lines))))


def judged(wanted: Row, member: Membership, *, program: Program, schedule: Schedule) -> Verdict:
    """Return how the member's activity would be judged under a schedule that may be another than the published one.

    Raises InvalidError where the schedule has no terms for its moment.
    """
    with _snapshot():
        nothing = Arithmetic(0, 0, 0, 0)
        found = _judged(wanted, member, program=program, schedule=schedule, arithmetic=nothing).verdict
    assert found is not None, "a member's activity is judged or refused"
    return found


def _judged(wanted: Row, member: Membership, *, program: Program, schedule: Schedule, arithmetic: Arithmetic) -> Quote:
    standing = Standing.objects.get(pk=member.pk)
    recorded = rows_due([standing], only=None)
    reading = _Reading([*recorded, wanted], standing, schedule)
    present, _outcome = reading.folded(
        recorded, until=present_of(program=program, standing=standing, now=program.now())
    )
    _state, outcome = reading.folded([*recorded, wanted])
    verdicts = {verdict.activity_id: verdict for verdict in outcome.verdicts}
    if wanted.id not in verdicts:
        raise invalid("/occurred_at", NO_TERMS_IN_FORCE)
    return Quote(
        arithmetic=arithmetic,
        member=member,
        terms=schedule.versions[max(0, schedule.index_of(present.version_id))],
        present=present,
        verdict=verdicts[wanted.id],
    )


class _Reading:
    """What accrual would read, and lock, to judge these rows of one member."""

    def __init__(self, rows: Sequence[Row], standing: Standing, schedule: Schedule) -> None:
        self.schedule = schedule
        self.member = standing.membership_id
        self.purchases = purchases_of_refunds(rows)
        self.judged = judged_facts(self.purchases.values())
        ordered = {self.member: in_order(rows, self.purchases)}
        needs = ledger.Needs(lots=True, periods=True, segments=True)
        book = ledger.open_book([standing], {self.member: needs})
        complete_credit(book, {standing.program_id: schedule})
        self.restores = restored_by(rows)
        read_for_refunds(book, ordered, self.judged, self.restores)
        read_for_late_activity(book, ordered, [standing])
        self.state = book.states[self.member]
        schedules = {standing.program_id: schedule}
        wanted = budgets_to_hold(rows, schedules=schedules, judged=self.judged, purchases=self.purchases)
        self.budgets = used_so_far(wanted).get(standing.program_id, {})

    def folded(self, rows: Sequence[Row], *, until: datetime | None = None) -> tuple[State, Outcome]:
        """Return where these rows bring the member; what was read stays as it is."""
        return fold(
            state=self.state,
            schedule=self.schedule,
            activity=[
                engine_activity(row, self.purchases, self.judged, self.restores)
                for row in in_order(rows, self.purchases)
            ],
            until=until,
            new_id=new_id,
            budgets=dict(self.budgets),
        )


def row_of(item: PurchaseInput, *, program: Program, member: UUID, paid: Paid = NOTHING_PAID) -> Row:
    """Return the purchase as accrual would read it, were it recorded now."""
    return Row(
        id=new_id(),
        program_id=program.pk,
        membership_id=member,
        kind=Activity.Kind.PURCHASE,
        external_id="",
        occurred_at=item.occurred_at,
        position=item.position,
        posted_at=datetime.now(UTC),
        total=item.total,
        tax=item.tax,
        lines=stored(item.lines),
        store=item.store or None,
        channel=item.channel,
        attributes=dict(item.attributes),
        event_type="",
        purchase_external_id="",
        paid=paid.amount,
        freed={str(number): pieces for number, pieces in paid.freed.items()},
    )


def _arithmetic(item: PurchaseInput, terms: Terms, paid: Paid) -> Arithmetic:
    without_tax = earning_amount(terms=terms, total=item.total, tax=item.tax or 0)
    earns = earning_amount(terms=terms, total=item.total, tax=item.tax or 0, paid=paid.amount)
    return Arithmetic(total=item.total, tax=item.total - without_tax, paid=without_tax - earns, earns=earns)


@contextmanager
def _snapshot() -> Iterator[None]:
    """Read everything as of one moment, unable to write where the database can hold us to that."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
