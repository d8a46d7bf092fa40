"""Till keys: who is let in, and what strangers are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from programs.keys import DEFAULT_SCOPES
from programs.models import ApiKey
from tests.factories import make_key, make_member, make_shop
from tests.loyalty.api.client import Till, a_purchase

NOW = datetime.now(UTC)
CALLS = [
    ("POST", "members/", {}, "members:write"),
    ("GET", "members/", None, "members:read"),
    ("GET", "members/external_id:42/", None, "members:read"),
    ("PATCH", "members/external_id:42/", {"first_name": "Eva"}, "members:write"),
    ("GET", "members/external_id:42/entries/", None, "members:read"),
    ("POST", "purchases/", a_purchase("r-2"), "purchases:write"),
    ("GET", "purchases/", None, "purchases:read"),
    ("GET", "purchases/r-1/", None, "purchases:read"),
    ("POST", "purchases/batch/", {"purchases": []}, "purchases:write"),
    (
        "POST",
        "refunds/",
        {"external_id": "f", "purchase": "r-1", "occurred_at": "2026-04-01T00:00:00Z"},
        "refunds:write",
    ),
    ("GET", "refunds/", None, "purchases:read"),
    ("GET", "refunds/f-1/", None, "purchases:read"),
    ("POST", "sandbox/clock/", {"now": "2026-04-01T00:00:00Z"}, "sandbox"),
    ("PUT", "backfill/", {"on": False}, "purchases:write"),
]
IDS = [f"{method} {address}" for method, address, _body, _scope in CALLS]
each_call = pytest.mark.parametrize(("method", "address", "body", "scope"), CALLS, ids=IDS)


@pytest.fixture
def program(db):
    program = make_shop()
    make_member(program=program, external_id="42")
    return program


@each_call
def test_call_without_key_is_refused(program, method, address, body, scope):
    answer = Till(program, secret="").send(method, address, body)

    assert (answer.status_code, answer.json()["code"]) == (401, "key-missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"


@each_call
@pytest.mark.parametrize(
    "fate", [{"revoked_at": NOW}, {"expires_at": NOW - timedelta(seconds=1)}], ids=["revoked", "expired"]
)
def test_call_with_dead_key_is_refused(program, method, address, body, scope, fate):
    answer = Till(program, **fate).send(method, address, body)

    assert (answer.status_code, answer.json()["code"]) == (401, "key-unknown")


@each_call
def test_call_without_scope_is_refused(program, method, address, body, scope):
    scopes = [name for name in DEFAULT_SCOPES if name != scope]

    answer = Till(program, scopes=scopes).send(method, address, body)

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


@pytest.mark.parametrize("authorization", ["Bearer loy_nobody", "Basic abc", "Bearer", "Bearer \xe9", "nonsense"])
def test_call_with_unknown_key_is_refused(program, authorization):
    answer = Till(program, secret="").get("purchases/", Authorization=authorization)

    assert answer.status_code == 401


def test_key_of_another_program_sees_nothing_of_this_one(program):
    Till(program).post("purchases/", a_purchase(member="external_id:42"))
    colleague, stranger = make_shop(business=program.business), make_shop()
    member = program.memberships.get()

    for other in (Till(colleague), Till(stranger)):
        assert other.get("purchases/r-1/").json()["code"] == "not-found"
        assert other.get("purchases/").json()["results"] == []
        assert other.get("members/external_id:42/").json()["code"] == "unknown-member"
        assert other.get(f"members/{member.card}/").status_code == 404
        assert other.get(f"members/{member.card}/entries/").status_code == 404
        assert other.send("PATCH", f"members/{member.card}/", {"first_name": "Eva"}).status_code == 404
        assert other.get("members/").json()["results"] == []
        refused = other.post("purchases/", a_purchase(member=member.card))
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown-member")
        assert other.post("purchases/", a_purchase()).status_code == 201


def test_use_of_a_key_is_noted_at_most_once_a_minute(program, django_assert_num_queries):
    key, secret = make_key(program=program)
    till = Till(program, secret=secret)

    till.get("purchases/")
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    till.get("purchases/")

    assert first is not None
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(minutes=2))
    till.get("purchases/")
    assert ApiKey.objects.get(pk=key.pk).last_used_at > first - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("method", "address"),
    [("DELETE", "purchases/"), ("PATCH", "purchases/r-1/"), ("GET", "purchases/batch/"), ("OPTIONS", "members/")],
)
def test_method_that_an_address_does_not_take_is_refused(program, method, address):
    answer = Till(program).send(method, address)

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_address_that_does_not_exist_is_a_problem(db, client):
    answer = client.get("/api/v1/nothing/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
