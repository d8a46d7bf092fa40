"""Purchases and returns are written once, however often they are sent, and judged later by the workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import structlog
from django.db import transaction

from loyalty.api.problems import ProblemError
from loyalty.purchases.buyers import member_of, members_named
from loyalty.purchases.facts import engine_lines
from loyalty.purchases.inputs import PurchaseInput, RefundInput
from loyalty.purchases.intake import (
    Intake,
    Known,
    Outcome,
    known_receipts,
    nudge_after_commit,
    past_twins,
    receipt_key,
    repeated,
    touch_backfill,
)
from loyalty.purchases.lines import read, stored
from loyalty.purchases.locks import hold_intake, share_intake
from loyalty.purchases.models import Activity, ReceiptKey
from loyalty.purchases.returns import Returned, left_of, resolve, returned_rows, wanted_rows
from loyalty.rewards.models import Redemption
from loyalty.rewards.payments import Basket, redemptions_named, tender_of
from loyalty.rewards.problems import (
    NotTheirsError,
    NotThePurchasesError,
    RedemptionNotSpentError,
    RedemptionReturnedError,
)
from programs.models import ApiKey, Membership, Program, Store

log = structlog.get_logger(__name__)


# --- Purchases -----------------------------------------------------------------------------------------------------


def record_purchases(*, program: Program, items: Sequence[PurchaseInput], by: ApiKey) -> list[Outcome]:
    """Write what is new and return every item's outcome, in order; each stands alone.

    A fixed number of queries for 1 to 1000 items, in one transaction; the workers are nudged after its commit.
    """
    return past_twins(lambda: _record_purchases(program=program, items=items, by=by))


def _record_purchases(*, program: Program, items: Sequence[PurchaseInput], by: ApiKey) -> list[Outcome]:
    now = datetime.now(UTC)
    with transaction.atomic():
        share_intake(program)
        seen = known_receipts(program, Activity.Kind.PURCHASE, {item.external_id for item in items})
        unseen = [item for item in items if item.external_id not in seen]
        members = members_named(program, {item.member for item in unseen if item.member})
        intake = Intake(program=program, now=now) if unseen else None
        taken: list[tuple[PurchaseInput, Activity]] = []
        outcomes: list[Outcome] = []
        for item in items:
            known = seen.get(item.external_id)
            if known is not None:
                outcomes.append(repeated(item.external_id, known, item.digest()))
                continue
            assert intake is not None
            try:
                row = _purchase(item, member=member_of(item.member, members), intake=intake)
                if item.redemptions or item.vouchers:
                    _pay(item, row, program=program, by=by)
            except ProblemError as problem:
                outcomes.append(_past_twin(program, item, problem))
                continue
            seen[item.external_id] = Known(row.pk, item.digest(), row.status)
            taken.append((item, row))
            outcomes.append(Outcome(item.external_id, row.pk, row.status, is_new=True))
        if taken:
            _write_purchases(program, taken, seen)
            nudge_after_commit()
        touch_backfill(program, now=now)
    if taken:
        log.debug("purchases_recorded", count=len(taken), program=program.slug, key=by.prefix)
    return outcomes


def _purchase(item: PurchaseInput, *, member: Membership | None, intake: Intake) -> Activity:
    intake.check_moment(item.occurred_at)
    intake.check_earns(item.occurred_at)
    return Activity(
        program_id=intake.program.pk,
        membership=member,
        kind=Activity.Kind.PURCHASE,
        external_id=item.external_id,
        # A guest's purchase earns nothing, so there is nothing to judge.
        status=Activity.Status.RECORDED if member else Activity.Status.ACCRUED,
        occurred_at=item.occurred_at,
        posted_at=intake.now,
        due_at=intake.due_at(item.occurred_at),
        position=item.position,
        currency=item.currency,
        total=item.total,
        tax=item.tax,
        lines=stored(item.lines),
        channel=item.channel,
        terminal=item.terminal,
        attributes=item.attributes,
    )


def _past_twin(program: Program, item: PurchaseInput, problem: ProblemError) -> Outcome:
    """Return that an item is refused; unless a twin has meanwhile recorded it, which is why it is."""
    twin = known_receipts(program, Activity.Kind.PURCHASE, {item.external_id}).get(item.external_id)
    if twin is not None:
        return repeated(item.external_id, twin, item.digest())
    return Outcome(item.external_id, problem=problem)


def _pay(item: PurchaseInput, row: Activity, *, program: Program, by: ApiKey) -> None:
    """Capture and use what pays for the purchase, all of it or nothing; raise what refuses it."""
    tender = tender_of(
        program=program, member=row.membership, redemptions=item.redemptions, vouchers=item.vouchers, by=by
    )
    basket = Basket(item.total, engine_lines(row.lines))
    paid = tender.paid_of(basket)
    with transaction.atomic():
        tender.settle(ref=item.external_id, activity_id=row.pk, basket=basket, at=item.occurred_at)
    row.paid, row.payments = paid.amount, paid.rows
    row.freed = {str(number): pieces for number, pieces in paid.freed.items()}


def _write_purchases(
    program: Program, taken: Sequence[tuple[PurchaseInput, Activity]], seen: Mapping[str, Known]
) -> None:
    stores = _stores(program, {item.store for item, _row in taken if item.store})
    for item, row in taken:
        row.store_id = stores.get(item.store)
    rows = sorted((row for _item, row in taken), key=lambda row: row.external_id)  # Twins meet in one order.
    Activity.objects.bulk_create(rows)
    ReceiptKey.objects.bulk_create([receipt_key(row, seen[row.external_id].digest) for row in rows])
    _adopt_early_refunds(program, {row.external_id: row for row in rows})


def _stores(program: Program, codes: set[str]) -> dict[str, UUID]:
    """Return the stores by code; a till's first word of a store makes it."""
    if not codes:
        return {}
    rows = Store.objects.filter(business_id=program.business_id, code__in=sorted(codes))
    known = dict(rows.values_list("code", "pk"))
    if missing := sorted(codes - known.keys()):
        fresh = [Store(business_id=program.business_id, code=code) for code in missing]
        Store.objects.bulk_create(fresh, ignore_conflicts=True)
        known = dict(rows.all().values_list("code", "pk"))
    return known


# --- Returns -------------------------------------------------------------------------------------------------------


def record_refund(*, program: Program, item: RefundInput, by: ApiKey) -> Outcome:
    """Write a return, of a purchase that is there or of one still to come (it waits); return the outcome.

    Raises NothingLeftError, ExceedsPurchaseError, ExternalIdReuseError, InvalidError.
    """
    return past_twins(lambda: _record_refund(program=program, item=item, by=by))


def _record_refund(*, program: Program, item: RefundInput, by: ApiKey) -> Outcome:
    now = datetime.now(UTC)
    with transaction.atomic():
        found = known_receipts(program, Activity.Kind.REFUND, {item.external_id}).get(item.external_id)
        if found is not None:
            return repeated(item.external_id, found, item.digest())
        intake = Intake(program=program, now=now)
        intake.check_moment(item.occurred_at)
        named = redemptions_named(program=program, references=item.redemptions, by=by)
        purchase = _purchase_to_return(program, item.purchase)
        if purchase is None:
            hold_intake(program)  # A purchase on its way is now either committed or will find this return.
            purchase = _purchase_to_return(program, item.purchase)
        twin = known_receipts(program, Activity.Kind.REFUND, {item.external_id}).get(item.external_id)
        if twin is not None:  # It came while the purchase was waited for.
            return repeated(item.external_id, twin, item.digest())
        row = _refund(item, intake=intake)
        row.payments = [{"kind": "redemption", "id": str(one.pk)} for one in named]
        _claim(named, row)
        if purchase is not None:
            _check_returned(named, purchase)
            _bind(row, purchase, before=_returned_before(purchase))
            if purchase.membership_id is None:
                purchase.save(update_fields=["is_void", "returned"])
        row.save(force_insert=True)
        receipt_key(row, item.digest()).save(force_insert=True)
        touch_backfill(program, now=now)
        nudge_after_commit()
    log.debug("refund_recorded", program=program.slug, key=by.prefix)
    return Outcome(item.external_id, row.pk, row.status, is_new=True)


def _purchase_to_return(program: Program, external_id: str) -> Activity | None:
    """Return the purchase, locked until the end of the transaction."""
    purchases = Activity.objects.purchases().filter(program=program, external_id=external_id)
    key = ReceiptKey.objects.filter(program=program, kind=Activity.Kind.PURCHASE, external_id=external_id)
    return purchases.filter(pk__in=key.values("activity_id")).select_for_update(no_key=True).first()


def _check_returned(redemptions: Sequence[Redemption], purchase: Activity) -> None:
    """Refuse redemptions that are another member's, that paid for another purchase, or whose units are not spent."""
    for one in redemptions:
        if one.status == Redemption.Status.RETURNED:
            raise RedemptionReturnedError
        if one.membership_id != purchase.membership_id:
            raise NotTheirsError
        if one.activity_id not in (None, purchase.pk):
            raise NotThePurchasesError
        if one.status != Redemption.Status.CAPTURED:
            raise RedemptionNotSpentError


def _claim(redemptions: Sequence[Redemption], refund: Activity) -> None:
    """Let this return alone give the redemptions back; raise RedemptionReturnedError where another one is to."""
    for one in sorted(redemptions, key=lambda one: one.pk):
        free = Redemption.objects.filter(pk=one.pk, returned_by__isnull=True)
        if not free.update(returned_by=refund.pk):
            raise RedemptionReturnedError


def _named_in(refund: Activity) -> list[Redemption]:
    """Return the redemptions that a recorded return names."""
    if not refund.payments:
        return []
    return list(Redemption.objects.filter(pk__in=[one["id"] for one in refund.payments]))


def _returned_before(purchase: Activity) -> list[Returned]:
    """Return what earlier returns take of the purchase, judged or not."""
    refunds = Activity.objects.refunds().filter(
        program_id=purchase.program_id, purchase_external_id=purchase.external_id, total__isnull=False
    )
    return [one for lines in refunds.values_list("lines", flat=True) for one in returned_rows(lines)]


def _refund(item: RefundInput, *, intake: Intake) -> Activity:
    return Activity(
        program_id=intake.program.pk,
        kind=Activity.Kind.REFUND,
        external_id=item.external_id,
        status=Activity.Status.WAITING,
        occurred_at=item.occurred_at,
        posted_at=intake.now,
        due_at=intake.due_at(item.occurred_at),
        purchase_external_id=item.purchase,
        currency=intake.program.currency,
        lines=msgspec.to_builtins(item.wanted),
    )


def _bind(refund: Activity, purchase: Activity, *, before: Sequence[Returned]) -> list[Returned]:
    """Work out what the return takes of its purchase, and return it; a guest's needs no judging and is done at once."""
    total = purchase.total or 0
    lines = read(purchase.lines)
    taken = resolve(lines=lines, total=total, before=before, wanted=wanted_rows(refund.lines))
    refund.lines = msgspec.to_builtins(taken)
    refund.total = sum(one.amount for one in taken)
    refund.membership_id = purchase.membership_id
    refund.store_id = purchase.store_id
    refund.status = Activity.Status.RECORDED
    refund.due_at = max(refund.due_at, purchase.due_at)
    if purchase.membership_id is None:
        refund.status = Activity.Status.ACCRUED
        purchase.returned += refund.total
        purchase.is_void = not left_of(lines=lines, total=total, returned=[*before, *taken])
    return taken


def _adopt_early_refunds(program: Program, purchases: Mapping[str, Activity]) -> None:
    """Let the returns that came before these purchases go on, in order; one that takes too much is set aside."""
    waiting = Activity.objects.refunds().filter(
        program=program, purchase_external_id__in=sorted(purchases), status=Activity.Status.WAITING
    )
    taken: dict[str, list[Returned]] = defaultdict(list)
    for refund in waiting.in_order().select_for_update(no_key=True):
        purchase = purchases[refund.purchase_external_id]
        try:
            _check_returned(_named_in(refund), purchase)
            taken[purchase.external_id] += _bind(refund, purchase, before=taken[purchase.external_id])
        except ProblemError as problem:
            refund.status, refund.detail = Activity.Status.FAILED, problem.code
            Redemption.objects.filter(returned_by=refund.pk).update(returned_by=None)
        refund.save(update_fields=["status", "detail", "total", "lines", "membership", "store", "due_at"])
        if purchase.membership_id is None:
            purchase.save(update_fields=["is_void", "returned"])
