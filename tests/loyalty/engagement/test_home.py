"""What the first page says: facts under the balance, and the sentence of the tier."""

from datetime import UTC, datetime

import pytest

from loyalty.engagement.home import ticket, tier_panel
from loyalty.engagement.members import visit
from tests.factories import BASE_RULE, LADDER, RuleSpec, TierSpec, UnitSpec, make_member, make_program, make_user
from tests.factories import make_version as version
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db
NB = "\u00a0"
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
JOINED = datetime(2025, 1, 1, 12, tzinfo=UTC)
POINTS = UnitSpec()


def at_home(*, spent=(), now=NOW, units=(POINTS,), tiers=LADDER, rules=(BASE_RULE,), joined=JOINED):
    """Return the visit of a member of a sandbox whose clock stands at ``now``; ``spent`` are (day, minor units)."""
    program = make_program(clock=now)
    version(program=program, units=units, tiers=tiers, rules=rules)
    member = make_member(program=program, user=make_user(), joined_at=joined, external_id="e")
    for place, (day, total) in enumerate(spent):
        record(member, f"r-{place}", total, days=day)
    drain()
    found = visit(member.customer.user, chosen=None)
    assert found is not None
    return found


def facts(found):
    return [(fact.kind, fact.amount, fact.day) for fact in ticket(found).facts]


def test_inactivity_says_until_when_points_stay():
    points = UnitSpec(expiry="inactivity", expiry_months=12)

    assert facts(at_home(spent=[(10, 5_000)], units=[points])) == [("stays", "points", f"11{NB}January{NB}2026")]


def test_nearest_end_of_a_lot_is_a_fact_with_its_last_day():
    points = UnitSpec(expiry="rolling", expiry_months=6)
    found = at_home(spent=[(10, 5_000), (40, 7_000)], units=[points])

    assert facts(found) == [("expires", f"50{NB}points", f"11{NB}July")]


def test_what_is_pending_says_when_it_arrives():
    cash = UnitSpec("cash", precision=2, is_money=True, pending_days=14)
    rule = RuleSpec(unit="cash", rate="1", effect="percent")
    found = at_home(spent=[(148, 50_000)], units=[cash], tiers=(), rules=[rule])

    assert facts(found) == [("arrives", "€5.00", f"12{NB}June")]
    assert (ticket(found).label, ticket(found).balance) == ("To spend at the till", "€0.00")
    assert ticket(found).rate.given == "1%"


def test_nothing_to_say_is_no_fact():
    assert facts(at_home(spent=[(10, 5_000)])) == []


@pytest.mark.parametrize(("points", "size"), [(1_642, ""), (21_157, "balance-long"), (1_234_567, "balance-longer")])
def test_long_balance_is_drawn_smaller(points, size):
    found = ticket(at_home(spent=[(10, points * 100)], tiers=(TierSpec("basic"),)))

    assert (found.balance, found.size) == (f"{points:,}", size)


def test_rate_is_that_of_the_tier_held():
    assert ticket(at_home(spent=[(10, 40_000)])).rate.given == f"1.25{NB}points"


def test_several_rules_have_no_single_rate():
    rules = [BASE_RULE, RuleSpec(code="extra")]

    assert ticket(at_home(rules=rules)).rate is None


def test_new_member_reads_what_to_spend():
    panel = tier_panel(at_home())

    assert panel.action == f"Spend €350 by 31{NB}December to reach Silver"
    assert (panel.name, panel.until) == ("Basic", "always yours")
    assert [rung.figure for rung in panel.rungs] == ["€0", "€0 of €350", "€1,000"]


def test_member_on_the_way_reads_what_is_missing():
    panel = tier_panel(at_home(spent=[(10, 84_000)]))

    assert panel.action == f"Spend €160 more by 31{NB}December to reach Gold"
    assert panel.until == f"until 31{NB}December{NB}2026"
    assert [(piece.done, piece.whole) for piece in panel.pieces] == [(35_000, 35_000), (49_000, 65_000)]
    assert [(rung.name, rung.is_mine) for rung in panel.rungs] == [("Basic", False), ("Silver", True), ("Gold", False)]
    assert panel.gain.given == f"1.5{NB}points"


def test_tier_in_its_last_year_says_how_to_keep_it():
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    panel = tier_panel(at_home(spent=[(10, 40_000), (400, 3_000)], now=now))

    assert panel.keep == f"Spend €320 more by 31{NB}December to keep Silver"


def test_top_tier_says_how_to_keep_it_next_year():
    panel = tier_panel(at_home(spent=[(10, 150_000)]))

    assert panel.action == "Spend €1,000 in 2026 to keep Gold after that"
    assert panel.gain is None


def test_top_tier_in_its_last_year_says_what_is_missing():
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    panel = tier_panel(at_home(spent=[(10, 150_000), (400, 30_000)], now=now))

    assert panel.action == f"Spend €700 more by 31{NB}December to keep Gold"


def test_program_without_tiers_has_no_panel():
    assert tier_panel(at_home(tiers=())) is None


def test_long_ladder_shows_the_rungs_around_mine():
    ladder = [TierSpec("one"), *[TierSpec(f"t{n}", str(n * 100)) for n in range(2, 7)]]
    panel = tier_panel(at_home(spent=[(10, 35_000)], tiers=ladder))

    assert [rung.name for rung in panel.rungs] == ["T2", "T3", "T4"]
