import re

import pytest
from django.urls import reverse

from programs.keys import digest_of
from programs.models import ApiKey
from tests.factories import make_key, make_shop, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(client):
    made = make_shop()
    client.force_login(make_staff(business=made.business))
    return made


def test_new_key_is_shown_once_and_kept_nowhere(client, program):
    response = client.post(
        reverse("admin:programs_apikey_add"),
        {"program": program.pk, "name": "Till 1", "scopes": ["quotes", "purchases:write"]},
    )

    key = ApiKey.objects.get()
    secret = re.search(r"loy_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", response.content.decode()).group()
    assert (key.digest, key.scopes) == (digest_of(secret), ["purchases:write", "quotes"])
    assert "no-store" in response.headers["Cache-Control"]
    again = client.get(reverse("admin:programs_apikey_change", args=[key.pk]))
    assert secret not in again.content.decode()


def test_key_can_be_renamed_but_not_given_more(client, program):
    key, _secret = make_key(program=program, scopes=["quotes"])

    client.post(reverse("admin:programs_apikey_change", args=[key.pk]), {"name": "Till 2", "scopes": ["insights:read"]})

    key.refresh_from_db()
    assert (key.name, key.scopes) == ("Till 2", ["quotes"])


def test_revoke_asks_first_and_then_closes_the_key(client, program):
    key, _secret = make_key(program=program)
    address = reverse("admin:programs_apikey_revoke", args=[key.pk])

    assert client.get(address).status_code == 200
    key.refresh_from_db()
    assert key.is_usable

    client.post(address)
    key.refresh_from_db()
    assert not key.is_usable
