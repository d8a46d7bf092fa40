"""What of a purchase earns: its lines after returns, discounts, tax and what was paid with units or vouchers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from programs.engine.state import Event, Line, Part, Purchase
from programs.engine.terms import Terms


@dataclass(frozen=True, slots=True)
class Basket:
    """What is to be judged: an activity's trigger and, of a purchase, the lines left with the amounts that earn."""

    occurred_at: datetime
    trigger: str
    event: str = ""
    lines: tuple[Line, ...] = ()
    amount: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)


def basket_of(*, terms: Terms, purchase: Purchase, returned: Mapping[int, Part] | None = None) -> Basket:
    """Return what is left of a purchase, each line with its share of what earns; the shares sum to it exactly.

    A line of which nothing is left is none any more. A discount sent as a line of its own (with a negative amount)
    comes off the lines of its SKU, else of its category, else of its brand, else off all, and is no line either.
    """
    posted = purchase.lines or (Line(number=0, amount=purchase.total, quantity=0),)
    back = returned or {}
    freed = {} if terms.paid_part_earns else purchase.freed
    left = [line for one in posted if (line := _left(one, back.get(one.number, (0, 0)))) is not None]
    lines = [_without(line, freed[line.number]) if line.number in freed else line for line in left]
    amount = earning_amount(
        terms=terms,
        total=purchase.total,
        tax=purchase.tax,
        returned=sum(part[1] for part in back.values()),
        paid=purchase.paid,
    )
    goods = [line for line in lines if line.amount >= 0]
    weights = _discounted(goods, [line for line in lines if line.amount < 0])
    shares = _shared(amount, weights, goods)
    return Basket(
        occurred_at=purchase.occurred_at,
        trigger="purchase",
        lines=tuple(_with_amount(line, share) for line, share in zip(goods, shares, strict=True)),
        amount=amount,
        attributes=purchase.attributes,
    )


def basket_of_event(event: Event) -> Basket:
    """Return what there is to judge of an event or of a joining: no lines, no amount."""
    kind = event.type if event.trigger == "event" else ""
    return Basket(event.occurred_at, event.trigger, kind, attributes=event.attributes)


def earning_amount(*, terms: Terms, total: int, tax: int, returned: int = 0, paid: int = 0) -> int:
    """Return what earns of a total after some was returned, in minor units.

    Without its share of tax and of what was paid with units or vouchers, where the terms say that they do not earn; the
    tax within the paid part is taken off once. Shares are rounded half up.
    """
    left = max(0, total - returned)
    if not total:
        return left
    tax_off, paid_off = (0 if terms.tax_earns else tax), (0 if terms.paid_part_earns else min(paid, total))
    off = tax_off + paid_off - (2 * tax_off * paid_off + total) // (2 * total)
    if not off:
        return left
    return left - (2 * min(off, total) * left + total) // (2 * total)


def is_gone(line: Line, part: Part) -> bool:
    """Whether nothing is left of a line once a part of it was returned."""
    return line.amount == part[1] and (line.quantity <= part[0] or line.amount < 0)


def _left(line: Line, part: Part) -> Line | None:
    if part == (0, 0):
        return line
    if is_gone(line, part):
        return None
    return replace(line, quantity=max(0, line.quantity - part[0]), amount=line.amount - part[1])


def _without(line: Line, pieces: int) -> Line:
    """Return a line less the pieces that a voucher paid for."""
    return replace(line, quantity=max(0, line.quantity - pieces))


def _with_amount(line: Line, amount: int) -> Line:
    return line if amount == line.amount else replace(line, amount=amount)


def _discounted(goods: Sequence[Line], discounts: Iterable[Line]) -> list[int]:
    """Return the amounts of the goods after the discounts."""
    amounts = [line.amount for line in goods]
    for discount in sorted(discounts, key=content_of):
        off = -discount.amount
        for kin in _kin(goods, discount):
            held = [amounts[place] for place in kin]
            now = min(off, sum(held))
            parts = _shared(now, held, [goods[place] for place in kin])
            for place, part in zip(kin, parts, strict=True):
                amounts[place] -= part
            off -= now
    return amounts


def _kin(goods: Sequence[Line], discount: Line) -> list[list[int]]:
    """Return the places of the lines that a discount comes off, and of all lines for what is left of it."""
    everyone = list(range(len(goods)))
    for name in ("sku", "category", "brand"):
        own = getattr(discount, name)
        if own and (kin := [place for place in everyone if getattr(goods[place], name) == own]):
            return [kin, everyone]
    return [everyone]


def _shared(amount: int, weights: Sequence[int], lines: Sequence[Line]) -> list[int]:
    """Share an amount by weights; the largest remainders round up, among equals by what the lines are."""
    total = sum(weights)
    if amount == total or total <= 0:
        return list(weights) if amount == total else [0] * len(weights)
    shares = [amount * weight // total for weight in weights]
    missing = amount - sum(shares)
    if missing:
        order = sorted(
            range(len(lines)), key=lambda place: (-(amount * weights[place] % total), content_of(lines[place]))
        )
        for place in order[:missing]:
            shares[place] += 1
    return shares


def content_of(line: Line) -> tuple[str, str, str, list[str], int, int]:
    """Return what makes lines alike, whatever their number."""
    return line.sku, line.category, line.brand, sorted(line.tags), line.quantity, line.amount
