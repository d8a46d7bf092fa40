"""Accrual in micro-batches by member: claim, fold in memory, write once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from accounts.ids import new_id
from accounts.models import User
from loyalty.ledger import book as ledger
from loyalty.ledger.models import Standing
from loyalty.ledger.sets import update_rows
from loyalty.purchases.budgets import budgets_to_hold, hold
from loyalty.purchases.credits import complete as complete_credit
from loyalty.purchases.events import go_on_with_friends, waits_for_friends
from loyalty.purchases.facts import (
    Row,
    asks_for_segments,
    by_member,
    converts_at_once,
    engine_activity,
    in_order,
    judged_facts,
    needs_of,
    purchases_of_refunds,
    read_for_late_activity,
    read_for_refunds,
    restored_by,
    rows_due,
)
from loyalty.purchases.intake import NO_TERMS_IN_FORCE
from loyalty.purchases.models import Activity, Award, Judgement
from loyalty.purchases.signals import activity_judged, activity_set_aside
from programs.engine import state as engine
from programs.engine.terms import Schedule
from programs.engine.timeline import fold
from programs.models import Membership, Program
from programs.terms import schedules_of

log = structlog.get_logger(__name__)

MEMBERS_A_BATCH = 200
ROWS_A_CLAIM = 4_000
PURCHASE = Activity.Kind.PURCHASE

# What one activity, or one member's due work, can fail of; anything else is nobody's data.
FAILURES = (DatabaseError, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)

REFUSALS = {"no-version-in-force": NO_TERMS_IN_FORCE}  # The engine's reasons as codes of the catalogue.


@dataclass(slots=True)
class BatchReport:
    """What one batch did: activity judged, set aside and left waiting. ``locked_out``: another worker held them all."""

    judged: int = 0
    failed: int = 0
    waiting: int = 0
    locked_out: int = 0

    @property
    def moved(self) -> bool:
        """Whether anything came further."""
        return bool(self.judged or self.failed or self.waiting)


def accrue_batch() -> BatchReport:
    """Judge recorded activity of up to 200 members; return what was done. Safe to run by many workers at once."""
    claimed = _claim()
    if not claimed:
        return BatchReport()
    return _accrue_members(claimed)


def accrue_now(*, membership: Membership) -> BatchReport:
    """Judge what is recorded of one member before an answer shows it; a worker that is at it is waited for."""
    return _accrue_one_by_one(membership.pk)


def retry(*, activities: Iterable[Activity], by: User) -> int:
    """Take failed activity off the shelf, to be judged again; return how many.

    A return that took more than its purchase had is nobody's to judge: it stays.
    """
    from loyalty.purchases.tasks import nudge  # noqa: PLC0415 -- tasks import actions, never the other way at the top

    with transaction.atomic():
        ids = [activity.pk for activity in activities]
        failed = Activity.objects.failed().filter(pk__in=ids, membership__isnull=False)
        keys = list(failed.values_list("program_id", "external_id", "kind"))
        count = failed.update(status=Activity.Status.RECORDED, detail="")
        for program_id, external_id, kind in keys:
            if kind == Activity.Kind.PURCHASE:
                Activity.objects.filter(
                    program_id=program_id,
                    kind=Activity.Kind.REFUND,
                    purchase_external_id=external_id,
                    status=Activity.Status.WAITING,
                ).update(status=Activity.Status.RECORDED)
        transaction.on_commit(nudge)
    log.info("activity_retried", count=count, by=str(by.pk))
    return count


def _claim() -> list[UUID]:
    """Return members with activity due to be judged, those waiting longest first."""
    rows = (
        Activity.objects.awaiting_accrual(at=datetime.now(UTC))
        .order_by("due_at")
        .values_list("membership_id", flat=True)[:ROWS_A_CLAIM]
    )
    return list(dict.fromkeys(pk for pk in rows if pk is not None))


def _accrue_members(members: Sequence[UUID]) -> BatchReport:
    """Judge these members in one transaction; where that fails, halve until the one bad activity is set aside."""
    try:
        with transaction.atomic():
            return _accrue_locked(members)
    except FAILURES as error:
        if _is_passing(error):
            raise
        if len(members) > 1:
            log.warning("batch_bisected", members=len(members), error=str(error))
            half = len(members) // 2
            return _sum(_accrue_members(members[:half]), _accrue_members(members[half:]))
        return _accrue_one_by_one(members[0])


def _accrue_one_by_one(member: UUID) -> BatchReport:
    """Judge one member's activity each in a transaction of its own; what cannot be judged goes on the shelf."""
    report = BatchReport()
    due = Activity.objects.awaiting_accrual(at=datetime.now(UTC)).filter(membership_id=member).in_order()
    for activity_id in list(due.values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                report = _sum(report, _accrue_locked([member], only=activity_id, wait=True))
        except FAILURES as error:
            if _is_passing(error):
                raise
            log.exception("activity_failed", activity=str(activity_id))
            _set_aside(activity_id, why=f"{type(error).__name__}: {error}"[:500])
            report.failed += 1
    return report


@transaction.atomic
def _set_aside(activity_id: UUID, *, why: str) -> None:
    row = Activity.objects.filter(pk=activity_id, status=Activity.Status.RECORDED)
    if row.update(status=Activity.Status.FAILED, detail=why):
        activity_set_aside.send(
            sender=Activity, activity=Activity.objects.select_related("program").get(pk=activity_id)
        )


def _is_passing(error: Exception) -> bool:
    """Whether the error lies with the moment (no connection, a deadlock, a lock), not with the activity."""
    if not isinstance(error, DatabaseError):
        return False
    code = getattr(error.__cause__, "sqlstate", None) or ""
    return isinstance(error, InterfaceError) or (isinstance(error, OperationalError) and not code.startswith("22"))


def _sum(one: BatchReport, other: BatchReport) -> BatchReport:
    return BatchReport(
        judged=one.judged + other.judged,
        failed=one.failed + other.failed,
        waiting=one.waiting + other.waiting,
        locked_out=one.locked_out + other.locked_out,
    )


def _accrue_locked(members: Sequence[UUID], *, only: UUID | None = None, wait: bool = False) -> BatchReport:
    standings = ledger.lock_standings(members, skip_locked=not wait, most=MEMBERS_A_BATCH)
    report = BatchReport(locked_out=0 if standings else len(members))
    if not standings:
        return report
    rows = rows_due(standings, only=only)
    purchases = purchases_of_refunds(rows)
    judged = judged_facts(purchases.values())
    ordered = {pk: in_order(own, purchases) for pk, own in by_member(rows).items()}
    schedules = _schedules(standings)
    grouped = {pk for pk, schedule in schedules.items() if asks_for_segments(schedule)}
    converting = {pk for pk, schedule in schedules.items() if converts_at_once(schedule)}
    needs = {
        one.membership_id: needs_of(
            one,
            ordered[one.membership_id],
            segments=one.program_id in grouped,
            converts=one.program_id in converting,
        )
        for one in standings
        if one.membership_id in ordered
    }
    book = ledger.open_book(standings, needs)
    complete_credit(book, schedules)
    restores = restored_by(rows)
    read_for_refunds(book, ordered, judged, restores)
    read_for_late_activity(book, ordered, standings)
    budgets = hold(budgets_to_hold(rows, schedules=schedules, judged=judged, purchases=purchases))
    results = {}
    for standing in standings:
        if not (own := ordered.get(standing.membership_id)):
            continue
        results[standing.membership_id] = fold(
            state=book.states[standing.membership_id],
            schedule=schedules[standing.program_id],
            activity=[engine_activity(row, purchases, judged, restores) for row in own],
            new_id=new_id,
            budgets=budgets.of(standing.program_id),
        )
    ledger.write(book, results)
    budgets.write()
    to_wait = _to_wait(rows, purchases, results)
    _write_verdicts(book, rows, results, to_wait=to_wait)
    activity_judged.send(sender=Activity, book=book, results=results)
    waited_for = {pk for pk, schedule in schedules.items() if waits_for_friends(schedule)}
    purchased = (row for row in rows if row.program_id in waited_for and row.kind == PURCHASE)
    if bought := {(row.program_id, row.membership_id) for row in purchased}:
        go_on_with_friends(bought=bought)
    report.waiting = len(to_wait)
    for _state, outcome in results.values():
        report.judged += len(outcome.verdicts)
        report.failed += len(outcome.refused)
    return report


# --- Writing ---------------------------------------------------------------------------------------------------


def _to_wait(
    rows: Sequence[Row],
    purchases: Mapping[tuple[UUID, str], Activity],
    results: Mapping[UUID, tuple[engine.State, engine.Outcome]],
) -> list[UUID]:
    """Return the refunds that must wait: their purchase failed. Where it is only not yet due, they stay recorded."""
    outcomes = [outcome for _state, outcome in results.values()]
    unjudged = set(chain.from_iterable(outcome.waiting for outcome in outcomes))
    refused = set(chain.from_iterable(outcome.refused for outcome in outcomes))
    to_wait = []
    for row in rows:
        if row.id in unjudged:
            purchase = purchases.get((row.program_id, row.purchase_external_id))
            is_coming = purchase is not None and purchase.status == Activity.Status.RECORDED
            if purchase is None or purchase.pk in refused or not is_coming:
                to_wait.append(row.id)
    return to_wait


def _write_verdicts(
    book: ledger.Book,
    rows: Sequence[Row],
    results: Mapping[UUID, tuple[engine.State, engine.Outcome]],
    *,
    to_wait: Sequence[UUID],
) -> None:
    programs = {row.id: row.program_id for row in rows}
    outcomes = [outcome for _state, outcome in results.values()]
    posted_at = datetime.now(UTC)
    judgements: list[Judgement] = []
    awards: list[Award] = []
    statuses: list[tuple[UUID, str, str]] = []
    for verdict in chain.from_iterable(outcome.verdicts for outcome in outcomes):
        program_id = programs[verdict.activity_id]
        judgements.append(
            Judgement(
                activity_id=verdict.activity_id,
                program_id=program_id,
                version_id=verdict.version_id,
                tier=verdict.tier,
                facts=verdict.facts,
                posted_at=posted_at,
            )
        )
        awards += [
            Award(
                program_id=program_id,
                activity_id=verdict.activity_id,
                rule=rule,
                unit=book.units[program_id, unit],
                amount=amount,
            )
            for rule, unit, amount in verdict.awards
        ]
        statuses.append((verdict.activity_id, Activity.Status.ACCRUED, ""))
    for outcome in outcomes:
        statuses += [(pk, Activity.Status.FAILED, REFUSALS.get(why, why)) for pk, why in outcome.refused.items()]
    statuses += [(pk, Activity.Status.WAITING, "") for pk in to_wait]
    Judgement.objects.bulk_create(judgements)
    Award.objects.bulk_create(awards)
    update_rows(Activity, ("status", "detail"), sorted(statuses))
    returned = sorted((pk, *so_far) for outcome in outcomes for pk, so_far in outcome.returned.items())
    update_rows(Activity, ("returned", "is_void"), returned)


def _schedules(standings: Sequence[Standing]) -> dict[UUID, Schedule]:
    return schedules_of(Program.objects.filter(pk__in={standing.program_id for standing in standings}))


# --- What falls due by itself ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DueReport:
    """What a run of due work did; ``failed`` members stand where they stood, and are tried again the next time."""

    members: int = 0
    postings: int = 0
    tier_changes: int = 0
    failed: int = 0

    def __add__(self, other: DueReport) -> DueReport:
        """Return both together."""
        return DueReport(
            self.members + other.members,
            self.postings + other.postings,
            self.tier_changes + other.tier_changes,
            self.failed + other.failed,
        )


def run_due(*, program: Program, as_of: datetime) -> DueReport:
    """Do all that falls due for the program's members at or before ``as_of``, and move a sandbox's clock there.

    A moment before what was already done changes nothing. A member whose due work fails does not stop the others. In a
    paused program time goes no further than its pause, for members that is.
    """
    until = program.reached_by(as_of)
    total = DueReport()
    last: UUID | None = None
    while True:
        due = Standing.objects.filter(program=program).with_due_work(as_of=until).order_by("membership_id")
        if last is not None:
            due = due.filter(membership_id__gt=last)
        ids = list(due.values_list("membership_id", flat=True)[:MEMBERS_A_BATCH])
        if not ids:
            break
        last = ids[-1]
        total += _bring(ids, until=until)
    if program.clock is not None:
        Program.objects.filter(pk=program.pk, clock__lt=as_of).update(clock=as_of)
        program.refresh_from_db(fields=["clock"])
    return total


def bring_up_to_date(*, memberships: Sequence[Membership]) -> None:
    """Do what has fallen due for these members by their present, so that what is shown is what holds.

    Cheap where nothing is due: one query. While a history is being loaded a member's present is the latest activity.
    """
    programs = {membership.program_id: membership.program for membership in memberships}
    for program in programs.values():
        if program.is_in_backfill:
            continue
        now = program.reached_by(program.now())
        ids = [membership.pk for membership in memberships if membership.program_id == program.pk]
        due = Standing.objects.filter(membership_id__in=ids).with_due_work(as_of=now)
        if found := list(due.values_list("membership_id", flat=True)):
            _bring(found, until=now)


def _bring(ids: Sequence[UUID], *, until: datetime) -> DueReport:
    """Bring these members to a moment in one transaction; where that fails, halve until the one bad member is left."""
    try:
        with transaction.atomic():
            return _bring_locked(ids, until=until)
    except FAILURES as error:
        if _is_passing(error):
            raise
        if len(ids) == 1:
            log.exception("due_work_failed", member=str(ids[0]))
            return DueReport(failed=1)
        log.warning("due_work_bisected", members=len(ids), error=str(error))
    half = len(ids) // 2
    return _bring(ids[:half], until=until) + _bring(ids[half:], until=until)


def _bring_locked(ids: Sequence[UUID], *, until: datetime) -> DueReport:
    standings = ledger.lock_standings(ids, skip_locked=False)
    standings = [one for one in standings if one.due_at is not None and one.due_at <= until]
    if not standings:
        return DueReport()
    book = ledger.open_book(standings, {one.membership_id: ledger.Needs(lots=True) for one in standings})
    schedules = _schedules(standings)
    complete_credit(book, schedules)
    results = {
        one.membership_id: fold(
            state=book.states[one.membership_id],
            schedule=schedules[one.program_id],
            until=until,
            new_id=new_id,
        )
        for one in standings
    }
    ledger.write(book, results)
    return DueReport(
        members=len(results),
        postings=sum(len(outcome.postings) for _state, outcome in results.values()),
        tier_changes=sum(len(outcome.tier_changes) for _state, outcome in results.values()),
    )
