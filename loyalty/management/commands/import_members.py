"""``manage.py import_members``: move members in from a file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from loyalty.management.moving import MovingCommand
from loyalty.moving.models import Moving


class Command(MovingCommand):
    """Moves members, their opening balances and their tiers in."""

    help = """\
Moves members, opening balances and tiers of a CSV or XLSX file into a program. Bad rows are named on standard error
with their row and column, the good ones are moved in; the exit status is 0 only if every row is good. Repeating
changes nothing. docs/moving-in.md says what each column means.
"""
    kind = Moving.Kind.MEMBERS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--reward-joining", action="store_true", help="New members get what the terms give for joining."
        )

    def handle(self, **options: Any) -> None:
        self.run(options, is_joining_rewarded=options["reward_joining"])
