"""A member's timeline: (state, activity or due moment) → (state, postings). Replaying a past equals having lived it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from programs.engine import tiers
from programs.engine.dates import after, days_later, end_after_months, local_day
from programs.engine.earning import Evaluation, earning_amount, evaluate
from programs.engine.expiry import forfeited_at, inactivity_end
from programs.engine.state import (
    Judged,
    Lot,
    Move,
    Outcome,
    Posting,
    Purchase,
    Refund,
    State,
    TierChange,
    Verdict,
    joined,
)
from programs.engine.terms import Schedule, Terms

Activity = Purchase | Refund
NO_END = datetime.max.replace(tzinfo=UTC)


def fold(
    *,
    state: State,
    schedule: Schedule,
    activity: Sequence[Activity] = (),
    until: datetime | None = None,
    new_id: Callable[[], UUID],
) -> tuple[State, Outcome]:
    """Return where the member stands after ``activity``, in the given order, and all that fell due up to then.

    ``until`` brings the member to a moment beyond the last activity. The given state is left as it was.
    """
    timeline = _Timeline(state.copy(), schedule, new_id)
    for one in activity:
        timeline.take(one)
    if until is not None:
        timeline.advance(until)
    timeline.outcome.due_at = timeline.next_due()
    return timeline.state, timeline.outcome


class _Timeline:
    """One member's fold in progress."""

    def __init__(self, state: State, schedule: Schedule, new_id: Callable[[], UUID]) -> None:
        self.state = state
        self.schedule = schedule
        self.new_id = new_id
        self.outcome = Outcome()
        self.judged: dict[UUID, Judged] = {}
        self.unread_due = None if state.lots_known else state.due_of_lots
        self.index = schedule.index_of(state.version_id)
        if self.index < 0:
            self.index = max(0, schedule.index_at(state.as_of))
            self._review(state.as_of, reason="joined", since=state.joined_at, activity_id=None)

    @property
    def terms(self) -> Terms:
        """The version under which the member was last reviewed."""
        return self.schedule.versions[self.index]

    # --- Time ------------------------------------------------------------------------------------------------

    def advance(self, moment: datetime) -> None:
        """Do all that falls due at or before ``moment``, each at its own time."""
        while (due := self.next_due()) is not None and due <= moment:
            self._do_due(due)
        self.state.as_of = max(self.state.as_of, moment)

    def next_due(self) -> datetime | None:
        """Return the next moment at which something happens by itself."""
        moments = [self._next_version(), self._tier_end(), self.state.due_of_lots]
        moments += [self._inactivity(unit) for unit in self.terms.units]
        return min((moment for moment in moments if moment is not None), default=None)

    def _do_due(self, due: datetime) -> None:
        if self._next_version() == due:
            self.index += 1
            self._review(max(due, self.state.as_of), reason="terms", since=due, activity_id=None)
        if any(self._inactivity(unit) == due for unit in self.terms.units):
            assert self.state.lots_known, "lots fall due that were not read"
        for lot in [lot for lot in self._open_lots() if lot.matures_at is not None and lot.matures_at <= due]:
            self._mature(lot, due)
        ended = [lot for lot in self._open_lots() if lot.expires_at is not None and lot.expires_at <= due]
        self._expire(ended, due)
        for unit in self.terms.units:
            if (end := self._inactivity(unit)) is not None and end <= due:
                self._expire([lot for lot in self._open_lots() if lot.unit == unit], due)
        if (end := self._tier_end()) is not None and end <= due:
            self._review(max(due, self.state.as_of), reason="fell", since=due, activity_id=None)
        self._settle_lots()

    def _next_version(self) -> datetime | None:
        following = self.index + 1
        return self.schedule.versions[following].starts_at if following < len(self.schedule.versions) else None

    def _tier_end(self) -> datetime | None:
        return after(self.state.tier_until, self.terms.zone) if self.state.tier_until else None

    def _inactivity(self, unit: str) -> datetime | None:
        return inactivity_end(state=self.state, terms=self.terms, unit=unit)

    # --- Activity --------------------------------------------------------------------------------------------

    def take(self, one: Activity) -> None:
        """Judge one activity at its time, and do what has fallen due by the member's present."""
        if one.occurred_at > self.state.as_of:
            self.advance(one.occurred_at)
        if isinstance(one, Purchase):
            self._purchase(one)
        else:
            self._refund(one)
        self.advance(self.state.as_of)

    def _purchase(self, one: Purchase) -> None:
        terms = self.schedule.at(one.occurred_at)
        if terms is None:
            self.outcome.refused[one.id] = "no-version-in-force"
            return
        state = self.state
        self._joined_no_later_than(one.occurred_at)
        is_late = one.occurred_at < state.as_of
        tier = self._tier_then(one.occurred_at, terms) if is_late else state.tier
        amount = earning_amount(terms=terms, total=one.total, tax=one.tax)
        found = evaluate(terms=terms, amount=amount, occurred_at=one.occurred_at, tier=tier, counters=state.counters)
        for key, consumed in found.consumed.items():
            state.counters[key] = state.counters.get(key, 0) + consumed
        year = str(local_day(one.occurred_at, terms.zone).year)
        credit = {"spend": {year: amount}} if amount else {}
        self._credit(credit, sign=1)
        state.active_at = max(state.active_at or one.occurred_at, one.occurred_at)
        state.standing_activity.append((one.occurred_at, one.id))
        awards = tuple((a.rule, a.unit, a.amount) for a in found.awards)
        self._earn(one, terms, awards)
        if is_late:
            self._forfeit_then(one, terms)
        self.judged[one.id] = Judged(
            one.id, one.occurred_at, terms.version_id, tier, dict(found.found), one.total, one.tax
        )
        facts = {
            "amount": amount,
            "counters": found.found,
            "consumed": found.consumed,
            "credit": credit,
            "findings": [
                {
                    "rule": f.rule,
                    "name": f.name,
                    "unit": f.unit,
                    "effect": f.effect,
                    "reason": f.reason,
                    "amount": f.amount,
                    "counted": f.counted,
                    "rate": f.rate,
                    "units": f.units,
                    "cut_by": f.cut_by,
                    "limit": f.limit,
                }
                for f in found.findings
            ],
        }
        self.outcome.verdicts.append(Verdict(one.id, terms.version_id, tier, awards, facts))
        changes = len(self.outcome.tier_changes)
        self._review(state.as_of, reason="reached", since=one.occurred_at, activity_id=one.id)
        if is_late and len(self.outcome.tier_changes) == changes:
            self._reach_then(one, terms, tier)

    def _refund(self, one: Refund) -> None:
        judged = self.judged.get(one.purchase_id) or one.judged
        if judged is None:
            self.outcome.waiting.append(one.id)
            return
        state = self.state
        terms = self.schedule.versions[max(0, self.schedule.index_of(judged.version_id))]
        moment = max(one.occurred_at, judged.occurred_at)
        after_it = replace(judged, returned=judged.returned + one.amount)
        self.judged[one.purchase_id] = after_it
        before, left = self._again(judged, terms), self._again(after_it, terms)
        for key, consumed in before.consumed.items():
            state.counters[key] = state.counters.get(key, 0) - consumed + left.consumed.get(key, 0)
        year = str(local_day(judged.occurred_at, terms.zone).year)
        amount = self._earning(judged, terms) - self._earning(after_it, terms)
        credit = {"spend": {year: amount}} if amount else {}
        self._credit(credit, sign=-1)
        awards = _less(before, left)
        waived = self._take_back(one, moment, awards)
        is_void = after_it.returned == judged.total
        facts = {"purchase": str(one.purchase_id), "waived": waived, "credit": credit}
        taken = tuple((rule, unit, -units) for rule, unit, units in awards)
        self.outcome.verdicts.append(Verdict(one.id, terms.version_id, judged.tier, taken, facts))
        self.outcome.returned[one.purchase_id] = (after_it.returned, is_void)
        if is_void:
            state.standing_activity = [kept for kept in state.standing_activity if kept[1] != one.purchase_id]
            state.active_at = max((at for at, _ in state.standing_activity), default=None)
        self._review(state.as_of, reason="returned", since=moment, activity_id=one.id)

    def _again(self, judged: Judged, terms: Terms) -> Evaluation:
        """Judge what is left of a purchase by the facts it was judged by."""
        amount = self._earning(judged, terms)
        return evaluate(
            terms=terms, amount=amount, occurred_at=judged.occurred_at, tier=judged.tier, counters=judged.found
        )

    def _earning(self, judged: Judged, terms: Terms) -> int:
        return earning_amount(terms=terms, total=judged.total, tax=judged.tax, returned=judged.returned)

    def _credit(self, credit: dict[str, dict[str, int]], *, sign: int) -> None:
        for measure, years in credit.items():
            total = self.state.credit.setdefault(measure, {})
            for year, amount in years.items():
                total[year] = total.get(year, 0) + sign * amount

    def _joined_no_later_than(self, moment: datetime) -> None:
        state = self.state
        if moment < state.joined_at:
            state.joined_at = moment
            if state.periods:
                state.periods[0] = (moment, state.periods[0][1])
            if self.terms.rank(state.tier) == 0 and state.tier_since is not None:
                state.tier_since = local_day(moment, self.terms.zone)

    # --- Tiers -----------------------------------------------------------------------------------------------

    def _review(self, at: datetime, *, reason: str, since: datetime, activity_id: UUID | None) -> None:
        """Give the member the tier that the credit reaches at ``at``; a change counts from ``since``."""
        state, terms = self.state, self.terms
        state.version_id = terms.version_id
        level = tiers.level(terms=terms, credit=state.credit, year=local_day(at, terms.zone).year)
        if level is None:
            state.tier, state.tier_since, state.tier_until = "", None, None
            return
        state.tier_until = level.until
        if level.tier.code == state.tier:
            return
        state.tier = level.tier.code
        is_lowest = level.tier is terms.tiers[0]
        state.tier_since = local_day(state.joined_at if is_lowest else since, terms.zone)
        self._note_period(state.tier, since, reason, activity_id)

    def _tier_then(self, moment: datetime, terms: Terms) -> str:
        """Return the tier of a past day: as it was held, or as what is now known of the year before makes it.

        A tier is held for the rest of its year and the next, so an older period says nothing of that day.
        """
        if not terms.tiers:
            return ""
        year = local_day(moment, terms.zone).year
        rank = tiers.reached(terms=terms, credit=self.state.credit, year=year - 1)
        period = self.state.period_at(moment)
        if period is not None and local_day(period[0], terms.zone).year >= year - 1:
            rank = max(rank, terms.rank(period[1]))
        return terms.tiers[rank].code

    def _reach_then(self, one: Purchase, terms: Terms, tier: str) -> None:
        """Write down a tier that late activity reached on its own day, where it no longer counts today."""
        year = local_day(one.occurred_at, terms.zone).year
        rank = tiers.reached(terms=terms, credit=self.state.credit, year=year)
        if terms.tiers and rank > terms.rank(tier):
            self._note_period(terms.tiers[rank].code, one.occurred_at, "reached", one.id)

    def _note_period(self, tier: str, since: datetime, reason: str, activity_id: UUID | None) -> None:
        self.state.periods.append((since, tier))
        self.state.periods.sort(key=lambda period: period[0])
        self.outcome.tier_changes.append(TierChange(tier, since, reason, activity_id))

    # --- Value -----------------------------------------------------------------------------------------------

    def _earn(self, one: Purchase, terms: Terms, awards: Iterable[tuple[str, str, int]]) -> None:
        units: dict[str, int] = {}
        for _rule, unit, amount in awards:
            units[unit] = units.get(unit, 0) + amount
        moves: list[Move] = []
        for unit, amount in units.items():
            lot = self._new_lot(one, terms, unit, amount)
            if lot.account == "available":
                lot.remaining -= min(lot.remaining, max(0, -self.state.balance(unit, "available")))
            moves += self._move(unit, "issued", lot.account, amount)
            self.state.lots.append(lot)
        self._post("earn", one.id, one.occurred_at, moves)
        self._settle_lots()

    def _forfeit_then(self, one: Purchase, terms: Terms) -> None:
        """Forfeit what late activity earned where the member was next active only after its end."""
        later = sorted(at for at, _ in self.state.standing_activity if at > one.occurred_at)
        for lot in [lot for lot in self.state.lots if lot.activity_id == one.id]:
            if end := forfeited_at(terms.units[lot.unit], one.occurred_at, later, terms.zone):
                self._expire([lot], end)

    def _new_lot(self, one: Purchase, terms: Terms, unit: str, amount: int) -> Lot:
        how = terms.units[unit]
        lot = Lot(self.new_id(), unit, one.id, amount, amount, one.occurred_at, is_new=True)
        if how.pending_days:
            lot.matures_at = days_later(one.occurred_at, how.pending_days, terms.zone)
        if how.expiry == "rolling":
            assert how.expiry_months is not None
            lot.expires_at = end_after_months(one.occurred_at, how.expiry_months, terms.zone)
        return lot

    def _mature(self, lot: Lot, due: datetime) -> None:
        debt = max(0, -self.state.balance(lot.unit, "available"))
        moves = self._move(lot.unit, "pending", "available", lot.remaining)
        lot.remaining -= min(lot.remaining, debt)
        lot.matures_at, lot.is_touched = None, True
        self._post("mature", lot.activity_id, due, moves)

    def _expire(self, lots: Sequence[Lot], due: datetime) -> None:
        lost: dict[tuple[str, str], int] = {}
        for lot in lots:
            lost[lot.unit, lot.account] = lost.get((lot.unit, lot.account), 0) + lot.remaining
            lot.expired += lot.remaining
            lot.remaining, lot.is_touched = 0, True
        moves: list[Move] = []
        for (unit, account), amount in lost.items():
            moves += self._move(unit, account, "expired", amount)
        self._post("expire", None, due, moves)

    def _take_back(self, one: Refund, moment: datetime, awards: Sequence[tuple[str, str, int]]) -> dict[str, int]:
        """Take back what the returned part gave; return what had expired before and so is not taken twice, by unit."""
        given: dict[str, int] = {}
        for _rule, unit, amount in awards:
            given[unit] = given.get(unit, 0) + amount
        moves: list[Move] = []
        waived: dict[str, int] = {}
        for unit, amount in given.items():
            own = [lot for lot in self.state.lots if lot.activity_id == one.purchase_id and lot.unit == unit]
            left = amount - self._take(own, amount, moves)
            for lot in own:
                if forgiven := min(left, lot.expired - lot.waived):
                    lot.waived, lot.is_touched = lot.waived + forgiven, True
                    waived[unit] = waived.get(unit, 0) + forgiven
                    left -= forgiven
            others = [lot for lot in self._open_lots() if lot.unit == unit and lot.account == "available"]
            left -= self._take(others, left, moves)
            if left:  # Spent already: the member owes it, and the next units pay it.
                moves += self._move(unit, "available", "reversed", left)
        self._post("reverse", one.id, moment, moves)
        self._settle_lots()
        return waived

    def _take(self, lots: Iterable[Lot], amount: int, moves: list[Move]) -> int:
        """Take up to ``amount`` out of the lots, in order; return what was found there."""
        taken = 0
        for lot in lots:
            if part := min(lot.remaining, amount - taken):
                moves += self._move(lot.unit, lot.account, "reversed", part)
                lot.remaining, lot.reversed, lot.is_touched = lot.remaining - part, lot.reversed + part, True
                taken += part
        return taken

    def _open_lots(self) -> list[Lot]:
        """Return the lots with something left, earliest end first."""
        open_lots = [lot for lot in self.state.lots if lot.remaining > 0]
        return sorted(open_lots, key=lambda lot: (lot.expires_at or NO_END, lot.earned_at, lot.id))

    def _settle_lots(self) -> None:
        """Work out when the lots are due next; those not at hand keep the moment they came with."""
        state = self.state
        moments = [m for lot in state.lots if lot.remaining > 0 for m in (lot.matures_at, lot.expires_at) if m]
        if self.unread_due is not None:
            moments.append(self.unread_due)
        state.due_of_lots = min(moments, default=None)

    def _move(self, unit: str, source: str, target: str, amount: int) -> list[Move]:
        """Return the two entries that move an amount between accounts, a member's balance kept."""
        return [self._entry(unit, source, -amount), self._entry(unit, target, amount)]

    def _entry(self, unit: str, account: str, amount: int) -> Move:
        if account not in {"available", "pending", "held"}:
            return Move(unit, account, amount, None)
        balance = self.state.balance(unit, account) + amount
        self.state.balances[unit, account] = balance
        return Move(unit, account, amount, balance)

    def _post(self, kind: str, activity_id: UUID | None, occurred_at: datetime, moves: list[Move]) -> None:
        if moves:
            self.outcome.postings.append(Posting(kind, activity_id, occurred_at, joined(moves)))


def _less(before: Evaluation, left: Evaluation) -> tuple[tuple[str, str, int], ...]:
    """Return by rule what the returned part of a purchase had earned: award(before) − award(what is left)."""
    kept: Mapping[tuple[str, str], int] = {(award.rule, award.unit): award.amount for award in left.awards}
    parts = ((a.rule, a.unit, a.amount - kept.get((a.rule, a.unit), 0)) for a in before.awards)
    return tuple(part for part in parts if part[2])
