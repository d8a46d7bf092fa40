"""May a member have a reward, when, and what does it take: arithmetic of one reward for one member."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from programs.engine.baskets import Basket
from programs.engine.clauses import LINE_KINDS, Context, failing, moment_of
from programs.engine.dates import local_day, start_of, window_after, window_of
from programs.engine.limits import Limit, counter_key
from programs.engine.state import Ask, Cost, Refusal, State
from programs.engine.terms import RATE_SCALE, Cap, Reward, Terms

DAYS_AHEAD = 366  # A birthday, and every day of the week, comes round within it.
WHOLE_DAY = 24 * 60


def judge(*, reward: Reward, terms: Terms, state: State, ask: Ask, at: datetime) -> Cost | Refusal:
    """Return what the reward takes of the member at ``at``, or why it cannot be had.

    Codes: tier-too-low, not-open, limit-reached, basket-share, not-enough-units; of what was asked amount-needed,
    amount-step, no-amount, one-at-a-time, basket-needed; comes-by-itself for what units turn into.
    """
    own = reward.for_tier(state.tier)
    if reward.conversion:
        return Refusal("comes-by-itself")
    if reward.from_tier and terms.rank(state.tier) < terms.rank(reward.from_tier):
        return Refusal("tier-too-low")
    if (closed := not_open(reward=own, terms=terms, state=state, at=at)) is not None:
        return closed
    cost = _cost(own, ask)
    if isinstance(cost, Refusal):
        return cost
    uses = _uses(own, terms, state, cost.quantity, at)
    if isinstance(uses, Refusal):
        return uses
    if (beyond := beyond_basket(own, cost, ask)) is not None:
        return beyond
    missing = cost.units - state.balance(own.unit, "available")
    if missing > 0 and cost.units:
        return Refusal("not-enough-units", missing=missing)
    return replace(cost, uses=uses)


# --- When ------------------------------------------------------------------------------------------------------------


def not_open(*, reward: Reward, terms: Terms, state: State, at: datetime) -> Refusal | None:
    """Return why the member cannot have it at ``at``, and when it opens, where that is known; None where it is open."""
    why = _closed_by(reward, terms, state, at)
    if why is None:
        return None
    opening = next(
        (start for start in _starts(reward, terms, at) if _closed_by(reward, terms, state, start) is None), None
    )
    return Refusal("not-open", why=why, opens_at=opening)


def _closed_by(reward: Reward, terms: Terms, state: State, at: datetime) -> str | None:
    """Return what keeps it closed at a moment: over, soon, hours, or the kind of a condition."""
    if reward.closes_at is not None and at >= reward.closes_at:
        return "over"
    if reward.opens_at is not None and at < reward.opens_at:
        return "soon"
    clauses = [clause for clause in reward.clauses if clause.kind not in LINE_KINDS]
    if clauses:
        context = Context(
            tier=state.tier, segments=state.segments, joined_at=state.joined_at, birth_date=state.birth_date
        )
        if kind := failing(clauses, moment_of(terms=terms, basket=Basket(at, "event"), context=context)):
            return "birthday-unknown" if kind == "birthday" and state.birth_date is None else kind
    return None if _is_within_hours(reward, at) else "hours"


def _is_within_hours(reward: Reward, at: datetime) -> bool:
    local = at.astimezone(reward.zone)
    minute = local.hour * 60 + local.minute
    least, most = reward.opens_from or 0, WHOLE_DAY if reward.opens_until is None else reward.opens_until
    if least < most:
        return least <= minute < most and _has_day(reward, local.date())
    if minute >= least:
        return _has_day(reward, local.date())
    return minute < most and _has_day(reward, local.date() - timedelta(days=1))  # Past midnight it is the night before.


def _has_day(reward: Reward, day: date) -> bool:
    return not reward.weekdays or day.isoweekday() in reward.weekdays


def _starts(reward: Reward, terms: Terms, at: datetime) -> Iterator[datetime]:
    """Yield the moments after ``at`` at which it may open, earliest first, for about a year."""
    first = max(at, reward.opens_at) if reward.opens_at is not None else at
    if reward.closes_at is not None and reward.closes_at <= first:
        return
    if first > at:
        yield first
    minute = reward.opens_from or 0
    day = local_day(first, reward.zone)
    for ahead in range(DAYS_AHEAD + 1):
        opening = datetime.combine(day + timedelta(days=ahead), time(minute // 60, minute % 60), reward.zone)
        moments = {opening.astimezone(UTC)}
        if reward.zone != terms.zone:  # A birthday, or an age, begins with a day of the program's.
            moments.add(datetime.combine(day + timedelta(days=ahead), time.min, terms.zone).astimezone(UTC))
        yield from sorted(moment for moment in moments if moment > first)


# --- How much --------------------------------------------------------------------------------------------------------


def _cost(reward: Reward, ask: Ask) -> Cost | Refusal:
    if reward.by_amount:
        if ask.amount is None:
            return Refusal("amount-needed")
        if ask.amount % reward.step or not reward.value:
            return Refusal("amount-step", most=reward.step)
        return Cost(-(-ask.amount * reward.price // reward.value), 1, ask.amount, None)
    quantity = ask.quantity or 1
    if ask.amount is not None:
        if reward.kind != "money_off" or not reward.value:
            return Refusal("no-amount")
        quantity, rest = divmod(ask.amount, reward.value)
        if rest:
            return Refusal("amount-step", most=reward.value)
    if quantity > 1 and not reward.several:
        return Refusal("one-at-a-time")
    value = None if reward.value is None else reward.value * quantity
    if reward.percent is not None and ask.basket is not None:
        value = ask.basket * reward.percent // (100 * RATE_SCALE)
    return Cost(reward.price * quantity, quantity, value, reward.percent)


def beyond_basket(reward: Reward, cost: Cost, ask: Ask) -> Refusal | None:
    """Return that the basket does not allow it; None where it does."""
    share = 100 * RATE_SCALE if reward.most_share is None and reward.by_amount else reward.most_share
    if ask.basket is None:
        needs_it = reward.least_basket or (share is not None and share < 100 * RATE_SCALE)
        return Refusal("basket-needed") if needs_it else None
    if ask.basket < reward.least_basket:
        return Refusal("basket-share", why="least", most=reward.least_basket)
    if share is None or cost.value is None:
        return None
    most = ask.basket * share // (100 * RATE_SCALE)
    if cost.value <= most:
        return None
    step = reward.step if reward.by_amount else reward.value or 1
    return Refusal("basket-share", why="share", most=most // step * step)


def _uses(reward: Reward, terms: Terms, state: State, quantity: int, at: datetime) -> dict[str, int] | Refusal:
    """Return the uses of its limits by their keys, or which window's limit is reached."""
    uses: dict[str, int] = {}
    day = local_day(at, terms.zone)
    for cap in reward.caps:
        key = limit_key(reward, cap, window_of(day, cap.window, terms.year_starts))
        if state.counters.get(key, 0) + quantity > cap.limit:
            following = window_after(day, cap.window, terms.year_starts)
            opens_at = start_of(following, terms.zone) if following is not None else None
            return Refusal("limit-reached", why=cap.window, most=cap.limit, opens_at=opens_at)
        uses[key] = quantity
    return uses


def limit_key(reward: Reward, cap: Cap, window: str) -> str:
    """Return the key under which uses are counted: that of the group of rules, too, where it is one of a choice."""
    owner = f"@{reward.choice}" if reward.choice else f"reward:{reward.code}"
    return counter_key(Limit(owner, cap), window, {})
