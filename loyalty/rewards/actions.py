"""The verbs of spending: reserve, capture, release, and redeem a voucher. Each under the member's lock, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction

from accounts.ids import new_id
from accounts.models import User
from loyalty.api.decoding import REQUIRED
from loyalty.api.problems import ProblemError, invalid
from loyalty.ledger.folding import folded, locked_standing, present_moment
from loyalty.ledger.members import check_active
from loyalty.ledger.models import Standing
from loyalty.ledger.running import check_may_spend
from loyalty.ledger.signals import units_wanted
from loyalty.rewards import problems, stocks
from loyalty.rewards.models import Redemption, Voucher
from loyalty.rewards.sentences import refusal_sentence
from loyalty.rewards.signals import redemption_reserved, voucher_redeemed
from programs import codes
from programs.engine.dates import local_day
from programs.engine.offers import beyond_basket
from programs.engine.state import Ask, Cost, Refusal, Reserve, Settle
from programs.engine.terms import RATE_SCALE, Terms
from programs.models import ApiKey, Membership, Program, Unit
from programs.terms import schedule_of, terms_of

log = structlog.get_logger(__name__)

HELD_FOR = timedelta(minutes=15)
Actor = ApiKey | User
Status = Redemption.Status


# --- Redemptions -----------------------------------------------------------------------------------------------------


def reserve(*, membership: Membership, reward: str, ask: Ask, by: Actor) -> Redemption:
    """Set the units of a reward aside for 15 minutes (the member's program loaded); return the redemption.

    Raises UnknownRewardError, a RewardRefusedError, MemberBlockedError, MemberClosedError, InvalidError,
    ProgramPausedError, ProgramClosedError.
    """
    check_active(membership)
    units_wanted.send(sender=Membership, membership=membership)
    with transaction.atomic():
        row = _reserve(membership, reward, ask)
    log.info("redemption_reserved", redemption=str(row.pk), reward=reward, by=str(by.pk))
    return row


def _reserve(membership: Membership, code: str, ask: Ask) -> Redemption:
    standing = locked_standing(membership)
    membership.program = Program.objects.select_related("business").get(pk=membership.program_id)
    check_may_spend(membership.program)
    schedule = schedule_of(membership.program)
    now = present_moment(membership, standing).astimezone(UTC)
    redemption_id = new_id()
    wanted = Reserve(redemption_id, now, code, ask, now + HELD_FOR)
    state, outcome = folded(standing, schedule, activity=[wanted], until=now)
    terms = schedule.versions[max(0, schedule.index_of(state.version_id))]
    if (refusal := outcome.refusals.get(redemption_id)) is not None:
        raise problem_of(refusal, code=code, terms=terms, tier=state.tier, program=membership.program)
    reward = terms.reward(code)
    assert reward is not None
    cost = outcome.reserved[redemption_id]
    hold = next(held for held in state.holds if held.id == redemption_id)
    stocks.claim(
        program_id=membership.program_id,
        reward=reward,
        quantity=cost.quantity,
        redemption_id=redemption_id,
        day=local_day(now, terms.zone),
    )
    row = Redemption.objects.create(
        id=redemption_id,
        program_id=membership.program_id,
        membership=membership,
        version_id=terms.version_id,
        reward=reward.code,
        name=reward.name,
        code=codes.new_code(),
        unit=_unit(membership.program, reward.unit) if cost.units else None,
        units=cost.units,
        quantity=cost.quantity,
        value=cost.value,
        percent=cost.percent,
        basket_total=ask.basket,
        taken=[[str(lot), amount] for lot, amount in hold.taken],
        created_at=now,
        posted_at=datetime.now(UTC),
        expires_at=hold.ends_at,
    )
    redemption_reserved.send(sender=Redemption, redemption=row)
    return row


def problem_of(refusal: Refusal, *, code: str, terms: Terms, tier: str, program: Program) -> ProblemError:
    """Return the problem that a refusal of the engine is answered with."""
    bad_fields = {
        "amount-needed": ("/amount", REQUIRED),
        "amount-step": ("/amount", problems.AMOUNT_STEP),
        "no-amount": ("/amount", problems.NO_AMOUNT),
        "one-at-a-time": ("/quantity", problems.ONE_AT_A_TIME),
        "basket-needed": ("/basket_total", REQUIRED),
    }
    if refusal.code in bad_fields:
        return invalid(*bad_fields[refusal.code])
    reward = terms.reward(code)
    if reward is None:
        return problems.UnknownRewardError()
    unit = _unit(program, reward.unit) if reward.unit else None
    own = reward.for_tier(tier)
    return problems.refused(
        refusal.code, refusal_sentence(refusal, reward=own, terms=terms, program=program, unit=unit)
    )


def _unit(program: Program, code: str) -> Unit:
    return Unit.objects.get(program=program, code=code)


def capture(*, redemption: Redemption, by: Actor) -> Redemption:
    """Spend what was set aside (membership and program loaded); again it changes nothing.

    Raises HoldExpiredError, RedemptionReleasedError, RedemptionReturnedError.
    """
    with transaction.atomic():
        row = capture_locked(redemption)
    log.info("redemption_captured", redemption=str(row.pk), by=str(by.pk))
    return row


def capture_locked(redemption: Redemption, *, at: datetime | None = None) -> Redemption:
    """Capture inside the caller's transaction; raises as ``capture``.

    ``at`` a later moment a sandbox goes on to it: what has fallen due by then comes first.
    """
    return _settle(redemption, captures=True, at=at)


def check_capture(redemption: Redemption, *, at: datetime) -> None:
    """Raise what would refuse to capture it at a moment, without a lock."""
    if redemption.status == Status.RESERVED and redemption.expires_at <= at:
        raise problems.HoldExpiredError
    if redemption.status != Status.RESERVED:
        _refuse_settled(redemption, captures=True)


def release(*, redemption: Redemption, by: Actor) -> Redemption:
    """Give free what was set aside (membership and program loaded); again, or after its time, it changes nothing.

    Raises RedemptionCapturedError, RedemptionReturnedError.
    """
    with transaction.atomic():
        row = _settle(redemption, captures=False)
    log.info("redemption_released", redemption=str(row.pk), by=str(by.pk))
    return row


def _settle(redemption: Redemption, *, captures: bool, at: datetime | None = None) -> Redemption:
    membership = redemption.membership
    standing = locked_standing(membership)
    row = _fresh(redemption)
    if row.status != Status.RESERVED:
        _refuse_settled(row, captures=captures)
        return row
    now = _moment(membership, standing, at)
    wanted = Settle(row.pk, now, captures)
    _state, outcome = folded(standing, schedule_of(membership.program), activity=[wanted], until=now)
    if row.pk in outcome.refusals and captures:
        raise problems.HoldExpiredError
    if row.pk in outcome.refusals:  # Its time was up: what was asked for has come about by itself.
        folded(standing, schedule_of(membership.program), until=now)
    return _fresh(redemption)


def _refuse_settled(row: Redemption, *, captures: bool) -> None:
    """Raise where a redemption that is reserved no more cannot be captured, or released."""
    if row.status == Status.RETURNED:
        raise problems.RedemptionReturnedError
    if captures and row.status == Status.RELEASED:
        raise problems.HoldExpiredError if row.is_timed_out else problems.RedemptionReleasedError
    if not captures and row.status == Status.CAPTURED:
        raise problems.RedemptionCapturedError


def _moment(membership: Membership, standing: Standing, at: datetime | None) -> datetime:
    """Return the member's present; in a sandbox with a clock of its own a later moment, to which it then goes on."""
    now = present_moment(membership, standing)
    if at is not None and membership.program.clock is not None:
        now = max(now, at)
    return now.astimezone(UTC)


def _fresh(redemption: Redemption) -> Redemption:
    return Redemption.objects.select_related("membership", "unit").get(pk=redemption.pk)


# --- Vouchers --------------------------------------------------------------------------------------------------------


def redeem_voucher(*, voucher: Voucher, ref: str, basket: int | None, by: Actor) -> Voucher:
    """Use a voucher (membership and program loaded) for ``ref``; the same ref again changes nothing.

    Raises VoucherUsedError, VoucherExpiredError, VoucherWithdrawnError, BasketShareError, MemberBlockedError,
    MemberClosedError, ProgramPausedError, ProgramClosedError, and InvalidError where the basket has to be known.
    """
    with transaction.atomic():
        row = redeem_locked(voucher, ref=ref, basket=basket)
    log.info("voucher_redeemed", voucher=str(row.pk), by=str(by.pk))
    return row


def redeem_locked(voucher: Voucher, *, ref: str, basket: int | None, at: datetime | None = None) -> Voucher:
    """Use a voucher inside the caller's transaction; raises as ``redeem_voucher``.

    ``at`` a purchase's moment: a till that was offline used it in time where it was good then.
    """
    membership = voucher.membership
    check_active(membership)
    standing = locked_standing(membership)  # A return that withdraws it holds the same lock.
    voucher.refresh_from_db(fields=["status", "redemption_ref", "redeemed_at"])
    now = _moment(membership, standing, at)
    was_offline = at is not None and voucher.issued_at <= at < now
    check_use(voucher, ref=ref, at=at if was_offline and at is not None else now)
    if voucher.status == Voucher.Status.REDEEMED:
        return voucher
    check_may_spend(Program.objects.get(pk=voucher.program_id))
    _check_basket(voucher, basket)
    voucher.status, voucher.redemption_ref, voucher.redeemed_at = Voucher.Status.REDEEMED, ref, now
    voucher.save(update_fields=["status", "redemption_ref", "redeemed_at"])
    voucher_redeemed.send(sender=Voucher, voucher=voucher)
    return voucher


def check_use(voucher: Voucher, *, ref: str, at: datetime) -> None:
    """Raise what refuses to use a voucher for ``ref`` at a moment."""
    if voucher.status == Voucher.Status.REDEEMED and voucher.redemption_ref != ref:
        raise problems.VoucherUsedError
    if voucher.status == Voucher.Status.WITHDRAWN:
        raise problems.VoucherWithdrawnError
    if voucher.status == Voucher.Status.ISSUED and voucher.has_expired(at=at):
        raise problems.VoucherExpiredError


def _check_basket(voucher: Voucher, basket: int | None) -> None:
    terms = terms_of(voucher.version_id)
    reward = terms.reward(voucher.reward)
    if reward is None:
        return
    cost = Cost(0, 1, voucher.value, voucher.percent)
    refusal = beyond_basket(reward, cost, Ask(basket=basket))
    if refusal is not None:
        raise problem_of(refusal, code=reward.code, terms=terms, tier="", program=voucher.membership.program)


def worth(*, value: int | None, percent: int | None, of: int) -> int:
    """Return what something takes off an amount, in minor units; never more than all of it."""
    if percent is not None:
        return of * percent // (100 * RATE_SCALE)
    return min(of, value) if value is not None else 0
