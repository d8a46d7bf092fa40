from dataclasses import replace
from datetime import UTC, datetime, timedelta

from programs.engine.terms import Schedule, UnitTerms
from tests.programs.engine.shop import Shop, beauty, cashback

JOINED = datetime(2022, 1, 1, 17, tzinfo=UTC)
END = datetime(2022, 7, 1, 4, tzinfo=UTC)
NEVER = UnitTerms("points", 0, "none")


def closing(*terms, end=END, joined_at=JOINED):
    shop = Shop(*terms, joined_at=joined_at)
    shop.schedule = Schedule(shop.schedule.versions, end)
    return shop


def postings(shop):
    return [(one.kind, one.occurred_at, one.moves[0].amount) for outcome in shop.outcomes for one in outcome.postings]


def test_what_a_member_has_ends_with_the_program_and_not_before():
    shop = closing(beauty(unit=NEVER))
    shop.buy(JOINED, 10_000)

    shop.take(until=END - timedelta(microseconds=1))
    assert (shop.points, shop.outcomes[-1].due_at) == (100, END)

    shop.take(until=END + timedelta(days=3))
    assert postings(shop)[-1] == ("expire", END, -100)
    assert (shop.points, shop.outcomes[-1].due_at) == (0, None)


def test_what_is_on_its_way_ends_with_the_program():
    shop = closing(cashback(pending_days=400))
    shop.buy(JOINED, 10_000)
    assert shop.state.balance("cash", "pending") > 0

    shop.take(until=END)

    assert shop.state.balance("cash", "pending") == 0


def test_what_ends_before_the_program_ends_on_its_own_day():
    shop = closing(beauty(unit=UnitTerms("points", 0, "rolling", 1)))
    shop.buy(JOINED, 10_000)

    shop.take(until=END)

    assert [at.date().isoformat() for kind, at, _amount in postings(shop) if kind == "expire"] == ["2022-02-02"]


def test_purchase_that_comes_after_the_end_earns_and_ends_at_once():
    shop = closing(beauty(unit=NEVER))
    shop.take(until=END + timedelta(days=1))

    shop.buy(END - timedelta(hours=1), 10_000)

    assert [kind for kind, _at, _amount in postings(shop)] == ["earn", "expire"]
    assert (shop.points, shop.outcomes[-1].due_at) == (0, None)


def test_end_waits_for_no_notice_but_is_told_of():
    terms = replace(beauty(unit=NEVER), needs_notice=True, notice_days=30)
    shop = closing(terms)
    shop.buy(JOINED, 10_000)

    shop.take(until=END)

    notices = [(one.kind, one.what, one.ends_at) for outcome in shop.outcomes for one in outcome.notices]
    assert notices == [("expiry", "points", END)]
    assert shop.points == 0


def test_lot_that_would_end_later_is_told_of_with_the_programs_end_alone():
    terms = replace(beauty(unit=UnitTerms("points", 0, "rolling", 6)), needs_notice=True, notice_days=30)
    shop = closing(terms)
    shop.buy(datetime(2022, 1, 20, 17, tzinfo=UTC), 10_000)

    shop.take(until=END)

    assert [one.ends_at for outcome in shop.outcomes for one in outcome.notices] == [END]


def test_nothing_happens_by_itself_after_the_end():
    shop = closing(beauty(unit=NEVER), beauty(number=2, unit=NEVER, starts_at=END + timedelta(days=5)))
    shop.buy(JOINED, 100_000)

    shop.take(until=END + timedelta(days=2_000))

    assert (shop.state.tier, shop.outcomes[-1].due_at) == ("rouge", None)
