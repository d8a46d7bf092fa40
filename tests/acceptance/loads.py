"""Loads of the real sample for tests: a part of the file, the command, and what the members must have after it."""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db.models import Sum

from loyalty.purchases.models import Activity, Award
from programs.keys import create_key
from programs.models import Membership, Program
from tests.acceptance import expected
from tests.servers import Servers, wait_until

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "complete_journey_sample.csv.gz"
ALL_HOUSEHOLDS = 240
LOAD_SECONDS = 900


def part_of_sample(directory: Path, *, households: int, name: str = "part.csv.gz") -> Path:
    """Return a file with every n-th household of the sample, or the sample itself for all of them."""
    if households == ALL_HOUSEHOLDS:
        return SAMPLE
    with gzip.open(SAMPLE, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    ids = sorted({row["household_id"] for row in rows}, key=int)
    chosen = set(ids[:: len(ids) // households][:households])
    return write_rows(directory / name, [row for row in rows if row["household_id"] in chosen])


def write_rows(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write rows as a compressed CSV file and return its path."""
    with gzip.open(path, "wt", newline="", compresslevel=1) as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a compressed CSV file."""
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class House:
    """The running servers with one program, as a load and its proof see them."""

    servers: Servers
    program: Program
    key: str

    @classmethod
    def with_preset(cls, servers: Servers, preset: str, *, clock: str | None = None) -> House:
        """Load a preset; with ``clock`` it is a sandbox whose own time stands there."""
        call_command("load_preset", preset, *(["--clock", clock] if clock else []))
        program = Program.objects.get(slug=preset)
        _key, secret = create_key(program=program, name="Proof", by=None)
        return cls(servers=servers, program=program, key=secret)

    def command(self, *arguments: object) -> subprocess.Popen[str]:
        """Start a management command on the servers' database."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            env=self.servers.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start_replay(self, file: Path, *options: object) -> subprocess.Popen[str]:
        """Start a load."""
        return self.command("replay", file, "--program", self.program.slug, "--url", self.servers.url, *options)

    def replay(self, file: Path, *options: object) -> str:
        """Load a file, which must succeed, and return what the command printed."""
        return finished(self.start_replay(file, *options))

    def verify(self) -> str:
        """Let the ledger be verified, which must find no fault; return the summary."""
        return finished(self.command("verify_ledger", "--program", self.program.slug)).splitlines()[-1]

    def members(self) -> dict[str, dict[str, Any]]:
        """Return every member as the API shows them, by external_id."""
        names = Membership.objects.filter(program=self.program).values_list("external_id", flat=True)
        return {name: self.member(name) for name in names}

    def member(self, name: str) -> dict[str, Any]:
        """Return one member as the API shows them."""
        answer = self.servers.request("GET", f"/api/v1/members/external_id:{name}/", key=self.key)
        assert answer.status == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    def accrued(self) -> int:
        """Return how many purchases are accrued so far."""
        return Activity.objects.filter(program=self.program, status=Activity.Status.ACCRUED).count()

    def wait_for(self, *, accrued: int, load: subprocess.Popen[str]) -> None:
        """Wait until so many purchases are accrued, with the load still going on."""
        what = f"{accrued} accrued purchases; {self.servers.log('worker')[-800:]}"
        wait_until(lambda: load.poll() is not None or self.accrued() >= accrued, seconds=120, what=what)
        assert load.poll() is None, f"The load was over before anything could be broken: {load.communicate()}"


def finished(command: subprocess.Popen[str]) -> str:
    """Wait for a command, which must succeed, and return what it printed."""
    try:
        out, err = command.communicate(timeout=LOAD_SECONDS)
    except subprocess.TimeoutExpired:
        command.kill()
        raise
    assert command.returncode == 0, f"exit {command.returncode}\n{out}\n{err}"
    return out


@contextmanager
def scheduled(servers: Servers):
    """Keep the scheduler running: what a broken process leaves behind is found by its sweep."""
    servers.start("scheduler")
    try:
        yield
    finally:
        servers.stop("scheduler")


def assert_as_computed(
    house: House, files: Sequence[Path], *, shift_days: int, present: datetime | None = None, program: str | None = None
) -> None:
    """Compare every member and every purchase with what the files alone say."""
    present = present or datetime.now(UTC)
    baskets = sorted(
        (basket for file in files for basket in expected.read(file, shift_days=shift_days)),
        key=lambda basket: basket.moment,
    )
    computed = expected.standings(baskets, program=program or house.program.slug, present=present)
    assert shown(house) == {member: as_shown(standing) for member, standing in computed.items()}
    awards = Award.objects.filter(program=house.program)
    awarded = dict(awards.values_list("activity__external_id").annotate(Sum("amount")))
    assert awarded == {
        basket: units for standing in computed.values() for basket, units in standing.awards.items() if units
    }
    accrued = Activity.objects.filter(program=house.program, status=Activity.Status.ACCRUED)
    assert accrued.count() == Activity.objects.filter(program=house.program).count() == len(baskets)
    zero = {basket.id for basket in baskets if basket.cents == 0}
    assert set(accrued.filter(total=0).values_list("external_id", flat=True)) == zero
    assert zero.isdisjoint(awarded)


def shown(house: House) -> dict[str, tuple[Any, ...]]:
    """Return what the API shows of each member, in the form of ``as_shown``."""
    found = {}
    for name, member in house.members().items():
        (balance,) = member["balances"].values()
        progress = [part["have"] for part in (member["next_tier"] or {}).get("missing", [])]
        found[name] = (
            balance["available"],
            balance["pending"],
            balance["held"],
            (member["tier"] or {}).get("code", ""),
            progress,
            datetime.fromisoformat(member["joined_at"]),
        )
    return found


def as_shown(standing: expected.Standing) -> tuple[Any, ...]:
    """Return a computed standing in the form of ``shown``: above VIB nothing is left to reach."""
    if standing.tier:
        units, pending, held = str(standing.units), str(standing.pending), "0"
    else:
        units, pending, held = f"{standing.units / 100:.2f}", f"{standing.pending / 100:.2f}", "0.00"
    has_next = standing.tier in {"insider", "vib"}
    progress = [f"{standing.spend / 100:.2f}"] if has_next else []
    return (units, pending, held, standing.tier, progress, standing.joined)
