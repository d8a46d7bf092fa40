"""Accrual in micro-batches, side by side with one transaction for each purchase, on PostgreSQL with fsync on.

    make bench

Interleaved rounds over the same number of purchases; prints the median of the ratios with minimum and maximum.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import environment  # noqa: E402 -- the checkout is no installed package
from tests.run import postgresql  # noqa: E402

MEMBERS, EACH, ROUNDS = 200, 5, 5


def main() -> None:
    """Start a database of our own, measure, print."""
    with postgresql(is_durable=True) as url:
        os.environ["DATABASE_URL"] = url
        environment.prepare()
        import django

        django.setup()
        from django.test.utils import setup_databases, teardown_databases

        config = setup_databases(verbosity=0, interactive=False)
        try:
            measure()
        finally:
            teardown_databases(config, verbosity=0)


def measure() -> None:
    """Print both speeds of each round and the median of their ratios."""
    from django.db import transaction

    from loyalty.purchases import accrual
    from loyalty.purchases.models import Activity
    from tests.factories import make_member, make_shop

    members = [make_member(program=make_shop(), joined_at=datetime(2025, 1, 1, tzinfo=UTC)) for _ in range(1)]
    program = members[0].program
    members += [make_member(program=program, joined_at=datetime(2025, 1, 1, tzinfo=UTC)) for _ in range(MEMBERS - 1)]

    def record(name: str) -> list[Activity]:
        now = datetime.now(UTC)
        return Activity.objects.bulk_create(
            Activity(
                program=program,
                membership=member,
                kind="purchase",
                external_id=f"{name}-{number}-{nth}",
                status="recorded",
                occurred_at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=nth),
                posted_at=now,
                due_at=now,
                currency="EUR",
                total=1_000 + nth,
            )
            for number, member in enumerate(members)
            for nth in range(EACH)
        )

    def in_batches(_rows: list[Activity]) -> None:
        while accrual.accrue_batch().moved:
            pass

    def one_by_one(rows: list[Activity]) -> None:
        for row in rows:
            assert row.membership_id is not None
            with transaction.atomic():
                accrual._accrue_locked([row.membership_id], only=row.pk, wait=True)

    ratios = []
    for number in range(ROUNDS):
        speeds = {}
        order: list[tuple[str, Callable[[list[Activity]], None]]] = [("batch", in_batches), ("single", one_by_one)]
        for name, work in order if number % 2 else reversed(order):
            rows = record(f"{name}{number}")
            began = time.perf_counter()
            work(rows)
            speeds[name] = len(rows) / (time.perf_counter() - began)
        ratios.append(speeds["batch"] / speeds["single"])
        print(f"round {number + 1}: batches {speeds['batch']:7.0f}/s   one by one {speeds['single']:7.0f}/s")
    print(f"ratio: median {statistics.median(ratios):.1f}, minimum {min(ratios):.1f}, maximum {max(ratios):.1f}")


if __name__ == "__main__":
    main()
