"""Members over HTTP: enrolled once, shown at their present."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Customer
from loyalty.ledger.models import Account, Standing
from loyalty.purchases.accrual import accrue_batch
from programs.cards import normal, shown
from programs.models import Membership
from tests.factories import UnitSpec, make_member, make_program, make_shop, make_version
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture
def program(db):
    return make_shop(timezone="America/New_York")


@pytest.fixture
def till(program):
    return Till(program)


def test_member_is_enrolled_with_card_tier_and_empty_balances(till):
    answer = till.post(
        "members/",
        {
            "external_id": "42",
            "email": "Ana@Example.test",
            "phone": "+385 1",
            "first_name": "Ana",
            "last_name": "Kos",
            "birth_date": "1990-02-28",
            "language": "hr",
            "joined_at": "2026-01-01T03:00:00Z",
        },
    )
    body = answer.json()

    assert answer.status_code == 201
    assert normal(body["card"]) == body["card"]
    assert {name: body[name] for name in body.keys() - {"id", "card", "as_of"}} == {
        "external_id": "42",
        "email": "Ana@Example.test",
        "first_name": "Ana",
        "last_name": "Kos",
        "language": "hr",
        "status": "active",
        "joined_at": "2025-12-31T22:00:00-05:00",
        "tier": {"code": "basic", "name": "Basic", "since": "2025-12-31", "until": None},
        "next_tier": {
            "code": "silver",
            "name": "Silver",
            "missing": [
                {"measure": "spend", "need": "350.00", "have": "0.00", "missing": "350.00", "by": "2026-12-31"}
            ],
        },
        "balances": {"points": {"available": "0", "pending": "0", "held": "0", "next_expiry": None}},
    }
    assert Standing.objects.count() == 1
    assert Account.objects.filter(membership__isnull=False).count() == 3


def test_member_of_whom_nothing_is_known_is_enrolled_anew_each_time(till):
    first, second = till.post("members/", {}), till.post("members/", {})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["card"] != second.json()["card"]
    assert (first.json()["external_id"], first.json()["email"]) == (None, None)


@pytest.mark.parametrize("known", [{"external_id": "42"}, {"email": "ANA@example.TEST"}])
def test_known_member_is_found_and_only_empty_fields_are_filled(till, known):
    first = till.post("members/", {"external_id": "42", "email": "ana@example.test", "first_name": "Ana"}).json()

    again = till.post("members/", {**known, "first_name": "Eva", "last_name": "Kos"})

    assert again.status_code == 200
    body = again.json()
    assert (body["id"], body["first_name"], body["last_name"]) == (first["id"], "Ana", "Kos")
    assert Membership.objects.count() == 1


def test_member_known_by_one_name_is_given_the_other(till):
    till.post("members/", {"email": "ana@example.test"})
    body = till.post("members/", {"email": "ana@example.test", "external_id": "42"}).json()

    assert body["external_id"] == "42"
    assert till.get("members/external_id:42/").json()["id"] == body["id"]


def test_two_names_of_two_members_conflict(till):
    till.post("members/", {"external_id": "42", "email": "ana@example.test"})
    till.post("members/", {"external_id": "43", "email": "eva@example.test"})

    answer = till.post("members/", {"external_id": "42", "email": "eva@example.test"})

    assert (answer.status_code, answer.json()["code"]) == (409, "member-conflict")


def test_customer_of_the_business_joins_another_of_its_programs_as_the_same_person(program, till):
    till.post("members/", {"email": "ana@example.test", "first_name": "Ana"})
    other = make_shop(business=program.business)

    body = Till(other).post("members/", {"email": "ana@example.test", "external_id": "42"})

    assert (body.status_code, body.json()["first_name"]) == (201, "Ana")
    assert (Customer.objects.count(), Membership.objects.count()) == (1, 2)


def test_same_address_in_another_business_is_another_person(till):
    till.post("members/", {"email": "ana@example.test", "first_name": "Ana"})

    body = Till(make_shop()).post("members/", {"email": "ana@example.test"})

    assert (body.status_code, body.json()["first_name"]) == (201, None)


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"email": "nonsense"}, "not-an-email", "/email"),
        ({"birth_date": "1990-02-30"}, "not-a-date", "/birth_date"),
        ({"joined_at": "2026-01-01T00:00:00"}, "offset-missing", "/joined_at"),
        ({"language": "x" * 11}, "too-long", "/language"),
        ({"language": "?"}, "wrong-type", "/language"),
        ({"external_id": "x" * 129}, "too-long", "/external_id"),
        ({"card": "1"}, "unknown-field", "/card"),
        ({"first_name": "\x00"}, "nul-character", "/first_name"),
    ],
)
def test_bad_member_is_refused_with_the_place(till, fields, code, pointer):
    answer = till.post("members/", fields)

    assert answer.status_code == 400
    assert [(fault["code"], fault["pointer"]) for fault in answer.json()["errors"]] == [(code, pointer)]
    assert Membership.objects.count() == 0


def test_nobody_joins_a_live_program_in_the_future(till):
    ahead = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()

    assert till.post("members/", {"joined_at": ahead}).json()["code"] == "joined-in-future"


def test_nobody_joins_before_there_are_terms(db):
    answer = Till(make_program()).post("members/", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "no-terms")
    assert Membership.objects.count() == 0


def test_member_is_shown_by_card_however_it_is_typed(program, till):
    member = make_member(program=program)

    for typed in (member.card, shown(member.card), shown(member.card).replace(" ", "-")):
        assert till.get(f"members/{typed}/").json()["id"] == str(member.pk)


@pytest.mark.parametrize(
    "name", ["external_id:", "external_id:43", "123456789012", "x", "%00", "external_id:%00", "entries"]
)
def test_unknown_member_is_not_found(program, till, name):
    make_member(program=program, external_id="42")

    for address in (f"members/{name}/", f"members/{name}/entries/"):
        answer = till.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-member")


def test_member_is_shown_with_what_fell_due_though_no_task_ran(db):
    program = make_shop(clock=datetime(2026, 1, 1, tzinfo=UTC))
    make_version(
        program=program,
        units=[UnitSpec(pending_days=10)],
        in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
    )
    make_member(program=program, external_id="42", joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    till = Till(program)
    till.post("purchases/", a_purchase(member="external_id:42", occurred_at="2026-01-02T00:00:00Z"))
    accrue_batch()

    before = till.get("members/external_id:42/").json()["balances"]["points"]
    till.post("sandbox/clock/", {"now": "2026-01-12T00:00:00Z"})
    after = till.get("members/external_id:42/").json()["balances"]["points"]

    assert (before["available"], before["pending"]) == ("0", "10")
    assert (after["available"], after["pending"]) == ("10", "0")


def test_members_are_listed_newest_first_in_the_same_queries(program, till, django_assert_num_queries):
    for number in range(5):
        make_member(program=program, external_id=str(number))
    till.get("members/")

    for size in (1, 4):
        with django_assert_num_queries(8):
            page = till.get(f"members/?page_size={size}").json()
        assert [row["external_id"] for row in page["results"]] == ["4", "3", "2", "1"][:size]
        assert page["next"] is not None


def test_correction_sets_what_is_given_clears_what_is_empty_and_leaves_the_rest(program, till):
    make_member(program=program, external_id="42", email="ana@example.test", first_name="Ana", last_name="Kos")

    answer = till.send(
        "PATCH",
        "members/external_id:42/",
        {"external_id": "43", "email": "eva@example.test", "first_name": "", "last_name": None, "language": "HR"},
    )

    body = answer.json()
    assert answer.status_code == 200
    assert [body[name] for name in ("external_id", "email", "first_name", "last_name", "language")] == [
        "43",
        "eva@example.test",
        None,
        "Kos",
        "hr",
    ]
    assert till.get("members/external_id:43/").json()["email"] == "eva@example.test"


@pytest.mark.parametrize("taken", [{"external_id": "43"}, {"email": "EVA@example.test"}])
def test_correction_to_what_another_member_has_is_a_conflict(program, till, taken):
    make_member(program=program, external_id="42")
    make_member(program=program, external_id="43", email="eva@example.test")

    answer = till.send("PATCH", "members/external_id:42/", {"first_name": "Ana", **taken})

    assert (answer.status_code, answer.json()["code"]) == (409, "member-conflict")
    assert till.get("members/external_id:42/").json()["first_name"] is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"joined_at": "2026-01-01T00:00:00Z"}, "unknown-field"), ({"email": "x"}, "not-an-email"), ([], "wrong-type")],
)
def test_bad_correction_is_refused(program, till, fields, code):
    make_member(program=program, external_id="42")

    answer = till.send("PATCH", "members/external_id:42/", fields)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_entries_tell_what_moved_and_why_newest_first(program, till):
    make_member(program=program, external_id="42")
    till.post("purchases/", a_purchase(member="external_id:42"))
    accrue_batch()
    till.post("refunds/", {"external_id": "f-1", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"})
    accrue_batch()

    rows = till.get("members/external_id:42/entries/").json()["results"]

    assert [
        (row["kind"], row["unit"], row["account"], row["amount"], row["balance_after"], row["reason"]) for row in rows
    ] == [
        ("reverse", "points", "available", "-10", "0", "Taken back: Return f-1"),
        ("earn", "points", "available", "10", "10", "Earned: Purchase r-1"),
    ]
    assert [(row["source"]["type"], row["source"]["external_id"]) for row in rows] == [
        ("refund", "f-1"),
        ("purchase", "r-1"),
    ]
    assert rows[1]["occurred_at"] == "2026-03-29T04:15:00-04:00"


def test_entries_take_the_same_queries_for_few_and_for_many(program, till, django_assert_num_queries):
    make_member(program=program, external_id="42")
    batch = [a_purchase(f"r-{number}", member="external_id:42") for number in range(6)]
    till.post("purchases/batch/", {"purchases": batch})
    accrue_batch()

    for size in (1, 5):
        with django_assert_num_queries(5):
            page = till.get(f"members/external_id:42/entries/?page_size={size}").json()
        assert len(page["results"]) == size
        assert page["next"] is not None
