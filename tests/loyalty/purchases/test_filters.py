from datetime import UTC, datetime

import pytest

from loyalty.purchases.accrual import accrue_batch
from loyalty.purchases.models import Activity
from programs.models import Program
from tests.factories import UnitSpec, make_member, make_shop, make_unit
from tests.factories.events import an_event, make_event_shop
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


# --- Members ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email=ANA@example.test", ["42"]),
        ("email=nobody@example.test", []),
        ("external_id=43", ["43"]),
        ("external_id=44", []),
        ("status=active", ["42"]),
        ("status=blocked", ["43"]),
        ("status=closed", []),
        ("joined_from=2026-03-01", ["43"]),
        ("joined_to=2026-03-01", ["42"]),
        ("joined_from=2026-02-01&joined_to=2026-04-02", ["43", "42"]),
        ("joined_from=2026-02-01T00:00:00%2B01:00&status=active", ["42"]),
        ("email=ana@example.test&status=blocked", []),
    ],
)
def test_members_are_listed_by_what_is_asked_for(db, query, found):
    program = make_shop()
    make_member(program=program, external_id="42", email="Ana@example.test", joined_at=datetime(2026, 2, 1, tzinfo=UTC))
    other = make_member(program=program, external_id="43", joined_at=datetime(2026, 4, 1, tzinfo=UTC))
    type(other).objects.filter(pk=other.pk).update(status="blocked")
    make_member(program=make_shop(), external_id="42", email="ana@example.test")

    assert _listed(Till(program), f"members/?{query}") == found


# --- Activity --------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(db):
    """Three purchases of two members in two stores, a guest's, and a return; posted in another order than made."""
    program = make_shop(timezone="Europe/Zagreb")
    card = make_member(program=program, external_id="42").card
    make_member(program=program, external_id="43")
    till = Till(program)
    for name, member, store, day in [
        ("b", "external_id:42", "s2", "03-02"),
        ("a", "external_id:42", "s1", "03-01"),
        ("c", "external_id:43", "s1", "03-03"),
        ("g", None, None, "03-04"),
    ]:
        body = a_purchase(name, member=member, store=store, occurred_at=f"2026-{day}T00:00:00+01:00")
        assert till.post("purchases/", body).status_code == 201
    till.post("refunds/", {"external_id": "fa", "purchase": "a", "occurred_at": "2026-03-05T00:00:00+01:00"})
    till.post("refunds/", {"external_id": "fx", "purchase": "x", "occurred_at": "2026-03-06T00:00:00+01:00"})
    Activity.objects.filter(external_id="b").update(status="failed")
    till.card = card
    return till


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["g", "c", "a", "b"]),
        ("member=external_id:42", ["a", "b"]),
        ("member={card}", ["a", "b"]),
        ("status=recorded", ["c", "a"]),
        ("status=failed", ["b"]),
        ("status=waiting", []),
        ("store=s1", ["c", "a"]),
        ("store=s1&member=external_id:43", ["c"]),
        ("from=2026-03-02", ["g", "c", "b"]),
        ("to=2026-03-03", ["b", "a"]),
        ("from=2026-03-01T00:00:00%2B01:00&to=2026-03-03T00:00:00%2B01:00", ["b", "a"]),
        ("from=2026-03-01&member=external_id:42&store=s1&status=recorded", ["a"]),
    ],
)
def test_purchases_are_listed_by_what_is_asked_for(busy, query, found):
    assert _listed(busy, f"purchases/?{query.format(card=busy.card)}") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["fx", "fa"]),
        ("member=external_id:42", ["fa"]),
        ("status=waiting", ["fx"]),
        ("store=s1", ["fa"]),
        ("to=2026-03-06", ["fa"]),
    ],
)
def test_returns_are_listed_by_what_is_asked_for(busy, query, found):
    assert _listed(busy, f"refunds/?{query}") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=check_in", ["e-2", "e-1"]),
        ("type=referral", []),
        ("member=external_id:42&type=check_in", ["e-1"]),
        ("status=accrued", []),
        ("from=2026-03-30", ["e-2"]),
    ],
)
def test_events_are_listed_by_what_is_asked_for(db, query, found):
    program = make_event_shop()
    make_member(program=program, external_id="42")
    make_member(program=program, external_id="43")
    till = Till(program)
    till.post("events/", an_event())
    till.post("events/", an_event("e-2", member="external_id:43", occurred_at="2026-03-30T10:00:00Z"))

    assert _listed(till, f"events/?{query}") == found


@pytest.mark.parametrize("query", ["", "from=2026-03-01", "store=s1"])
def test_pages_lead_from_one_to_the_next_and_back_under_any_filter(busy, query):
    every = _listed(busy, f"purchases/?{query}")
    page = busy.get(f"purchases/?{query}&page_size=1").json()
    seen = [page]
    while page["next"]:
        page = busy.get(page["next"].partition("/api/v1/")[2]).json()
        seen.append(page)

    assert [row["external_id"] for page in seen for row in page["results"]] == every
    back = busy.get(seen[-1]["previous"].partition("/api/v1/")[2]).json()
    assert [row["id"] for row in back["results"]] == [row["id"] for row in seen[-2]["results"]]


# --- Entries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=earn", ["earn"]),
        ("kind=expire", []),
        ("kind=earn&unit=points", ["earn"]),
        ("kind=earn&unit=nights", []),
        ("from=2026-03-29&to=2026-03-30", ["earn"]),
        ("to=2026-03-29", []),
    ],
)
def test_entries_are_listed_by_kind_and_time(till, query, found):
    rows = till.get(f"members/external_id:42/entries/?{query}").json()["results"]

    assert [row["kind"] for row in rows] == found


# --- Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status", "code", "pointer"),
    [
        ("members/?emai=x", 400, "unknown-parameter", "/emai"),
        ("members/?status=vip", 400, "unknown-status", "/status"),
        ("members/?email=%00", 400, "nul-character", "/email"),
        ("members/?external_id=%00", 400, "nul-character", "/external_id"),
        ("members/?tier=%00", 400, "nul-character", "/tier"),
        ("members/?joined_from=2026-03-29T10:15:00", 400, "offset-missing", "/joined_from"),
        ("members/?joined_from=2026-03-02&joined_to=2026-03-01", 400, "ends-before-start", "/joined_to"),
        ("purchases/?member=external_id:44", 404, "unknown-member", "/member"),
        ("purchases/?member=%00", 400, "nul-character", "/member"),
        ("purchases/?status=late", 400, "unknown-status", "/status"),
        ("purchases/?store=s9", 400, "unknown-store", "/store"),
        ("purchases/?store=%00", 400, "nul-character", "/store"),
        ("purchases/?from=soon", 400, "not-a-moment", "/from"),
        ("purchases/?to=1850-01-01", 400, "date-out-of-range", "/to"),
        ("purchases/?tier=gold", 400, "unknown-parameter", "/tier"),
        ("refunds/?type=x", 400, "unknown-parameter", "/type"),
        ("refunds/?store=s9", 400, "unknown-store", "/store"),
        ("events/?type=%00", 400, "nul-character", "/type"),
        ("events/?type=nothing", 400, "unknown-event-type", "/type"),
        ("events/?store=s1", 400, "unknown-parameter", "/store"),
        ("members/external_id:42/entries/?kind=gift", 400, "unknown-kind", "/kind"),
        ("members/external_id:42/entries/?unit=%00", 400, "nul-character", "/unit"),
        ("members/external_id:42/entries/?from=x", 400, "not-a-moment", "/from"),
        ("members/external_id:42/entries/?store=x", 400, "unknown-parameter", "/store"),
        ("members/external_id:42/vouchers/?status=x", 400, "unknown-parameter", "/status"),
    ],
)
def test_filter_that_makes_no_sense_is_refused_with_its_name(till, address, status, code, pointer):
    answer = till.get(address)

    body = answer.json()
    assert (answer.status_code, body["code"], body["errors"][0]["pointer"]) == (status, code, pointer)


def test_member_and_store_of_another_business_are_not_known_here(busy):
    stranger = Till(make_shop())

    assert stranger.get("purchases/?store=s1").json()["code"] == "unknown-store"
    assert stranger.get("purchases/?member=external_id:42").json()["code"] == "unknown-member"
    assert stranger.get(f"purchases/?member={busy.card}").json()["code"] == "unknown-member"


# --- Queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("members/?status=active&joined_from=2026-01-01&email=", 8),
        ("purchases/?status=recorded&from=2026-01-01&to=2026-12-31", 10),
        ("purchases/?store=s1&member=external_id:0", 12),
        ("members/external_id:0/entries/?kind=earn&unit=points&from=2026-01-01", 6),
    ],
)
def test_filtered_list_takes_as_many_queries_for_one_row_as_for_three(
    db, address, queries, count, django_assert_num_queries
):
    program = make_shop()
    for number in range(count):
        make_member(program=program, external_id=str(number), joined_at=datetime(2026, 1, 2, tzinfo=UTC))
    till = Till(program)
    for number in range(count):
        till.post("purchases/", a_purchase(f"r-{number}", member="external_id:0", store="s1"))
    if "entries" in address:
        accrue_batch()
    till.get(address)

    with django_assert_num_queries(queries):
        answer = till.get(address)

    assert len(answer.json()["results"]) == count


def _listed(till, address):
    answer = till.get(address)
    assert answer.status_code == 200, answer.json()
    return [row["external_id"] for row in answer.json()["results"]]
