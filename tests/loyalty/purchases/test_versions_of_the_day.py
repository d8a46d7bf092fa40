"""Old, late and refunded purchases are judged by the terms of their own day, whatever is drafted or published since."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.ledger.models import Account, Standing, TierPeriod
from loyalty.purchases.accrual import run_due
from loyalty.purchases.models import Activity
from programs import actions
from programs.models import Program
from tests.factories import RuleSpec, make_member, make_program, make_version
from tests.factories.activity import drain
from tests.loyalty.api.client import Till, a_purchase

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW_TERMS = START + timedelta(days=10)


@pytest.fixture
def program():
    program = make_program(clock=START)
    make_version(program=program, rules=[RuleSpec(rate="1")])
    make_member(program=program, external_id="ana", joined_at=START)
    return program


def draft_of(program, *, rate):
    draft = actions.start_draft(program=program, by=None)
    draft.rules.update(rate=rate)
    return draft


def buys(program, number, days):
    body = a_purchase(
        number, member="external_id:ana", total="100.00", occurred_at=(START + timedelta(days=days)).isoformat()
    )
    assert Till(program).post("purchases/", body).status_code == 201
    drain()


def judged(external_id):
    return Activity.objects.get(external_id=external_id, kind="purchase").judgement.version.number


def points():
    return Account.objects.get(kind="available", membership__isnull=False).balance


def test_draft_edited_while_the_program_runs_judges_nothing(program):
    draft_of(program, rate=5)

    buys(program, "r-1", 1)

    assert (judged("r-1"), points()) == (1, 100)


def test_each_purchase_is_judged_by_the_version_of_its_day_also_when_it_comes_late(program):
    actions.publish(version=draft_of(program, rate=5), in_force_from=NEW_TERMS, by=None)
    buys(program, "before", 1)
    buys(program, "after", 11)
    buys(program, "late", 2)

    assert [judged(name) for name in ("before", "after", "late")] == [1, 2, 1]
    assert points() == 100 + 500 + 100


def test_return_takes_back_what_the_version_of_the_purchases_day_gave(program):
    actions.publish(version=draft_of(program, rate=5), in_force_from=NEW_TERMS, by=None)
    buys(program, "r-1", 1)
    buys(program, "r-2", 11)

    for number, purchase in enumerate(("r-1", "r-2")):
        body = {"external_id": f"g-{number}", "purchase": purchase, "amount": "50.00"}
        answer = Till(program).post("refunds/", {**body, "occurred_at": (START + timedelta(days=12)).isoformat()})
        assert answer.status_code == 201
    drain()

    assert points() == 50 + 250


def test_members_are_reviewed_at_the_moment_that_publishing_sets(program):
    buys(program, "r-1", 1)
    draft = actions.start_draft(program=program, by=None)
    draft.tiers.get(code="silver").conditions.update(threshold=90)
    actions.publish(version=draft, in_force_from=NEW_TERMS, by=None)

    run_due(program=Program.objects.get(), as_of=NEW_TERMS - timedelta(seconds=1))
    assert Standing.objects.get().tier == "basic"
    run_due(program=Program.objects.get(), as_of=NEW_TERMS + timedelta(days=3))

    period = TierPeriod.objects.get(tier="silver")
    assert (Standing.objects.get().tier, period.starts_at, period.reason) == ("silver", NEW_TERMS, "terms")
