"""The conditions of rules. A clause's texts and those it is compared with are casefolded.

Of lines, joined for each line: ``sku``, ``category``, ``brand``, ``tag`` (any of the values) and ``first_lines`` (a
line of the category ``values[0]`` beyond the first ``most`` of them does not match; lines of other categories do).

Of what a return can change: ``amount`` (``least`` to ``most`` minor units of all that earns) and ``quantity``
(``least`` to ``most`` thousandths of the rule's own lines).

Standing, for what no return changes: ``store``, ``channel``, ``tier``, ``segment`` (any of the values), ``weekday``
(any of "1" Monday to "7" Sunday), ``hours`` (minutes of the day from ``least`` to before ``most``, past midnight
where that is no later), ``dates`` (ordinals of days, both included, either may be open), ``nth`` (the number of the
member's purchase is any of the values), ``every_nth`` (each ``least``-th purchase), ``birthday`` (its month with the
value "month", else ``least`` to ``most`` days after the day; an unknown one is never near), ``age`` (``least`` to
``most`` whole months since joining) and ``attribute`` (``values[0]`` names it, the rest are those allowed; without
any it has but to be there).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from programs.engine.baskets import Basket
from programs.engine.dates import days_from_birthdays, local_day, months_between
from programs.engine.state import Line
from programs.engine.terms import Clause, Terms

LINE_KINDS = frozenset({"sku", "category", "brand", "tag", "first_lines"})
CHANGEABLE_KINDS = frozenset({"amount", "quantity"})


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the basket when an activity is judged. ``nth``: the number of this purchase, 0 for none."""

    tier: str = ""
    nth: int = 0
    store: str = ""
    channel: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    joined_at: datetime | None = None
    birth_date: date | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A context at its place in the program's days."""

    context: Context
    local: datetime
    joined_on: date | None

    @property
    def day(self) -> date:
        """The day in the program's zone."""
        return self.local.date()


def standing(clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """Return the clauses that no return can change."""
    return tuple(one for one in clauses if one.kind not in LINE_KINDS and one.kind not in CHANGEABLE_KINDS)


def moment_of(*, terms: Terms, basket: Basket, context: Context) -> Moment:
    """Return the context in the program's own time."""
    joined_on = local_day(context.joined_at, terms.zone) if context.joined_at else None
    return Moment(context, basket.occurred_at.astimezone(terms.zone), joined_on)


def failing(clauses: Sequence[Clause], moment: Moment) -> str | None:
    """Return the kind of the first standing clause that does not hold; None where all do."""
    return next((one.kind for one in clauses if STANDING[one.kind](one, moment) is one.negated), None)


def within(value: int, clause: Clause) -> bool:
    """Whether a value lies in the clause's bounds, both included."""
    return (clause.least is None or value >= clause.least) and (clause.most is None or value <= clause.most)


def matcher(clause: Clause) -> Callable[[Sequence[Line]], list[bool]]:
    """Return what tells of each of a basket's lines whether it fulfils the clause."""
    values = frozenset(value.casefold() for value in clause.values)
    negated = clause.negated
    if clause.kind == "tag":
        return lambda lines: [values.isdisjoint(line.tags) is negated for line in lines]
    if clause.kind == "first_lines":
        return lambda lines: [held is not negated for held in _among_first(lines, values, clause.most or 0)]
    assert clause.kind in LINE_KINDS, clause.kind
    name = clause.kind
    return lambda lines: [(getattr(line, name) in values) is not negated for line in lines]


def _among_first(lines: Sequence[Line], categories: frozenset[str], most: int) -> list[bool]:
    seen = 0
    held = []
    for line in lines:
        seen += line.category in categories
        held.append(line.category not in categories or seen <= most)
    return held


def _is_any_of(text: str, values: Sequence[str]) -> bool:
    folded = text.casefold()
    return any(folded == value.casefold() for value in values)


def _hours(clause: Clause, moment: Moment) -> bool:
    minute = moment.local.hour * 60 + moment.local.minute
    least, most = clause.least or 0, 24 * 60 if clause.most is None else clause.most
    if least < most:
        return least <= minute < most
    return minute >= least or minute < most


def _every_nth(clause: Clause, moment: Moment) -> bool:
    nth = moment.context.nth
    return nth > 0 and bool(clause.least) and nth % (clause.least or 1) == 0


def _birthday(clause: Clause, moment: Moment) -> bool:
    birth = moment.context.birth_date
    if birth is None:
        return False
    if "month" in clause.values:
        return birth.month == moment.day.month
    least, most = clause.least or 0, clause.most or 0
    return any(least <= days <= most for days in days_from_birthdays(birth, moment.day))


def _age(clause: Clause, moment: Moment) -> bool:
    return moment.joined_on is not None and within(months_between(moment.joined_on, moment.day), clause)


def _attribute(clause: Clause, moment: Moment) -> bool:
    name, *allowed = clause.values
    given = attribute(moment.context.attributes, name)
    values = given if isinstance(given, list) else [given]
    return any(one is not None and (not allowed or _is_any_of(str(one), allowed)) for one in values)


def attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """Return an attribute by its name, without regard to case; None for one that is not there."""
    if name in attributes:
        return attributes[name]
    folded = name.casefold()
    return next((value for key, value in attributes.items() if key.casefold() == folded), None)


def _segment(clause: Clause, moment: Moment) -> bool:
    return any(_is_any_of(segment, clause.values) for segment in moment.context.segments)


STANDING: Mapping[str, Callable[[Clause, Moment], bool]] = {
    "store": lambda clause, moment: _is_any_of(moment.context.store, clause.values),
    "channel": lambda clause, moment: _is_any_of(moment.context.channel, clause.values),
    "tier": lambda clause, moment: _is_any_of(moment.context.tier, clause.values),
    "segment": _segment,
    "weekday": lambda clause, moment: str(moment.local.isoweekday()) in clause.values,
    "hours": _hours,
    "dates": lambda clause, moment: within(moment.day.toordinal(), clause),
    "nth": lambda clause, moment: str(moment.context.nth) in clause.values,
    "every_nth": _every_nth,
    "birthday": _birthday,
    "age": _age,
    "attribute": _attribute,
}
