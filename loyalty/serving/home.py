"""The directory under which everything of one installation lies, by default ``var/``."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

LONGEST_SOCKET_PATH = 100
KEPT = ("PORT", "DATABASE_URL", "REDIS_URL")


class AlreadyRunningError(Exception):
    """Another ``make run`` works on the same directory."""


class PathTooLongError(Exception):
    """The operating system allows no socket under so long a path."""


@dataclass(frozen=True)
class Home:
    """One directory: settings, database, broker, logs, backups. Only its user may look into it."""

    directory: Path

    @property
    def settings_file(self) -> Path:
        """Settings that stay; an operator may add lines."""
        return self.directory / "settings.env"

    @property
    def run_file(self) -> Path:
        """What the last start was told, so that ``manage.py`` works on the same data."""
        return self.directory / "run.env"

    @property
    def logs(self) -> Path:
        return self.directory / "log"

    @property
    def broker(self) -> Path:
        return self.directory / "broker"

    @property
    def socket(self) -> Path:
        return self.directory / "valkey.sock"

    @property
    def backups(self) -> Path:
        return self.directory / "backups"

    def prepare(self, *, given: Mapping[str, str]) -> bool:
        """Make what is missing and return whether a settings file changed.

        Raises:
            PathTooLongError: the broker's socket would not fit.
        """
        if len(str(self.socket)) > LONGEST_SOCKET_PATH and not given.get("REDIS_URL"):
            raise PathTooLongError
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.logs, self.broker, self.backups, self.directory / "mail", self.directory / "static"):
            folder.mkdir(mode=0o700, exist_ok=True)
        is_changed = False
        if not self.settings_file.exists():
            write_privately(self.settings_file, f"EMBEDDED=1\nSECRET_KEY={secrets.token_urlsafe(48)}\n")
            is_changed = True
        told = "".join(f"{name}={given[name]}\n" for name in KEPT if given.get(name))
        if not self.run_file.exists() or self.run_file.read_text() != told:
            write_privately(self.run_file, told)
            is_changed = True
        return is_changed

    def lock(self) -> IO[str]:
        """Take the directory for this process, until the returned file is closed or the process ends.

        Raises:
            AlreadyRunningError: another process has it.
        """
        file = (self.directory / "serve.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise AlreadyRunningError from None
        return file

    def back_up(self, database: Path) -> Path:
        """Copy the SQLite database as it stands at this moment and return the copy."""
        copy = self.backups / f"{database.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite3"
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        copy.chmod(0o600)
        return copy


def write_privately(path: Path, text: str) -> None:
    """Write the file whole or not at all, readable by this user alone."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).chmod(0o600)
    Path(name).replace(path)
