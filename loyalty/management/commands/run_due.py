"""``manage.py run_due``: do all that falls due up to a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.purchases import accrual
from programs.engine.dates import start_of
from programs.models import Program


class Command(BaseCommand):
    help = "Does all that falls due for every member up to a moment, and moves a sandbox's clock there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", metavar="SLUG", required=True)
        parser.add_argument(
            "--as-of",
            metavar="ISO",
            required=True,
            help="a moment with offset, or a date: its start in the program's zone",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise CommandError(f"There is no program “{options['program']}”.")
        moment = parsed_moment(options["as_of"], program)
        if program.clock is None and moment > datetime.now(UTC):
            raise CommandError(f"{moment.isoformat()} lies in the future, and “{program.slug}” goes by the real clock.")
        done = accrual.run_due(program=program, as_of=moment)
        self.stdout.write(f"members {done.members}, postings {done.postings}, tier changes {done.tier_changes}")
        if done.failed:
            raise CommandError(f"{done.failed} member(s) could not be brought up to date: the log says why.")


def parsed_moment(given: str, program: Program) -> datetime:
    """Return the moment that an argument names. Raises CommandError with the cure."""
    try:
        if len(given) == len("2026-01-31"):
            return start_of(date.fromisoformat(given), program.zone)
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise CommandError(f"“{given}” is not a moment: write 2026-01-31 or 2026-01-31T09:00:00+01:00.") from None
    if moment.tzinfo is None:
        raise CommandError(f"“{given}” has no offset: write {given}+00:00, or Z for UTC.")
    return moment.astimezone(UTC)
