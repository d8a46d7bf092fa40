"""The cache goes on without its server, and sign-in with it."""

import pytest
from django.core.cache import caches

from accounts.cache import SteadyCache
from tests.factories import make_user


@pytest.fixture
def away(tmp_path):
    return SteadyCache(f"unix://{tmp_path}/nobody.sock", {"KEY_PREFIX": "test"})


def test_cache_without_its_server_counts_in_this_process(away):
    away.set("tries", [1, 2])

    assert (away.get("tries"), away.add("tries", [3]), away.delete("tries"), away.get("tries", "none")) == (
        [1, 2],
        False,
        True,
        "none",
    )


def test_cache_with_its_server_uses_it(broker):
    caches["default"].set("where", "there")

    assert caches["broker"].get("where") == "there"


@pytest.mark.django_db
def test_password_signs_in_while_the_broker_is_down(client, settings, tmp_path):
    nowhere = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}
    settings.CACHES = {**settings.CACHES, "default": nowhere}
    user = make_user(email="ann@example.test", password="plum-orchard-42")

    answer = client.post("/accounts/login/", {"login": user.email, "password": "plum-orchard-42"})

    assert (answer.status_code, client.session["_auth_user_id"]) == (302, str(user.pk))
