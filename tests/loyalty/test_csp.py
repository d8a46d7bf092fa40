import pytest


def policy(response):
    parts = (part.split() for part in response["Content-Security-Policy"].split("; "))
    return {name: sources for name, *sources in parts}


@pytest.mark.django_db
def test_page_of_the_site_allows_nothing_inline(client):
    response = client.get("/healthz")

    assert policy(response)["script-src"] == ["'self'"]
    assert policy(response)["style-src"] == ["'self'"]
    assert policy(response)["default-src"] == ["'none'"]


@pytest.mark.django_db
def test_page_of_the_admin_allows_what_its_theme_needs_and_frames_nothing(client):
    response = client.get("/admin/login/")

    assert policy(response)["script-src"] == ["'self'", "'unsafe-eval'", "'unsafe-inline'"]
    assert policy(response)["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy(response)["frame-ancestors"] == ["'none'"]
