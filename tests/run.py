"""Run the tests on both databases, with servers that live as long as the run.

``python tests/run.py [all|postgresql|sqlite] [arguments of pytest …]``
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.environment import free_port  # noqa: E402 -- the checkout is no installed package

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: list[str]) -> int:
    """Run the chosen rounds and return 0 only if each passed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that PostgreSQL is stopped on the way out.
    chosen, rest = "all", arguments
    if arguments and arguments[0] in ("all", "postgresql", "sqlite"):
        chosen, *rest = arguments
    failed = []
    if chosen in ("all", "postgresql"):
        with postgresql() as url:
            # ``serve`` is tried in directories of its own, with the embedded database: once is enough.
            without = [] if rest or chosen == "postgresql" else ["--ignore=tests/loyalty/serving"]
            failed += round_on("PostgreSQL", [*without, *rest], {"DATABASE_URL": url})
    if chosen in ("all", "sqlite"):
        # Pages are the same on both databases: browsers go through them once, unless asked for by name.
        without = [] if rest or chosen == "sqlite" else ["--ignore=tests/journeys"]
        failed += round_on("SQLite", [*without, *rest], {"DATABASE_URL": ""})
    if failed:
        print(f"Failed on {' and '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def round_on(name: str, arguments: list[str], environment: dict[str, str]) -> list[str]:
    """Run pytest once; return the name if it failed."""
    install("Chromium", "chromium", any(map(shutil.which, CHROMIUM)))
    print(f"== Tests on {name}", flush=True)
    together = [] if any(given.startswith("-n") for given in arguments) else ["-n", str(min(os.cpu_count() or 1, 4))]
    command = [sys.executable, "-m", "pytest", "-q", "--durations=8", *together, *arguments]
    unset = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    process = subprocess.Popen(command, cwd=ROOT, env={**unset, **environment})
    try:
        return [] if process.wait() == 0 else [name]
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


def install(what: str, package: str, is_there: bool) -> None:
    """Install Debian's package if the program is missing and we may; else name the one line and end."""
    if is_there:
        return
    command = f"apt-get update -qq && apt-get install --yes -qq --no-install-recommends {package}"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {what} ({package}) …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["sh", "-c", command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return
        print(done.stdout.decode(errors="replace")[-2000:], file=sys.stderr)
    sys.exit(f"The tests need {what}. Run this once, then again: sudo sh -c '{command}'")


def postgresql_programs() -> Path | None:
    """Return the directory of PostgreSQL's server programs: on PATH, else where Debian puts the newest."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("postgres"):
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgresql(*, is_durable: bool = False) -> Iterator[str]:
    """Run a PostgreSQL of our own on a free port of 127.0.0.1 and give its URL; it and its data go away at the end.

    Without ``is_durable`` it does not wait for the disk: in tests that would be most of the time.
    """
    install("PostgreSQL", "postgresql", postgresql_programs() is not None)
    programs = postgresql_programs()
    assert programs is not None
    directory = Path(tempfile.mkdtemp(prefix="loyalty-postgresql-"))
    other = someone_else() if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root.
    if other:
        os.chown(directory, other.pw_uid, other.pw_gid)
    as_other = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []} if other else {}
    data, port, log = directory / "data", free_port(), directory / "log"

    def call(program: str, *given: str) -> None:
        done = subprocess.run(
            [programs / program, *given], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **as_other
        )
        if done.returncode:
            said = log.read_text() if log.exists() else ""
            sys.exit(f"{program} failed:\n{done.stdout.decode(errors='replace')}{said}")

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c max_connections=200"
    if not is_durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    try:
        call("initdb", "-D", str(data), "-U", "loyalty", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        call("pg_ctl", "-D", str(data), "-o", options, "-l", str(log), "-w", "start")
        try:
            yield f"postgresql://loyalty@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def someone_else() -> pwd.struct_passwd:
    """Return a user who is not root: PostgreSQL's own if the machine has it, else nobody."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
