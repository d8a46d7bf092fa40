"""Preferences: how long a caller waits, and the language it reads."""

from __future__ import annotations

import threading

import pytest

from loyalty.api import preferences
from loyalty.api.preferences import language_for, wait_asked, wait_until


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=7", 7),
        ("wait=10", 10),
        ("wait=9999", 10),
        ("wait=0", 0),
        ("Wait=3", 3),
        ("", None),
        ("wait=x", None),
        ("await=5", None),
        ("wait=-1", None),
    ],
)
def test_wait_is_read_from_the_header_and_bounded(header, seconds):
    assert wait_asked(header) == seconds


@pytest.mark.django_db
def test_waiting_ends_as_soon_as_it_is_settled():
    asked = iter([False, False, True])

    assert wait_until(lambda: next(asked), seconds=5) is True


@pytest.mark.django_db
def test_waiting_ends_when_the_time_is_up():
    assert wait_until(lambda: False, seconds=0.05) is False


@pytest.mark.django_db
def test_whoever_comes_beyond_the_places_is_answered_at_once(monkeypatch):
    monkeypatch.setattr(preferences, "_places", threading.BoundedSemaphore(1))
    preferences._places.acquire()
    asked = []

    assert wait_until(lambda: bool(asked.append(1)), seconds=5) is False
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("header", "fallbacks", "language"),
    [
        ("en-GB,en;q=0.8", ("de",), "en"),
        ("tlh", ("en",), "en"),
        ("", ("", "en"), "en"),
        ("*", (), "en"),
        ("x" * 600, ("nonsense!",), "en"),
    ],
)
def test_language_is_the_first_that_is_spoken(header, fallbacks, language):
    assert language_for(header, *fallbacks) == language
