"""The law of spending: whatever happens in whatever order, lots, balances, holds and vouchers tell the same sums."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.engine.offers import judge, not_open
from programs.engine.spending import voucher_end
from programs.engine.state import Ask, Cost, Purchase, Refund, Refusal, Reserve, Restored, Settle, State
from programs.engine.terms import Cap, Clause, Reward, RewardTier, Rule, Terms, Tier, UnitTerms
from tests.programs.engine.shop import EVER, PRAGUE, Shop, version

START = datetime(2025, 3, 3, 12, tzinfo=UTC)  # A Monday.
PACIFIC = ZoneInfo("America/Los_Angeles")


def terms(*rewards: Reward, unit: UnitTerms | None = None, **changes) -> Terms:
    """A point for each 1.00, and these rewards."""
    return Terms(
        version_id=version(),
        number=1,
        starts_at=EVER,
        zone=PRAGUE,
        digits=2,
        tax_earns=True,
        units={"points": unit or UnitTerms("points")},
        tiers=(Tier("one", "One"), Tier("two", "Two"), Tier("three", "Three")),
        rules=(Rule("base", "Base", "points", "per_amount", 10_000),),
        rewards=rewards,
        **changes,
    )


def a_reward(**values) -> Reward:
    return replace(Reward("gift", "Gift", "product", PRAGUE, unit="points", price=10), **values)


def found(reward: Reward, *, points: int = 1_000, at: datetime = START, tier: str = "one", **ask) -> Cost | Refusal:
    """Return what is judged of a member with so many points."""
    state = State(joined_at=START, as_of=at, tier=tier)
    state.balances["points", "available"] = points
    return judge(reward=reward, terms=terms(reward), state=state, ask=Ask(**ask), at=at)


# --- What it takes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "value", "amount", "units"),
    [(10, 100, 12_000, 1_200), (1, 1, 137, 137), (3, 100, 100, 3), (3, 100, 150, 5), (500, 1_000, 1, 1)],
)
def test_reward_by_amount_takes_its_rate_rounded_up(price, value, amount, units):
    cost = found(a_reward(kind="money_off", price=price, value=value, by_amount=True), points=10**6, amount=amount)

    assert (cost.units, cost.value) == (units, amount)


@pytest.mark.parametrize(
    ("values", "ask", "code"),
    [
        ({"by_amount": True, "value": 100}, {}, "amount-needed"),
        ({"by_amount": True, "value": 100, "step": 100}, {"amount": 150}, "amount-step"),
        ({}, {"amount": 100}, "no-amount"),
        ({"kind": "money_off", "value": 1_000, "several": True}, {"amount": 1_500}, "amount-step"),
        ({"kind": "money_off", "value": 1_000}, {"amount": 2_000}, "one-at-a-time"),
        ({}, {"quantity": 2}, "one-at-a-time"),
        ({"most_share": 300_000, "value": 100}, {}, "basket-needed"),
        ({"least_basket": 100}, {}, "basket-needed"),
        ({"least_basket": 100}, {"basket": 99}, "basket-share"),
        ({"most_share": 300_000, "value": 100}, {"basket": 333}, "basket-share"),
        ({"price": 1_001}, {}, "not-enough-units"),
        ({"from_tier": "two"}, {}, "tier-too-low"),
        ({"conversion": "at_once"}, {}, "comes-by-itself"),
    ],
)
def test_reward_is_refused_with_its_code(values, ask, code):
    assert found(a_reward(**values), **ask).code == code


@pytest.mark.parametrize(
    ("values", "ask", "told"),
    [
        ({"most_share": 300_000, "value": 100}, {"basket": 334}, (10, 100, None)),
        ({"most_share": 1_000_000, "value": 100}, {}, (10, 100, None)),
        ({"several": True, "value": 100}, {"quantity": 3}, (30, 300, None)),
        ({"kind": "percent_off", "percent": 150_000, "price": 0}, {"basket": 999}, (0, 149, 150_000)),
        ({"tiers": {"one": RewardTier(price=7)}}, {}, (7, None, None)),
        ({"tiers": {"two": RewardTier(price=7)}}, {}, (10, None, None)),
    ],
)
def test_reward_takes_units_and_brings_money(values, ask, told):
    cost = found(a_reward(**values), **ask)

    assert (cost.units, cost.value, cost.percent) == told


def test_debt_is_nothing_to_spend():
    assert found(a_reward(), points=-5) == Refusal("not-enough-units", missing=15)


# --- When --------------------------------------------------------------------------------------------------------


def opening(reward: Reward, at: datetime, **state) -> tuple[str, datetime | None] | None:
    told = not_open(reward=reward, terms=terms(reward), state=State(joined_at=START, as_of=at, **state), at=at)
    return told and (told.why, told.opens_at)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2025, 3, 4, 8, 59, tzinfo=PACIFIC), ("hours", datetime(2025, 3, 4, 9, tzinfo=PACIFIC))),
        (datetime(2025, 3, 4, 9, tzinfo=PACIFIC), None),
        (datetime(2025, 3, 4, 23, 59, tzinfo=PACIFIC), None),
        (datetime(2025, 3, 5, 0, tzinfo=PACIFIC), ("hours", datetime(2025, 3, 6, 9, tzinfo=PACIFIC))),
        (datetime(2025, 3, 7, 12, tzinfo=PACIFIC), ("hours", datetime(2025, 3, 11, 9, tzinfo=PACIFIC))),
        # The clocks go forward on 9 March: nine in the morning stays nine in the morning.
        (datetime(2025, 3, 8, 12, tzinfo=PACIFIC), ("hours", datetime(2025, 3, 11, 16, tzinfo=UTC))),
    ],
)
def test_days_and_times_are_those_of_the_rewards_own_zone(at, told):
    reward = a_reward(weekdays=frozenset({2, 4}), opens_from=9 * 60, zone=PACIFIC)

    assert opening(reward, at) == told


@pytest.mark.parametrize(("hour", "is_open"), [(21, False), (22, True), (23, True), (1, True), (2, False)])
def test_times_past_midnight_belong_to_the_day_before(hour, is_open):
    reward = a_reward(weekdays=frozenset({5}), opens_from=22 * 60, opens_until=2 * 60)
    day = 7 if hour > 20 else 8  # The night from Friday to Saturday.

    assert (opening(reward, datetime(2025, 3, day, hour, tzinfo=PRAGUE)) is None) is is_open


def test_opening_comes_by_tier_and_ends_for_all():
    reward = a_reward(
        opens_at=START + timedelta(days=2),
        closes_at=START + timedelta(days=4),
        tiers={"two": RewardTier(opens_at=START)},
    )

    assert opening(reward.for_tier("two"), START) is None
    assert opening(reward.for_tier("one"), START) == ("soon", START + timedelta(days=2))
    assert opening(reward, START + timedelta(days=4)) == ("over", None)


@pytest.mark.parametrize(
    ("birth", "told"),
    [
        (date(1990, 3, 31), None),
        (date(1990, 5, 2), ("birthday", datetime(2025, 5, 1, tzinfo=PRAGUE))),
        (date(1992, 2, 29), ("birthday", datetime(2026, 2, 1, tzinfo=PRAGUE))),
        (None, ("birthday-unknown", None)),
    ],
)
def test_birthday_reward_opens_in_its_month(birth, told):
    reward = a_reward(clauses=(Clause("birthday", values=("month",)),))

    assert opening(reward, START, birth_date=birth) == told


def test_conditions_on_articles_close_nothing():
    assert opening(a_reward(clauses=(Clause("category", values=("coffee",)),)), START) is None


@pytest.mark.parametrize(
    ("issued", "end"),
    [
        (datetime(2025, 6, 15, tzinfo=PRAGUE), date(2026, 5, 16)),
        (datetime(2025, 3, 31, 23, 59, tzinfo=PRAGUE), date(2026, 3, 1)),
    ],
)
def test_voucher_lives_to_the_end_of_the_same_date_eleven_months_later(issued, end):
    told = voucher_end(a_reward(lives_months=11), issued, PRAGUE)

    assert told == datetime.combine(end, time.min, PRAGUE)


# --- The law -----------------------------------------------------------------------------------------------------


ONE = a_reward(caps=(Cap("month", 4, "times"),))
TURNING = Reward(
    "turn", "Turns", "product", PRAGUE, unit="points", price=90, conversion="at_once", is_withdrawn=True, most_a_year=5
)
DATED = Reward(
    "dated",
    "Dated",
    "money_off",
    PRAGUE,
    unit="points",
    price=25,
    value=100,
    conversion="dates",
    closes=((3, 31), (5, 31)),
    issue_day=10,
    most_at_once=3,
)
LIVES = {
    "for ever": UnitTerms("points"),
    "rolling": UnitTerms("points", 0, "rolling", expiry_days=20),
    "inactive": UnitTerms("points", 0, "inactivity", expiry_days=25),
    "pending": UnitTerms("points", pending_days=7),
    "remembered": UnitTerms("points", debt="remember"),
    "waived": UnitTerms("points", debt="waive"),
}

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "reserve", "reserve", "capture", "release", "refund", "wait"]),
        st.integers(0, 60),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=25,
)


class Spender:
    """A member who buys, spends, gives back and waits; after each step the sums are checked."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.now = START
        self.bought: list[Purchase] = []
        self.asked: list[UUID] = []
        self.captured: list[Restored] = []
        self.held: dict[UUID, tuple] = {}
        self.vouchers: dict[UUID, int] = {}
        self.ever = 0

    def step(self, kind: str, size: int, pick: int) -> None:
        if kind == "wait":
            self.now += timedelta(days=size)
            self._take(until=self.now)
        elif kind == "buy":
            one = Purchase(self.shop.new_id(), self.now, size * 100)
            self.bought.append(one)
            self._take(one)
        elif kind == "reserve":
            one = Reserve(self.shop.new_id(), self.now, "gift", Ask(), self.now + timedelta(minutes=15))
            self.asked.append(one.id)
            self._take(one)
        elif kind in ("capture", "release") and self.asked:
            self._take(Settle(self.asked[pick % len(self.asked)], self.now, captures=kind == "capture"))
        elif kind == "refund" and self.bought:
            self._refund(self.bought.pop(pick % len(self.bought)))
        self.now += timedelta(minutes=size)

    def _refund(self, one: Purchase) -> None:
        restored = tuple(self.captured.pop() for _one in range(min(1, len(self.captured))))
        refund = Refund(self.shop.new_id(), self.now, one.id, {0: (0, one.total)}, self.shop.judged(one), restored)
        self._take(refund)

    def _take(self, *activity, until: datetime | None = None) -> None:
        outcome = self.shop.take(*activity, until=until)
        for hold in self.shop.state.holds:
            self.held[hold.id] = hold.taken
        self.captured += [Restored(pk, "points", self.held[pk]) for pk in outcome.captured]
        for issue in outcome.issues:
            self.vouchers[issue.voucher.id] = sum(amount for _lot, amount in issue.voucher.taken)
        for voucher, _refund in outcome.withdrawn:
            self.vouchers.pop(voucher.id)
        self.check()

    def check(self) -> None:
        state = self.shop.state
        lots = [lot for lot in state.lots if lot.unit == "points"]
        available = sum(lot.remaining for lot in lots if lot.account == "available")
        assert available == max(0, state.balance("points", "available"))
        assert sum(lot.remaining for lot in lots if lot.account == "pending") == state.balance("points", "pending")
        assert sum(hold.units for hold in state.holds) == state.balance("points", "held")
        assert all(0 <= lot.remaining <= lot.amount for lot in lots)
        assert all(lot.remaining + lot.expired + lot.reversed <= lot.amount for lot in lots)
        assert all(uses >= 0 for uses in state.counters.values())
        sums: dict[str, int] = {}
        for outcome in self.shop.outcomes:
            for posting in outcome.postings:
                assert sum(move.amount for move in posting.moves) == 0
                for move in posting.moves:
                    sums[move.account] = sums.get(move.account, 0) + move.amount
        for account in ("available", "pending", "held"):
            assert sums.get(account, 0) == state.balance("points", account)
        spent = sum(sum(amount for _lot, amount in one.taken) for one in self.captured)
        assert sums.get("redeemed", 0) == spent + sum(self.vouchers.values())


@pytest.mark.parametrize("life", LIVES)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_sums_agree_whatever_happens_in_whatever_order(life, steps):
    spender = Spender(Shop(terms(ONE, TURNING, DATED, unit=LIVES[life]), joined_at=START - timedelta(days=1)))

    for step in steps:
        spender.step(*step)


@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_replaying_without_a_run_equals_having_lived_each_day(steps):
    """Days on which nothing ran change nothing: conversions, time-outs and ends come at their own moments."""
    rules = terms(TURNING, DATED, unit=LIVES["rolling"])
    lived, replayed = (Shop(rules, joined_at=START - timedelta(days=1)) for _one in range(2))
    moment, activity = START, []
    for kind, size, _pick in steps:
        if kind == "buy":
            activity.append(Purchase(UUID(int=len(activity) + 1), moment, size * 100))
        moment += timedelta(hours=size)
    end = moment + timedelta(days=120)
    for one in activity:
        for day in range((one.occurred_at - lived.state.as_of).days):
            lived.take(until=lived.state.as_of + timedelta(days=day % 2))
        lived.take(one)
    lived.take(until=end)
    replayed.take(*activity, until=end)

    def told(shop):
        postings = [p for outcome in shop.outcomes for p in outcome.postings]
        return [(p.kind, p.occurred_at, [(m.account, m.amount) for m in p.moves]) for p in postings]

    assert told(lived) == told(replayed)
    assert lived.state.balances == replayed.state.balances
