from datetime import date

import pytest

from loyalty.ledger.grants import grant_tier
from programs.models import Membership
from tests.factories import make_shop, make_user
from tests.loyalty.api.client import Till
from tests.loyalty.presets.stage import Stage, earned

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    stage = Stage("beauty_insider")
    stage.bought = stage.buy("2025-02-02", "350.00")
    return stage


def history(stage):
    return stage.till.get("members/external_id:ana/tiers/").json()["results"]


def test_tiers_of_a_member_are_listed_with_what_brought_each(stage):
    stage.at("2027-01-01")

    shown = history(stage)

    assert [(one["code"], one["cause"], one["starts_at"][:10]) for one in shown] == [
        ("insider", "fell", "2027-01-01"),
        ("vib", "reached", "2025-02-02"),
        ("insider", "joined", "2025-01-01"),
    ]
    assert [one["source"]["external_id"] for one in shown] == [None, stage.bought["external_id"], None]


def test_first_tier_counts_from_the_activity_that_moves_joining_back():
    stage = Stage("beauty_insider", "2025-06-01 00:00")
    stage.buy("2025-01-15", "400.00")
    stage.buy("2025-09-01", "10.00")

    late, before = stage.buy("2025-07-01", "100.00"), stage.buy("2024-11-01", "100.00")

    assert [earned(late), earned(before)] == [{"base": "125"}, {"base": "100"}]
    assert [(one["code"], one["starts_at"][:10]) for one in history(stage)] == [
        ("vib", "2025-01-15"),
        ("insider", "2024-11-01"),
    ]


def test_tier_given_by_staff_is_listed_with_their_reason(stage):
    member = Membership.objects.select_related("program").get(external_id="ana")
    grant_tier(
        membership=member, tier="rouge", kind="hand", reason="Moved house", until=date(2025, 3, 31), by=make_user()
    )

    newest = history(stage)[0]

    assert [newest[name] for name in ("code", "cause", "reason", "note")] == [
        "rouge",
        "granted",
        "Given by staff",
        "Moved house",
    ]
    assert newest["source"]["type"] == "staff"


def test_tiers_of_another_business_are_not_found(stage):
    stranger = Till(make_shop())

    assert stranger.get("members/external_id:ana/tiers/").status_code == 404
    assert Till(stage.program, scopes=["purchases:read"]).get("members/external_id:ana/tiers/").status_code == 403


def test_tiers_take_the_same_queries_for_one_and_for_many(stage, django_assert_num_queries):
    with django_assert_num_queries(7):
        history(stage)
    stage.at("2027-01-01")

    with django_assert_num_queries(7):
        history(stage)
