"""From the rows of published versions to the engine's frozen terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from programs import content
from programs.clauses import parsed
from programs.content import (
    CapContent,
    ClauseContent,
    ConditionContent,
    Content,
    RuleContent,
    TierContent,
    UnitContent,
)
from programs.engine import terms as engine
from programs.models import Program, ProgramVersion, RuleCap, TierCondition, Unit
from programs.reward_content import RewardContent

RATE = Decimal(engine.RATE_SCALE)
ACROSS = tuple(RuleCap.Window.values)  # From the shortest window to the longest.


def schedules_of(programs: Iterable[Program]) -> dict[UUID, engine.Schedule]:
    """Return each program's published versions, oldest first. One query, and some for a version not yet seen."""
    known = {program.pk: program for program in programs}
    rows = (
        ProgramVersion.objects.published()
        .filter(program_id__in=known)
        .order_by("in_force_from", "number")
        .values_list("program_id", "id")
    )
    versions: dict[UUID, list[engine.Terms]] = {pk: [] for pk in known}
    for program_id, version_id in rows:
        versions[program_id].append(terms_of(version_id))
    return {pk: engine.Schedule(tuple(terms), known[pk].ends_at) for pk, terms in versions.items()}


def schedule_of(program: Program) -> engine.Schedule:
    """Return one program's published versions."""
    return schedules_of([program])[program.pk]


@lru_cache(maxsize=4096)
def terms_of(version_id: UUID) -> engine.Terms:
    """Return a published version's terms; they never change, so each process reads them once."""
    return compiled(ProgramVersion.objects.select_related("program").get(pk=version_id))


def compiled(version: ProgramVersion, said: Content | None = None) -> engine.Terms:
    """Return a version, draft or published, as the engine reads it. A draft counts from its program's present.

    ``said`` stands in for what its rows say: a draft as somebody is just typing it.

    Rules stand in the order of their position, then code; the engine judges a group at the place of its first rule.
    Rules and limits that are switched off are left out. Raises ``ClauseError`` for conditions that cannot be read.
    """
    program = version.program
    said = said or content.read(version)
    scale = _Scale(get_currency_precision(program.currency), {unit.code: unit for unit in program.units.all()})
    rules = [rule for rule in said.rules if rule.is_on]
    return engine.Terms(
        version_id=version.pk,
        number=version.number,
        starts_at=version.in_force_from or program.now(),
        zone=program.zone,
        digits=scale.digits,
        tax_earns=said.tax_earns,
        units={unit.unit: scale.unit(unit) for unit in said.units},
        tiers=tuple(scale.tier(tier) for tier in said.tiers),
        rules=tuple(scale.rule(rule) for rule in rules),
        groups={
            group.code: engine.Group(
                code=group.code,
                name=group.name,
                mode=group.mode,
                caps=scale.caps(group.caps, unit=next((rule.unit for rule in rules if rule.group == group.code), "")),
            )
            for group in said.groups
        },
        events={
            event.code: engine.EventType(event.code, event.name, waits_for_friend=event.waits_for_friend)
            for event in said.events
        },
        trial=scale.trial(said.trial) if said.trial else None,
        paid_part_earns=said.paid_part_earns,
        year_starts=said.year_starts,
        tier_validity=said.tier_validity,
        tier_months=said.tier_months,
        tier_grace_months=said.tier_grace_months,
        tier_fall=said.tier_fall,
        reaching_earns_new=said.reaching_earns_new,
        needs_notice=said.needs_notice,
        notice_days=said.notice_days,
        rewards=tuple(scale.reward(reward, program.zone) for reward in said.rewards if reward.is_on),
        redeemed_come_back=said.redeemed_come_back,
    )


class _Scale:
    """Turns what staff wrote into whole numbers: minor units of the currency, smallest steps of units."""

    def __init__(self, digits: int, units: dict[str, Unit]) -> None:
        self.digits = digits
        self.units = units

    def unit(self, given: UnitContent) -> engine.UnitTerms:
        unit = self.units[given.unit]
        return engine.UnitTerms(
            code=unit.code,
            precision=unit.precision,
            is_spendable=unit.is_spendable,
            expiry=given.expiry,
            expiry_months=given.expiry_months,
            expiry_days=given.expiry_days,
            round_up=given.round_up,
            fixed_days=tuple(listed(given.fixed_days)),
            tier_months={row.tier: row.months for row in given.tiers},
            fall_months=given.fall_months,
            kept_alive_by=frozenset(listed(given.kept_alive_by)),
            pending_days=given.pending_days,
            pending_until=given.pending_until,
            debt=given.debt,
        )

    def tier(self, given: TierContent) -> engine.Tier:
        return engine.Tier(
            code=given.code,
            name=given.name,
            conditions=tuple(self.condition(row) for row in given.conditions if not row.for_life),
            life=tuple(self.condition(row) for row in given.conditions if row.for_life),
            by_invitation=given.by_invitation,
        )

    def condition(self, given: ConditionContent) -> engine.Condition:
        return engine.Condition(
            measure=_measure(given.measure, given.unit),
            window=given.window,
            need=self.measured(given.threshold, given.measure, given.unit),
            months=given.months or 12,
        )

    def trial(self, given: content.TrialContent) -> engine.Trial:
        return engine.Trial(
            tier=given.tier,
            measure=_measure(given.measure, given.unit),
            need=self.measured(given.need, given.measure, given.unit),
            months=given.months,
            once_in_months=given.once_in_months,
        )

    def rule(self, given: RuleContent) -> engine.Rule:
        return engine.Rule(
            code=given.code,
            name=given.name,
            unit=given.unit,
            effect=given.effect,
            rate=int(given.rate * RATE),
            tier_rates={row.tier: int(row.rate * RATE) for row in given.tier_rates},
            caps=self.caps(given.caps, unit=given.unit),
            trigger=given.trigger,
            event=given.event,
            clauses=tuple(self.clause(row) for row in given.clauses),
            line_rates=tuple(
                engine.LineRate(self.clause(row.clause), int(row.rate * RATE)) for row in given.line_rates
            ),
            group=given.group,
            of=given.of,
            of_tier_rate=given.of_tier_rate,
            pieces=given.pieces,
        )

    def reward(self, given: RewardContent, zone: ZoneInfo) -> engine.Reward:
        """Return a reward; ``zone`` is the program's."""
        return engine.Reward(
            code=given.code,
            name=given.name,
            kind=given.kind,
            zone=ZoneInfo(given.zone) if given.zone else zone,
            detail=given.detail,
            unit=given.unit,
            price=self.measured(given.price, "units", given.unit),
            value=self.money(given.value),
            percent=None if given.percent is None else int(given.percent * RATE),
            by_amount=given.by_amount,
            step=self.money(given.step) or 1,
            several=given.several,
            most_share=None if given.most_share is None else int(given.most_share * RATE),
            least_basket=self.money(given.least_basket) or 0,
            from_tier=given.from_tier,
            stock=given.stock,
            pool=given.pool,
            gives=(given.gives_unit, self.measured(given.gives, "units", given.gives_unit)) if given.gives else None,
            opens_at=given.opens_at,
            closes_at=given.closes_at,
            weekdays=frozenset(int(day) for day in parsed("weekday", given.weekdays).values)
            if given.weekdays
            else frozenset(),
            opens_from=None if given.opens_from is None else given.opens_from.hour * 60 + given.opens_from.minute,
            opens_until=None if given.opens_until is None else given.opens_until.hour * 60 + given.opens_until.minute,
            tiers={
                part.tier: engine.RewardTier(
                    price=None if part.price is None else self.measured(part.price, "units", given.unit),
                    value=self.money(part.value),
                    percent=None if part.percent is None else int(part.percent * RATE),
                    opens_at=part.opens_at,
                )
                for part in given.tiers
            },
            caps=tuple(
                engine.Cap(limit.window, limit.times, counts="times")
                for limit in sorted(given.limits, key=lambda limit: ACROSS.index(limit.window))
            ),
            choice=given.choice,
            clauses=tuple(
                parsed(part.kind, part.value, negated=part.negated, digits=self.digits) for part in given.clauses
            ),
            conversion=given.conversion,
            closes=tuple(month_and_day(text) for text in listed(given.closes_on)),
            issue_day=given.issue_day or 1,
            most_at_once=given.most_at_once,
            most_a_year=given.most_a_year,
            is_withdrawn=given.is_withdrawn,
            lives_months=given.lives_months,
            lives_days=given.lives_days,
        )

    def money(self, value: Decimal | None) -> int | None:
        """Return an amount of the currency in minor units."""
        return None if value is None else int(value.scaleb(self.digits))

    def clause(self, given: ClauseContent) -> engine.Clause:
        return parsed(given.kind, given.value, negated=given.negated, digits=self.digits)

    def caps(self, given: Sequence[CapContent], *, unit: str) -> tuple[engine.Cap, ...]:
        """Return the limits that are on, the shortest window first; ``unit`` is what limits on units count."""
        measures = {"amount": "spend", "units": "units"}
        return tuple(
            engine.Cap(
                window=cap.window,
                limit=self.measured(cap.amount, measures.get(cap.counts, cap.counts), unit),
                counts=cap.counts,
                scope=cap.scope,
                per=cap.per,
            )
            for cap in sorted(given, key=lambda cap: (ACROSS.index(cap.window), cap.counts, cap.scope, cap.per))
            if cap.is_on
        )

    def measured(self, value: Decimal, measure: str, unit: str) -> int:
        """Return a value in whole steps: of the currency for spend, of the unit for units, else as it is."""
        places = {"spend": self.digits, "units": self.units[unit].precision if unit in self.units else 0}
        return int(value.scaleb(places.get(measure, 0)))


def listed(text: str) -> list[str]:
    """Return the parts of a text that commas divide."""
    return [part for part in (piece.strip() for piece in text.split(",")) if part]


def month_and_day(text: str) -> tuple[int, int]:
    """Return the month and the day of a text such as 05-31. Raises ValueError."""
    month, day = (int(part) for part in text.split("-"))
    date(2024, month, day)  # Refuses what no leap year has.
    return month, day


def _measure(measure: str, unit: str) -> str:
    return f"unit:{unit}" if measure == TierCondition.Measure.UNITS else measure
