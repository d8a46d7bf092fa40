"""Secrets are kept nowhere, and signatures are those of the standard's own library."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from standardwebhooks import Webhook, WebhookVerificationError

from loyalty.webhooks import signing
from loyalty.webhooks.actions import add_endpoint, rotate_secret
from loyalty.webhooks.models import Endpoint
from tests.factories import make_shop, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_allowed")]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = '{"naïve":"ć"}'.encode()


@pytest.fixture
def made():
    return add_endpoint(program=make_shop(), url="http://127.0.0.1/hooks", by=make_user())


def verifies(secret, endpoint, *, at=NOW):
    headers = signing.signed_headers(endpoint=endpoint, message_id="m-1", body=BODY, at=at)
    with time_machine.travel(at, tick=False):
        try:
            Webhook(secret).verify(BODY, headers)
        except WebhookVerificationError:
            return False
    return True


def test_secret_has_256_bits_and_is_in_no_column(made):
    assert made.secret.startswith("whsec_")
    assert len(base64.b64decode(made.secret.removeprefix("whsec_"))) == 32
    row = Endpoint.objects.values().get()
    raw = base64.b64decode(made.secret.removeprefix("whsec_"))
    assert [name for name, value in row.items() if made.secret in str(value) or bytes(raw) == value] == []


def test_signature_is_verified_by_the_library_and_not_with_another_secret(made):
    endpoint = Endpoint.objects.get()

    assert verifies(made.secret, endpoint) is True
    assert verifies(signing.secret_of(signing.new_seed()), endpoint) is False


def test_both_secrets_verify_while_one_rotates_and_then_the_new_one_alone(made):
    new = rotate_secret(endpoint=made.endpoint, at=NOW, overlap=timedelta(days=1), by=make_user())
    endpoint = Endpoint.objects.get()

    almost, over = NOW + timedelta(days=1, microseconds=-1), NOW + timedelta(days=1)
    assert [verifies(one, endpoint, at=almost) for one in (made.secret, new.secret)] == [True, True]
    assert [verifies(one, endpoint, at=over) for one in (made.secret, new.secret)] == [False, True]


def test_third_secret_ends_the_first(made):
    second = rotate_secret(endpoint=made.endpoint, at=NOW, by=make_user())
    third = rotate_secret(endpoint=made.endpoint, at=NOW, by=make_user())
    endpoint = Endpoint.objects.get()

    assert [verifies(one.secret, endpoint) for one in (made, second, third)] == [False, True, True]


def test_rotation_without_overlap_ends_the_old_secret_at_once(made):
    new = rotate_secret(endpoint=made.endpoint, at=NOW, overlap=timedelta(0), by=make_user())
    endpoint = Endpoint.objects.get()

    assert [verifies(one.secret, endpoint) for one in (made, new)] == [False, True]


def test_changed_secret_key_is_noticed_unless_the_old_one_is_a_fallback(made, settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, as long as it has to be, for this test"
    endpoint = Endpoint.objects.get()
    with pytest.raises(signing.NoSecretError):
        signing.secrets_of(endpoint, at=NOW)

    settings.SECRET_KEY_FALLBACKS = [old]
    assert signing.secrets_of(endpoint, at=NOW) == [made.secret]
