"""What a return takes of its purchase: by line, by quantity, by amount, or all that is left. Arithmetic alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Fault, ProblemError, field_code, invalid
from loyalty.purchases.lines import Line

WHOLE = 0  # The number of the one part of a purchase that was sent without lines.

UNKNOWN_LINE = field_code(
    "unknown-line",
    title=_("The purchase has no such line"),
    cure=_("Count the purchase's lines from 1; for a purchase without lines send “amount”."),
)
AMOUNT_OF_LINES = field_code(
    "amount-of-lines",
    title=_("The purchase has lines"),
    cure=_("Say what comes back by “lines”; “amount” is for a purchase that was sent without."),
)
NEGATIVE_RETURN = field_code(
    "negative-return",
    title=_("More discount than goods would come back"),
    cure=_("Return the goods of a discount together with it."),
)


class NothingLeftError(ProblemError):
    """The purchase is already wholly returned."""

    status, code = 409, "nothing-left"
    title = _("Nothing is left of this purchase")
    cure = _("It was already returned as a whole. Nothing more needs to be sent.")


class ExceedsPurchaseError(ProblemError):
    """More would come back than is left."""

    status, code = 409, "exceeds-purchase"
    title = _("More would come back than is left of this purchase")
    cure = _("Send at most what was bought less what was returned before. Without lines all that is left is taken.")


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a till asks to take back of one line: pieces in thousandths, minor units, both, or all that is left."""

    line: int
    quantity: int | None = None
    amount: int | None = None


class Returned(msgspec.Struct, frozen=True):
    """What one return took of one line: ``line`` counts from 1, pieces in thousandths, minor units."""

    line: int
    quantity: int
    amount: int


def returned_rows(rows: Sequence[Mapping[str, Any]]) -> list[Returned]:
    """Return the lines of a stored return whose purchase is known."""
    return msgspec.convert(rows, list[Returned])


def wanted_rows(rows: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """Return the lines of a stored return that waits for its purchase."""
    return msgspec.convert(rows, list[Wanted])


def resolve(
    *, lines: Sequence[Line], total: int, before: Iterable[Returned], wanted: Sequence[Wanted]
) -> list[Returned]:
    """Return what is taken of each line; nothing wanted takes all that is left.

    Quantity alone prorates, rounded half up on the total returned so far; all that is left of an amount takes the
    pieces, too. Raises NothingLeftError, ExceedsPurchaseError, and InvalidError for a line that there is not.
    """
    parts = _parts(lines, total)
    earlier = list(before)
    left = left_of(lines=lines, total=total, returned=earlier)
    if earlier and not left:
        raise NothingLeftError
    if not wanted:
        return left
    taken = _taken(parts, earlier)
    returned = sum(one.amount for one in earlier)
    found = []
    for place, wish in enumerate(wanted):
        if wish.line not in parts:
            raise _misfit(wish, place)
        part = _part(parts[wish.line], *taken[wish.line], wish, place)
        taken[wish.line] = (taken[wish.line][0] + part.quantity, taken[wish.line][1] + part.amount)
        found.append(part)
    sum_of_all = sum(part.amount for part in found)
    if sum_of_all < 0:
        raise invalid("/lines", NEGATIVE_RETURN)
    if returned + sum_of_all > total:
        raise ExceedsPurchaseError
    return found


def left_of(*, lines: Sequence[Line], total: int, returned: Iterable[Returned]) -> list[Returned]:
    """Return what is left to be returned; nothing of a purchase that came back as a whole.

    Lines that cost nothing, or that a discount paid, are left until they come back themselves.
    """
    parts = _parts(lines, total)
    left = {number: _left(parts[number], *taken) for number, taken in _taken(parts, returned).items()}
    return [Returned(number, *part) for number, part in left.items() if part != (0, 0)]


def _parts(lines: Sequence[Line], total: int) -> dict[int, Line]:
    return dict(enumerate(lines, start=1)) or {WHOLE: Line(amount=total)}


def _taken(parts: Mapping[int, Line], returned: Iterable[Returned]) -> dict[int, tuple[int, int]]:
    taken = dict.fromkeys(parts, (0, 0))
    for one in returned:
        quantity, amount = taken[one.line]
        taken[one.line] = (quantity + one.quantity, amount + one.amount)
    return taken


def _left(line: Line, quantity: int, amount: int) -> tuple[int, int]:
    return line.quantity - quantity, line.amount - amount


def _part(line: Line, quantity_before: int, amount_before: int, one: Wanted, place: int) -> Returned:
    """Return what is taken of one line, of which so much was taken before."""
    quantity_left, amount_left = _left(line, quantity_before, amount_before)
    if one.quantity is None and one.amount is None:
        return Returned(one.line, quantity_left, amount_left)
    quantity = one.quantity or 0
    if quantity > quantity_left:
        raise _too_much(one, place, "quantity")
    if one.amount is None:
        prorated = _share(line.amount, quantity_before + quantity, line.quantity) - amount_before
        low, high = sorted((0, amount_left))
        return Returned(one.line, quantity, min(high, max(low, prorated)))
    low, high = sorted((0, amount_left))
    if not low <= one.amount <= high:
        raise _too_much(one, place, "amount")
    if one.quantity is None and one.amount and one.amount == amount_left:
        quantity = quantity_left
    return Returned(one.line, quantity, one.amount)


def _share(amount: int, quantity: int, of: int) -> int:
    """Return an amount's share, rounded half up away from zero."""
    if not of:
        return 0
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount) * quantity + of) // (2 * of))


def _misfit(one: Wanted, place: int) -> ProblemError:
    if one.line == WHOLE:
        return invalid("/amount", AMOUNT_OF_LINES)
    return invalid(f"/lines/{place}/line", UNKNOWN_LINE)


def _too_much(one: Wanted, place: int, name: str) -> ExceedsPurchaseError:
    pointer = f"/{name}" if one.line == WHOLE else f"/lines/{place}/{name}"
    return ExceedsPurchaseError(errors=[Fault(pointer, ExceedsPurchaseError.code, str(ExceedsPurchaseError.title))])
