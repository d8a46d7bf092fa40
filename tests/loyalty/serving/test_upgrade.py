"""A database that older code wrote goes on under this one."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db.backends.sqlite3._functions import register

ROOT = Path(__file__).resolve().parents[3]
FIRST = ROOT / "tests" / "upgrades" / "first.sql"  # As the first code wrote it: terms, four receipts and their books.


@pytest.fixture
def run(tmp_path):
    with sqlite3.connect(tmp_path / "loyalty.sqlite3") as database:
        register(database)  # The tables' checks use what Django adds to SQLite.
        database.executescript(FIRST.read_text())
    database.close()
    own = {
        "VAR_DIR": str(tmp_path),
        "EMBEDDED": "1",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": "only-for-this-test-" * 4,
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "loyalty.settings",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_database_of_the_first_code_is_migrated_and_goes_on(run):
    run("manage.py", "migrate", "--verbosity=0")

    told = json.loads(run("-m", "tests.upgrades.story").splitlines()[-1])
    proof = run("manage.py", "verify_ledger").splitlines()[-1]

    points = [told[when]["balances"]["points"]["available"] for when in ("before", "after")]
    assert (points, told["after"]["tier"]["code"]) == (["487", "437"], "vib")
    assert told["credit"] == {
        "spend": {"2025": 40_000, "2026": 3_000},
        "visits": {"2025": 1, "2026": 2},
        "unit:points": {"2025": 400, "2026": 37},
    }
    assert proof.endswith("faults 0")
