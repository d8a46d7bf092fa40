"""From the rows of published versions to the engine's frozen terms."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from babel.numbers import get_currency_precision

from programs.engine import terms as engine
from programs.models import Program, ProgramVersion, Rule, Tier

RATE = Decimal(engine.RATE_SCALE)


def schedules_of(programs: Iterable[Program]) -> dict[UUID, engine.Schedule]:
    """Return each program's published versions, oldest first. One query, and four more for a version not yet seen."""
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
    return {pk: engine.Schedule(tuple(terms)) for pk, terms in versions.items()}


def schedule_of(program: Program) -> engine.Schedule:
    """Return one program's published versions."""
    return schedules_of([program])[program.pk]


@lru_cache(maxsize=4096)
def terms_of(version_id: UUID) -> engine.Terms:
    """Return a published version's terms; they never change, so each process reads them once."""
    return compiled(ProgramVersion.objects.select_related("program").get(pk=version_id))


def compiled(version: ProgramVersion) -> engine.Terms:
    """Return a version, draft or published, as the engine reads it. A draft counts from its program's present."""
    program = version.program
    digits = get_currency_precision(program.currency)
    ladder = list(version.tiers.order_by("rank").prefetch_related("conditions"))
    rules = version.rules.order_by("position", "code").select_related("unit").prefetch_related("tier_rates", "caps")
    return engine.Terms(
        version_id=version.pk,
        number=version.number,
        starts_at=version.in_force_from or program.now(),
        zone=program.zone,
        digits=digits,
        tax_earns=version.tax_earns,
        units={
            row.unit.code: engine.UnitTerms(
                code=row.unit.code,
                precision=row.unit.precision,
                expiry=row.expiry,
                expiry_months=row.expiry_months,
                pending_days=row.pending_days,
            )
            for row in version.unit_terms.select_related("unit").order_by("unit__code")
        },
        tiers=tuple(_tier(tier, digits) for tier in ladder),
        rules=tuple(_rule(rule, {tier.pk: tier.code for tier in ladder}, digits) for rule in rules),
    )


def _tier(tier: Tier, digits: int) -> engine.Tier:
    conditions = tuple(
        engine.Condition(row.measure, row.window, int(row.threshold * 10**digits)) for row in tier.conditions.all()
    )
    return engine.Tier(tier.code, tier.name, conditions)


def _rule(rule: Rule, tier_codes: dict[UUID, str], digits: int) -> engine.Rule:
    return engine.Rule(
        code=rule.code,
        name=rule.name,
        unit=rule.unit.code,
        effect=rule.effect,
        rate=int(rule.rate * RATE),
        tier_rates={tier_codes[row.tier_id]: int(row.rate * RATE) for row in rule.tier_rates.all()},
        caps=tuple(engine.Cap(cap.window, int(cap.amount * 10**digits)) for cap in rule.caps.all()),
    )
