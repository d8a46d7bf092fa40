import os

import pytest
from django.core.mail import EmailMessage, get_connection

from accounts.brand import fingerprint
from accounts.colour import stylesheet
from accounts.mailbox import latest
from tests.factories import make_business

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings, tmp_path):
    """Sends a mail as the embedded default does: into a file; each a second after the one before."""
    settings.MAIL_DIR = tmp_path
    settings.SHOWS_MAIL = True

    def send(subject, text="Text"):
        connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(tmp_path))
        known = set(tmp_path.iterdir())
        EmailMessage(subject, text, to=["elena@example.test"], connection=connection).send()
        (path,) = set(tmp_path.iterdir()) - known
        path = path.rename(tmp_path / f"{len(known)}.log")
        os.utime(path, (len(known), len(known)))

    return send


def test_brand_is_a_stylesheet_kept_for_a_year_under_its_fingerprint(client):
    business = make_business(slug="marlow")

    response = client.get(f"/brand/marlow.css?v={fingerprint(business.brand)}")

    assert response.content.decode() == stylesheet(business.brand)
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in response["Cache-Control"]


def test_brand_under_an_old_fingerprint_is_kept_for_a_minute(client):
    make_business(slug="marlow")

    assert client.get("/brand/marlow.css?v=old")["Cache-Control"] == "public, max-age=60"


def test_brand_that_is_known_is_not_sent_again(client):
    make_business(slug="marlow")
    first = client.get("/brand/marlow.css")

    assert client.get("/brand/marlow.css", headers={"if-none-match": first["ETag"]}).status_code == 304


def test_brand_of_nobody_is_not_found(client):
    assert client.get("/brand/nobody.css").status_code == 404


def test_favicon_leads_to_the_picture(client):
    assert client.get("/favicon.ico").url == "/static/img/favicon.png"


def test_mailbox_shows_mails_newest_first(client, sent):
    sent("First", "Your code: 111111")
    sent("Second", "Umlaut: ž")

    body = client.get("/dev/mail/").content.decode()

    assert body.index("Second") < body.index("First")
    assert "Umlaut: ž" in body


def test_mailbox_without_a_mail_says_so(client, sent):
    assert "No mail yet" in client.get("/dev/mail/").content.decode()


def test_mailbox_does_not_exist_where_mail_is_sent(client, sent, settings):
    settings.SHOWS_MAIL = False

    assert client.get("/dev/mail/").status_code == 404


@pytest.mark.parametrize(
    "extra", [{"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": ""}, {"headers": {"x-forwarded-for": "203.0.113.7"}}]
)
def test_mailbox_does_not_exist_for_other_machines(client, sent, extra):
    assert client.get("/dev/mail/", **extra).status_code == 404


def test_latest_mails_are_bounded(sent, tmp_path):
    for number in range(4):
        sent(f"Mail {number}")

    assert [mail.subject for mail in latest(tmp_path, limit=2)] == ["Mail 3", "Mail 2"]
