"""``manage.py replay``: load a history of purchases through the HTTP API."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from loyalty.replaying.client import ServerAwayError, TurnedAwayError
from loyalty.replaying.loading import Target, load
from loyalty.replaying.progress import Progress
from loyalty.replaying.reading import Purchase, Reading, UnreadableFileError, read
from loyalty.replaying.shifting import shift_of_earlier_load, shift_to
from loyalty.replaying.tally import Tally
from programs.keys import create_key, digest_of, revoke_key
from programs.models import ApiKey, Program

SCOPES = ("members:read", "members:write", "purchases:read", "purchases:write")

DESCRIPTION = """\
Posts the purchases of a CSV file (.csv or .csv.gz) through the HTTP API of a running server, many at a time, and waits
until each is accrued or failed. Repeating changes nothing: what is there is recognised.

Columns: external_id, member, occurred_at, total, currency, store, sku, category, brand, quantity, amount.
Rows of one external_id are the lines of one purchase. member is a number in your system; empty is a guest. An empty
total is the sum of the lines, an empty currency is the program's. The columns of The Complete Journey are read as well.
"""


class Command(BaseCommand):
    """Posts a file and says what became of it."""

    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--program", required=True, metavar="SLUG")
        parser.add_argument("--url", help="The server. Default: this machine's, on PORT.")
        parser.add_argument("--key", help="A till key. Default: makes one, and revokes it at the end.")
        parser.add_argument(
            "--limit",
            type=_positive,
            metavar="N",
            help="Only the first N by time. Members then live on to the present: what follows comes late.",
        )
        parser.add_argument("--connections", type=_positive, default=6, metavar="N", help="How many at once (6).")
        moved = parser.add_mutually_exclusive_group()
        moved.add_argument(
            "--shift-to-now",
            action="store_true",
            help="Move all by whole days so that the last purchase falls on yesterday; repeats keep the first load's.",
        )
        moved.add_argument("--shift-days", type=int, default=0, metavar="N", help="Move all by N days of 24 hours.")

    def handle(self, **options: Any) -> None:
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise CommandError(_("There is no program “%(slug)s”.") % {"slug": options["program"]})
        try:
            reading = read(options["file"], currency=program.currency)
        except UnreadableFileError as error:
            raise CommandError(_("%(file)s: %(why)s") % {"file": options["file"], "why": error}) from None
        with stops_on_term(), key_for(program, options["key"]) as key:
            url = options["url"] or f"http://127.0.0.1:{settings.PORT}"
            target = Target(url=url, key=key, connections=options["connections"])
            tally = self._load(program, reading, target, options)
        if not tally.is_clean:
            raise CommandError(_("Not everything was accrued; what is above says why."))

    def _load(self, program: Program, reading: Reading, target: Target, options: dict[str, Any]) -> Tally:
        purchases = reading.purchases[: options["limit"]]
        tally = Tally(total=len(purchases), refusals=reading.refusals)
        progress = Progress(stream=self.stderr)
        try:
            if options["shift_to_now"]:
                shift = to_now(reading.purchases, target=target, program=program)
            else:
                shift = timedelta(days=options["shift_days"])
            load(
                Reading(purchases=purchases, refusals=reading.refusals),
                target=target,
                shift=shift,
                present=None if program.clock else datetime.now(UTC),
                tally=tally,
                tell=progress.tell,
            )
        except (ServerAwayError, TurnedAwayError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError(_("Stopped. A repeat goes on from here."), returncode=130) from None
        except OverflowError:
            raise CommandError(_("A purchase would fall outside the calendar.")) from None
        finally:
            progress.tell(tally, last=True)
            self._report(tally)
        return tally

    def _report(self, tally: Tally) -> None:
        """Name what was refused, and count."""
        for refusal in sorted(tally.refusals, key=lambda refusal: refusal.row):
            self.stderr.write(
                _("row %(row)s, purchase %(id)s: %(code)s: %(detail)s")
                % {"row": refusal.row, "id": refusal.external_id or "–", "code": refusal.code, "detail": refusal.detail}
            )
        for status, count in tally.counts():
            self.stdout.write(f"{status} {count}")


def to_now(purchases: list[Purchase], *, target: Target, program: Program) -> timedelta:
    """Return the shift of an earlier load, else the one that moves the last purchase to yesterday."""
    earlier = shift_of_earlier_load(purchases, client=target.client())
    if earlier is not None or not purchases:
        return earlier or timedelta(0)
    yesterday = program.now().astimezone(program.zone).date() - timedelta(days=1)
    return shift_to(yesterday, last=purchases[-1].occurred_at, zone=program.zone)


@contextmanager
def key_for(program: Program, given: str | None) -> Iterator[str]:
    """Give the key to use; without a given one, one of its own that ends with the load."""
    if given:
        check_key(program, given)
        yield given
        return
    key, secret = create_key(program=program, name=_("Load of purchases"), scopes=SCOPES, by=None)
    try:
        yield secret
    finally:
        revoke_key(key=key, by=None)


def check_key(program: Program, given: str) -> None:
    """Raise CommandError if the key opens another program here; the keys of a server elsewhere are not known here."""
    known = ApiKey.objects.filter(digest=digest_of(given)).select_related("program").first()
    if known is not None and known.program_id != program.pk:
        raise CommandError(
            _("The key opens “%(other)s”, not “%(slug)s”.") % {"other": known.program.slug, "slug": program.slug}
        )


@contextmanager
def stops_on_term() -> Iterator[None]:
    """Make TERM end the load as Ctrl-C does, so that its key and the backfill end too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(_("%(number)s is not positive") % {"number": number})
    return number
