"""Every address of staff and of the admin refuses who may not see it; the addresses are read from the URLconf."""

import uuid

import pytest
from django.urls import URLPattern, get_resolver

from accounts.models import User

STAFF = ("staff/", "admin/", "till/")
SIGNING_IN = ("admin/login/", "admin/logout/", "admin/jsi18n/")
SAMPLES = {"int": "1", "uuid": str(uuid.UUID(int=7)), "slug": "some-slug", "str": "some-text", "path": "some/path"}


def addresses(patterns=None, prefix=""):
    """Return every address of the URLconf, with a sample in place of each parameter."""
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield filled(route)
        else:
            yield from addresses(entry.url_patterns, route)


def filled(route):
    """Return the route without the signs of a regular expression, and its parameters filled in."""
    text = route.replace("^", "").replace("$", "").replace(r"\Z", "")
    while "<" in text:
        before, _, rest = text.partition("<")
        name, _, after = rest.partition(">")
        text = before + SAMPLES.get(name.partition(":")[0], "some-text") + after
    return text


def staff_addresses():
    return sorted(
        {address for address in addresses() if address.startswith(STAFF) and not address.startswith(SIGNING_IN)}
    )


def test_staff_addresses_are_found():
    assert {"admin/", "staff/"} <= set(staff_addresses())


@pytest.mark.django_db
@pytest.mark.parametrize("address", staff_addresses())
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_address_refuses_who_is_not_signed_in(client, address, method):
    response = getattr(client, method)(f"/{address}")

    assert response.status_code in (302, 401, 403, 404, 405)
    assert response.status_code != 302 or "/login" in response.url or "/accounts/" in response.url


@pytest.mark.django_db
@pytest.mark.parametrize("address", staff_addresses())
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_address_refuses_a_customer(client, address, method):
    client.force_login(User.objects.create_user("customer@example.com"))

    response = getattr(client, method)(f"/{address}")

    assert response.status_code in (302, 403, 404, 405)
    assert response.status_code != 302 or "/login" in response.url or "/accounts/" in response.url
