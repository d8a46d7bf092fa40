"""A member's timeline: (state, activity or due moment) → (state, postings). Replaying a past equals having lived it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from programs.engine.baskets import is_gone
from programs.engine.closing import by_the_end, end_of, farewells
from programs.engine.dates import local_day
from programs.engine.earning import (
    Basket,
    Context,
    Evaluation,
    Finding,
    barred,
    basket_of,
    basket_of_event,
    evaluate,
)
from programs.engine.expiry import forfeited_at, inactivity_end
from programs.engine.ladder import Ladder
from programs.engine.notices import loses_at, next_moment, tell, tells_at
from programs.engine.spending import Spending
from programs.engine.state import (
    Event,
    Judged,
    Lot,
    NoticeDue,
    Outcome,
    Part,
    Purchase,
    Reaching,
    Refund,
    Reserve,
    Settle,
    State,
    Verdict,
)
from programs.engine.terms import Schedule, Terms
from programs.engine.value import Value

Activity = Purchase | Refund | Event | Reserve | Settle
Credit = dict[str, dict[str, int]]
FINDING_FIELDS = tuple(field.name for field in fields(Finding))
PROGRAMS_OWN = "program|"  # How the keys of counters begin that a whole program shares.
NOTHING = Evaluation(awards=(), findings=(), found={}, consumed={})


def fold(
    *,
    state: State,
    schedule: Schedule,
    activity: Sequence[Activity] = (),
    until: datetime | None = None,
    new_id: Callable[[], UUID],
    budgets: dict[str, int] | None = None,
) -> tuple[State, Outcome]:
    """Return where the member stands after ``activity``, in the given order, and all that fell due up to then.

    ``until`` brings the member to a moment beyond the last activity. The given state is left as it was; ``budgets``,
    the counters that the members of a program share, are changed in place.
    """
    timeline = _Timeline(state.copy(), schedule, new_id, budgets if budgets is not None else {})
    for one in activity:
        timeline.take(one)
    if until is not None:
        timeline.advance(until)
    timeline.ladder.forget()
    timeline.outcome.due_at = timeline.next_due()
    return timeline.state, timeline.outcome


class _Timeline:
    """One member's fold in progress."""

    def __init__(self, state: State, schedule: Schedule, new_id: Callable[[], UUID], budgets: dict[str, int]) -> None:
        self.state = state
        self.schedule = schedule
        self.budgets = budgets
        self.outcome = Outcome()
        self.judged: dict[UUID, Judged] = {}
        self.unread_due = None if state.lots_known else state.due_of_lots
        self.done_until = state.as_of  # What staff granted begins and ends after it.
        index = schedule.index_of(state.version_id)
        is_first = index < 0
        self.ladder = Ladder(
            state, self.outcome, schedule, max(0, schedule.index_at(state.as_of)) if is_first else index
        )
        self.value = Value(state, self.outcome, new_id)
        self.spending = Spending(state, self.outcome, self.value, new_id, schedule.ends_at)
        if is_first:
            self.ladder.rise(at=state.as_of)
            self.ladder.review(state.as_of, reason="joined", since=state.joined_at, activity_id=None)
        if state.grants is not None:
            self.ladder.review(state.as_of, reason="granted", since=state.as_of, activity_id=None)
        if self.terms.needs_notice and state.lots_known:
            self._settle_lots()

    @property
    def terms(self) -> Terms:
        """The version under which the member was last reviewed."""
        return self.ladder.terms

    # --- Time ------------------------------------------------------------------------------------------------

    def advance(self, moment: datetime) -> None:
        """Do all that falls due at or before ``moment``, each at its own time."""
        while (due := self.next_due()) is not None and due <= moment:
            self._do_due(due)
            self.done_until = max(self.done_until, due)
        self.state.as_of = max(self.state.as_of, moment)
        self.done_until = self.state.as_of

    def next_due(self) -> datetime | None:
        """Return the next moment at which something happens by itself."""
        moments = [self._next_version(), self.state.due_of_lots, self.ladder.next_grant_moment(self.done_until)]
        moments += [self.spending.next_end(), self.spending.next_issue(self.terms, self.done_until)]
        moments += [self._next(loss, falls=falls) for loss, falls in self._tier_ends()]
        moments += [self._next(loss, falls=True) for loss in self._forfeits()]
        return min(by_the_end(moments, self.schedule), default=None)

    def _do_due(self, due: datetime) -> None:
        if self._next_version() == due:
            self._take_up_next_version(due)
        self.spending.time_out(due)
        self._tell(due)
        self._end_lots(due)
        self.spending.issue(self.terms, due, self.done_until)
        at = max(due, self.state.as_of)
        ended = [loss for loss, falls in self._tier_ends() if self._is_over(loss, due, falls=falls)]
        if ended:
            reason = "fell"
            if (held := self.ladder.months_end()) is not None and held[0] in ended:
                reason = self.ladder.end(at=at)
            self.ladder.review(at, reason=reason, since=due, activity_id=None)
        if self.ladder.next_grant_moment(self.done_until) == due:
            self.ladder.review(at, reason="granted", since=due, activity_id=None)
        self.spending.convert(self.terms, at, None)
        self._settle_lots()

    def _take_up_next_version(self, due: datetime) -> None:
        self.ladder.index += 1
        at = max(due, self.state.as_of)
        self.ladder.rise(at=at)
        self.ladder.review(at, reason="terms", since=due, activity_id=None)

    def _end_lots(self, due: datetime) -> None:
        """Make spendable and forfeit what is due, in that order."""
        forfeited = [loss.what for loss in self._forfeits() if self._is_over(loss, due, falls=True)]
        assert self.state.lots_known or not forfeited, "lots fall due that were not read"
        for lot in [lot for lot in self.value.open_lots() if lot.matures_at is not None and lot.matures_at <= due]:
            self.value.mature(lot, due)
        over = [lot for lot in self.value.open_lots() if self._ends_by(lot, due)]
        self.value.expire(over, due)
        for unit in forfeited:
            self.value.expire([lot for lot in self.value.open_lots() if lot.unit == unit], due)
        if self.schedule.ends_at is not None and self.schedule.ends_at <= due:
            self.value.expire(self.value.open_lots(), due)

    def _next_version(self) -> datetime | None:
        following = self.ladder.index + 1
        return self.schedule.versions[following].starts_at if following < len(self.schedule.versions) else None

    # --- Losses ------------------------------------------------------------------------------------------------

    def _tier_ends(self) -> Iterator[tuple[NoticeDue, bool]]:
        """Yield when the tiers end that the member holds, and whether a lower one would follow."""
        held = self.ladder.months_end() if self.ladder.holds_months else None
        if held is not None:
            yield held
        loss = self.ladder.tier_loss()
        if loss is not None and (held is None or held[0] != loss):
            yield loss, self.terms.needs_notice and self.ladder.would_fall(loss)

    def _forfeits(self) -> Iterator[NoticeDue]:
        """Yield when units end for want of activity."""
        for unit in self.terms.units:
            if (end := inactivity_end(state=self.state, terms=self.terms, unit=unit)) is not None:
                yield NoticeDue("expiry", unit, end)

    def _next(self, loss: NoticeDue, *, falls: bool) -> datetime | None:
        return next_moment(loss, state=self.state, terms=self.terms) if falls else loss.ends_at

    def _is_over(self, loss: NoticeDue, due: datetime, *, falls: bool) -> bool:
        moment = loses_at(loss, state=self.state, terms=self.terms) if falls else loss.ends_at
        return moment is not None and moment <= due

    def _ends_by(self, lot: Lot, due: datetime) -> bool:
        end = end_of(lot, self.schedule)
        return end is not None and self._is_over(_loss_of(lot, end), due, falls=True)

    def _tell(self, due: datetime) -> None:
        """Write the notices of losses that lie so near that the member must be told."""
        if not self.terms.needs_notice:
            return
        losses = [loss for loss, falls in self._tier_ends() if falls]
        losses += self._forfeits()
        losses += [_loss_of(lot, end) for lot in self.value.open_lots() if (end := end_of(lot, self.schedule))]
        losses += farewells(self.state, self.schedule)
        for loss in losses:
            moment = tells_at(loss, state=self.state, terms=self.terms)
            if moment is not None and moment <= due:
                tell(loss, state=self.state, outcome=self.outcome)

    def _settle_lots(self) -> None:
        """Work out when the lots are due next; those not at hand keep the moment they came with."""
        moments = [] if self.unread_due is None else [self.unread_due]
        for lot in self.state.lots:
            if lot.remaining > 0 and lot.matures_at is not None:
                moments.append(lot.matures_at)
            if lot.remaining > 0 and (end := end_of(lot, self.schedule)) is not None:
                moment = next_moment(_loss_of(lot, end), state=self.state, terms=self.terms)
                moments += [] if moment is None else [moment]
        for farewell in farewells(self.state, self.schedule):
            told_at = tells_at(farewell, state=self.state, terms=self.terms)
            moments += [farewell.ends_at] if told_at is None else [told_at]
        self.state.due_of_lots = min(moments, default=None)

    # --- Activity --------------------------------------------------------------------------------------------

    def take(self, one: Activity) -> None:
        """Judge one activity at its time, and do what has fallen due by the member's present."""
        is_spending = isinstance(one, Reserve | Settle)  # Always of the present: new terms may have just come.
        if is_spending or one.occurred_at > self.state.as_of:
            self.advance(one.occurred_at)
        if isinstance(one, Refund):
            self._refund(one)
        elif isinstance(one, Reserve):
            self.spending.reserve(one, self.terms)
        elif isinstance(one, Settle):
            self.spending.settle(one, self.terms)
        elif (terms := self.schedule.at(one.occurred_at)) is None:
            self.outcome.refused[one.id] = "no-version-in-force"
        elif isinstance(one, Purchase):
            self._purchase(one, terms)
        else:
            self._event(one, terms)
        self.spending.convert(self.terms, self.state.as_of, None if is_spending else one.id)
        self._settle_lots()
        self.advance(self.state.as_of)

    def _purchase(self, one: Purchase, terms: Terms) -> None:
        self._joined_no_later_than(one.occurred_at)
        basket = basket_of(terms=terms, purchase=one)
        context = Context(
            tier=self._tier_at(one.occurred_at, terms),
            nth=self.state.visits + 1,
            store=one.store,
            channel=one.channel,
            attributes=one.attributes,
            segments=self.state.segments,
            joined_at=self.state.joined_at,
            birth_date=self.state.birth_date,
        )
        standing = barred(terms=terms, basket=basket, context=context)
        reaching = self._reaching(basket, context, standing, terms) if terms.reaching_earns_new else ()
        tier, standing = _judged_by(reaching, basket.amount) if reaching else (context.tier, standing)
        found = self._evaluate(terms, basket, tier, standing, self._counters(terms))
        self.state.active_at = max(self.state.active_at or one.occurred_at, one.occurred_at)
        self.state.standing_activity.append((one.occurred_at, one.id))
        judged = Judged(one, terms.version_id, tier, dict(found.found), standing, reaching=reaching)
        self.judged[one.id] = judged
        credit = {"spend": basket.amount, "visits": 1} | _units(found)
        self._settle(one, terms, tier, basket, standing, found, credit)
        if reaching:
            self.outcome.verdicts[-1].facts["reaching"] = reaching

    def _event(self, one: Event, terms: Terms) -> None:
        basket = basket_of_event(one)
        context = Context(
            tier=self._tier_at(one.occurred_at, terms),
            nth=self.state.visits,
            store="",
            channel="",
            attributes=one.attributes,
            segments=self.state.segments,
            joined_at=self.state.joined_at,
            birth_date=self.state.birth_date,
        )
        standing = barred(terms=terms, basket=basket, context=context)
        found = self._evaluate(terms, basket, context.tier, standing, self._counters(terms))
        for unit, how in terms.units.items():
            if one.trigger == "event" and how.kept_alive_by & {"event", one.type}:
                key = f"kept:{unit}"
                self.state.moments[key] = max(one.occurred_at, self.state.moments.get(key, one.occurred_at))
        self._settle(one, terms, context.tier, basket, standing, found, _units(found))

    def _settle(
        self,
        one: Purchase | Event,
        terms: Terms,
        tier: str,
        basket: Basket,
        standing: dict[str, str],
        found: Evaluation,
        counts: dict[str, int],
    ) -> None:
        """Write down how an activity was judged, give what it earned, and review the member's tier."""
        state = self.state
        is_late = one.occurred_at < state.as_of
        self._consume(found.consumed, sign=1)
        credit = self._credit_of(counts, one.occurred_at, terms)
        self.ladder.credit(credit, at=one.occurred_at, sign=1)
        awards = tuple((a.rule, a.unit, a.amount) for a in found.awards)
        lots = self.value.earn(awards, activity_id=one.id, at=one.occurred_at, terms=terms, tier=tier)
        if is_late:
            self._forfeit_then(one, lots, terms, tier)
        facts = {
            "amount": basket.amount,
            "counters": dict(found.found),
            "consumed": dict(found.consumed),
            "credit": credit,
            "barred": standing,
            "findings": [_facts_of(finding) for finding in found.findings],
        }
        self.outcome.verdicts.append(Verdict(one.id, terms.version_id, tier, awards, facts))
        if is_late:
            self._review_late(one, terms, tier)
        else:
            self.ladder.rise(at=one.occurred_at)
            self.ladder.review(state.as_of, reason="reached", since=one.occurred_at, activity_id=one.id)

    def _review_late(self, one: Purchase | Event, terms: Terms, tier: str) -> None:
        """Review the tier after activity that came late, and write down what it reached on its own day."""
        known = set(self.state.periods)
        changes = [
            change
            for change in self.ladder.replay()
            if change[0] >= one.occurred_at and (change[0], change[1].tier) not in known
        ]
        for at, holding, reason in changes[:-1]:
            self.ladder.note(holding.tier, at, reason, one.id if at == one.occurred_at else None)
        at, reason = (changes[-1][0], changes[-1][2]) if changes else (one.occurred_at, "reached")
        noted = len(self.outcome.tier_changes)
        self.ladder.review(self.state.as_of, reason=reason, since=at, activity_id=one.id)
        if len(self.outcome.tier_changes) != noted:
            return
        if changes:
            self.ladder.note(changes[-1][1].tier, at, reason, one.id if at == one.occurred_at else None)
        self.ladder.reach_then(one.occurred_at, terms, tier, one.id)

    def _refund(self, one: Refund) -> None:
        judged = self.judged.get(one.purchase_id) or one.judged
        if judged is None:
            self.outcome.waiting.append(one.id)
            return
        purchase = judged.purchase
        terms = self.schedule.versions[max(0, self.schedule.index_of(judged.version_id))]
        moment = max(one.occurred_at, purchase.occurred_at)
        after_it = replace(judged, returned=_together(judged.returned, one.parts))
        self.judged[one.purchase_id] = after_it
        returned = sum(amount for _quantity, amount in after_it.returned.values())
        earned_before, before = self._again(judged, terms)
        earned_left, left = self._again(after_it, terms)
        is_void = _is_void(after_it)
        self._consume({key: n - left.consumed.get(key, 0) for key, n in _both(before, left).items()}, sign=-1)
        awards = _less(before, left)
        counts = _units_of(awards) | {"spend": earned_before - earned_left, "visits": is_void - _is_void(judged)}
        credit = self._credit_of(counts, purchase.occurred_at, terms)
        self.ladder.credit(credit, at=purchase.occurred_at, sign=-1)
        owed = dict(self.state.owed)
        facts: dict[str, Any] = {"purchase": str(one.purchase_id), "credit": credit}
        if one.restores and terms.redeemed_come_back:
            facts["restored"] = self.spending.restore(one.restores, moment, one.id, terms)
        waived = self.value.take_back(
            awards,
            refund_id=one.id,
            purchase_id=one.purchase_id,
            at=moment,
            terms=terms,
            find=lambda unit, lacking: self.spending.withdraw(unit, lacking, moment, one.id, terms),
        )
        facts["waived"] = waived
        if remembered := {u: n - owed.get(u, 0) for u, n in self.state.owed.items() if n > owed.get(u, 0)}:
            facts["remembered"] = remembered
        taken = tuple((rule, unit, -units) for rule, unit, units in awards)
        self.outcome.verdicts.append(Verdict(one.id, terms.version_id, judged.tier, taken, facts))
        self.outcome.returned[one.purchase_id] = (returned, is_void)
        if is_void:
            self._void(one.purchase_id)
        self.ladder.replay()
        self.ladder.review(self.state.as_of, reason="returned", since=moment, activity_id=one.id)

    def _void(self, purchase_id: UUID) -> None:
        """Let a wholly returned purchase be no activity any more."""
        state = self.state
        state.standing_activity = [kept for kept in state.standing_activity if kept[1] != purchase_id]
        state.active_at = max((at for at, _ in state.standing_activity), default=None)

    # --- Judging -----------------------------------------------------------------------------------------------

    def _tier_at(self, moment: datetime, terms: Terms) -> str:
        return self.ladder.tier_then(moment, terms) if moment < self.state.as_of else self.state.tier

    def _counters(self, terms: Terms) -> Mapping[str, int]:
        return {**self.state.counters, **self.budgets} if self.budgets else self.state.counters

    def _evaluate(
        self, terms: Terms, basket: Basket, tier: str, standing: Mapping[str, str], counters: Mapping[str, int]
    ) -> Evaluation:
        return evaluate(terms=terms, basket=basket, tier=tier, barred=standing, counters=counters)

    def _again(self, judged: Judged, terms: Terms) -> tuple[int, Evaluation]:
        """Judge what is left of a purchase by the facts it was judged by; return what of it earns, and how."""
        if _is_void(judged):
            return 0, NOTHING
        basket = basket_of(terms=terms, purchase=judged.purchase, returned=judged.returned)
        tier, standing = judged.tier, judged.barred
        if judged.reaching:
            tier, standing = _judged_by(judged.reaching, basket.amount)
        return basket.amount, self._evaluate(terms, basket, tier, standing, judged.found)

    def _reaching(
        self, basket: Basket, context: Context, standing: dict[str, str], terms: Terms
    ) -> tuple[Reaching, ...]:
        """Return by which tiers a purchase can be judged, from how much on: that of before, and those it can reach."""
        found: list[Reaching] = [(0, context.tier, standing)]
        for amount, tier in self.ladder.reachable(basket.occurred_at, terms, context.tier):
            known = barred(terms=terms, basket=basket, context=replace(context, tier=tier))
            found.append((amount, tier, known))
        return tuple(found) if len(found) > 1 else ()

    def _consume(self, consumed: Mapping[str, int], *, sign: int) -> None:
        for key, amount in consumed.items():
            counters = self.budgets if key.startswith(PROGRAMS_OWN) else self.state.counters
            counters[key] = counters.get(key, 0) + sign * amount

    def _credit_of(self, counts: Mapping[str, int], at: datetime, terms: Terms) -> Credit:
        year = str(local_day(at, terms.zone).year)
        return {measure: {year: amount} for measure, amount in counts.items() if amount}

    def _joined_no_later_than(self, moment: datetime) -> None:
        state = self.state
        if moment < state.joined_at:
            state.joined_at = moment
            if state.periods:
                state.periods[0] = (moment, state.periods[0][1])
            if self.terms.rank(state.tier) == 0 and state.tier_since is not None:
                state.tier_since = local_day(moment, self.terms.zone)

    def _forfeit_then(self, one: Purchase | Event, lots: Sequence[Lot], terms: Terms, tier: str) -> None:
        """Forfeit what late activity earned where the member was next active only after its end."""
        later = sorted(at for at, _ in self.state.standing_activity if at > one.occurred_at)
        for lot in lots:
            how = terms.units[lot.unit]
            end = forfeited_at(how, tier=tier, earned_at=one.occurred_at, later=later, zone=terms.zone)
            if end is not None and lot.remaining:
                self.value.expire([lot], end)


def _judged_by(reaching: Sequence[Reaching], amount: int) -> tuple[str, dict[str, str]]:
    """Return the highest tier that an amount reaches, and the rules barred then."""
    return next((tier, standing) for least, tier, standing in reversed(reaching) if amount >= least)


def _is_void(judged: Judged) -> bool:
    """Whether a purchase is wholly returned: each line, also one that cost nothing or that a discount paid."""
    purchase, returned = judged.purchase, judged.returned
    if not returned:
        return False
    if not purchase.lines:
        return sum(amount for _quantity, amount in returned.values()) == purchase.total
    return all(is_gone(line, returned.get(line.number, (0, 0))) for line in purchase.lines)


def _loss_of(lot: Lot, end: datetime) -> NoticeDue:
    return NoticeDue("expiry", lot.unit, end)


def _facts_of(finding: Finding) -> dict[str, Any]:
    """Return a finding as it is kept: what says nothing is left out."""
    values = ((name, getattr(finding, name)) for name in FINDING_FIELDS)
    return {name: value for name, value in values if value is not None and value != ""}


def _units(found: Evaluation) -> dict[str, int]:
    return _units_of([(award.rule, award.unit, award.amount) for award in found.awards])


def _units_of(awards: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Return what awards count towards tiers that ask for units earned."""
    units: dict[str, int] = {}
    for _rule, unit, amount in awards:
        units[f"unit:{unit}"] = units.get(f"unit:{unit}", 0) + amount
    return units


def _together(one: Mapping[int, Part], other: Mapping[int, Part]) -> dict[int, Part]:
    both = dict(one)
    for number, (quantity, amount) in other.items():
        before = both.get(number, (0, 0))
        both[number] = (before[0] + quantity, before[1] + amount)
    return both


def _both(before: Evaluation, left: Evaluation) -> dict[str, int]:
    return dict.fromkeys(left.consumed, 0) | dict(before.consumed)


def _less(before: Evaluation, left: Evaluation) -> tuple[tuple[str, str, int], ...]:
    """Return by rule what the returned part of a purchase had earned: award(before) − award(what is left)."""
    given = {(award.rule, award.unit): award.amount for award in before.awards}
    kept = {(award.rule, award.unit): award.amount for award in left.awards}
    parts = ((*key, given.get(key, 0) - kept.get(key, 0)) for key in {**given, **kept})
    return tuple(part for part in parts if part[2])
