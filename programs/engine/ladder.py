"""A member's tier in a fold: reviewed after each activity and whenever something ends, with its history."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from programs.engine import tiers
from programs.engine.dates import after, end_after_months, local_day, months_later, start_of
from programs.engine.expiry import ends_in
from programs.engine.notices import loses_at
from programs.engine.state import Grant, Holding, NoticeDue, Outcome, State, TierChange
from programs.engine.terms import Schedule, Terms

DROPS_AT_ONCE = frozenset({"returned", "terms", "grant_ended", "joined"})
OF_GRANTS = {"hand": "granted", "invitation": "invited", "trial": "granted"}


class Ladder:
    """Keeps the tier that a member's credit reaches and staff have granted."""

    def __init__(self, state: State, outcome: Outcome, schedule: Schedule, index: int) -> None:
        self.state = state
        self.outcome = outcome
        self.schedule = schedule
        self.index = index
        self.keeps_marks = tiers.needs_marks(schedule)
        self.holds_months = any(terms.tier_validity == "months" for terms in schedule.versions)

    @property
    def terms(self) -> Terms:
        """The version under which the member was last reviewed."""
        return self.schedule.versions[self.index]

    @property
    def record(self) -> tiers.Record:
        """What counts towards the member's tiers."""
        return tiers.Record(self.state.joined_at, self.state.credit, self.state.marks)

    # --- Credit ------------------------------------------------------------------------------------------------

    def credit(self, credit: dict[str, dict[str, int]], *, at: datetime, sign: int) -> None:
        """Add what an activity at a moment counts towards tiers, or take away what its return does."""
        for measure, years in credit.items():
            total = self.state.credit.setdefault(measure, {})
            for year, amount in years.items():
                total[year] = total.get(year, 0) + sign * amount
                if not total[year]:
                    del total[year]
            if not total:
                del self.state.credit[measure]
        if not self.keeps_marks or (self.state.anchor_at is not None and at <= self._marks_since(self.state.anchor_at)):
            return
        mark = self.state.marks.setdefault(at, {})
        for measure, years in credit.items():
            mark[measure] = mark.get(measure, 0) + sign * sum(years.values())
            if not mark[measure]:
                del mark[measure]
        if not mark:
            del self.state.marks[at]

    def forget(self) -> None:
        """Drop marks that no window looks at any more, and move the anchor on, once in a while."""
        state = self.state
        if not state.marks:
            return
        held, _looks = tiers.marks_reach_back(self.schedule)
        anchor_at = self._months_before(state.as_of, held)
        if min(state.marks) > self._marks_since(self._months_before(state.as_of, held + 3)):
            return
        if self.holds_months:
            for _at, holding, _reason in self._replayed(until=anchor_at):
                state.anchor = holding
        state.anchor_at = anchor_at
        state.marks = {at: mark for at, mark in state.marks.items() if at > self._marks_since(anchor_at)}

    def _marks_since(self, anchor_at: datetime) -> datetime:
        _held, looks = tiers.marks_reach_back(self.schedule)
        return self._months_before(anchor_at, looks)

    def _months_before(self, moment: datetime, months: int) -> datetime:
        return start_of(months_later(local_day(moment, self.terms.zone), -months), self.terms.zone)

    # --- What is held for so many months -------------------------------------------------------------------------

    def rise(self, *, at: datetime) -> None:
        """Hold what credit reached at a moment."""
        if self.holds_months and self.terms.tiers:
            held = tiers.adopted(self.state.earned, self.terms)
            self.state.earned = tiers.risen(held, terms=self.terms, record=self.record, at=at)

    def end(self, *, at: datetime) -> str:
        """Let the tier that was held for a time come to its end; return what that was: renewed or fell."""
        before = self.state.earned
        self.state.earned = tiers.ended(before, terms=self.terms, record=self.record, at=at)
        return "renewed" if self.state.earned.tier == before.tier else "fell"

    def replay(self) -> list[tuple[datetime, Holding, str]]:
        """Work out anew what was held up to the present, after the past has changed; return its changes."""
        if not self.holds_months:
            return []
        changes = list(self._replayed(until=self.state.as_of))
        start = tiers.adopted(self.state.anchor, self.schedule.versions[0])
        self.state.earned = tiers.adopted(changes[-1][1] if changes else start, self.terms)
        return changes

    def _replayed(self, *, until: datetime) -> list[tuple[datetime, Holding, str]]:
        start = self.state.anchor_at or self._before_all()
        first = self.schedule.versions[max(0, self.schedule.index_at(start))]
        return list(
            tiers.replayed(
                anchor=tiers.adopted(self.state.anchor, first),
                anchor_at=start,
                schedule=self.schedule,
                record=self.record,
                until=until,
                falls_at=self._falls_at,
            )
        )

    def _before_all(self) -> datetime:
        return min([self.state.joined_at, *self.state.marks]) - tiers.INSTANT

    def _falls_at(self, tier: str, ends_at: datetime) -> datetime | None:
        return loses_at(NoticeDue("tier", tier, ends_at), state=self.state, terms=self.terms)

    def months_end(self) -> tuple[NoticeDue, bool] | None:
        """Return when the tier held for a time ends, and whether it would then be a lower one."""
        held = self.state.earned
        if self.terms.tier_validity != "months" or held.until is None:
            return None
        ends_at = after(held.until, self.terms.zone)
        then = tiers.ended(held, terms=self.terms, record=self.record, at=max(ends_at, self.state.as_of))
        return NoticeDue("tier", held.tier, ends_at), self.terms.rank(then.tier) < self.terms.rank(held.tier)

    # --- Review ------------------------------------------------------------------------------------------------

    def review(self, at: datetime, *, reason: str, since: datetime, activity_id: UUID | None) -> None:
        """Give the member the tier that holds at ``at``; a change counts from ``since``."""
        state, terms = self.state, self.terms
        state.version_id = terms.version_id
        if not terms.tiers:
            state.tier, state.tier_since, state.tier_until = "", None, None
            return
        rank, until, grant = self._level(at)
        present = terms.rank(state.tier)
        if rank < present and reason not in DROPS_AT_ONCE and self._is_kept_till_told(at):
            return
        is_same = terms.tiers[rank].code == state.tier
        is_renewed = reason == "renewed" and is_same and self._is_of_months(rank)
        if is_same and grant is not None and self._is_kept_trial(grant, until):
            self.note(state.tier, since, "kept_trial", activity_id)
        reason = self._because(reason, grant, rises=rank > present)
        state.tier_until = until
        held_since = state.earned.since if rank and self._is_of_months(rank) else None
        if is_same and not is_renewed:
            state.tier_since = held_since or state.tier_since
            return
        self._change_expiry(state.tier, terms.tiers[rank].code, since)
        state.tier = terms.tiers[rank].code
        state.tier_since = held_since or local_day(state.joined_at if rank == 0 else since, terms.zone)
        self.note(state.tier, since, reason, activity_id)

    def note(self, tier: str, since: datetime, reason: str, activity_id: UUID | None) -> None:
        """Write a tier from a moment on into the member's history."""
        self.state.periods.append((since, tier))
        self.state.periods.sort(key=lambda period: period[0])
        self.outcome.tier_changes.append(TierChange(tier, since, reason, activity_id))

    def _because(self, reason: str, grant: Grant | None, *, rises: bool) -> str:
        """Return what brought a change where staff had a hand in it."""
        if rises:
            return OF_GRANTS[grant.kind] if grant is not None and reason == "granted" else reason
        if reason == "granted":
            return "grant_ended"
        if reason == "fell":
            given = [one for one in self.state.grants or () if one.tier == self.state.tier]
            ends = [tiers.granted_end(one, terms=self.terms, record=self.record) for one in given]
            return "grant_ended" if self._ended_just_now(ends) else reason
        return reason

    def _ended_just_now(self, ends: list[datetime | None]) -> bool:
        until = self.state.tier_until
        return until is not None and after(until, self.terms.zone) in ends

    def _is_kept_trial(self, grant: Grant, until: date | None) -> bool:
        """Whether a trial has just been kept longer."""
        return grant.kind == "trial" and self.state.tier_until == grant.until and until != grant.until

    def _is_of_months(self, rank: int) -> bool:
        return self.terms.tier_validity == "months" and self.terms.rank(self.state.earned.tier) == rank

    def _is_kept_till_told(self, at: datetime) -> bool:
        """Whether a tier that is over must be kept since nobody has told the member."""
        loss = self.tier_loss()
        if not self.terms.needs_notice or loss is None:
            return False
        moment = loses_at(loss, state=self.state, terms=self.terms)
        return moment is None or moment > at

    def tier_loss(self) -> NoticeDue | None:
        """Return the end of the tier that the member has now."""
        if self.state.tier_until is None:
            return None
        return NoticeDue("tier", self.state.tier, after(self.state.tier_until, self.terms.zone))

    def would_fall(self, loss: NoticeDue) -> bool:
        """Whether the tier would be a lower one at its end, as things stand."""
        rank, _until, _grant = self._level(max(loss.ends_at, self.state.as_of))
        return rank < self.terms.rank(self.state.tier)

    def _level(self, at: datetime) -> tuple[int, date | None, Grant | None]:
        """Return the rank that holds at a moment, its last day, and the grant that gave it, if one did."""
        terms, record = self.terms, self.record
        if terms.tier_validity == "months":
            held = self.state.earned
            is_over = held.until is not None and after(held.until, terms.zone) <= at
            if is_over:
                held = tiers.ended(held, terms=terms, record=record, at=at)
            rank, until = terms.rank(held.tier), held.until
        else:
            level = tiers.level(terms=terms, record=record, at=at)
            rank, until = level.rank, level.until
        life = tiers.for_life(terms=terms, record=record, at=at)
        if life and life >= rank:
            rank, until = life, None
        given: Grant | None = None
        for grant in self.grants_at(at):
            granted, last = terms.rank(grant.tier), tiers.granted_until(grant, terms=terms, record=record)
            if granted > rank:
                rank, until, given = granted, last, grant
            elif granted == rank and rank and until is not None:
                until = None if last is None else max(until, last)
        return rank, until if rank else None, given

    # --- Grants ------------------------------------------------------------------------------------------------

    def grants_at(self, at: datetime) -> list[Grant]:
        """Return the grants in force at a moment."""
        found = []
        for grant in self.state.grants or ():
            end = tiers.granted_end(grant, terms=self.terms, record=self.record)
            if grant.starts_at <= at and (end is None or at < end):
                found.append(grant)
        return found

    def next_grant_moment(self, now: datetime) -> datetime | None:
        """Return the next moment at which a grant begins or ends."""
        moments = []
        for grant in self.state.grants or ():
            end = tiers.granted_end(grant, terms=self.terms, record=self.record)
            moments += [moment for moment in (grant.starts_at, end) if moment is not None and moment > now]
        return min(moments, default=None)

    # --- What a purchase can reach -----------------------------------------------------------------------------

    def reachable(self, at: datetime, terms: Terms, tier: str) -> list[tuple[int, str]]:
        """Return the tiers above ``tier`` that a purchase at a moment can reach, each with the amount that it takes."""
        found = []
        for rank in range(terms.rank(tier) + 1, len(terms.tiers)):
            above = terms.tiers[rank]
            if above.by_invitation or not above.conditions:
                continue
            asked = tiers.asked(rank, terms=terms, record=self.record, at=at)
            visit = {"visits": 1}
            if all(one.measure == "spend" or one.missing <= visit.get(one.measure, 0) for one in asked):
                found.append((max(one.missing if one.measure == "spend" else 0 for one in asked), above.code))
        return found

    # --- Past days ---------------------------------------------------------------------------------------------

    def tier_then(self, moment: datetime, terms: Terms) -> str:
        """Return the tier of a past moment, as what is now known makes it."""
        if not terms.tiers:
            return ""
        rank = max(self._earned_then(moment, terms), tiers.for_life(terms=terms, record=self.record, at=moment))
        return terms.tiers[max([rank, *(terms.rank(grant.tier) for grant in self.grants_at(moment))])].code

    def _earned_then(self, moment: datetime, terms: Terms) -> int:
        period = self.state.period_at(moment)
        if terms.tier_validity == "months":
            if self.state.anchor_at is not None and moment <= self.state.anchor_at:
                return terms.rank(period[1]) if period else 0
            past = self._replayed(until=moment - tiers.INSTANT)
            return terms.rank(past[-1][1].tier if past else self.state.anchor.tier)
        record = self.record
        if terms.tier_validity == "as_reached":
            return tiers.level(terms=terms, record=record, at=moment - tiers.INSTANT).rank
        rank = tiers.level(terms=terms, record=record, at=moment, before_this_year=True).rank
        if period is not None:
            held_until = tiers.held_until(terms, record, local_day(period[0], terms.zone))
            if local_day(moment, terms.zone) <= held_until:
                rank = max(rank, terms.rank(period[1]))
        return rank

    def reach_then(self, at: datetime, terms: Terms, tier: str, activity_id: UUID) -> None:
        """Write down a tier that late activity reached on its own day, where it no longer counts today."""
        if not terms.tiers or terms.tier_validity != "next_year":
            return
        year_end = start_of(months_later(local_day(at, terms.zone).replace(month=1, day=1), 12), terms.zone)
        rank = tiers.reached(terms=terms, record=self.record, at=min(self.state.as_of, year_end - tiers.INSTANT))
        if rank > terms.rank(tier):
            self.note(terms.tiers[rank].code, at, "reached", activity_id)

    # --- What a tier means for the end of units ------------------------------------------------------------------

    def _change_expiry(self, old: str, new: str, since: datetime) -> None:
        """Give units without an end one, where the member falls to a tier whose units have one."""
        for code, how in self.terms.units.items():
            if how.fall_months is None or not old or ends_in(how, old) or not ends_in(how, new):
                continue
            end = end_after_months(since, how.fall_months, self.terms.zone)
            self.state.moments[f"spared:{code}"] = end
            for lot in self.state.lots:
                if how.expiry == "rolling" and lot.unit == code and lot.remaining and lot.expires_at is None:
                    lot.expires_at, lot.is_touched = end, True
