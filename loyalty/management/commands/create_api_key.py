"""``create_api_key``: a key for a till or a web shop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from programs.keys import DEFAULT_SCOPES, SCOPES, BadStoreError, UnknownScopeError, create_key
from programs.models import Program
from programs.models.keys import HIGHEST_LIMIT


class Command(BaseCommand):
    """Print the secret alone; it is shown this once and cannot be read again."""

    help = _("Make a till key and print its secret, which is shown only this once.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", required=True, help=_("Short name of the program."))
        parser.add_argument("--name", required=True, help=_("Which till or shop uses it."))
        parser.add_argument(
            "--scopes",
            default=",".join(DEFAULT_SCOPES),
            help=_("What it may do, parted by commas: %(scopes)s. By default all but the last.")
            % {"scopes": ", ".join(SCOPES)},
        )
        parser.add_argument(
            "--stores", default="", help=_("Codes of the stores it may speak for, parted by commas. By default all.")
        )
        parser.add_argument(
            "--limit-per-minute", type=int, help=_("Calls a minute. By default API_LIMIT_PER_MINUTE of the settings.")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise CommandError(_("There is no program “%(slug)s”.") % {"slug": options["program"]})
        name = options["name"].strip()
        if not name or len(name) > 120:
            raise CommandError(_("A key needs a name of at most 120 characters."))
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        if not scopes:
            raise CommandError(_("A key without any scope could do nothing."))
        limit = options["limit_per_minute"]
        if limit is not None and not 0 < limit <= HIGHEST_LIMIT:
            raise CommandError(_("A limit is a number from 1 to %(most)d.") % {"most": HIGHEST_LIMIT})
        stores = [code.strip() for code in options["stores"].split(",") if code.strip()]
        try:
            _key, secret = create_key(
                program=program, name=name, scopes=scopes, stores=stores, limit_per_minute=limit, by=None
            )
        except BadStoreError as error:
            raise CommandError(
                _("These cannot be codes of stores: %(stores)s.") % {"stores": ", ".join(error.stores)}
            ) from error
        except UnknownScopeError as error:
            raise CommandError(
                _("Unknown scopes: %(unknown)s. There are: %(known)s.")
                % {"unknown": ", ".join(error.scopes), "known": ", ".join(SCOPES)}
            ) from error
        self.stdout.write(secret)
