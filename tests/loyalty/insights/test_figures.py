"""The figures against rows counted by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty.insights.figures import Pair, TierCount, figures
from loyalty.purchases.models import Activity, ReceiptKey
from programs.models import Membership, Unit
from tests.factories import UnitSpec, make_member, make_program, make_shop, make_version
from tests.factories.activity import drain

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # A Wednesday.


def member_of(program, name, *, days_ago=300):
    return make_member(program=program, external_id=name, joined_at=NOW - timedelta(days=days_ago))


def buy(program, member, total, *, days_ago, status=Activity.Status.RECORDED, kind="purchase", purchase=""):
    one = Activity.objects.create(
        program=program,
        membership=member,
        kind=kind,
        external_id=f"r-{Activity.objects.count()}",
        status=status,
        occurred_at=NOW - timedelta(days=days_ago),
        posted_at=NOW,
        due_at=NOW,
        currency=program.currency,
        total=total,
        purchase_external_id=purchase,
    )
    ReceiptKey.objects.create(
        program=program, kind=kind, external_id=one.external_id, activity_id=one.pk, digest=b"a test's"
    )
    return one


@pytest.fixture
def program():
    return make_shop()


def test_members_are_counted_now_and_thirty_days_ago(program):
    for place, days_ago in enumerate((300, 40, 10)):
        member_of(program, f"m{place}", days_ago=days_ago)
    closed = member_of(program, "closed")
    closed.status = Membership.Status.CLOSED
    closed.save(update_fields=["status"])

    assert figures(program=program, at=NOW).members == Pair(3, 2)


def test_active_members_bought_within_ninety_days(program):
    first, second = member_of(program, "a"), member_of(program, "b")
    for member, days_ago in ((first, 1), (first, 80), (first, 100), (second, 120), (second, 200)):
        buy(program, member, 1_000, days_ago=days_ago)

    assert figures(program=program, at=NOW).active == Pair(1, 2)


def test_purchases_and_sales_of_thirty_days_count_guests_too(program):
    member = member_of(program, "a")
    for who, total, days_ago in ((member, 1_000, 1), (None, 500, 29), (member, 200, 31), (member, 9_999, 61)):
        buy(program, who, total, days_ago=days_ago)

    found = figures(program=program, at=NOW)

    assert (found.purchases, found.by_members, found.sales) == (Pair(2, 1), Pair(1, 1), Pair(1_500, 200))


def test_wholly_returned_purchase_is_no_sale(program):
    member = member_of(program, "a")
    bought = buy(program, member, 1_000, days_ago=3)
    drain()
    buy(program, member, 1_000, days_ago=2, kind="refund", purchase=bought.external_id)
    drain()

    found = figures(program=program, at=NOW)

    assert (found.purchases, found.sales, found.active) == (Pair(0, 0), Pair(0, 0), Pair(0, 0))


def test_issued_is_what_purchases_earned_in_the_period(program):
    member = member_of(program, "a")
    buy(program, member, 1_000, days_ago=40)
    buy(program, member, 2_500, days_ago=3)
    drain()
    unit = Unit.objects.get(program=program)

    assert figures(program=program, at=NOW).issued == {unit.pk: Pair(25, 10)}


def test_tiers_count_the_members_who_hold_them(program):
    member_of(program, "a")
    buy(program, member_of(program, "b"), 40_000, days_ago=3)
    drain()

    found = figures(program=program, at=NOW)

    assert sorted(found.tiers, key=lambda one: one.code) == [TierCount("basic", 1), TierCount("silver", 1)]


def test_outstanding_adds_what_is_available_and_pending():
    program = make_program(clock=NOW)
    make_version(program=program, units=[UnitSpec(pending_days=14)])
    member = member_of(program, "a")
    buy(program, member, 1_000, days_ago=3)
    buy(program, member, 3_000, days_ago=20)
    drain()

    (found,) = figures(program=program, at=NOW).outstanding

    assert (found.available + found.pending, found.pending, found.held) == (40, 10, 0)


def test_weeks_run_from_monday_and_the_last_one_is_running(program):
    buy(program, None, 1_000, days_ago=2)
    buy(program, None, 300, days_ago=3)

    weeks = figures(program=program, at=NOW).weeks

    assert len(weeks) == 13
    assert [(week.monday, week.sales, week.is_running) for week in weeks[-2:]] == [
        (date(2026, 11, 9), 300, False),
        (date(2026, 11, 16), 1_000, True),
    ]


def test_week_begins_at_the_midnight_of_the_program_s_zone():
    program = make_shop(timezone="America/New_York")
    monday_in_utc = datetime(2026, 11, 16, 3, tzinfo=UTC)
    buy(program, None, 700, days_ago=(NOW - monday_in_utc) / timedelta(days=1))

    weeks = figures(program=program, at=NOW).weeks

    assert [week.sales for week in weeks[-2:]] == [700, 0]


def test_attention_counts_what_failed_what_waits_and_what_is_queued(program):
    member = member_of(program, "a")
    buy(program, member, 100, days_ago=1, status=Activity.Status.FAILED)
    buy(program, member, 100, days_ago=1, status=Activity.Status.WAITING, kind="refund", purchase="none")
    due = buy(program, member, 100, days_ago=1)
    Activity.objects.filter(pk=due.pk).update(due_at=datetime.now(UTC) - timedelta(minutes=1))

    found = figures(program=program, at=NOW).attention

    assert (found.failed, found.waiting, found.backlog) == (1, 1, 1)
    assert found.failed_since == NOW


def test_another_program_s_rows_are_in_no_figure(program):
    other = make_shop()
    buy(other, member_of(other, "a"), 1_000, days_ago=3)
    drain()

    found = figures(program=program, at=NOW)

    assert (found.members, found.purchases, found.tiers) == (Pair(0, 0), Pair(0, 0), [])
