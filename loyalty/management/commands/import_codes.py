"""``manage.py import_codes``: fill a pool of voucher codes from a file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from loyalty.management.moving import MovingCommand
from loyalty.moving.models import Moving


class Command(MovingCommand):
    """Puts voucher codes into a pool."""

    help = """\
Puts the voucher codes of a CSV or XLSX file (columns code, value, expires_on) into a pool of a program. Bad rows are
named on standard error with their row and column; the exit status is 0 only if every row is good. A code that is in
the pool already stays as it is.
"""
    kind = Moving.Kind.CODES

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--pool", required=True, metavar="POOL")

    def handle(self, **options: Any) -> None:
        self.run(options, pool=options["pool"])
