from datetime import UTC, datetime

import pytest

from loyalty.purchases.accrual import accrue_batch
from programs.models import Program
from tests.factories import UnitSpec, make_member, make_shop, make_unit
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture
def till(db):
    program = make_shop(clock=datetime(2026, 6, 1, tzinfo=UTC))
    make_unit(program=program, spec=UnitSpec(code="nights"))
    make_member(program=program, external_id="42")
    make_member(program=program, external_id="43")
    till = Till(program)
    till.post("purchases/", a_purchase(member="external_id:42", total="350.00"))
    accrue_batch()
    return till


def test_members_are_listed_by_tier(till):
    def listed(tier):
        return [row["external_id"] for row in till.get(f"members/?tier={tier}").json()["results"]]

    assert (listed("silver"), listed("basic"), listed("gold")) == (["42"], ["43"], [])


def test_member_whose_tier_has_just_ended_is_not_listed_under_it(till):
    till.post("sandbox/clock/", {"now": "2027-12-31T12:00:00Z"})
    Program.objects.update(clock=datetime(2028, 1, 1, tzinfo=UTC))  # No task has run since.

    assert till.get("members/?tier=silver").json()["results"] == []


def test_entries_are_listed_by_unit(till):
    def listed(unit):
        return [row["unit"] for row in till.get(f"members/external_id:42/entries/?unit={unit}").json()["results"]]

    assert (listed("points"), listed("nights")) == (["points"], [])


@pytest.mark.parametrize(
    ("address", "code", "pointer"),
    [
        ("members/?tier=platinum", "unknown-tier", "/tier"),
        ("members/external_id:42/entries/?unit=miles", "unknown-unit", "/unit"),
    ],
)
def test_unknown_code_is_refused_with_its_own_problem(till, address, code, pointer):
    answer = till.get(address)

    body = answer.json()
    assert (answer.status_code, body["code"], body["type"]) == (400, code, f"/api/problems/{code}/")
    assert [fault["pointer"] for fault in body["errors"]] == [pointer]
