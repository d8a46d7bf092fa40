"""The OpenAPI document says of each type what is really sent."""

import json

import pytest
from jsonschema import Draft202012Validator

from loyalty.webhooks.delivering import body_of
from loyalty.webhooks.event_types import EVENT_TYPES
from loyalty.webhooks.models import Message
from loyalty.webhooks.schema import SHAPES
from tests.loyalty.presets.stage import Stage
from tests.loyalty.webhooks.test_news import TEN_COFFEES, listen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_allowed")]


@pytest.fixture
def document(client):
    return client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


def test_every_type_is_documented(document):
    assert set(document["webhooks"]) == set(SHAPES) == {*EVENT_TYPES, "endpoint.test"}


def test_what_is_sent_fits_the_document(document):
    stage = Stage("punch_card")
    listen(stage.program)
    stage.join("ben", "2025-01-01 00:00")
    bought = stage.buy("2025-03-01", None, *TEN_COFFEES)
    stage.use(stage.vouchers()[0]["code"], basket_total="50.00")
    stage.give_back(bought, "2025-03-02", lines=[{"line": 1}])

    seen = set()
    for message in Message.objects.all():
        operation = document["webhooks"][message.type]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": document["components"]})
        assert [fault.message for fault in validator.iter_errors(json.loads(body_of(message, zone=stage.zone)))] == []
        seen.add(message.type)
    assert seen == {"member.enrolled", "purchase.accrued", "refund.accrued", "reward.issued", "voucher.redeemed"}
