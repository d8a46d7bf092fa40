"""Processes of an earlier run whose supervisor was killed: they would hold the port and the socket."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARK = "LOYALTY_RUNS_IN"
PROC = Path("/proc")


def find(directory: Path) -> list[int]:
    """Return the ids of living processes that a run in this directory has started; none where there is no /proc."""
    return [
        int(entry.name)
        for entry in (PROC.iterdir() if PROC.is_dir() else ())
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(entry, directory)
    ]


def end(directory: Path, *, patience: float = 15) -> int:
    """End them, politely first, and return how many there were."""
    ids = find(directory)
    _send(ids, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while ids and find(directory) and time.monotonic() < deadline:
        time.sleep(0.1)
    _send(find(directory), signal.SIGKILL)
    return len(ids)


def _belongs(entry: Path, directory: Path) -> bool:
    try:
        if f"{MARK}={directory}".encode() in (entry / "environ").read_bytes().split(b"\0"):
            return True
        # The broker writes its title over its environment; it is known by its name and by where it works.
        is_broker = (entry / "comm").read_text().startswith(("valkey-server", "redis-server"))
        return is_broker and (entry / "cwd").readlink() == directory / "broker"
    except OSError:  # Gone meanwhile, or another user's.
        return False


def _send(ids: list[int], what: signal.Signals) -> None:
    for pid in ids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue
