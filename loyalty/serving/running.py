"""The running processes, from start to end: nothing of them outlives the block."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from django.conf import settings

from loyalty.serving import leftovers
from loyalty.serving.home import Home
from loyalty.serving.processes import Process
from loyalty.serving.supervision import start

PATIENCE = 90
LOG_TAIL = 1500


class StartFailedError(Exception):
    """The site did not become ready; the text is the end of the logs."""


class Running:
    """A context in which the processes run."""

    def __init__(self, home: Home, processes: Iterable[Process]) -> None:
        self.home = home
        self.processes = list(processes)

    def __enter__(self) -> Self:
        self.supervisor = start(self.home, self.processes, environment=os.environ)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # The end is under way; a second Ctrl-C must not leave orphans.
        if self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
        leftovers.end(self.home.directory, patience=5)

    def wait_until_ready(self) -> None:
        """Return when ``/readyz`` says so.

        Raises:
            StartFailedError: not within the patience, or the supervisor ended.
        """
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if time.monotonic() > deadline or self.supervisor.poll() is not None:
                raise StartFailedError(self._last_words())
            time.sleep(0.2)

    def wait(self) -> None:
        """Return when the supervisor has ended."""
        self.supervisor.wait()

    def _is_ready(self) -> bool:
        host = settings.ALLOWED_HOSTS[0].lstrip(".*") or "127.0.0.1"
        request = urllib.request.Request(f"http://127.0.0.1:{settings.PORT}/readyz", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    def _last_words(self) -> str:
        words = []
        for log in sorted(self.home.logs.glob("*.log")):
            text = log.read_text(errors="replace")[-LOG_TAIL:].strip()
            if text:
                words.append(f"{log.name}: {text}")
        return "\n".join(words)
