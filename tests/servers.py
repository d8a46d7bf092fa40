"""Real servers for tests: the broker, the web server, the worker and the scheduler as ``make run`` starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection

from loyalty.serving import processes


def wait_until(condition: Callable[[], object], *, seconds: float = 20, what: str = "it") -> Any:
    """Poll until the condition is true and return what it returned; fail the test after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


@dataclass(frozen=True)
class Answer:
    """What the web server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Servers:
    """The processes of one test session, on the test database; each can be killed and started again."""

    directory: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    orphans: set[bytes] = field(default_factory=set)  # Messages whose taker was killed, or cut off, before answering.

    @property
    def port(self) -> int:
        return int(settings.PORT)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the processes: this one's, on the test database."""
        return {**os.environ, "DATABASE_URL": self.database_url}

    @property
    def database_url(self) -> str:
        name = connection.settings_dict["NAME"]
        if connection.vendor == "sqlite":
            return f"sqlite:///{name}"
        return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()

    @property
    def redis(self) -> redis.Redis:
        """A client of the broker's database."""
        return redis.Redis.from_url(settings.REDIS_URL or f"unix://{settings.VALKEY_SOCKET}?db=0", socket_timeout=5)

    def start(self, *names: str) -> None:
        """Start those of the processes that do not run, and return when they do their work."""
        started = [name for name in names if not self.is_running(name)]
        for name in self.paused & set(names) - set(started):
            self._signal(name, signal.SIGCONT)
        self.paused -= set(names)
        for name in started:
            if name == "worker":
                self.orphans |= self._taken()
            self._spawn(name)
            if name == "broker":
                wait_until(self._answers, what=f"the broker; {self.log('broker')[-800:]}")
                self.orphans |= self._taken()
        for name in started:
            ready = {"web": self._serves, "worker": self._consumes}.get(name)
            if ready:
                wait_until(
                    lambda ready=ready, name=name: ready() or self._died(name),
                    seconds=40,
                    what=f"{name}; {self.log(name)[-800:]}",
                )

    def stop(self, *names: str) -> None:
        """End the processes politely."""
        self._end(names, signal.SIGTERM)

    def kill(self, *names: str) -> None:
        """Take the processes away as ``kill -9`` does, with all their children."""
        self._end(names, signal.SIGKILL)

    def pause(self, *names: str) -> None:
        """Let processes stand still until they are started again: what other tests nudge is not theirs to do."""
        for name in names:
            if self.is_running(name):
                self._signal(name, signal.SIGSTOP)
                self.paused.add(name)

    def is_running(self, name: str) -> bool:
        return name in self.running and self.running[name].poll() is None

    def log(self, name: str) -> str:
        """Return what the process has said so far."""
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def request(
        self, method: str, path: str, *, key: str = "", body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request with a till key and a JSON body; an error status is an answer like any other."""
        sent = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
        if key:
            sent["Authorization"] = f"Bearer {key}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def settle(self) -> None:
        """Wait until the worker has nothing left, then empty the queue and the cache."""
        if not self.is_running("broker"):
            return
        client = self.redis
        if self.is_running("worker") and "worker" not in self.paused:
            wait_until(lambda: not client.llen("celery") and not self._taken(), what="the worker to be idle")
        self._forget(client)
        if not settings.REDIS_URL:
            self._forget(redis.Redis.from_url(f"unix://{settings.VALKEY_SOCKET}?db=2"))

    def _taken(self) -> set[bytes]:
        """Return the messages that a worker has taken and not yet answered."""
        return set(self.redis.hkeys("unacked")) - self.orphans

    def _forget(self, client: redis.Redis) -> None:
        # Celery's bindings stay: the running processes believe that they have declared them.
        kept = (b"_kombu.binding",)
        keys = [name for name in client.scan_iter() if not name.startswith(kept)]
        if keys:
            client.delete(*keys)

    def _spawn(self, name: str) -> None:
        process = self._process(name)
        with (self.directory / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                process.command,
                cwd=processes.BASE_DIR,
                env={**self.environment, **process.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _process(self, name: str) -> processes.Process:
        if name == "broker":
            url = urlsplit(settings.REDIS_URL)
            where = {"port": url.port} if settings.REDIS_URL else {"socket": settings.VALKEY_SOCKET}
            return processes.broker(directory=self.directory, **where)
        if name == "web":
            return processes.web(port=self.port, workers=1, threads=8)
        if name == "worker":
            return processes.worker(concurrency=1)
        if name == "sender":
            return processes.sender()
        return processes.scheduler(directory=self.directory)

    def _signal(self, name: str, what: signal.Signals) -> None:
        os.killpg(self.running[name].pid, what)

    def _end(self, names: tuple[str, ...], how: signal.Signals) -> None:
        for name in names:
            if name in self.running:
                if name in self.paused and self.is_running(name):
                    self._signal(name, signal.SIGCONT)
                self.paused.discard(name)
                process = self.running.pop(name)
                if process.poll() is None:
                    os.killpg(process.pid, how)
                    try:
                        process.wait(timeout=15)
                    except subprocess.TimeoutExpired:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait(timeout=5)

    def _answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.RedisError:
            return False

    def _serves(self) -> bool:
        try:
            return self.request("GET", "/healthz").status < 500
        except OSError:
            return False

    def _consumes(self) -> bool:
        return any(client["cmd"] == "brpop" for client in self.redis.client_list())

    def _died(self, name: str) -> bool:
        if self.is_running(name):
            return False
        raise AssertionError(f"{name} ended by itself: {self.log(name)[-3000:]}")
