"""The pure engine: a purchase under twenty rules and a purchase of a timeline, beside a bare multiplication.

make bench
"""

from __future__ import annotations

import statistics
import sys
import timeit
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from programs.engine.earning import evaluate, units_for  # noqa: E402 -- the checkout is no installed package
from programs.engine.state import Purchase, State  # noqa: E402
from programs.engine.terms import Cap, Condition, Rule, Schedule, Terms, Tier, UnitTerms  # noqa: E402
from programs.engine.timeline import fold  # noqa: E402

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
ROUNDS, TIMES = 7, 500

BASE = Rule("base", "Points", "points", "per_amount", 10_000, {"gold": 15_000}, (Cap("month", 300_000),))
TERMS = Terms(
    version_id=UUID(int=1),
    number=1,
    starts_at=datetime(1990, 1, 1, tzinfo=UTC),
    zone=ZoneInfo("Europe/Prague"),
    digits=2,
    tax_earns=False,
    units={"points": UnitTerms("points", 0, "inactivity", 12)},
    tiers=(Tier("basic", "Basic"), Tier("gold", "Gold", (Condition("spend", "calendar_year", 100_000),))),
    rules=(BASE,),
)
TWENTY = replace(TERMS, rules=tuple(replace(BASE, code=f"rule{number}") for number in range(20)))


def main() -> None:
    """Print microseconds per purchase: median, minimum and maximum over the rounds."""
    counters: dict[str, int] = {}
    state = State(joined_at=NOON, as_of=NOON)
    year = [Purchase(uuid4(), NOON + timedelta(days=5 * number), 2_345) for number in range(73)]
    show(
        "a bare multiplication",
        lambda: units_for(amount=2_345, rate=15_000, effect="per_amount", digits=2, precision=0),
    )
    show("twenty rules, each with a limit", lambda: evaluate(
        terms=TWENTY, amount=2_345, occurred_at=NOON, tier="gold", counters=counters
    ))  # fmt: skip
    show(
        "a purchase of a year's timeline",
        lambda: fold(state=state, schedule=Schedule((TERMS,)), activity=year, new_id=uuid4),
        times=TIMES // 50,
        each=len(year),
    )


def show(what: str, work: object, *, times: int = TIMES, each: int = 1) -> None:
    """Time ``work`` and print it."""
    assert callable(work)
    rounds = [seconds / times / each * 1e6 for seconds in timeit.repeat(work, number=times, repeat=ROUNDS)]
    print(f"{what:35} {statistics.median(rounds):8.1f} µs  ({min(rounds):.1f} to {max(rounds):.1f})")


if __name__ == "__main__":
    main()
