"""Guests' receipts: a purchase without a member earns nothing until one claims it with the receipt's code, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import ProblemError
from loyalty.purchases.buyers import active, members_named, named_in
from loyalty.purchases.intake import Outcome, nudge_after_commit
from loyalty.purchases.models import Activity, GuestReceipt
from loyalty.purchases.returns import NothingLeftError
from programs import codes
from programs.engine.dates import after, local_day
from programs.models import ApiKey, Membership, Program
from programs.terms import schedule_of

log = structlog.get_logger(__name__)


class UnknownReceiptError(ProblemError):
    """No guest's receipt of this program has that code."""

    status, code = 404, "unknown-receipt"
    title = _("There is no such receipt in this program")
    cure = _("Check the code on the receipt.")


class ReceiptClaimedError(ProblemError):
    """Another member has claimed it."""

    status, code = 409, "receipt-claimed"
    title = _("Another member has claimed this receipt")
    cure = _("A receipt counts once, for whoever claimed it first.")


class ClaimTooLateError(ProblemError):
    """The program's days are over."""

    status, code = 409, "claim-too-late"
    title = _("This receipt can be claimed no more")
    cure = _("The program's terms say for how many days after a purchase it can be claimed.")


def write_receipts(guests: Sequence[Activity]) -> None:
    """Give each of these new purchases a code; one that another receipt has is an IntegrityError, so try again."""
    if guests:
        GuestReceipt.objects.bulk_create(
            [GuestReceipt(activity=row, program_id=row.program_id, code=codes.new_code()) for row in guests]
        )


def receipt_codes(rows: Sequence[Activity]) -> dict[UUID, str]:
    """Return the codes, as they are shown, of those of the purchases that nobody has claimed."""
    guests = [row.pk for row in rows if row.membership_id is None and row.kind == Activity.Kind.PURCHASE]
    if not guests:
        return {}
    found = GuestReceipt.objects.filter(pk__in=guests).values_list("pk", "code")
    return {pk: codes.shown(code) for pk, code in found}


def claim(*, program: Program, code: str, member: str, by: ApiKey) -> Outcome:
    """Make a guest's purchase the member's, to be judged by the terms and the tier of its day; return its outcome.

    Its returns go with it. Claiming again is the same claim. Raises UnknownReceiptError, UnknownMemberError,
    MemberBlockedError, MemberClosedError, ReceiptClaimedError, ClaimTooLateError, NothingLeftError.
    """
    with transaction.atomic():
        purchase = _locked_purchase(program, code)
        receipt = GuestReceipt.objects.get(pk=purchase.pk)  # As it stands now that nobody else can claim it.
        claimant = named_in(members_named(program, {member}), member, pointer="/member")
        if receipt.claimed_by_id == claimant.pk:
            return Outcome(purchase.external_id, purchase.pk, purchase.status)
        _check(program, purchase, receipt, claimant)
        receipt.claimed_by, receipt.claimed_at = claimant, datetime.now(UTC)
        receipt.save(update_fields=["claimed_by", "claimed_at"])
        _hand_over(purchase, claimant)
        nudge_after_commit()
    log.info("receipt_claimed", purchase=str(purchase.pk), member=str(claimant.pk), key=by.prefix)
    return Outcome(purchase.external_id, purchase.pk, purchase.status)


def _locked_purchase(program: Program, code: str) -> Activity:
    """Return the purchase, which returns and other claims cannot touch until the end of the transaction."""
    normal = codes.normal(code)
    if normal is None:
        raise UnknownReceiptError
    receipts = GuestReceipt.objects.filter(program=program, code=normal)
    found = Activity.objects.filter(pk__in=receipts.values("pk")).select_for_update(no_key=True).first()
    if found is None:
        raise UnknownReceiptError
    return found


def _check(program: Program, purchase: Activity, receipt: GuestReceipt, claimant: Membership) -> None:
    active(claimant)
    if receipt.claimed_by_id is not None:
        raise ReceiptClaimedError
    terms = schedule_of(program).at(purchase.occurred_at)
    assert terms is not None, "the intake refuses what no terms cover"
    last_day = local_day(purchase.occurred_at, terms.zone) + timedelta(days=terms.claim_days)
    if not terms.claim_days or program.now() >= after(last_day, terms.zone):
        raise ClaimTooLateError
    if purchase.is_void:
        raise NothingLeftError


def _hand_over(purchase: Activity, claimant: Membership) -> None:
    """Let the purchase and what came back of it be judged as the member's."""
    purchase.membership, purchase.status = claimant, Activity.Status.RECORDED
    purchase.save(update_fields=["membership", "status"])
    Activity.objects.refunds().filter(
        program_id=purchase.program_id,
        purchase_external_id=purchase.external_id,
        status=Activity.Status.ACCRUED,
    ).update(membership=claimant, status=Activity.Status.RECORDED)
