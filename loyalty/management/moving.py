"""What the commands that move a file in have in common."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from loyalty.moving import actions
from loyalty.moving.faults import Fault, UnreadableFileError
from loyalty.moving.models import Moving
from programs.models import Program

NO_LIMIT = float("inf")


class MovingCommand(BaseCommand):
    """Checks a file, moves its good rows in, and names the bad ones."""

    kind: str

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="A .csv or .xlsx file.")
        parser.add_argument("--program", required=True, metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen; nothing is written.")

    def run(self, options: dict[str, Any], **given: Any) -> None:
        """Go through the file. Raises CommandError unless every row is good."""
        moving = self._taken(options, **given)
        self._go_through(moving)
        if moving.status == Moving.Status.UNREADABLE:
            self._name(moving)
            raise CommandError(_("Nothing was moved in: the file cannot be read."))
        if options["dry_run"]:
            self._report(moving)
            actions.discard(moving=moving, by=None)
        else:
            actions.confirm(moving=moving, by=None)
            self._go_through(moving)
            self._report(moving)
        if bad := moving.counts.get("bad", 0):
            raise CommandError(_("%(count)s row(s) are bad; what is above says why.") % {"count": bad})

    def _taken(self, options: dict[str, Any], **given: Any) -> Moving:
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise CommandError(_("There is no program “%(slug)s”.") % {"slug": options["program"]})
        file: Path = options["file"]
        try:
            body = file.read_bytes()
            return actions.take_file(program=program, kind=self.kind, body=body, file_name=file.name, by=None, **given)
        except OSError as error:
            raise CommandError(_("%(file)s: %(why)s") % {"file": file, "why": error.strerror}) from None
        except UnreadableFileError as error:
            raise CommandError(" ".join(one.text for one in error.faults)) from None
        except actions.NoTermsError:
            raise CommandError(
                _("“%(slug)s” has no terms in force yet: publish them.") % {"slug": program.slug}
            ) from None
        except actions.NotAPoolError:
            raise CommandError(_("A pool is named by small letters, digits, hyphens and underscores.")) from None

    def _go_through(self, moving: Moving) -> None:
        try:
            actions.go_on(moving_id=moving.pk, seconds=NO_LIMIT, tell=self._tell)
        except KeyboardInterrupt:
            raise CommandError(_("Stopped. A repeat changes nothing that is there."), returncode=130) from None
        moving.refresh_from_db()

    def _tell(self, moving: Moving) -> None:
        if self.stderr.isatty():
            self.stderr.write(_("%(place)s rows") % {"place": moving.place}, ending="\r")

    def _report(self, moving: Moving) -> None:
        """Name the bad rows, then count."""
        self._name(moving)
        for kind in actions.KINDS:
            self.stdout.write(f"{kind} {moving.counts.get(kind, 0)}")

    def _name(self, moving: Moving) -> None:
        for one in moving.faults.order_by("row", "id").iterator():
            place = _("row %(row)s") % {"row": one.row} if one.row else _("file")
            column = _(", column %(column)s") % {"column": one.column} if one.column else ""
            value = f" “{one.value}”" if one.value else ""
            text = Fault(one.row, one.column, one.value, one.code, one.more).text
            self.stderr.write(f"{place}{column}{value}: {text}")
