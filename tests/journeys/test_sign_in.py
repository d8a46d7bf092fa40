"""Signing in as people do it, in a browser, with and without script."""

import re

import pytest

from tests.factories import make_member, make_shop, make_user


@pytest.fixture
def member(house):
    program = make_shop()
    return make_member(
        program=program, user=make_user(email="elena@example.test", password="correct-horse-battery"), external_id="e"
    )


def ask_for_code(page, email):
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Mail me a code").click()
    page.wait_for_url(re.compile("/confirm/"))


def read_code(page):
    """Follow the link to the mails of this machine, read the newest code and come back."""
    page.get_by_role("link", name="Read the code here").click()
    text = page.locator(".mail pre").first.inner_text()
    page.go_back()
    return re.search(r"^(\d{6})$", text, re.MULTILINE).group(1)


def test_customer_signs_in_by_the_mailed_code(open_page, assert_accessible, member):
    page = open_page("/")
    assert_accessible(page)

    ask_for_code(page, "elena@example.test")
    assert_accessible(page)
    code = read_code(page)
    page.get_by_label("6-digit code").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url(re.compile(r"//[^/]+/$"))
    assert page.get_by_role("link", name="Enlarge").is_visible()


def test_wrong_code_is_said_beside_the_field(open_page, assert_accessible, member):
    page = open_page("/accounts/login/code/")
    ask_for_code(page, "elena@example.test")
    code = read_code(page)

    page.get_by_label("6-digit code").fill(f"{(int(code) + 1) % 1_000_000:06}")
    page.get_by_role("button", name="Sign in").click()

    assert page.locator(".field-wrong .fault").inner_text() == "Incorrect code."
    assert_accessible(page)


def test_unknown_address_reads_the_same_page(open_page, member):
    page = open_page("/accounts/login/code/")

    ask_for_code(page, "somebody.else@example.test")

    assert "If somebody.else@example.test can sign in here, a code is on its way." in page.locator("main").inner_text()


def test_customer_signs_in_by_password(open_page, assert_accessible, member):
    page = open_page("/accounts/login/code/", dark=True)
    page.get_by_role("link", name="Use a password").click()
    assert_accessible(page)

    page.get_by_label("E-mail").fill("elena@example.test")
    page.get_by_label("Password").fill("correct-horse-battery")
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url(re.compile(r"//[^/]+/$"))
    assert page.get_by_role("link", name="Enlarge").is_visible()


def test_customer_signs_in_and_out_without_script(browser, house, member):
    context = browser.new_context(base_url=house.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")

    ask_for_code(page, "elena@example.test")
    code = read_code(page)
    page.get_by_label("6-digit code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="You", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()

    page.wait_for_url("**/accounts/login/code/")
    context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_pages_beside_sign_in_are_accessible(open_page, assert_accessible, member, dark):
    page = open_page("/accounts/login/", dark=dark)

    for path in ("/accounts/login/", "/accounts/password/reset/", "/accounts/signup/", "/dev/mail/"):
        page.goto(path)
        assert_accessible(page)
