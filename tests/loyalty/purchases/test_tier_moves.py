"""What a draft would do to members' tiers, against what publishing it then really does."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loyalty.ledger.models import Standing
from loyalty.purchases.accrual import bring_up_to_date
from loyalty.purchases.tier_moves import TooManyMembersError, tier_moves
from programs import actions, content
from programs.models import Membership, TierCondition
from tests.factories import make_member, make_shop
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db
CLOCK = datetime(2025, 6, 1, 12, tzinfo=UTC)
SPENT = {"a": 10_000, "b": 34_000, "c": 36_000, "d": 99_900, "e": 110_000}


@pytest.fixture
def program():
    """Five members who spent 100 to 1,100 this year: two basic, two silver (from 350), one gold (from 1,000)."""
    program = make_shop(currency="USD", clock=CLOCK)
    for name, spent in SPENT.items():
        member = make_member(program=program, external_id=name, joined_at=datetime(2025, 1, 1, tzinfo=UTC))
        record(member, f"r-{name}", spent)
    drain()
    return program


@pytest.fixture
def draft(program):
    return actions.start_draft(program=program, by=None)


def asks(draft, tier: str, threshold: int, **changed) -> None:
    TierCondition.objects.filter(tier__version=draft, tier__code=tier).update(threshold=threshold, **changed)


def tiers_of(program) -> dict[str, str]:
    bring_up_to_date(memberships=list(Membership.objects.filter(program=program).select_related("program")))
    return dict(Standing.objects.filter(program=program).values_list("membership__external_id", "tier"))


def test_unchanged_draft_moves_nobody(draft):
    moves = tier_moves(draft)

    assert (moves.members, moves.up, moves.down, moves.later) == (5, 0, 0, 0)
    assert moves.moves == {("basic", "basic"): 2, ("silver", "silver"): 2, ("gold", "gold"): 1}


def test_moves_are_those_that_publishing_makes(program, draft):
    asks(draft, "silver", 300)
    asks(draft, "gold", 1200)
    before = tiers_of(program)

    moves = tier_moves(draft)
    actions.publish(version=draft, by=None)

    assert (moves.up, moves.down) == (1, 1)
    assert [(one.member.external_id, one.before, one.after, one.have) for one in moves.falling] == [
        ("e", "gold", "silver", 110_000)
    ]
    after = tiers_of(program)
    found = {(before[name], after[name]) for name in before}
    assert (
        set(moves.moves) == found == {("basic", "basic"), ("basic", "silver"), ("silver", "silver"), ("gold", "silver")}
    )


def test_what_is_typed_stands_in_for_the_rows(draft):
    said = content.read(draft)
    silver = said.tiers[1]
    eased = replace(silver, conditions=(replace(silver.conditions[0], threshold=Decimal(100)),))

    moves = tier_moves(draft, said=replace(said, tiers=(said.tiers[0], eased, said.tiers[2])), looked_at="silver")

    assert (moves.up, moves.looked_at) == (2, "silver")
    assert sorted(moves.spread) == [
        (10_000, "basic", "silver"),
        (34_000, "basic", "silver"),
        (36_000, "silver", "silver"),
        (99_900, "silver", "silver"),
        (110_000, "gold", "gold"),
    ]


def test_nothing_is_written(draft):
    asks(draft, "silver", 50)
    before = list(Standing.objects.order_by("pk").values())

    tier_moves(draft)

    assert list(Standing.objects.order_by("pk").values()) == before


def test_draft_that_looks_at_months_reads_the_history(program, draft):
    asks(draft, "silver", 350, window="rolling", months=3)

    moves = tier_moves(draft)
    actions.publish(version=draft, by=None)

    assert (moves.up, moves.down) == (0, 2)
    assert sorted(tiers_of(program).values()) == ["basic", "basic", "basic", "basic", "gold"]


def test_tier_held_for_months_is_lost_at_its_end(program, draft):
    version = draft
    version.tier_validity = "months"
    version.save()
    TierCondition.objects.filter(tier__version=draft).update(window="rolling", months=12)
    actions.publish(version=version, by=None)
    tiers_of(program)
    record(Membership.objects.get(external_id="e"), "r-2", 105_000, days=152)
    drain()
    tighter = actions.start_draft(program=program, by=None)
    asks(tighter, "gold", 1100)

    moves = tier_moves(tighter)

    assert (moves.up, moves.down, moves.later) == (0, 0, 1)
    assert moves.first_end == Standing.objects.get(membership__external_id="e").tier_until


def test_more_members_than_may_be_counted_are_refused(draft):
    with pytest.raises(TooManyMembersError) as refused:
        tier_moves(draft, most=4)

    assert refused.value.members == 5


def test_queries_do_not_grow_with_members(program, draft, django_assert_num_queries):
    with django_assert_num_queries(18):
        tier_moves(draft)
    make_member(program=program, external_id="f")
    with django_assert_num_queries(18):
        tier_moves(draft)
