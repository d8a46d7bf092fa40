"""Sign-in by mailed code and by password, over HTTP; the rate limits count in the real cache."""

import re

import pytest
from django.core import mail

from accounts.models import Customer
from tests.factories import make_business, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]
ASK, CONFIRM, PASSWORD = "/accounts/login/code/", "/accounts/login/code/confirm/", "/accounts/login/"
OPEN_PAGES = [ASK, PASSWORD, "/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/signup/"]
UNUSED = ["/accounts/email/", "/accounts/confirm-email/", "/accounts/3rdparty/", "/accounts/phone/change/"]


def ask(client, email):
    return client.post(ASK, {"email": email})


def code_of(message):
    return re.search(r"^(\d{6})$", message.body, re.MULTILINE).group(1)


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_mailed_code_signs_in(client):
    make_user(email="elena@example.test")

    asked = ask(client, "elena@example.test")
    confirmed = client.post(CONFIRM, {"code": code_of(mail.outbox[0])})

    assert (asked.status_code, asked.url) == (302, CONFIRM)
    assert (confirmed.status_code, confirmed.url) == (302, "/")
    assert is_signed_in(client)


def test_code_mail_has_text_and_html_with_the_same_code(client):
    make_user(email="elena@example.test")

    ask(client, "elena@example.test")

    (message,) = mail.outbox
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert code_of(message) in html
    assert code_of(message) in message.subject


def test_address_known_from_the_till_signs_in(client):
    customer = Customer.objects.create(business=make_business(), email="till@example.test")

    ask(client, "till@example.test")
    client.post(CONFIRM, {"code": code_of(mail.outbox[0])})

    customer.refresh_from_db()
    assert client.session["_auth_user_id"] == str(customer.user_id)


def test_unknown_address_is_answered_the_same_and_gets_no_mail(client):
    make_user(email="known@example.test")
    known, unknown = client, type(client)()

    answers = [ask(known, "known@example.test"), ask(unknown, "other@example.test")]
    pages = [one.get(CONFIRM).content.decode() for one in (known, unknown)]

    assert [(answer.status_code, answer.url) for answer in answers] == [(302, CONFIRM)] * 2
    assert [message.to for message in mail.outbox] == [["known@example.test"]]
    plain = [re.sub(r'value="[^"]*"|known@|other@', "", page) for page in pages]
    assert plain[0] == plain[1]


def test_wrong_code_says_so_and_three_wrong_ones_end_it(client):
    make_user(email="elena@example.test")
    ask(client, "elena@example.test")
    code = code_of(mail.outbox[0])
    wrong = f"{(int(code) + 1) % 1_000_000:06}"

    answers = [client.post(CONFIRM, {"code": wrong}) for _ in range(3)]
    client.post(CONFIRM, {"code": code})

    assert [answer.status_code for answer in answers] == [200, 200, 302]
    assert "Incorrect code" in answers[0].content.decode()
    assert not is_signed_in(client)


def test_new_code_replaces_the_old_one(client):
    make_user(email="elena@example.test")
    ask(client, "elena@example.test")

    client.post(CONFIRM, {"action": "resend"})
    client.post(CONFIRM, {"code": code_of(mail.outbox[1])})

    assert len(mail.outbox) == 2
    assert is_signed_in(client)


def test_password_signs_in(client):
    make_user(email="elena@example.test", password="correct-horse-battery")

    client.post(PASSWORD, {"login": "Elena@example.test", "password": "correct-horse-battery"})

    assert is_signed_in(client)


def test_wrong_password_and_unknown_address_read_the_same(client):
    make_user(email="known@example.test", password="correct-horse-battery")

    pages = [
        client.post(PASSWORD, {"login": email, "password": "wrong"}).content.decode()
        for email in ("known@example.test", "other@example.test")
    ]

    faults = [re.findall(r'class="fault".*?</p>', page, re.DOTALL) for page in pages]
    assert faults[0] == faults[1] != []


def test_someone_switched_off_gets_no_code(client):
    user = make_user(email="elena@example.test")
    user.is_active = False
    user.save(update_fields=["is_active"])

    answer = ask(client, "elena@example.test")

    assert (answer.status_code, answer.url) == (302, CONFIRM)
    assert mail.outbox == []


def test_fourth_code_in_a_minute_is_refused(client):
    make_user(email="elena@example.test")

    answers = [ask(type(client)(), "elena@example.test") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 200]
    assert len(mail.outbox) == 3


def test_reset_link_sets_a_new_password(client):
    user = make_user(email="elena@example.test", password="correct-horse-battery")
    client.post("/accounts/password/reset/", {"email": "elena@example.test"})
    link = re.search(r"http://[^/]+(/\S+)", mail.outbox[0].body).group(1)

    form = client.get(link, follow=True)
    client.post(
        form.redirect_chain[-1][0], {"password1": "another-horse-battery", "password2": "another-horse-battery"}
    )

    user.refresh_from_db()
    assert user.check_password("another-horse-battery")


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_page_before_sign_in_is_in_the_house_style(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert '<body class="entrance">' in response.content.decode()


@pytest.mark.parametrize(
    "path",
    ["/accounts/logout/", "/accounts/password/change/", "/accounts/password/set/", "/accounts/reauthenticate/"],
)
def test_page_after_sign_in_is_in_the_house_style(client, path):
    client.force_login(make_user(password="" if "set" in path else "correct-horse-battery"))

    response = client.get(path, follow=True)

    assert response.status_code == 200
    assert '<body class="entrance">' in response.content.decode() or response.redirect_chain


@pytest.mark.parametrize("path", UNUSED)
def test_page_of_allauth_that_nobody_needs_does_not_exist(client, path):
    client.force_login(make_user())

    assert client.get(path).status_code == 404


def test_nobody_signs_up_by_themselves(client):
    response = client.post("/accounts/signup/", {"email": "new@example.test", "password1": "correct-horse-battery"})

    assert "Ask for a card at the till" in response.content.decode()
    assert not is_signed_in(client)


def test_sign_out_needs_a_click(client):
    client.force_login(make_user())

    page = client.get("/accounts/logout/")
    still = is_signed_in(client)
    client.post("/accounts/logout/")

    assert "Sign out?" in page.content.decode()
    assert (still, is_signed_in(client)) == (True, False)
