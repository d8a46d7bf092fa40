"""A real browser: Debian's Chromium, driven by Playwright, on the pages that the running house serves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    *["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once per session."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps an event loop in this thread.
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, "no Chromium on PATH; as root: apt-get install --yes chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, house: Any) -> Iterator[Callable[..., Page]]:
    """``open_page("/history/", user=user, size=DESK, dark=True)``: a page of a new window, signed in if given a user.

    The test fails at its end if any page wrote an error to the console, which is also where a breach of the
    content security policy shows.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        path: str, *, user: Any = None, size: dict[str, int] = PHONE, dark: bool = False, locale: str = "en-US"
    ) -> Page:
        context = browser.new_context(
            base_url=house.url,
            viewport=size,
            locale=locale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        if user is not None:
            sign_in(context, user=user, url=house.url)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def sign_in(context: BrowserContext, *, user: Any, url: str) -> None:
    """Give the window a session of this user, without going through the sign-in pages."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """``assert_accessible(page)``: axe finds no breach of WCAG 2.2 A and AA on the page as it stands."""
    axe = Axe()
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}

    def check(page: Page) -> None:
        found = axe.run(page, options=rules)
        assert found.response["violations"] == [], found.generate_report()

    return check
