"""What of a purchase was paid with redemptions and vouchers, and on which lines a free item fell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.api.problems import Fault, ProblemError
from loyalty.rewards import actions, guesses, problems
from loyalty.rewards.lookups import find_redemption, vouchers_named
from loyalty.rewards.models import Redemption, Voucher
from programs.engine.clauses import LINE_KINDS, matcher
from programs.engine.offers import beyond_basket
from programs.engine.state import Ask, Cost, Line
from programs.engine.terms import Reward, Terms
from programs.models import ApiKey, Membership, Program
from programs.terms import terms_of

PIECE = 1_000  # Quantities are in thousandths.
GOODS = "product"


@dataclass(frozen=True, slots=True)
class Basket:
    """What is to be paid: minor units, and the lines as the engine compares them."""

    total: int
    lines: tuple[Line, ...]

    @property
    def original(self) -> int:
        """Its price before discounts that stand in lines of their own."""
        return max(self.total, sum(line.amount for line in self.lines if line.amount > 0))


@dataclass(slots=True)
class Paid:
    """What was paid: minor units, thousandths by the line's number, and rows to be kept with the purchase."""

    amount: int = 0
    freed: dict[int, int] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tender:
    """The redemptions and vouchers that a purchase names, found and checked to be the member's."""

    redemptions: tuple[Redemption, ...] = ()
    vouchers: tuple[Voucher, ...] = ()

    def paid_of(self, basket: Basket) -> Paid:
        """Return what they pay of a basket, in the order in which they were named.

        Raises BasketShareError where the basket does not allow so much, NothingToPayError where one pays nothing.
        """
        paid, by_reward = Paid(), dict[tuple[UUID, str], int]()
        for place, redemption in enumerate(self.redemptions):
            kept = {"kind": "redemption", "id": str(redemption.pk)}
            _pay(paid, basket, redemption, kept, by_reward, f"/redemptions/{place}")
        for place, voucher in enumerate(self.vouchers):
            kept = {"kind": "voucher", "id": str(voucher.pk), "code": voucher.code}
            _pay(paid, basket, voucher, kept, by_reward, f"/vouchers/{place}")
        return paid

    def check(self, *, at: datetime) -> None:
        """Raise what would refuse them at a moment, without a lock: for a quote."""
        for redemption in self.redemptions:
            actions.check_capture(redemption, at=at)
            if redemption.activity_id is not None:
                raise problems.AlreadyPaidError(errors=[_fault("/redemptions", problems.AlreadyPaidError)])
        for voucher in self.vouchers:
            actions.check_use(voucher, ref="", at=at)

    def settle(self, *, ref: str, activity_id: UUID, basket: Basket, at: datetime) -> None:
        """Capture and use them at a purchase's moment, in the caller's transaction; what was captured before stays so.

        Raises as ``actions.capture`` and ``actions.redeem_voucher``, and AlreadyPaidError.
        """
        for redemption in sorted(self.redemptions, key=lambda one: one.pk):
            row = actions.capture_locked(redemption, at=at)
            paid = Redemption.objects.filter(pk=row.pk, activity_id__isnull=True).update(activity_id=activity_id)
            if not paid:
                raise problems.AlreadyPaidError(errors=[_fault("/redemptions", problems.AlreadyPaidError)])
        for voucher in sorted(self.vouchers, key=lambda one: one.pk):
            actions.redeem_locked(voucher, ref=ref, basket=basket.original, at=at)


def tender_of(
    *,
    program: Program,
    member: Membership | None,
    redemptions: Sequence[str],
    vouchers: Sequence[str],
    by: ApiKey,
) -> Tender:
    """Return what a purchase of this member names.

    Raises UnknownRedemptionError, UnknownVoucherError, NotTheirsError, and ThrottledError for a key that guesses.
    """
    if not redemptions and not vouchers:
        return Tender()
    named = tuple(redemptions_named(program=program, references=redemptions, by=by))
    guesses.check(by)
    known = vouchers_named(program, set(vouchers))
    for place, code in enumerate(vouchers):
        if code not in known:
            guesses.missed(by, code)
            raise problems.UnknownVoucherError(errors=[_fault(f"/vouchers/{place}", problems.UnknownVoucherError)])
    used = tuple(dict.fromkeys(known[code] for code in vouchers))
    owner = member.pk if member is not None else None
    for pointer, rows in (("/redemptions", named), ("/vouchers", used)):
        if any(row.membership_id != owner for row in rows):
            raise problems.NotTheirsError(errors=[_fault(pointer, problems.NotTheirsError)])
    return Tender(named, used)


def redemptions_named(*, program: Program, references: Sequence[str], by: ApiKey) -> list[Redemption]:
    """Return the redemptions that a body names; raise UnknownRedemptionError, ThrottledError."""
    return [_redemption(program, one, place, by) for place, one in enumerate(dict.fromkeys(references))]


def _redemption(program: Program, reference: str, place: int, by: ApiKey) -> Redemption:
    guesses.check(by)
    try:
        return find_redemption(program=program, reference=reference)
    except problems.UnknownRedemptionError:
        guesses.missed(by, reference)
        fault = _fault(f"/redemptions/{place}", problems.UnknownRedemptionError)
        raise problems.UnknownRedemptionError(errors=[fault]) from None


def _fault(pointer: str, problem: type[ProblemError]) -> Fault:
    return Fault(pointer, problem.code, str(problem.title))


def _pay(
    paid: Paid,
    basket: Basket,
    row: Redemption | Voucher,
    kept: Mapping[str, Any],
    by_reward: dict[tuple[UUID, str], int],
    pointer: str,
) -> None:
    terms = terms_of(row.version_id)
    reward = terms.reward(row.reward)
    if reward is not None and reward.kind == GOODS:
        amount = _free_items(paid, basket, reward, row, pointer)
    else:
        amount = min(actions.worth(value=row.value, percent=row.percent, of=basket.total), basket.total - paid.amount)
        if reward is not None:
            key = (row.version_id, row.reward)
            by_reward[key] = by_reward.get(key, 0) + (row.value or 0 if row.percent is None else amount)
            _check_basket(terms, reward, by_reward[key], basket, row)
    paid.amount += amount
    paid.rows.append({**kept, "reward": row.reward, "value": amount})


def _check_basket(terms: Terms, reward: Reward, value: int, basket: Basket, row: Redemption | Voucher) -> None:
    """Refuse what all of one reward together would take beyond its share of the basket."""
    refusal = beyond_basket(reward, Cost(0, 1, value, None), Ask(basket=basket.original))
    if refusal is not None:
        raise actions.problem_of(refusal, code=reward.code, terms=terms, tier="", program=row.membership.program)


def _free_items(paid: Paid, basket: Basket, reward: Reward, row: Redemption | Voucher, pointer: str) -> int:
    """Take as many pieces as free as were redeemed; return what of their price was still to be paid."""
    if not any(clause.kind in LINE_KINDS for clause in reward.clauses) or not basket.lines:
        return 0  # Which item it was only the till knows, and has taken it off itself.
    count = row.quantity if isinstance(row, Redemption) else 1
    found = [_free_item(paid, basket, reward, row.value) for _one in range(count)]
    if any(amount is None for amount in found):
        raise problems.NothingToPayError(errors=[_fault(pointer, problems.NothingToPayError)])
    return min(sum(amount or 0 for amount in found), basket.total - paid.amount)


def _free_item(paid: Paid, basket: Basket, reward: Reward, most: int | None) -> int | None:
    """Take one piece of a line that the reward is good for as free; return what of its price was still to be paid.

    A line that costs nothing any more goes first: the till has taken it off itself. Then the dearest piece within the
    reward's worth, else the cheapest, of which the worth is paid. None where there is no such piece.
    """
    held = [matcher(clause)(basket.lines) for clause in reward.clauses if clause.kind in LINE_KINDS]
    fitting = [
        line
        for place, line in enumerate(basket.lines)
        if line.amount >= 0
        and line.quantity >= PIECE + paid.freed.get(line.number, 0)
        and all(one[place] for one in held)
    ]
    if not fitting:
        return None
    within = [line for line in fitting if most is None or _piece_price(line) <= most]
    free = [line for line in fitting if line.amount == 0]
    line = free[0] if free else max(within, key=_piece_price) if within else min(fitting, key=_piece_price)
    paid.freed[line.number] = paid.freed.get(line.number, 0) + PIECE
    price = _piece_price(line)
    return price if most is None else min(price, most)


def _piece_price(line: Line) -> int:
    return line.amount * PIECE // line.quantity
