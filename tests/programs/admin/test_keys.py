import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from programs.keys import digest_of, revoke_key, rotate_key
from programs.models import ApiKey, Store
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


def test_new_key_can_be_bound_to_stores_and_limited(client, program):
    Store.objects.create(business=program.business, code="s1", name="Old town")
    Store.objects.create(business=make_shop().business, code="theirs")
    address = reverse("admin:programs_apikey_add")

    offered = client.get(address).context["adminform"].form.fields["stores"].choices
    body = {"program": program.pk, "name": "Till 1", "scopes": ["quotes"], "stores": ["s1"], "limit_per_minute": 50}
    client.post(address, body)
    client.post(address, {**body, "stores": ["theirs"]})

    assert offered == [("s1", "Old town (s1)")]
    assert list(ApiKey.objects.values_list("stores", "limit_per_minute")) == [(["s1"], 50)]


def test_rotate_asks_first_and_then_shows_the_new_secret_once(client, program):
    key, _secret = make_key(program=program)
    address = reverse("admin:programs_apikey_rotate", args=[key.pk])

    assert client.get(address).context["form"]["days"].value() == 7
    assert ApiKey.objects.count() == 1

    response = client.post(address, {"days": "3"})

    new = ApiKey.objects.get(replaces=key)
    secret = re.search(r"loy_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", response.content.decode()).group()
    assert new.digest == digest_of(secret)
    assert "no-store" in response.headers["Cache-Control"]
    key.refresh_from_db()
    assert timedelta(days=2) < key.expires_at - datetime.now(UTC) < timedelta(days=3)
    shown = client.get(reverse("admin:programs_apikey_change", args=[key.pk])).content.decode()
    assert (f"loy_{new.prefix}…" in shown, "Rotate the key" in shown) == (True, False)


@pytest.mark.parametrize("days", ["-1", "91", "", "soon"])
def test_rotate_for_a_time_that_makes_no_sense_is_refused(client, program, days):
    key, _secret = make_key(program=program)

    response = client.post(reverse("admin:programs_apikey_rotate", args=[key.pk]), {"days": days})

    assert (response.status_code, ApiKey.objects.count()) == (200, 1)


def test_rotate_of_a_key_with_a_successor_says_why_not(client, program):
    key, _secret = make_key(program=program)
    rotate_key(key=key, by=None)

    page = client.post(reverse("admin:programs_apikey_rotate", args=[key.pk]), {"days": "7"}).content.decode()

    assert ("has a successor already" in page, ApiKey.objects.count()) == (True, 2)


@pytest.mark.parametrize(("days", "state"), [(None, "Usable"), (15, "Usable"), (13, "Expires soon"), (-1, "Expired")])
def test_list_says_which_keys_expire_soon(client, program, days, state):
    make_key(program=program, expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days))

    page = client.get(reverse("admin:programs_apikey_changelist")).content.decode()

    assert [
        words
        for words in ("Usable", "Expires soon", "Expired")
        if f">{words}<" in re.sub(r"\s+<", "<", re.sub(r">\s+", ">", page))
    ] == [state]


def test_list_says_which_keys_are_replaced_until_the_successor_is_revoked(client, program):
    key, _secret = make_key(program=program)
    successor, _secret = rotate_key(key=key, by=None)
    address = reverse("admin:programs_apikey_changelist")

    before = "Replaced" in client.get(address).content.decode()
    revoke_key(key=successor, by=None)

    assert (before, "Replaced" in client.get(address).content.decode()) == (True, False)
