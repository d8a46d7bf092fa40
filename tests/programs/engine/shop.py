"""Terms and folds to test the engine with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from programs.engine.state import Event, Grant, Judged, Line, Outcome, Part, Purchase, Refund, State
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
        self.returned: dict[UUID, dict[int, Part]] = {}
        self.take()

    def take(self, *activity: Purchase | Refund | Event, until: datetime | None = None) -> Outcome:
        self.state, outcome = fold(
            state=self.state, schedule=self.schedule, activity=activity, until=until, new_id=self.new_id
        )
        self.outcomes.append(outcome)
        for refund in (one for one in activity if isinstance(one, Refund)):
            so_far = self.returned.setdefault(refund.purchase_id, {})
            for number, (quantity, amount) in refund.parts.items():
                before = so_far.get(number, (0, 0))
                so_far[number] = (before[0] + quantity, before[1] + amount)
        return outcome

    def new_id(self) -> UUID:
        return UUID(int=next(self.numbers))

    def buy(self, at: datetime, total: int, *, tax: int = 0, lines: Sequence[Line] = ()) -> Purchase:
        one = Purchase(self.new_id(), at, total, tax, tuple(lines))
        self.take(one)
        return one

    def tell(self, at: datetime, type_: str, **attributes: object) -> Event:
        one = Event(self.new_id(), at, type_, attributes)
        self.take(one)
        return one

    def grant(self, tier: str, at: datetime, until: date | None, kind: str = "hand") -> None:
        self.take(until=at)
        self.state.grants = [*(self.state.grants or ()), Grant(tier, kind, at, until)]
        self.take()

    def give_back(self, one: Purchase, at: datetime, amount: int = 0, parts: dict[int, Part] | None = None) -> Outcome:
        """Return part of a purchase judged in an earlier fold."""
        return self.take(Refund(self.new_id(), at, one.id, parts or {0: (0, amount)}, self.judged(one)))

    def judged(self, one: Purchase) -> Judged:
        verdict = next(v for o in self.outcomes for v in o.verdicts if v.activity_id == one.id)
        facts = verdict.facts
        returned = self.returned.setdefault(one.id, {})
        reaching = facts.get("reaching", ())
        return Judged(
            one, verdict.version_id, verdict.tier, facts["counters"], facts["barred"], dict(returned), reaching
        )

    @property
    def points(self) -> int:
        return self.state.balance("points", "available")

    @property
    def postings(self) -> Sequence[str]:
        return [posting.kind for outcome in self.outcomes for posting in outcome.postings]
