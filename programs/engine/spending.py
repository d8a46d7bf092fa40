"""What a member's units buy: set aside, spent, given back, and turned into rewards by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from programs.engine.dates import after, days_later, end_after_months, local_day, months_later, start_of, window_of
from programs.engine.expiry import forfeited_at
from programs.engine.limits import Limit, counter_key
from programs.engine.offers import judge
from programs.engine.state import (
    Cost,
    Hold,
    Issue,
    OpenVoucher,
    Outcome,
    Refusal,
    Reserve,
    Restored,
    Settle,
    State,
)
from programs.engine.terms import Cap, Reward, Terms
from programs.engine.value import Value

REDEMPTION = "redemption"
MOST_AT_ONCE = (
    500  # Vouchers of one step: a till's typing error must not fill the tables. The rest comes with the next.
)


class Spending:
    """The holds, vouchers and conversions of one member's fold."""

    def __init__(
        self, state: State, outcome: Outcome, value: Value, new_id: Callable[[], UUID], ends_at: datetime | None
    ) -> None:
        self.state = state
        self.ends_at = ends_at  # Of the program: no hold outlives it.
        self.outcome = outcome
        self.value = value
        self.new_id = new_id

    # --- Reserve, capture, release ---------------------------------------------------------------------------------

    def reserve(self, one: Reserve, terms: Terms) -> None:
        """Set the units of a reward aside, or write down why it cannot be had."""
        reward = terms.reward(one.reward)
        found: Cost | Refusal = Refusal("unknown-reward")
        if reward is not None:
            found = judge(reward=reward, terms=terms, state=self.state, ask=one.ask, at=one.occurred_at)
        if isinstance(found, Refusal):
            self.outcome.refusals[one.id] = found
            return
        assert reward is not None
        taken = self.value.hold(reward.unit, found.units, redemption_id=one.id, at=one.occurred_at)
        self._count(found.uses.items(), sign=1)
        hold = Hold(
            id=one.id,
            reward=reward.code,
            unit=reward.unit,
            units=found.units,
            quantity=found.quantity,
            taken=taken,
            ends_at=one.ends_at,
            uses=found.uses,
            gives=reward.gives,
        )
        self.state.holds.append(hold)
        self.outcome.reserved[one.id] = found

    def settle(self, one: Settle, terms: Terms) -> None:
        """Spend what is held, or give it free; a hold that is no more is refused as expired."""
        hold = next((held for held in self.state.holds if held.id == one.id), None)
        if hold is None:
            self.outcome.refusals[one.id] = Refusal("hold-expired")
        elif one.captures:
            self._capture(hold, one.occurred_at, terms)
        else:
            self._release(hold, one.occurred_at, is_over=False)

    def next_end(self) -> datetime | None:
        """Return when the time of the next hold is up."""
        return min((self._end_of(hold) for hold in self.state.holds), default=None)

    def time_out(self, due: datetime) -> None:
        """Give free what nobody captured in time."""
        for hold in [hold for hold in self.state.holds if self._end_of(hold) <= due]:
            self._release(hold, self._end_of(hold), is_over=True)

    def _end_of(self, hold: Hold) -> datetime:
        return hold.ends_at if self.ends_at is None else min(hold.ends_at, self.ends_at)

    def _capture(self, hold: Hold, at: datetime, terms: Terms) -> None:
        self._forget(hold)
        self.value.spend_held(hold.unit, hold.units, redemption_id=hold.id, at=at)
        for unit, how in terms.units.items():
            if REDEMPTION in how.kept_alive_by:
                key = f"kept:{unit}"
                self.state.moments[key] = max(at, self.state.moments.get(key, at))
        if hold.gives is not None and hold.gives[0] in terms.units:
            self.value.give(*hold.gives, redemption_id=hold.id, at=at, terms=terms, tier=self.state.tier)
        self.outcome.captured.append(hold.id)

    def _release(self, hold: Hold, at: datetime, *, is_over: bool) -> None:
        self._forget(hold)
        self._count(hold.uses.items(), sign=-1)
        self.value.give_free(hold.unit, hold.taken, redemption_id=hold.id, at=at)
        self.outcome.released.append((hold, at, is_over))

    def _forget(self, hold: Hold) -> None:
        self.state.holds = [held for held in self.state.holds if held.id != hold.id]

    def _count(self, uses: Iterable[tuple[str, int]], *, sign: int) -> None:
        counters = self.state.counters
        for key, times in uses:
            counters[key] = max(0, counters.get(key, 0) + sign * times)

    # --- By themselves -----------------------------------------------------------------------------------------------

    def convert(self, terms: Terms, at: datetime, activity_id: UUID | None) -> None:
        """Turn units into the rewards that they become as soon as there are enough."""
        for reward in _converting(terms, "at_once"):
            count = self.state.balance(reward.unit, "available") // reward.price
            if count > 0:
                count = min(count, MOST_AT_ONCE)
                day = local_day(at, terms.zone)
                count = min(count, self._left_of_year(reward, terms, day))
                self._issue(reward, count, terms, at, activity_id, counted_on=day)

    def next_issue(self, terms: Terms, passed: datetime) -> datetime | None:
        """Return when units next turn into rewards at a set date, where there are enough to matter."""
        moments = [
            moment
            for reward in _converting(terms, "dates")
            if self.state.balance(reward.unit, "available") >= reward.price
            for _close, moment in _issues_after(reward, terms.zone, passed)
        ]
        return min(moments, default=None)

    def issue(self, terms: Terms, due: datetime, passed: datetime) -> None:
        """Turn what was earned by the close of a window into rewards, where they are due at this moment."""
        for reward in _converting(terms, "dates"):
            for close, moment in _issues_after(reward, terms.zone, passed):
                if moment != due:
                    continue
                earned_before = after(close, terms.zone)
                there = sum(
                    lot.remaining
                    for lot in self.value.open_lots()
                    if lot.unit == reward.unit and lot.account == "available" and lot.earned_at < earned_before
                )
                count = min(there // reward.price, self._left_of_year(reward, terms, close))
                if reward.most_at_once is not None:
                    count = min(count, reward.most_at_once)
                self._issue(reward, count, terms, due, None, counted_on=close, earned_before=earned_before)

    def _left_of_year(self, reward: Reward, terms: Terms, day: date) -> int:
        if reward.most_a_year is None:
            return 2**31
        used = self.state.counters.get(_year_key(reward, terms, day), 0)
        return max(0, reward.most_a_year - used)

    def _issue(
        self,
        reward: Reward,
        count: int,
        terms: Terms,
        at: datetime,
        activity_id: UUID | None,
        *,
        counted_on: date,
        earned_before: datetime | None = None,
    ) -> None:
        """Make so many vouchers, each with its own units; ``counted_on`` says in which year they count."""
        own = reward.for_tier(self.state.tier)
        uses = {_year_key(reward, terms, counted_on): 1} if reward.most_a_year is not None else {}
        for _number in range(count):
            voucher_id = self.new_id()
            taken = self.value.convert(
                reward.unit, reward.price, redemption_id=voucher_id, at=at, earned_before=earned_before
            )
            self._count(uses.items(), sign=1)
            ends_at = voucher_end(reward, at, terms.zone)
            voucher = OpenVoucher(voucher_id, reward.code, reward.unit, taken, at, ends_at, uses)
            self.state.vouchers.append(voucher)
            self.outcome.issues.append(
                Issue(voucher, terms.version_id, own.value, own.percent, "converted", activity_id)
            )

    # --- After a return ----------------------------------------------------------------------------------------------

    def withdraw(self, unit: str, missing: int, at: datetime, refund_id: UUID, terms: Terms) -> None:
        """Withdraw unused vouchers, the latest first, until the units that a return lacks are back."""
        for voucher in sorted(self.state.vouchers, key=lambda one: (one.issued_at, one.id), reverse=True):
            if missing <= 0:
                return
            reward = terms.reward(voucher.reward)
            is_over = voucher.expires_at is not None and voucher.expires_at <= self.state.as_of
            if voucher.unit != unit or is_over or reward is None or not reward.is_withdrawn:
                continue
            self.state.vouchers = [one for one in self.state.vouchers if one.id != voucher.id]
            self._count(voucher.uses.items(), sign=-1)
            self.value.restore(unit, voucher.taken, redemption_id=voucher.id, at=at, activity_id=refund_id)
            self.outcome.withdrawn.append((voucher, refund_id))
            missing -= sum(amount for _lot, amount in voucher.taken)

    def restore(self, restores: Iterable[Restored], at: datetime, refund_id: UUID, terms: Terms) -> dict[str, int]:
        """Give the burned units of returned redemptions back to their old lots; return how many, by unit.

        What would have been forfeited meanwhile, had it not been spent, is so at once.
        """
        back: dict[str, int] = {}
        for one in restores:
            if one.taken:
                self.value.restore(one.unit, one.taken, redemption_id=one.id, at=at, activity_id=refund_id)
                back[one.unit] = back.get(one.unit, 0) + sum(amount for _lot, amount in one.taken)
                self._forfeit_then(one, at, terms)
            self.outcome.restored[one.id] = refund_id
        return back

    def _forfeit_then(self, one: Restored, at: datetime, terms: Terms) -> None:
        how = terms.units.get(one.unit)
        if how is None or one.spent_at is None:
            return
        known = [moment for moment, _activity in self.state.standing_activity]
        known += [self.state.moments[key] for key in (f"kept:{one.unit}",) if key in self.state.moments]
        later = sorted(moment for moment in known if moment > one.spent_at)
        tier, zone = self.state.tier, terms.zone
        if forfeited_at(how, tier=tier, earned_at=one.spent_at, later=later, zone=zone) is not None:
            named = {lot_id for lot_id, _amount in one.taken}
            self.value.expire([lot for lot in self.value.open_lots() if lot.id in named], at)


def voucher_end(reward: Reward, issued_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first moment at which a voucher issued then is gone; None where it has no end."""
    if reward.lives_months is not None:
        return end_after_months(issued_at, reward.lives_months, zone)
    if reward.lives_days is not None:
        return after(local_day(days_later(issued_at, reward.lives_days, zone), zone), zone)
    return None


def _converting(terms: Terms, how: str) -> Iterator[Reward]:
    return (reward for reward in terms.rewards if reward.conversion == how and reward.price > 0)


def _year_key(reward: Reward, terms: Terms, day: date) -> str:
    cap = Cap("program_year", reward.most_a_year or 0, "times")
    return counter_key(Limit(f"reward:{reward.code}", cap), window_of(day, cap.window, terms.year_starts), {})


def _issues_after(reward: Reward, zone: ZoneInfo, passed: datetime) -> list[tuple[date, datetime]]:
    """Return for each window's end of the year the next issue after ``passed``: the last day counted, the moment."""
    today = local_day(passed, zone)
    found = []
    for month, day in reward.closes:
        for year in range(today.year - 1, today.year + 2):
            last = months_later(date(year, month, 1), 1) - timedelta(days=1)
            close = date(year, month, min(day, last.day))
            moment = start_of(months_later(close.replace(day=1), 1).replace(day=reward.issue_day), zone)
            if moment > passed:
                found.append((close, moment))
                break
    return found
