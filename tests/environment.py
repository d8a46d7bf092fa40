"""The environment every test runs in, set before Django reads it: a directory of its own, and servers of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from functools import cache
from pathlib import Path

from django.conf import settings


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@cache
def prepare() -> Path:
    """Point the settings at a directory that goes away with this process, and return it.

    Without DATABASE_URL the database is a SQLite file there and the broker listens on a socket; with it the broker
    listens on a port, so that both ways of saying where it is are tried.
    """
    assert not settings.configured, "the settings were read before the environment was prepared"
    directory = Path(tempfile.mkdtemp(prefix="loyalty-tests-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    (directory / "static").mkdir()
    os.environ.update(
        DJANGO_SETTINGS_MODULE="loyalty.settings",
        VAR_DIR=str(directory),
        EMBEDDED="1",
        DEBUG="0",
        SECRET_KEY="only-for-tests-5b1d0c7e94a34f6b8e2f1a6c3d9b7e50",
        PORT=str(free_port()),
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0" if os.environ.get("DATABASE_URL") else "",
    )
    for name in ("EMAIL_URL", "ALLOWED_HOSTS", "WEB_PROCESS", "DEMO", "HTTPS"):
        os.environ.pop(name, None)
    return directory


def forget_settings_module() -> None:
    """Take the name of the settings back out of the environment.

    The processes of pytest-xdist inherit it. pytest-django would read the settings there before ``prepare`` is called,
    and they would share the ports and the directory of the process that started them.
    """
    del os.environ["DJANGO_SETTINGS_MODULE"]
