"""Whether several conditions can hold together: on their parsed form, by the kinds whose values exclude each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from programs.engine.terms import Clause

SINGLE = frozenset({"store", "channel", "tier", "weekday", "sku", "category", "brand", "nth"})
"""Kinds of which a purchase, or a line, has exactly one value."""
RANGES = frozenset({"amount", "quantity", "dates", "age", "birthday"})
WEEKDAYS = frozenset("1234567")
MINUTES = 24 * 60


def contradicting(clauses: Sequence[Clause], *, tiers: Collection[str] = ()) -> str | None:
    """Return the kind of conditions that never hold together; None where nothing speaks against it.

    ``tiers`` are the codes there are: to exclude each of them leaves nobody.
    """
    for one, other in combinations(clauses, 2):
        if one.negated != other.negated and _same(one, other):
            return one.kind
    for kind in sorted({clause.kind for clause in clauses}):
        alike = [clause for clause in clauses if clause.kind == kind]
        if kind in SINGLE and not _has_value(alike, {"weekday": WEEKDAYS, "tier": frozenset(tiers)}):
            return kind
        if kind == "attribute" and any(not _can_be(same) for same in _by_key(alike)):
            return kind
        if kind in RANGES and not _has_number(alike):
            return kind
        if kind == "hours" and not _has_minute(alike):
            return kind
    return None


def _same(one: Clause, other: Clause) -> bool:
    as_said = [(clause.kind, frozenset(clause.values), clause.least, clause.most) for clause in (one, other)]
    return as_said[0] == as_said[1]


def _has_value(clauses: Iterable[Clause], all_values: Mapping[str, frozenset[str]]) -> bool:
    """Whether some value fulfils all the conditions, which are of one kind that has one value at a time."""
    left: set[str] | None = None
    excluded: set[str] = set()
    kind = ""
    for clause in clauses:
        kind = clause.kind
        if clause.negated:
            excluded |= set(clause.values)
        else:
            left = set(clause.values) if left is None else left & set(clause.values)
    if left is None:
        left = set(all_values.get(kind, ())) or None
    return left is None or bool(left - excluded)


def _by_key(clauses: Iterable[Clause]) -> Iterable[list[Clause]]:
    """Return conditions on attributes by the attribute, its name taken out of the values."""
    found: dict[str, list[Clause]] = {}
    for clause in clauses:
        found.setdefault(clause.values[0], []).append(replace(clause, values=clause.values[1:]))
    return found.values()


def _can_be(clauses: Sequence[Clause]) -> bool:
    """Whether an attribute can be as all the conditions on it ask; one without values asks that it is there at all."""
    absent = any(clause.negated and not clause.values for clause in clauses)
    if absent and any(not clause.negated for clause in clauses):
        return False
    return _has_value([clause for clause in clauses if clause.values], {})


def _has_number(clauses: Sequence[Clause]) -> bool:
    """Whether some number lies in all the ranges and outside the excluded ones that reach to one side."""
    least = max((c.least for c in clauses if not c.negated and c.least is not None), default=None)
    most = min((c.most for c in clauses if not c.negated and c.most is not None), default=None)
    one_sided_first = sorted(clauses, key=lambda clause: clause.least is not None and clause.most is not None)
    for clause in one_sided_first:
        if not clause.negated:
            continue
        covers_least = clause.least is None or (least is not None and clause.least <= least)
        covers_most = clause.most is None or (most is not None and most <= clause.most)
        if covers_least and covers_most and not clause.values:
            return False
        if clause.least is None and clause.most is not None:
            least = max(clause.most + 1, least if least is not None else clause.most + 1)
        elif clause.most is None and clause.least is not None:
            most = min(clause.least - 1, most if most is not None else clause.least - 1)
    return least is None or most is None or least <= most


def _has_minute(clauses: Iterable[Clause]) -> bool:
    """Whether some minute of the day lies in all the hours."""
    left = set(range(MINUTES))
    for clause in clauses:
        least, most = clause.least or 0, clause.most if clause.most is not None else MINUTES
        span = set(range(least, most)) if least < most else {*range(least, MINUTES), *range(most)}
        left = left - span if clause.negated else left & span
    return bool(left)
