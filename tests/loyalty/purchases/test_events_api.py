from datetime import UTC, datetime, timedelta

import pytest

from loyalty.purchases.events import go_on_with_friends
from loyalty.purchases.models import Activity
from loyalty.purchases.tasks import sweep_task
from programs.models import Membership
from tests.factories import make_member
from tests.factories.activity import drain
from tests.factories.events import an_event, make_event_shop
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture
def program(db):
    return make_event_shop()


@pytest.fixture
def till(program):
    make_member(program=program, external_id="42")
    return Till(program)


def points(till, member="42"):
    return till.get(f"members/external_id:{member}/").json()["balances"]["points"]["available"]


def test_event_is_recorded_once_and_judged_by_the_worker(till):
    first = till.post("events/", an_event(attributes={"place": "Prague"}))
    again = till.post("events/", an_event(attributes={"place": "Prague"}, occurred_at="2026-03-29T08:15:00Z"))
    drain()

    shown = till.get("events/e-1/").json()

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] == shown["id"]
    assert [shown[name] for name in ("kind", "type", "status", "total", "attributes")] == [
        "event",
        "check_in",
        "accrued",
        None,
        {"place": "Prague"},
    ]
    assert [(award["rule"], award["amount"]) for award in shown["awards"]] == [("check_in", "5")]
    assert points(till) == "5"


def test_purchase_and_event_may_have_the_same_external_id(till):
    assert till.post("purchases/", a_purchase("x-1", member="external_id:42")).status_code == 201
    assert till.post("events/", an_event("x-1")).status_code == 201


def test_other_body_under_a_known_external_id_is_refused(till):
    till.post("events/", an_event())

    answer = till.post("events/", an_event(attributes={"place": "Brno"}))

    assert (answer.status_code, answer.json()["code"]) == (409, "external-id-reuse")


@pytest.mark.parametrize("type_", ["Check_in", "gift", "enrolment", "welcome"])
def test_unknown_type_is_refused_with_its_own_problem(till, type_):
    answer = till.post("events/", an_event(type=type_))

    body = answer.json()
    assert (answer.status_code, body["code"], body["type"]) == (
        400,
        "unknown-event-type",
        "/api/problems/unknown-event-type/",
    )
    assert [fault["pointer"] for fault in body["errors"]] == ["/type"]
    assert Activity.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"member": "external_id:43"}, 404, "unknown-member", "/member"),
        ({"member": None}, 400, "wrong-type", "/member"),
        ({"occurred_at": "2026-03-29T10:15:00"}, 400, "offset-missing", "/occurred_at"),
        ({"occurred_at": "1989-03-29T10:15:00Z"}, 400, "no-terms-in-force", "/occurred_at"),
        ({"type": ""}, 400, "too-short", "/type"),
        ({"points": 5}, 400, "unknown-field", "/points"),
    ],
)
def test_bad_event_is_refused_with_the_place(till, fields, status, code, pointer):
    answer = till.post("events/", an_event(**fields))

    assert answer.status_code == status
    assert [(fault["code"], fault["pointer"]) for fault in answer.json()["errors"]] == [(code, pointer)]


@pytest.mark.parametrize(("status", "code"), [("blocked", "member-blocked"), ("closed", "member-closed")])
def test_event_of_a_member_who_is_out_is_refused(till, status, code):
    Membership.objects.update(status=status)

    assert till.post("events/", an_event()).json()["code"] == code


def test_key_without_the_scope_posts_no_event(program, till):
    answer = Till(program, scopes=["purchases:write", "purchases:read"]).post("events/", an_event())

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


def test_events_are_listed_by_type_and_other_kinds_left_out(program, till):
    till.post("purchases/", a_purchase(member="external_id:42"))
    till.post("events/", an_event("e-1"))
    till.post("events/", an_event("e-2", type="referral"))

    def listed(address):
        return [row["external_id"] for row in till.get(address).json()["results"]]

    assert listed("events/") == ["e-2", "e-1"]
    assert listed("events/?type=referral") == ["e-2"]
    assert listed("events/?type=enrolment") == []
    refused = till.get("events/?type=nothing")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown-event-type")


# --- Referrals -----------------------------------------------------------------------------------------------------


def refer(till, external_id="ref-1", friend="external_id:43", **fields):
    return till.post("events/", an_event(external_id, type="referral", attributes={"friend": friend}, **fields))


def test_referral_waits_until_the_friend_has_bought(program, till):
    make_member(program=program, external_id="43")
    answer = refer(till)
    drain()
    waiting = (answer.json()["status"], points(till))

    till.post("purchases/", a_purchase(member="external_id:43"))
    drain()

    assert waiting == ("waiting", "0")
    assert till.get("events/ref-1/").json()["status"] == "accrued"
    assert (points(till), points(till, "43")) == ("25", "10")


def test_referral_of_a_friend_who_has_bought_is_judged_at_once(program, till):
    friend = make_member(program=program, external_id="43")
    till.post("purchases/", a_purchase(member="external_id:43"))
    drain()

    assert refer(till, friend=friend.card_shown).json()["status"] == "recorded"
    drain()
    assert points(till) == "25"


def test_purchase_that_is_wholly_returned_does_not_pay_the_referral(program, till):
    make_member(program=program, external_id="43")
    till.post("purchases/", a_purchase(member="external_id:43"))
    till.post("refunds/", {"external_id": "f-1", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"})
    refer(till, occurred_at="2026-04-02T00:00:00Z")
    drain()
    after_return = till.get("events/ref-1/").json()["status"]

    till.post("purchases/", a_purchase("r-2", member="external_id:43", occurred_at="2026-04-03T00:00:00Z"))
    drain()

    assert (after_return, points(till)) == ("waiting", "25")


def test_without_a_friend_the_caller_vouches_for_the_referral(till):
    assert till.post("events/", an_event(type="referral")).json()["status"] == "recorded"
    drain()
    assert points(till) == "25"


@pytest.mark.parametrize(
    ("friend", "status", "code"),
    [
        ("external_id:44", 404, "unknown-member"),
        ("", 404, "unknown-member"),
        ("external_id:42", 400, "own-friend"),
        (43, 400, "wrong-type"),
    ],
)
def test_friend_who_cannot_be_one_is_refused_with_the_place(till, friend, status, code):
    answer = refer(till, friend=friend)

    assert answer.status_code == status
    assert [(fault["code"], fault["pointer"]) for fault in answer.json()["errors"]] == [(code, "/attributes/friend")]
    assert Activity.objects.count() == 0


def test_sweep_finds_a_referral_whose_friend_bought_unnoticed(program, till):
    make_member(program=program, external_id="43")
    refer(till)
    till.post("purchases/", a_purchase(member="external_id:43"))
    drain()
    Activity.objects.filter(external_id="ref-1").update(status="waiting")

    found = go_on_with_friends()

    assert (found, Activity.objects.get(external_id="ref-1").status) == (1, "recorded")
    assert sweep_task() is True


# --- Joining -------------------------------------------------------------------------------------------------------


def test_joining_is_rewarded_in_the_answer_that_enrols(db):
    till = Till(make_event_shop(welcome=100))

    answer = till.post("members/", {"external_id": "42"})

    assert answer.status_code == 201
    assert answer.json()["balances"]["points"]["available"] == "100"
    assert points(till) == "100"
    (event,) = till.get("events/?type=enrolment").json()["results"]
    assert [event[name] for name in ("external_id", "type", "status")] == [
        f"enrolment:{answer.json()['id']}",
        "enrolment",
        "accrued",
    ]
    assert event["occurred_at"] == answer.json()["joined_at"]


def test_member_who_is_enrolled_again_is_welcomed_once(db):
    till = Till(make_event_shop(welcome=100))
    till.post("members/", {"external_id": "42"})

    again = till.post("members/", {"external_id": "42"})

    assert (again.status_code, again.json()["balances"]["points"]["available"]) == (200, "100")
    assert Activity.objects.count() == 1


def test_every_way_of_joining_is_rewarded_by_the_workers(db):
    program = make_event_shop(welcome=100)
    joined_at = datetime.now(UTC) - timedelta(days=400)
    make_member(program=program, external_id="42", joined_at=joined_at)
    drain()

    assert points(Till(program)) == "100"
    assert Activity.objects.get().occurred_at == joined_at


def test_joining_where_nothing_rewards_it_writes_no_event(till):
    till.post("members/", {"external_id": "43"})

    assert Activity.objects.count() == 0
