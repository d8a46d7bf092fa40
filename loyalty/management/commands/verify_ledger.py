"""``manage.py verify_ledger``: prove the books."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.ledger.verify import verify
from programs.models import Program


class Command(BaseCommand):
    help = "Proves the ledger: zero sums, balances, lots, awards. Ends with a summary; exit status 1 on any fault."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", metavar="SLUG", help="only this program")

    def handle(self, *_args: Any, **options: Any) -> None:
        programs = Program.objects.order_by("slug")
        if slug := options["program"]:
            programs = programs.filter(slug=slug)
            if not programs:
                raise CommandError(f"There is no program “{slug}”.")
        report = verify(programs=list(programs))
        for fault in report.faults:
            self.stderr.write(fault)
        self.stdout.write(
            f"programs {len(programs)}, members {report.members}, transactions {report.transactions}, "
            f"entries {report.entries}, lots {report.lots}, faults {len(report.faults)}"
        )
        if report.faults:
            raise SystemExit(1)
