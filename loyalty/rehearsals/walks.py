"""A member's past folded in slices, without the database: (state, activity) → (state, outcome), as often as wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from uuid import UUID

from programs.engine import state as engine
from programs.engine.terms import Schedule
from programs.engine.timeline import Activity, fold

SLICE = 100  # Activities in one fold; then lots that nothing can touch any more are dropped.


@dataclass(slots=True)
class Walk:
    """Where a fold in slices has come to. ``returned`` names the purchases of which something comes back later."""

    state: engine.State
    schedule: Schedule
    budgets: dict[str, int]
    returned: Collection[UUID] = frozenset()
    judged: dict[UUID, engine.Judged] = field(default_factory=dict)
    new_id: Callable[[], UUID] = field(default_factory=lambda: numbered())  # noqa: PLW0108 -- defined below

    def branch(self, schedule: Schedule, budgets: dict[str, int]) -> Walk:
        """Return a walk that goes on from here under another schedule."""
        return Walk(self.state, schedule, budgets, self.returned, dict(self.judged), self.new_id)

    def go(self, activity: Sequence[Activity], *, until: datetime | None = None) -> Iterator[engine.Outcome]:
        """Judge the activity in the given order, then do what falls due by ``until``; yield what each slice came to."""
        last = max(0, len(activity) - 1) // SLICE * SLICE
        for start in range(0, last, SLICE):
            yield self.step(activity[start : start + SLICE])
        yield self.step(activity[last:], until=until)

    def step(self, activity: Sequence[Activity], *, until: datetime | None = None) -> engine.Outcome:
        """Judge the activity in one fold and return what it came to."""
        given = [self._with_facts(one) for one in activity]
        state, outcome = fold(
            state=self.state,
            schedule=self.schedule,
            activity=given,
            until=until,
            new_id=self.new_id,
            budgets=self.budgets,
        )
        named = {lot_id for voucher in state.vouchers for lot_id, _amount in voucher.taken}  # A return may withdraw it.
        state.lots = [lot for lot in state.lots if lot.remaining or lot.activity_id in self.returned or lot.id in named]
        self.state = state
        self._remember(given, outcome)
        return outcome

    def _with_facts(self, one: Activity) -> Activity:
        if not isinstance(one, engine.Refund):
            return one
        return replace(one, judged=self.judged.get(one.purchase_id))

    def _remember(self, activity: Sequence[Activity], outcome: engine.Outcome) -> None:
        """Keep the facts that later returns need."""
        known = {one.id: one for one in activity}
        for verdict in outcome.verdicts:
            one = known[verdict.activity_id]
            if isinstance(one, engine.Refund):
                if (judged := self.judged.get(one.purchase_id)) is not None:
                    self.judged[one.purchase_id] = replace(judged, returned=together(judged.returned, one.parts))
            elif isinstance(one, engine.Purchase) and one.id in self.returned:
                self.judged[one.id] = engine.Judged(
                    purchase=one,
                    version_id=verdict.version_id,
                    tier=verdict.tier,
                    found=verdict.facts["counters"],
                    barred=verdict.facts["barred"],
                    reaching=tuple(verdict.facts.get("reaching", ())),
                )


def together(one: Mapping[int, engine.Part], other: Mapping[int, engine.Part]) -> dict[int, engine.Part]:
    """Return the parts of two returns of one purchase as one."""
    both = dict(one)
    for number, (quantity, amount) in other.items():
        before = both.get(number, (0, 0))
        both[number] = (before[0] + quantity, before[1] + amount)
    return both


def numbered() -> Callable[[], UUID]:
    """Return a source of ids in order, for lots that nobody will ever write."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))
