"""Real short runs of ``manage.py serve``, as ``make run`` starts it, in directories of their own."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from loyalty.serving import leftovers
from tests.environment import free_port
from tests.servers import wait_until

ROOT = Path(__file__).resolve().parents[3]


class Run:
    """One ``serve``, with what it printed."""

    def __init__(self, directory, port, **environment):
        self.directory, self.port = directory, port
        self.output = directory.parent / f"{directory.name}-{port}.out"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        given = {"VAR_DIR": str(directory), "PORT": str(port), "DEMO": "0", **environment}
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "serve"],
                cwd=ROOT,
                env={**kept, **given},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def said(self):
        return self.output.read_text()

    def until_ready(self):
        wait_until(lambda: "Ready:" in self.said or self.process.poll() is not None, seconds=90, what="serve")
        assert "Ready:" in self.said, self.said
        return self

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)

    def pid_of(self, name):
        return int(self.control("pid", name))

    def control(self, *words):
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisorctl", "-c"]
        done = subprocess.run(
            [*command, str(self.directory / "supervisord.conf"), *words], capture_output=True, text=True, timeout=20
        )
        return done.stdout.strip()

    def status(self, path="/readyz"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except OSError:
            return None


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("home") / "var"


@pytest.fixture(scope="module")
def run(directory):
    running = Run(directory, free_port()).until_ready()
    yield running
    running.end()
    leftovers.end(directory, patience=1)


def test_start_without_demonstration_prints_address_and_way_in(run):
    assert re.sub(r"(Logs: ).*", r"\1…", run.said).splitlines() == [
        "Preparing the database and the static files …",
        f"Ready: http://127.0.0.1:{run.port}/",
        f"Your way in, in another window: {os.path.relpath(sys.executable, ROOT)} manage.py createsuperuser",
        "Logs: …",
    ]


def test_secrets_of_the_directory_are_closed_to_others(run, directory):
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "settings.env").stat().st_mode & 0o777 == 0o600
    assert (directory / "valkey.sock").stat().st_mode & 0o777 == 0o700


def test_second_start_in_the_same_directory_says_it_is_served_already(run, directory):
    second = Run(directory, free_port())

    assert second.process.wait(timeout=30) == 1
    assert second.said.startswith(f"CommandError: {directory} is being served already.")


def test_start_on_a_taken_port_says_so(run, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = Run(tmp_path / "var", port)

        assert refused.process.wait(timeout=30) == 1
    assert refused.said == (
        f"CommandError: Port {port} is taken by another program. Choose another: PORT={port + 1} make run\n"
    )


@pytest.mark.parametrize("name", ["web", "worker", "sender", "broker", "scheduler"])
def test_killed_process_is_started_again(run, name):
    before = run.pid_of(name)

    os.kill(before, signal.SIGKILL)

    wait_until(lambda: run.pid_of(name) not in (0, before), what=f"another {name}")
    wait_until(lambda: run.status() == 200, what="ready again")


def test_workers_of_a_killed_web_server_end(run, directory):
    before = run.pid_of("web")
    children = [pid for pid in leftovers.find(directory) if parent_of(pid) == before]
    assert children

    os.kill(before, signal.SIGKILL)

    wait_until(lambda: not set(children) & set(leftovers.find(directory)), what="its workers to end")
    wait_until(lambda: run.status() == 200, what="ready again")


def test_term_ends_everything_and_the_next_start_ends_what_a_killed_one_left(run, directory):
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait(timeout=10)
    assert leftovers.find(directory)

    again = Run(directory, run.port).until_ready()
    assert re.match(r"Ended \d+ processes that an earlier run had left behind\.", again.said)

    assert again.end() == 0
    assert leftovers.find(directory) == []
    assert again.status() is None


def test_killed_supervisor_leaves_nothing_behind(run, directory):
    run.end()
    again = Run(directory, run.port).until_ready()

    os.kill(int((directory / "supervisord.pid").read_text()), signal.SIGKILL)

    assert again.process.wait(timeout=60) == 1
    assert again.said.splitlines()[-1] == f"CommandError: The supervisor has ended; {directory}/log says why."
    assert leftovers.find(directory) == []
    assert not (directory / "valkey.sock").exists()  # The broker takes its socket away when it ends politely.


def test_older_database_is_copied_before_it_is_migrated(run, directory):
    run.end()
    leftovers.end(directory)
    with sqlite3.connect(directory / "loyalty.sqlite3") as database:
        database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        database.execute("DROP TABLE django_session")

    again = Run(directory, run.port).until_ready()
    again.end()

    copies = list((directory / "backups").iterdir())
    assert [f"Kept a copy of the database: {copy}" for copy in copies] == again.said.splitlines()[:1]


def parent_of(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])
