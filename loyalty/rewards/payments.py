"""What of a purchase was paid with redemptions and vouchers, and on which lines a free item fell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from loyalty.api.problems import Fault, ProblemError
from loyalty.rewards import actions, problems
from loyalty.rewards.lookups import find_redemption, vouchers_named
from loyalty.rewards.models import Redemption, Voucher
from programs.engine.clauses import LINE_KINDS, matcher
from programs.engine.state import Line
from programs.engine.terms import Reward
from programs.models import Membership, Program
from programs.terms import terms_of

PIECE = 1_000  # Quantities are in thousandths.
GOODS = frozenset({"product"})


@dataclass(slots=True)
class Basket:
    """What is to be paid: minor units, and the lines as the engine compares them."""

    total: int
    lines: tuple[Line, ...]


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
        """Return what they pay of a basket, in the order in which they were named."""
        paid = Paid()
        for redemption in self.redemptions:
            _pay(paid, basket, redemption, {"kind": "redemption", "id": str(redemption.pk)})
        for voucher in self.vouchers:
            _pay(paid, basket, voucher, {"kind": "voucher", "id": str(voucher.pk), "code": voucher.code})
        return paid

    def settle(self, *, ref: str, activity_id: UUID, total: int) -> None:
        """Capture and use them in the caller's transaction; what was captured before stays so.

        Raises as ``actions.capture`` and ``actions.redeem_voucher``, and AlreadyPaidError.
        """
        for redemption in sorted(self.redemptions, key=lambda one: one.pk):
            row = actions.capture_locked(redemption)
            paid = Redemption.objects.filter(pk=row.pk, activity_id__isnull=True).update(activity_id=activity_id)
            if not paid:
                raise problems.AlreadyPaidError(errors=[_fault("/redemptions", problems.AlreadyPaidError)])
        for voucher in sorted(self.vouchers, key=lambda one: one.pk):
            actions.redeem_locked(voucher, ref=ref, basket=total)


def tender_of(
    *, program: Program, member: Membership | None, redemptions: Sequence[str], vouchers: Sequence[str]
) -> Tender:
    """Return what a purchase of this member names.

    Raises UnknownRedemptionError, UnknownVoucherError, NotTheirsError.
    """
    if not redemptions and not vouchers:
        return Tender()
    named = tuple(_redemption(program, one, place) for place, one in enumerate(dict.fromkeys(redemptions)))
    known = vouchers_named(program, set(vouchers))
    for place, code in enumerate(vouchers):
        if code not in known:
            raise problems.UnknownVoucherError(errors=[_fault(f"/vouchers/{place}", problems.UnknownVoucherError)])
    used = tuple(dict.fromkeys(known[code] for code in vouchers))
    owner = member.pk if member is not None else None
    for pointer, rows in (("/redemptions", named), ("/vouchers", used)):
        if any(row.membership_id != owner for row in rows):
            raise problems.NotTheirsError(errors=[_fault(pointer, problems.NotTheirsError)])
    return Tender(named, used)


def redemptions_named(*, program: Program, references: Sequence[str]) -> list[Redemption]:
    """Return the redemptions that a return names; raise UnknownRedemptionError."""
    return [_redemption(program, one, place) for place, one in enumerate(dict.fromkeys(references))]


def _redemption(program: Program, reference: str, place: int) -> Redemption:
    try:
        return find_redemption(program=program, reference=reference)
    except problems.UnknownRedemptionError:
        fault = _fault(f"/redemptions/{place}", problems.UnknownRedemptionError)
        raise problems.UnknownRedemptionError(errors=[fault]) from None


def _fault(pointer: str, problem: type[ProblemError]) -> Fault:
    return Fault(pointer, problem.code, str(problem.title))


def _pay(paid: Paid, basket: Basket, row: Redemption | Voucher, kept: Mapping[str, Any]) -> None:
    reward = terms_of(row.version_id).reward(row.reward)
    if reward is not None and reward.kind in GOODS:
        amount = sum(_free_item(paid, basket, reward, row.value) for _one in range(getattr(row, "quantity", 1)))
    else:
        amount = actions.worth(value=row.value, percent=row.percent, of=basket.total)
    amount = min(amount, basket.total - paid.amount)
    paid.amount += amount
    paid.rows.append({**kept, "reward": row.reward, "value": amount})


def _free_item(paid: Paid, basket: Basket, reward: Reward, most: int | None) -> int:
    """Take one piece of a line that the reward is good for as free; return what of its price was still to be paid.

    A line that costs nothing any more goes first: the till has taken it off itself. Else the dearest piece within the
    reward's worth.
    """
    clauses = [clause for clause in reward.clauses if clause.kind in LINE_KINDS]
    held = [matcher(clause)(basket.lines) for clause in clauses]
    fitting = [
        line
        for place, line in enumerate(basket.lines)
        if line.amount >= 0
        and line.quantity >= PIECE + paid.freed.get(line.number, 0)
        and all(one[place] for one in held)
    ]
    if not fitting:
        return 0 if basket.lines else min(basket.total, most if most is not None else basket.total)
    costing_nothing = [line for line in fitting if line.amount == 0]
    line = costing_nothing[0] if costing_nothing else max(fitting, key=lambda one: _piece_price(one, most))
    paid.freed[line.number] = paid.freed.get(line.number, 0) + PIECE
    return _piece_price(line, most)


def _piece_price(line: Line, most: int | None) -> int:
    """Return the price of one piece of a line, at most what the reward is worth."""
    price = line.amount * PIECE // line.quantity
    return price if most is None else min(price, most)
