"""The HTTP API over one persistent connection, which waits out a server that is down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

PATIENCE = 300.0  # Seconds that a dead server is waited for.
TIMEOUT = 60.0
AWAY = frozenset({408, 425, 502, 503, 504})
BUSY = 429
BROKEN = 500
BROKEN_CODE = "server-error-"
BROKEN_TRIES = 4  # A server that answers 500 may have met a passing fault, or this very request.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


class ServerAwayError(Exception):
    """The server did not answer for as long as it was waited for."""


class TurnedAwayError(Exception):
    """The server will not talk to this key, or is not the right one; the message says why."""


class StoppedError(Exception):
    """The load was stopped from elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON object that came with it."""

    status: int
    body: dict[str, Any]
    retry_after: float = 0.0

    @property
    def code(self) -> str:
        """The code of a refusal; a broken server's begins with ``BROKEN_CODE``, whatever it says."""
        return f"{BROKEN_CODE}{self.status}" if self.status >= BROKEN else str(self.body.get("code") or self.status)

    @property
    def detail(self) -> str:
        """A refusal in words."""
        return str(self.body.get("detail") or self.body.get("title") or "")


def pauses() -> Callable[[], float]:
    """Return a function that gives longer pauses each time, in seconds."""
    pause = SHORTEST_PAUSE / 2

    def following() -> float:
        nonlocal pause
        pause = min(pause * 2, LONGEST_PAUSE)
        return pause

    return following


class Client:
    """One connection. Every request is safe to repeat, so whatever breaks on the way is sent again."""

    def __init__(self, *, url: str, key: str, stop: Event, patience: float = PATIENCE) -> None:
        try:
            parts, port = urlsplit(url), urlsplit(url).port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TurnedAwayError(_("“%(url)s” is not an address like http://127.0.0.1:8000.") % {"url": url})
        if not (key.isascii() and key.isprintable()):
            raise TurnedAwayError(_("The key holds characters that no key has."))
        self.url = url
        self._base = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._stop = stop
        self._patience = patience
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, port, timeout=TIMEOUT)

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Return the answer to a request below /api/v1/.

        Raises ServerAwayError after waiting in vain, TurnedAwayError where repeating is no use.
        """
        payload = None if body is None else json.dumps(body).encode()
        give_up_at = time.monotonic() + self._patience
        pause = pauses()
        broken = 0
        while True:
            answer = self._once(method, path, payload)
            wait = pause()
            if answer is not None and answer.status == BUSY:
                wait = max(wait, answer.retry_after)
                give_up_at += wait  # It is there, only busy.
            elif answer is not None and answer.status not in AWAY:
                broken += answer.status >= BROKEN
                if answer.status < BROKEN or broken == BROKEN_TRIES:
                    return self._checked(answer)
            if time.monotonic() >= give_up_at:
                raise ServerAwayError(
                    _("%(url)s did not answer for %(minutes)s minutes.")
                    % {"url": self.url, "minutes": round(self._patience / 60)}
                )
            self.pause(wait)

    def pause(self, seconds: float) -> None:
        """Wait, unless the load is stopped meanwhile."""
        if self._stop.wait(seconds):
            raise StoppedError

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _once(self, method: str, path: str, payload: bytes | None) -> Answer | None:
        """Return the answer, or None where the connection broke."""
        if self._stop.is_set():
            raise StoppedError
        try:
            self._connection.request(method, f"{self._base}/api/v1/{path}", payload, self._headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException):
            self._connection.close()
            return None
        try:
            body = json.loads(text) if text else {}
        except ValueError:
            body = {}
        later = response.headers.get("Retry-After", "")
        return Answer(
            response.status,
            body if isinstance(body, dict) else {},
            retry_after=min(float(later), TIMEOUT) if later.isdecimal() else 0.0,
        )

    def _checked(self, answer: Answer) -> Answer:
        if answer.status in {401, 403}:
            raise TurnedAwayError(_("%(url)s refuses the key: %(why)s") % {"url": self.url, "why": answer.detail})
        if answer.status in {301, 302, 303, 307, 308}:
            raise TurnedAwayError(_("%(url)s sends elsewhere; give the address it sends to.") % {"url": self.url})
        return answer
