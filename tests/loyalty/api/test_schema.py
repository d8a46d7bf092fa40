"""OpenAPI: what it says is what the API does."""

from __future__ import annotations

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loyalty.api import preferences
from loyalty.wsgi import application
from tests.factories import make_key, make_member, make_shop

ADDRESSES = {
    "/api/v1/backfill/": {"put"},
    "/api/v1/members/": {"get", "post"},
    "/api/v1/members/{member}/": {"get", "patch"},
    "/api/v1/members/{member}/entries/": {"get"},
    "/api/v1/purchases/": {"get", "post"},
    "/api/v1/purchases/batch/": {"post"},
    "/api/v1/purchases/{external_id}/": {"get"},
    "/api/v1/members/{member}/tiers/": {"get"},
    "/api/v1/refunds/": {"get", "post"},
    "/api/v1/refunds/{external_id}/": {"get"},
    "/api/v1/events/": {"get", "post"},
    "/api/v1/events/{external_id}/": {"get"},
    "/api/v1/quotes/": {"post"},
    "/api/v1/members/{member}/rewards/": {"get"},
    "/api/v1/members/{member}/vouchers/": {"get"},
    "/api/v1/redemptions/": {"post"},
    "/api/v1/redemptions/{redemption}/": {"get"},
    "/api/v1/redemptions/{redemption}/capture/": {"post"},
    "/api/v1/redemptions/{redemption}/release/": {"post"},
    "/api/v1/vouchers/{code}/": {"get"},
    "/api/v1/vouchers/{code}/redeem/": {"post"},
    "/api/v1/receipts/{code}/claim/": {"post"},
    "/api/v1/sandbox/clock/": {"post"},
}


@pytest.fixture
def document(client):
    return client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


def test_schema_names_every_address_and_method(db, document):
    assert document["openapi"].startswith("3.1")
    assert {address: set(methods) for address, methods in document["paths"].items()} == ADDRESSES


def test_schema_gives_every_answer_a_shape_and_every_refusal_the_problem(db, document):
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(operation["responses"]["429"]["headers"])
            assert operation["security"] == [{"key": []}]
            for status, answer in operation["responses"].items():
                if status == "304":
                    assert "content" not in answer
                    continue
                media = "application/json" if status.startswith("2") else "application/problem+json"
                assert list(answer["content"]) == [media]
                named = answer["content"][media]["schema"]["$ref"].rpartition("/")[2]
                assert named in document["components"]["schemas"]


def test_docs_page_has_nothing_inline(db, client):
    page = client.get("/api/docs/")

    assert page.status_code == 200
    assert "<style" not in page.content.decode()
    assert "<script>" not in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_schema_holds_for_whatever_is_sent(monkeypatch):
    monkeypatch.setattr(preferences, "LONGEST_WAIT", 0)  # No worker runs here, so nobody waits for one.
    program = make_shop()
    make_member(program=program, external_id="42")
    _key, secret = make_key(program=program)
    schema = schemathesis.openapi.from_wsgi("/api/schema/", application)
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(case=st.one_of(*_cases(operation)))
        def holds(case):
            case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=checks)

        holds()


def _cases(operation):
    return (operation.as_strategy(), operation.as_strategy(schemathesis.GenerationMode.NEGATIVE))


def test_problem_pages_say_what_each_code_means(db):
    client = Client()

    listed = client.get("/api/problems/")
    page = client.get("/api/problems/offset-missing/")

    assert listed.status_code == 200
    assert "external-id-reuse" in listed.content.decode()
    assert "The time has no offset" in page.content.decode()
    assert client.get("/api/problems/no-such-code/").status_code == 404
