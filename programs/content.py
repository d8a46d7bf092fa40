"""What a version says, as frozen values: to copy it, to compare it, to load it from a preset."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from programs.models import ProgramVersion, Rule, RuleCap, Tier, TierCondition, TierRate, UnitTerms


@dataclass(frozen=True, slots=True)
class UnitContent:
    """How the unit of this code lives."""

    unit: str
    expiry: str
    expiry_months: int | None
    pending_days: int


@dataclass(frozen=True, slots=True, order=True)
class ConditionContent:
    """A measure in a window that must reach the threshold."""

    measure: str
    window: str
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class TierContent:
    """One rung of the ladder; rank 0 is the lowest."""

    code: str
    name: str
    rank: int
    conditions: tuple[ConditionContent, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class TierRateContent:
    """A rule's rate for the tier of this code."""

    tier: str
    rate: Decimal


@dataclass(frozen=True, slots=True, order=True)
class CapContent:
    """At most this amount of purchases, in the program's currency, in the window."""

    window: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RuleContent:
    """An earning rule with its rates by tier and its limits."""

    code: str
    name: str
    position: int
    unit: str
    effect: str
    rate: Decimal
    tier_rates: tuple[TierRateContent, ...] = ()
    caps: tuple[CapContent, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """All that one version promises. Parts stand in a fixed order, so that equal terms are equal values."""

    tax_earns: bool
    tier_validity: str
    units: tuple[UnitContent, ...] = ()
    tiers: tuple[TierContent, ...] = ()
    rules: tuple[RuleContent, ...] = ()


def read(version: ProgramVersion) -> Content:
    """Return what the version's rows say; seven queries, whatever its size."""
    return Content(
        tax_earns=version.tax_earns,
        tier_validity=version.tier_validity,
        units=_read_units(version),
        tiers=_read_tiers(version),
        rules=_read_rules(version),
    )


def write(content: Content, *, version: ProgramVersion) -> None:
    """Make the rows of an empty draft say ``content``; its units exist already."""
    units = {unit.code: unit for unit in version.program.units.all()}
    version.tax_earns = content.tax_earns
    version.tier_validity = content.tier_validity
    version.save(update_fields=["tax_earns", "tier_validity"])
    UnitTerms.objects.bulk_create(
        UnitTerms(
            version=version,
            unit=units[given.unit],
            expiry=given.expiry,
            expiry_months=given.expiry_months,
            pending_days=given.pending_days,
        )
        for given in content.units
    )
    tiers = {
        given.code: Tier(version=version, code=given.code, name=given.name, rank=given.rank) for given in content.tiers
    }
    Tier.objects.bulk_create(tiers.values())
    TierCondition.objects.bulk_create(
        TierCondition(tier=tiers[given.code], measure=c.measure, window=c.window, threshold=c.threshold)
        for given in content.tiers
        for c in given.conditions
    )
    rules = {
        given.code: Rule(
            version=version,
            code=given.code,
            name=given.name,
            position=given.position,
            unit=units[given.unit],
            effect=given.effect,
            rate=given.rate,
        )
        for given in content.rules
    }
    Rule.objects.bulk_create(rules.values())
    TierRate.objects.bulk_create(
        TierRate(rule=rules[given.code], tier=tiers[t.tier], rate=t.rate)
        for given in content.rules
        for t in given.tier_rates
    )
    RuleCap.objects.bulk_create(
        RuleCap(rule=rules[given.code], window=c.window, amount=c.amount) for given in content.rules for c in given.caps
    )


def _read_units(version: ProgramVersion) -> tuple[UnitContent, ...]:
    return tuple(
        UnitContent(
            unit=terms.unit.code,
            expiry=terms.expiry,
            expiry_months=terms.expiry_months,
            pending_days=terms.pending_days,
        )
        for terms in version.unit_terms.select_related("unit").order_by("unit__code")
    )


def _read_tiers(version: ProgramVersion) -> tuple[TierContent, ...]:
    return tuple(
        TierContent(
            code=tier.code,
            name=tier.name,
            rank=tier.rank,
            conditions=tuple(sorted(ConditionContent(c.measure, c.window, c.threshold) for c in tier.conditions.all())),
        )
        for tier in version.tiers.prefetch_related("conditions").order_by("rank", "code")
    )


def _read_rules(version: ProgramVersion) -> tuple[RuleContent, ...]:
    return tuple(
        RuleContent(
            code=rule.code,
            name=rule.name,
            position=rule.position,
            unit=rule.unit.code,
            effect=rule.effect,
            rate=rule.rate,
            tier_rates=tuple(sorted(TierRateContent(t.tier.code, t.rate) for t in rule.tier_rates.all())),
            caps=tuple(sorted(CapContent(c.window, c.amount) for c in rule.caps.all())),
        )
        for rule in version.rules.select_related("unit")
        .prefetch_related("tier_rates__tier", "caps")
        .order_by("position", "code")
    )
