"""A lock per program, so that a return and its purchase, posted at the same moment, cannot miss each other."""

from __future__ import annotations

from django.db import connection

from programs.models import Program

INTAKE = 0x1E7A  # Names this use among advisory locks.


def share_intake(program: Program) -> None:
    """Hold the program's intake together with others until the end of the transaction: who writes purchases."""
    _lock("pg_advisory_xact_lock_shared", program)


def hold_intake(program: Program) -> None:
    """Wait until purchases on their way are committed, and keep new ones back until the end of the transaction."""
    _lock("pg_advisory_xact_lock", program)


def _lock(function: str, program: Program) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite lets one writer in at a time.
    number = int.from_bytes(program.pk.bytes[-4:], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s::int, %s::int)", [INTAKE, number])
