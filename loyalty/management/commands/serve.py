"""``manage.py serve``: everything on this machine, in the foreground. ``make run`` is this."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from loyalty.demo.loading import DemoLoad
from loyalty.demo.people import SignIn, prepare_demo
from loyalty.serving import leftovers, processes
from loyalty.serving.home import AlreadyRunningError, Home, PathTooLongError
from loyalty.serving.migrating import database_file, has_pending_migrations
from loyalty.serving.running import Running, StartFailedError
from loyalty.serving.statics import gather


class Command(BaseCommand):
    """Prepares the directory and the database, starts the processes and stays until told to end."""

    help = (
        "Serve site, workers, scheduler and broker from one directory until Ctrl-C. Environment: PORT (8000), VAR_DIR "
        "(var), DATABASE_URL and REDIS_URL (else an embedded database and broker), DEMO (1; 0 starts empty)."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 -- they are run below, once there is a secret key

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger().setLevel(logging.WARNING)  # The terminal is for people; the processes have logs.
        home = Home(settings.VAR_DIR.resolve())
        self._settle_settings(home)
        self.check()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            with home.lock():
                self._serve(home)
        except AlreadyRunningError:
            raise CommandError(
                _("%(directory)s is being served already. End that first, or choose another directory: VAR_DIR=other")
                % {"directory": home.directory}
            ) from None
        except KeyboardInterrupt:
            self.stdout.write(_("Ended."))

    def _settle_settings(self, home: Home) -> None:
        """Write the settings files; if they changed, begin again so that the settings are read anew."""
        given = {name: os.environ[name] for name in settings.GIVEN}
        try:
            is_changed = home.prepare(given=given)
        except PathTooLongError:
            raise CommandError(
                _("The path %(directory)s is too long for a socket. Choose a shorter one: VAR_DIR=/srv/loyalty")
                % {"directory": home.directory}
            ) from None
        if is_changed:
            arguments = [sys.executable, str(processes.BASE_DIR / "manage.py"), *sys.argv[1:]]
            os.execve(sys.executable, arguments, given)

    def _serve(self, home: Home) -> None:
        left = leftovers.end(home.directory)
        if left:
            self.stdout.write(_("Ended %(count)d processes that an earlier run had left behind.") % {"count": left})
        self._check_port()
        chosen = self._processes(home)
        self._prepare_database(home)
        sign_ins = prepare_demo(home.directory) if settings.DEMO else []
        connection.close()
        with Running(home, chosen) as running:
            try:
                running.wait_until_ready()
            except StartFailedError as failure:
                raise CommandError(
                    _("The site did not start. The logs under %(logs)s end with:\n%(said)s")
                    % {"logs": home.logs, "said": failure}
                ) from None
            self._greet(home, sign_ins)
            if settings.DEMO:
                self._load_demo(home)
            running.wait()
        raise CommandError(_("The supervisor has ended; %(logs)s says why.") % {"logs": home.logs})

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.PORT))
            except OSError:
                raise CommandError(
                    _("Port %(port)d is taken by another program. Choose another: PORT=%(other)d make run")
                    % {"port": settings.PORT, "other": settings.PORT + 1}
                ) from None

    def _processes(self, home: Home) -> list[processes.Process]:
        chosen = [
            processes.web(port=settings.PORT),
            processes.worker(),
            processes.sender(),
            processes.scheduler(directory=home.directory),
        ]
        if settings.REDIS_URL:
            return chosen
        try:
            return [processes.broker(directory=home.broker, socket=home.socket), *chosen]
        except processes.BrokerNotFoundError:
            raise CommandError(
                _(
                    "There is no broker: the Valkey that comes along does not run on this machine. Install Redis (on "
                    "Debian: apt-get install redis-server), or set REDIS_URL to a server."
                )
            ) from None

    def _prepare_database(self, home: Home) -> None:
        file = database_file()
        if file is not None and file.exists() and has_pending_migrations():
            self.stdout.write(_("Kept a copy of the database: %(copy)s") % {"copy": home.back_up(file)})
        self.stdout.write(_("Preparing the database and the static files …"))
        self.stdout.flush()
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        gather()

    def _greet(self, home: Home, sign_ins: list[SignIn]) -> None:
        self.stdout.write(_("Ready: %(address)s") % {"address": f"http://127.0.0.1:{settings.PORT}/"})
        for sign_in in sign_ins:
            self.stdout.write(f"{sign_in.role}\t{sign_in.address}\t{sign_in.email}\t{sign_in.password}")
        if not settings.DEMO:
            self.stdout.write(
                _("Your way in, in another window: %(command)s")
                % {"command": f"{os.path.relpath(sys.executable)} manage.py createsuperuser"}
            )
        self.stdout.write(_("Logs: %(logs)s. Ctrl-C ends everything.") % {"logs": home.logs})
        self.stdout.flush()

    def _load_demo(self, home: Home) -> None:
        load = DemoLoad(home.directory)
        if load.is_done():
            return
        self.stdout.write(_("Loading a year of real purchases through the API; the site is usable meanwhile."))
        self.stdout.flush()
        if load.run():
            self.stdout.write(_("The demonstration is complete."))
        else:
            self.stderr.write(_("The load has not come to its end; the next start goes on with it."))
        self.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
