from datetime import UTC, date, datetime

import pytest

from loyalty.ledger import grants
from loyalty.ledger.grants import end_grant, grant_tier
from loyalty.ledger.models import Standing, TierGrant, TierPeriod
from programs.models import Membership, Program
from tests.factories import make_member, make_program, make_user, make_version
from tests.factories.activity import drain
from tests.factories.events import publish
from tests.loyalty.api.client import Till, a_purchase

CLOCK = datetime(2026, 6, 1, 12, tzinfo=UTC)
JOINED = datetime(2026, 1, 1, tzinfo=UTC)
TRIAL = {
    "trial_tier": "gold",
    "trial_measure": "spend",
    "trial_need": 15,
    "trial_months": 12,
    "trial_once_in_months": 36,
}


@pytest.fixture
def program(db):
    program = make_program(clock=CLOCK)
    publish(make_version(program=program, is_published=False), **TRIAL)
    return program


@pytest.fixture
def member(program):
    return make_member(program=program, external_id="42", joined_at=JOINED)


@pytest.fixture
def till(program, member):
    return Till(program)


def give(member, tier="gold", kind="hand", reason="A guest of the owner", until=date(2026, 12, 31), by=None):
    member = Membership.objects.select_related("program").get(pk=member.pk)
    return grant_tier(membership=member, tier=tier, kind=kind, reason=reason, until=until, by=by or make_user())


def end(grant):
    return end_grant(grant=TierGrant.objects.select_related("membership__program").get(pk=grant.pk), by=make_user())


def shown(till):
    tier = till.get("members/external_id:42/").json()["tier"]
    return tier["code"], tier["since"], tier["until"]


def test_given_tier_shows_at_once_and_earns_at_its_rate(till, member):
    by = make_user()
    row = give(member, by=by)
    till.post("purchases/", a_purchase(member="external_id:42", total="10.00", occurred_at="2026-06-02T00:00:00Z"))
    drain()

    assert shown(till) == ("gold", "2026-06-01", "2026-12-31")
    assert [award["amount"] for award in till.get("purchases/r-1/").json()["awards"]] == ["15"]
    assert (row.reason, row.granted_by, row.starts_at) == ("A guest of the owner", by, CLOCK)
    assert list(TierPeriod.objects.order_by("posted_at").values_list("tier", "reason")) == [
        ("basic", "joined"),
        ("gold", "granted"),
    ]


def test_given_tier_ends_with_its_last_day(till, member):
    give(member, until=date(2026, 6, 30))

    till.post("sandbox/clock/", {"now": "2026-06-30T23:59:59Z"})
    on_the_last_day = shown(till)
    till.post("sandbox/clock/", {"now": "2026-07-01T00:00:00Z"})

    assert (on_the_last_day[0], shown(till)[0]) == ("gold", "basic")
    assert TierPeriod.objects.order_by("posted_at").last().reason == "grant_ended"


def test_tier_that_staff_end_is_gone_at_once_and_what_was_reached_stays(program, till, member):
    row = give(member, until=None)
    till.post("purchases/", a_purchase(member="external_id:42", total="400.00", occurred_at="2026-06-02T00:00:00Z"))
    drain()

    ended = end(row)

    assert shown(till)[0] == "silver"
    assert (ended.ended_at, ended.ended_by is None) == (datetime(2026, 6, 2, tzinfo=UTC), False)
    with pytest.raises(grants.GrantEndedError):
        end(row)


def test_what_has_fallen_due_is_done_before_a_tier_is_given(program, till, member):
    till.post("purchases/", a_purchase(member="external_id:42", total="400.00", occurred_at="2026-02-02T00:00:00Z"))
    drain()
    Program.objects.update(clock=datetime(2028, 3, 1, tzinfo=UTC))  # Silver was over with 2027; no task has run.

    give(member, until=None)

    assert list(TierPeriod.objects.order_by("posted_at").values_list("tier", "reason")) == [
        ("basic", "joined"),
        ("silver", "reached"),
        ("basic", "fell"),
        ("gold", "granted"),
    ]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"tier": "platinum"}, grants.NoSuchTierError),
        ({"reason": "  "}, grants.NoReasonError),
        ({"until": date(2026, 5, 31)}, grants.EndInPastError),
        ({"until": date.max}, grants.EndTooFarError),
        ({"kind": "trial", "tier": "silver"}, grants.NoTrialTierError),
        ({"kind": "trial", "until": None}, grants.TrialWithoutEndError),
    ],
)
def test_tier_that_cannot_be_given_is_refused_and_nothing_changes(till, member, given, error):
    with pytest.raises(error):
        give(member, **given)

    assert TierGrant.objects.count() == 0
    assert shown(till)[0] == "basic"


def test_second_trial_is_refused_until_the_terms_allow_it(program, till, member):
    give(member, kind="trial", until=date(2026, 9, 30))
    Program.objects.update(clock=datetime(2029, 5, 31, tzinfo=UTC))
    with pytest.raises(grants.TrialTooSoonError):
        give(member, kind="trial", until=date(2029, 9, 30))

    Program.objects.update(clock=datetime(2029, 6, 1, tzinfo=UTC))
    give(member, kind="trial", until=date(2029, 9, 30))

    assert shown(till)[0] == "gold"


def test_standing_remembers_what_was_given(member):
    give(member, until=None)

    assert Standing.objects.get().memory["grants"] == [
        {"tier": "gold", "kind": "hand", "starts_at": CLOCK.isoformat(), "until": None, "ended_at": None}
    ]
