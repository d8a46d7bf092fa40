"""The pure engine: a purchase of ten lines under twenty rules and a year's timeline, beside a bare multiplication.

make bench

The twenty rules are of every effect, with mixed conditions, groups of each mode and limits.
"""

from __future__ import annotations

import statistics
import sys
import time
import timeit
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from programs.engine.earning import Context, barred, basket_of, evaluate, units_for  # noqa: E402 -- no installed package
from programs.engine.state import Line, Purchase, State  # noqa: E402
from programs.engine.terms import (  # noqa: E402
    Cap,
    Clause,
    Condition,
    Group,
    LineRate,
    Rule,
    Schedule,
    Terms,
    Tier,
    UnitTerms,
)
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


def rule(code: str, effect: str, rate: int, **more: object) -> Rule:
    """Return one of the twenty."""
    return replace(Rule(code, code, "points", effect, rate), **more)  # type: ignore[arg-type]


def clause(kind: str, *values: str, **more: int) -> Clause:
    """Return a condition."""
    return Clause(kind, values=values, **more)  # type: ignore[arg-type]


TWENTY = replace(
    TERMS,
    groups={
        "spill": Group("spill", "Spill", "first"),
        "best": Group("best", "Best", "best", (Cap("month", 50_000, "units"),)),
        "promos": Group("promos", "Promotions", "all", (Cap("day", 400, "units"), Cap("year", 900, "times"))),
    },
    rules=(
        BASE,
        rule("bonus", "bonus", 250_000, of="base", clauses=(clause("tier", "gold"),)),
        rule("coffee", "percent", 30_000, group="spill", clauses=(clause("category", "coffee"),), caps=(
            Cap("purchase", 5_000), Cap("month", 50_000),
        )),
        rule("travel", "percent", 20_000, group="spill", clauses=(clause("category", "travel"),), caps=(
            Cap("purchase", 25_000),
        )),
        rule("default", "percent", 10_000, group="spill", caps=(Cap("purchase", 50_000), Cap("month", 300_000))),
        rule("twice", "multiplier", 20_000, of="base", group="best"),
        rule("thrice", "multiplier", 30_000, of="base", group="best", clauses=(clause("brand", "nord", "sud"),)),
        rule("weekend", "per_amount", 20_000, group="best", clauses=(clause("weekday", "6", "7"),)),
        rule("stamp", "stamp", 10_000, clauses=(clause("category", "coffee"),), caps=(Cap("day", 3, "units"),)),
        rule("pieces", "per_item", 5_000, clauses=(clause("tag", "eco"),)),
        rule("nights", "per_item", 10_000, pieces="largest", clauses=(clause("first_lines", "stay", most=3),)),
        rule("big", "fixed", 1_000_000, group="promos", clauses=(clause("amount", least=10_000),)),
        rule("many", "fixed", 500_000, group="promos", clauses=(clause("quantity", least=5_000),)),
        rule("first", "fixed", 2_500_000, group="promos", clauses=(clause("nth", "1"),)),
        rule("early", "fixed", 100_000, group="promos", clauses=(clause("hours", least=360, most=600),)),
        rule("birthday", "fixed", 100_000, group="promos", clauses=(clause("birthday", least=-7, most=7),)),
        rule("spring", "per_amount", 5_000, clauses=(clause("dates", least=739_000, most=740_000),)),
        rule("store", "per_amount", 2_500, clauses=(clause("store", "praha"), Clause("sku", True, ("gift",)))),
        rule("rated", "per_amount", 10_000, line_rates=(
            LineRate(clause("brand", "sud"), 5_000), LineRate(clause("brand", "nord"), 2_500),
        )),
        rule("budget", "percent", 5_000, caps=(Cap("year", 10_000_000, "units", "program"),)),
    ),
)  # fmt: skip
LINES = tuple(
    Line(
        number=number,
        amount=1_999 * number,
        quantity=1_000 * (number % 3 + 1),
        sku=f"sku{number}",
        category=("coffee", "travel", "stay", "toys")[number % 4],
        brand=("nord", "sud", "est")[number % 3],
        tags=frozenset({"eco"} if number % 2 else {"sale", "new"}),
    )
    for number in range(1, 11)
)
TEN = Purchase(UUID(int=2), NOON, sum(line.amount for line in LINES), 19_000, LINES, store="praha")
GOLD = Context(tier="gold", nth=1, store="praha", joined_at=NOON - timedelta(days=700))


def main() -> None:
    """Print microseconds of processor time per purchase: median, minimum and maximum over the rounds."""
    counters: dict[str, int] = {}
    state = State(joined_at=NOON, as_of=NOON)
    year = [Purchase(uuid4(), NOON + timedelta(days=5 * number), 2_345) for number in range(73)]
    basket = basket_of(terms=TWENTY, purchase=TEN)
    not_for = barred(terms=TWENTY, basket=basket, context=GOLD)
    bare = show(
        "two hundred bare multiplications",
        lambda: [
            units_for(amount=line.amount, rate=15_000, effect="per_amount", digits=2, precision=0)
            for line in LINES
            for _ in TWENTY.rules
        ],
    )
    ten = show("ten lines under twenty rules", whole_judgement)
    show("  of that: lines and what earns", lambda: basket_of(terms=TWENTY, purchase=TEN))
    show("  of that: standing conditions", lambda: barred(terms=TWENTY, basket=basket, context=GOLD))
    show("  of that: effects, groups, limits", lambda: evaluate(
        terms=TWENTY, basket=basket, tier="gold", barred=not_for, counters=counters
    ))  # fmt: skip
    show(
        "a purchase of a year's timeline",
        lambda: fold(state=state, schedule=Schedule((TERMS,)), activity=year, new_id=uuid4),
        times=TIMES // 50,
        each=len(year),
    )
    print(f"ten lines under twenty rules take {ten / bare:.1f} times as long as a multiplication for each pair")


def whole_judgement() -> None:
    """Judge a purchase from its lines to its awards."""
    basket = basket_of(terms=TWENTY, purchase=TEN)
    not_for = barred(terms=TWENTY, basket=basket, context=GOLD)
    evaluate(terms=TWENTY, basket=basket, tier="gold", barred=not_for, counters={})


def show(what: str, work: object, *, times: int = TIMES, each: int = 1) -> float:
    """Time ``work``, print it and return the median."""
    assert callable(work)
    rounds = [
        seconds / times / each * 1e6
        for seconds in timeit.repeat(work, timer=time.process_time, number=times, repeat=ROUNDS)
    ]
    print(f"{what:35} {statistics.median(rounds):8.1f} µs  ({min(rounds):.1f} to {max(rounds):.1f})")
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
