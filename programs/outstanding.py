"""What a program still promises, as the rooms that keep it say: asked before a program is paused or closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from programs.models import Program
from programs.signals import outstanding_asked


@dataclass(frozen=True, slots=True)
class Outstanding:
    """One line: what it is, how much of it, and in words what becomes of it; ``worth`` in money where it is known."""

    what: str
    amount: str
    worth: str = ""


def outstanding_of(program: Program) -> list[Outstanding]:
    """Return all that is still promised, room by room."""
    answers: list[tuple[Any, Any]] = outstanding_asked.send(sender=Program, program=program)
    return [line for _receiver, lines in answers for line in lines]
