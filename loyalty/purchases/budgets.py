"""Limits that a whole program shares: read and locked before a batch is folded, written after it.

Why they hold exactly, and why no worker waits for another in a ring: a batch locks the standings of its members first,
then makes the rows of budgets that are missing, then locks all that it needs, each step ordered by program and key.
Whoever holds a budget asks for no standing and no further budget until it commits, so those who wait for budgets wait
for transactions that only have writing left to do. A missing row is made before any is locked: one whose making
waits for another worker's holds no lock on a budget, and once its own step is over the rows it needs are all committed
or its own. A batch that fails takes its rows and its sums with it; the halves that follow read and lock anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from loyalty.ledger.sets import update_rows
from loyalty.purchases.facts import Row
from loyalty.purchases.models import Activity, Budget
from programs.engine import state as engine
from programs.engine.limits import budget_keys
from programs.engine.terms import Schedule, Terms

LONGEST_KEY = 255
PROGRAMS_OWN = "program"  # The scope of a limit that a whole program shares.

Wanted = Mapping[UUID, Iterable[str]]
"""By program the engine's keys of budgets."""
Named = Mapping[tuple[UUID, str], Activity]
"""Purchases by program and external_id."""


@dataclass(slots=True)
class Budgets:
    """The budgets of one batch, locked. ``used`` is by program and key, and changed by the folds in place."""

    rows: dict[tuple[UUID, str], Budget] = field(default_factory=dict)
    used: dict[UUID, dict[str, int]] = field(default_factory=dict)

    def of(self, program_id: UUID) -> dict[str, int]:
        """Return what is used of a program's budgets, by key; one object for all its members."""
        return self.used.setdefault(program_id, {})

    def write(self) -> None:
        """Write what the folds changed. Raises KeyError for a budget that was not asked for."""
        changed = [
            (row.pk, used)
            for program_id, sums in self.used.items()
            for key, used in sums.items()
            if used != (row := self.rows[program_id, key]).used
        ]
        update_rows(Budget, ("used",), sorted(changed))


def budgets_to_hold(
    rows: Sequence[Row], *, schedules: Mapping[UUID, Schedule], judged: Mapping[UUID, engine.Judged], purchases: Named
) -> dict[UUID, set[str]]:
    """Return the keys of all budgets that judging these rows may draw on or give back to, by program."""
    limited = {pk for pk, schedule in schedules.items() if any(map(has_budgets, schedule.versions))}
    wanted: dict[UUID, set[str]] = {}
    for row in rows:
        if row.program_id not in limited:
            continue
        schedule = schedules[row.program_id]
        keys = wanted.setdefault(row.program_id, set())
        if row.kind != Activity.Kind.REFUND:
            keys |= _keys(schedule.at(row.occurred_at), row)
        elif found := _judged_of(row, judged, purchases):
            keys |= _keys(schedule.versions[max(0, schedule.index_of(found.version_id))], found.purchase)
    return wanted


def hold(wanted: Wanted) -> Budgets:
    """Lock and return these budgets; those never drawn on are made first. Without any there is no query."""
    keys = sorted((program_id, stored(key), key) for program_id, own in wanted.items() for key in set(own))
    if not keys:
        return Budgets()
    known = {(row.program_id, row.key) for row in Budget.objects.filter(_named(wanted))}
    missing = [Budget(program_id=pk, key=name) for pk, name, _key in keys if (pk, name) not in known]
    if missing:
        Budget.objects.bulk_create(missing, ignore_conflicts=True)
    locked = Budget.objects.filter(_named(wanted)).select_for_update().order_by("program_id", "key")
    by_name = {(row.program_id, row.key): row for row in locked}
    budgets = Budgets()
    for program_id, name, key in keys:
        row = by_name[program_id, name]
        budgets.rows[program_id, key] = row
        budgets.of(program_id)[key] = row.used
    return budgets


def used_so_far(wanted: Wanted) -> dict[UUID, dict[str, int]]:
    """Return what is used of these budgets, without locking them: for a quote."""
    names = {(program_id, stored(key)): key for program_id, own in wanted.items() for key in own}
    found: dict[UUID, dict[str, int]] = {program_id: {} for program_id in wanted}
    for row in Budget.objects.filter(_named(wanted)) if names else ():
        found[row.program_id][names[row.program_id, row.key]] = row.used
    return found


def stored(key: str) -> str:
    """Return the name of a budget's row: its key, one longer than the column shortened to what still tells it apart."""
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: LONGEST_KEY - len(digest) - 1]}#{digest}"


def has_budgets(terms: Terms) -> bool:
    """Whether a version has limits on the whole program."""
    limits = [*(rule.caps for rule in terms.rules), *(group.caps for group in terms.groups.values())]
    return any(cap.scope == PROGRAMS_OWN for caps in limits for cap in caps)


def _judged_of(row: Row, judged: Mapping[UUID, engine.Judged], purchases: Named) -> engine.Judged | None:
    """Return how the purchase of a return was judged; None where that is still to come, or never will."""
    purchase = purchases.get((row.program_id, row.purchase_external_id))
    return judged.get(purchase.pk) if purchase is not None else None


def _keys(terms: Terms | None, one: Row | engine.Purchase) -> set[str]:
    if terms is None or not has_budgets(terms):
        return set()
    return set(budget_keys(terms=terms, occurred_at=one.occurred_at, attributes=one.attributes))


def _named(wanted: Wanted) -> Q:
    query = Q(pk__in=())
    for program_id, own in wanted.items():
        query |= Q(program_id=program_id, key__in=sorted(stored(key) for key in set(own)))
    return query
