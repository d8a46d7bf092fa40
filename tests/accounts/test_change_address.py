"""Who asked for a code can still turn back: to another address, or to the password."""

import re

import pytest

from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("email", ["ann@example.test", "nobody@example.test"])
def test_change_address_gives_the_code_up_and_leads_back_to_both_ways_in(client, email):
    make_user(email="ann@example.test", password="plum-orchard-42")
    client.post("/accounts/login/code/", {"email": email})
    page = client.get("/accounts/login/code/confirm/").content.decode()
    action, onward = re.search(r'action="(/accounts/logout/)".*?name="next" value="([^"]+)"', page, re.DOTALL).groups()

    answer = client.post(action, {"next": onward})

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/code/")
    assert client.get("/accounts/login/code/").status_code == 200
    signed_in = client.post("/accounts/login/", {"login": "ann@example.test", "password": "plum-orchard-42"})
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/")
