"""``load_preset``: a whole program from data that ships with the product."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from programs import presets
from programs.presets.loading import CannotLoadError, load


class Command(BaseCommand):
    """Print the program's short name alone; everything else goes to standard error."""

    help = _(
        "Make a business and its program from a preset. Repeating changes nothing, or publishes changed terms "
        "as a next version and says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help=_("One of: %(names)s") % {"names": ", ".join(presets.names())})
        parser.add_argument("--slug", help=_("Short name of business and program; by default the preset's name."))
        parser.add_argument(
            "--clock",
            type=moment,
            help=_(
                "Make a sandbox whose own time stands at this ISO moment; without an offset it is the program's zone's."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            preset = presets.get(options["name"])
        except presets.UnknownPresetError as error:
            raise CommandError(
                _("There is no preset “%(name)s”. There are: %(names)s.")
                % {"name": options["name"], "names": ", ".join(presets.names())}
            ) from error
        clock: datetime | None = options["clock"]
        if clock is not None and clock.tzinfo is None:
            clock = clock.replace(tzinfo=ZoneInfo(preset.timezone))
        try:
            loaded = load(preset=preset, slug=options["slug"] or preset.name, clock=clock, by=None)
        except CannotLoadError as error:
            raise CommandError(str(error)) from error
        if loaded.published is not None and not loaded.is_new:
            self.stderr.write(
                _("The preset has changed: version %(number)d is published, in force from %(moment)s.")
                % {
                    "number": loaded.published.number,
                    "moment": f"{loaded.published.in_force_from:%Y-%m-%dT%H:%M:%S%z}",
                }
            )
        self.stdout.write(loaded.program.slug)


def moment(given: str) -> datetime:
    """Return the ISO 8601 date or moment, with its offset if it has one."""
    try:
        return datetime.fromisoformat(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(_("“%(given)s” is not an ISO 8601 moment.") % {"given": given}) from error
