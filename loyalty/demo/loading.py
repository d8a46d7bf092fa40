"""The real year of purchases, through the API of the running server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

from loyalty.demo.people import PROGRAM, link_customer
from loyalty.serving.leftovers import MARK
from loyalty.serving.processes import BASE_DIR
from programs.models import Program

SAMPLE = BASE_DIR / "data" / "complete_journey_sample.csv.gz"


class DemoLoad:
    """One load; a file beside the database's remembers that it came to its end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.finished = directory / "demo-loaded"

    def is_done(self) -> bool:
        """Return whether this database has all of it."""
        return self.finished.exists() and self.finished.read_text() == self._program_id()

    def run(self) -> bool:
        """Run ``replay`` with its progress bar, and link the customer's sign-in as soon as the member is enrolled.

        Returns whether the load came to its end.
        """
        command = [sys.executable, str(BASE_DIR / "manage.py"), "replay", str(SAMPLE)]
        loader = subprocess.Popen(
            [*command, "--program", PROGRAM, "--shift-to-now"],
            env={**os.environ, MARK: str(self.directory), "LOG_LEVEL": "WARNING"},
            start_new_session=True,  # Ctrl-C is ``serve``'s to hear; it then ends the loader.
        )
        try:
            is_linked = False
            while loader.poll() is None:
                is_linked = is_linked or link_customer()
                connection.close()
                self._pause(loader)
        finally:
            if loader.poll() is None:
                loader.terminate()
        if loader.returncode != 0:
            return False
        link_customer()
        self.finished.write_text(self._program_id())
        connection.close()
        return True

    def _pause(self, loader: subprocess.Popen[bytes]) -> None:
        try:
            loader.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return

    def _program_id(self) -> str:
        return str(Program.objects.values_list("pk", flat=True).get(slug=PROGRAM))
