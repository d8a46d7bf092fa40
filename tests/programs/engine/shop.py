"""Terms and folds to test the engine with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from programs.engine.state import Judged, Outcome, Purchase, Refund, State
from programs.engine.terms import Cap, Condition, Rule, Schedule, Terms, Tier, UnitTerms
from programs.engine.timeline import fold

NEW_YORK = ZoneInfo("America/New_York")
PRAGUE = ZoneInfo("Europe/Prague")
EVER = datetime(1990, 1, 1, tzinfo=UTC)


def version(number: int = 1) -> UUID:
    return UUID(int=number)


def ladder(vib: int = 35_000, rouge: int = 100_000) -> tuple[Tier, ...]:
    return (
        Tier("insider", "Insider"),
        Tier("vib", "VIB", (Condition("spend", "calendar_year", vib),)),
        Tier("rouge", "Rouge", (Condition("spend", "calendar_year", rouge),)),
    )


def beauty(
    *,
    number: int = 1,
    starts_at: datetime = EVER,
    unit: UnitTerms | None = None,
    tiers: tuple[Tier, ...] | None = None,
    tax_earns: bool = False,
) -> Terms:
    return Terms(
        version_id=version(number),
        number=number,
        starts_at=starts_at,
        zone=NEW_YORK,
        digits=2,
        tax_earns=tax_earns,
        units={"points": unit or UnitTerms("points", 0, "inactivity", 12)},
        tiers=ladder() if tiers is None else tiers,
        rules=(Rule("base", "Points", "points", "per_amount", 10_000, {"vib": 12_500, "rouge": 15_000}),),
    )


def cashback(*, pending_days: int = 14) -> Terms:
    return Terms(
        version_id=version(),
        number=1,
        starts_at=EVER,
        zone=PRAGUE,
        digits=2,
        tax_earns=False,
        units={"cash": UnitTerms("cash", 2, pending_days=pending_days)},
        tiers=(),
        rules=(
            Rule(
                "default", "Cashback", "cash", "percent", 10_000, {}, (Cap("purchase", 50_000), Cap("month", 300_000))
            ),
        ),
    )


class Shop:
    """One member of a program: says what happens, keeps where it has come to."""

    def __init__(self, *versions: Terms, joined_at: datetime) -> None:
        self.schedule = Schedule(versions)
        self.numbers = count(1_000)
        self.state = State(joined_at=joined_at, as_of=joined_at)
        self.outcomes: list[Outcome] = []
        self.take()

    def take(self, *activity: Purchase | Refund, until: datetime | None = None) -> Outcome:
        self.state, outcome = fold(
            state=self.state, schedule=self.schedule, activity=activity, until=until, new_id=self.new_id
        )
        self.outcomes.append(outcome)
        return outcome

    def new_id(self) -> UUID:
        return UUID(int=next(self.numbers))

    def buy(self, at: datetime, total: int, *, tax: int = 0) -> Purchase:
        one = Purchase(self.new_id(), at, total, tax)
        self.take(one)
        return one

    def give_back(self, one: Purchase, at: datetime, amount: int) -> Outcome:
        """Return part of a purchase judged in an earlier fold."""
        verdict = next(v for o in self.outcomes for v in o.verdicts if v.activity_id == one.id)
        returned = [o.returned[one.id][0] for o in self.outcomes if one.id in o.returned]
        judged = Judged(
            one.id,
            one.occurred_at,
            verdict.version_id,
            verdict.tier,
            verdict.facts["counters"],
            one.total,
            one.tax,
            returned[-1] if returned else 0,
        )
        return self.take(Refund(self.new_id(), at, one.id, amount, judged))

    @property
    def points(self) -> int:
        return self.state.balance("points", "available")

    @property
    def postings(self) -> Sequence[str]:
        return [posting.kind for outcome in self.outcomes for posting in outcome.postings]
