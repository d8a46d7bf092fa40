"""A web worker whose parent was killed would go on serving beside its successors; it must end instead."""

from __future__ import annotations

import os
import signal
import threading
import time

LOOK_EVERY = 1.0
GRACE = 10.0


def end_with_parent() -> None:
    """Watch the parent from a thread, and end this process when it is gone."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
