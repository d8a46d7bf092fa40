"""A back-test of a year on PostgreSQL: purchases a second, and how long 100,000 of them take on this machine.

    make bench                                   # 10,000 purchases, and what 100,000 would take
    .venv/bin/python benchmarks/backtest.py 100000

Members buy fifty times each under a ladder of three tiers; the draft has another rate and a lower limit.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import environment  # noqa: E402 -- the checkout is no installed package
from tests.run import postgresql  # noqa: E402

EACH = 50  # Purchases of a member.
WHOLE = 100_000
BEGAN = datetime(2025, 1, 1, 12, tzinfo=UTC)


def main(purchases: int) -> None:
    """Start a database of our own, measure, print."""
    with postgresql(is_durable=True) as url:
        os.environ["DATABASE_URL"] = url
        environment.prepare()
        import django

        django.setup()
        from django.test.utils import setup_databases, teardown_databases

        config = setup_databases(verbosity=0, interactive=False)
        try:
            measure(purchases)
        finally:
            teardown_databases(config, verbosity=0)


def measure(purchases: int) -> None:
    """Print how many purchases a second one worker goes through."""
    from loyalty.purchases import accrual
    from loyalty.rehearsals import actions, working
    from programs.actions import start_draft
    from tests.factories import make_shop, make_user

    program = make_shop()
    record(program, purchases)
    while accrual.accrue_batch().moved:
        pass
    draft = start_draft(program=program, by=None)
    draft.rules.update(rate=2)
    draft.tiers.get(code="silver").conditions.update(threshold=200)
    test = actions.request_back_test(
        version=draft, first_day=date(2025, 1, 1), last_day=date(2025, 12, 31), by=make_user()
    )
    began = time.perf_counter()
    while working.back_test(test.pk):
        pass
    took = time.perf_counter() - began
    test.refresh_from_db()
    assert (test.status, test.result["purchases"]) == ("done", purchases), test.detail
    speed = purchases / took
    said = f"back-test: {purchases} purchases of {purchases // EACH} members in {took:.1f} s, {speed:.0f}/s"
    print(said if purchases >= WHOLE else f"{said}; {WHOLE} in about {WHOLE / speed:.0f} s")


def record(program: object, purchases: int) -> None:
    """Write members and their purchases, as the intake leaves them."""
    from loyalty.purchases.models import Activity
    from tests.factories import make_member

    now = datetime.now(UTC)
    for number in range(purchases // EACH):
        member = make_member(program=program, joined_at=BEGAN)
        Activity.objects.bulk_create(
            Activity(
                program=program,
                membership=member,
                kind="purchase",
                external_id=f"{number}-{nth}",
                status="recorded",
                occurred_at=BEGAN + timedelta(days=7 * nth, minutes=number % 1_000),
                posted_at=now,
                due_at=now,
                currency="EUR",
                total=(number * 37 + nth * 101) % 9_000 + 500,
                lines=[{"amount": (number * 37 + nth * 101) % 9_000 + 500, "quantity": 1_000, "category": "coffee"}],
            )
            for nth in range(EACH)
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
