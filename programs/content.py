"""What a version says, as frozen values: to copy it, to compare it, to load it from a preset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch

from programs.models import (
    EventType,
    ProgramVersion,
    Rule,
    RuleCap,
    RuleClause,
    RuleGroup,
    RuleLineRate,
    Tier,
    TierBenefit,
    TierCondition,
    TierExpiry,
    TierRate,
    Unit,
    UnitTerms,
)
from programs.models.terms import KEPT_ALIVE_BY
from programs.reward_content import RewardContent, read_rewards, write_rewards


@dataclass(frozen=True, slots=True, order=True)
class TierExpiryContent:
    """The months that a unit lives for members of the tier of this code; None for no end."""

    tier: str
    months: int | None


@dataclass(frozen=True, slots=True)
class UnitContent:
    """How the unit of this code lives; ``tiers`` where it lives differently for some."""

    unit: str
    expiry: str
    expiry_months: int | None
    pending_days: int
    expiry_days: int | None = None
    round_up: str = ""
    fixed_days: str = ""
    fall_months: int | None = None
    kept_alive_by: str = KEPT_ALIVE_BY
    pending_until: date | None = None
    debt: str = UnitTerms.Debt.OWE.value
    tiers: tuple[TierExpiryContent, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionContent:
    """A measure in a window that must reach the threshold; ``unit`` is the code of the one that counts, if any."""

    measure: str
    window: str
    threshold: Decimal
    unit: str = ""
    for_life: bool = False
    months: int | None = None


@dataclass(frozen=True, slots=True)
class BenefitContent:
    """What a tier brings beside its rates."""

    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TierContent:
    """One rung of the ladder; rank 0 is the lowest."""

    code: str
    name: str
    rank: int
    conditions: tuple[ConditionContent, ...] = ()
    benefits: tuple[BenefitContent, ...] = ()
    by_invitation: bool = False


@dataclass(frozen=True, slots=True)
class TrialContent:
    """The tier that staff may give on trial, and what keeps it; ``unit`` is the code of the one that counts, if any."""

    tier: str
    measure: str
    need: Decimal
    months: int
    once_in_months: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class EventContent:
    """A type of event."""

    code: str
    name: str
    waits_for_friend: bool = False


@dataclass(frozen=True, slots=True, order=True)
class TierRateContent:
    """A rule's rate for the tier of this code."""

    tier: str
    rate: Decimal


@dataclass(frozen=True, slots=True, order=True)
class CapContent:
    """At most this in the window: an amount of purchases in the program's currency, units, or times."""

    window: str
    amount: Decimal
    counts: str = RuleCap.Counts.AMOUNT.value
    scope: str = RuleCap.Scope.MEMBER.value
    per: str = ""
    is_on: bool = True


@dataclass(frozen=True, slots=True, order=True)
class ClauseContent:
    """A condition as staff wrote it."""

    kind: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class LineRateContent:
    """Another rate for some lines."""

    clause: ClauseContent
    rate: Decimal


@dataclass(frozen=True, slots=True)
class GroupContent:
    """How rules stack, and the limits that they share."""

    code: str
    name: str
    position: int
    mode: str
    caps: tuple[CapContent, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleContent:
    """An earning rule with all its parts; ``group`` is a group's code, empty for a rule that stands alone."""

    code: str
    name: str
    position: int
    unit: str
    effect: str
    rate: Decimal
    tier_rates: tuple[TierRateContent, ...] = ()
    caps: tuple[CapContent, ...] = ()
    is_on: bool = True
    trigger: str = Rule.Trigger.PURCHASE.value
    event: str = ""
    group: str = ""
    of: str = ""
    of_tier_rate: bool = False
    pieces: str = Rule.Pieces.SUM.value
    clauses: tuple[ClauseContent, ...] = ()
    line_rates: tuple[LineRateContent, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """All that one version promises. Parts stand in a fixed order, so that equal terms are equal values."""

    tax_earns: bool
    tier_validity: str
    units: tuple[UnitContent, ...] = ()
    tiers: tuple[TierContent, ...] = ()
    rules: tuple[RuleContent, ...] = ()
    events: tuple[EventContent, ...] = ()
    groups: tuple[GroupContent, ...] = ()
    trial: TrialContent | None = None
    paid_part_earns: bool = False
    year_starts: int = 1
    tier_months: int = 12
    tier_grace_months: int = 0
    tier_fall: str = ProgramVersion.TierFall.EARNED.value
    reaching_earns_new: bool = False
    needs_notice: bool = False
    notice_days: int = 30
    redeemed_come_back: bool = True
    claim_days: int = 14
    rewards: tuple[RewardContent, ...] = ()


SWITCHES = (
    "tax_earns",
    "tier_validity",
    "paid_part_earns",
    "year_starts",
    "tier_months",
    "tier_grace_months",
    "tier_fall",
    "reaching_earns_new",
    "needs_notice",
    "notice_days",
    "redeemed_come_back",
    "claim_days",
)
OF_UNIT = (
    "expiry",
    "expiry_months",
    "pending_days",
    "expiry_days",
    "round_up",
    "fixed_days",
    "fall_months",
    "kept_alive_by",
    "pending_until",
    "debt",
)
OF_TRIAL = ("tier", "measure", "need", "months", "once_in_months")
OF_CONDITION = ("measure", "window", "threshold", "for_life", "months")
OF_CAP = ("window", "amount", "counts", "scope", "per", "is_on")
OF_RULE = (
    "code",
    "name",
    "position",
    "effect",
    "rate",
    "is_on",
    "trigger",
    "event",
    "of",
    "of_tier_rate",
    "pieces",
)


def in_order(conditions: Iterable[ConditionContent]) -> tuple[ConditionContent, ...]:
    """Return conditions in the order in which content keeps them."""
    return tuple(sorted(conditions, key=lambda c: (c.for_life, c.measure, c.unit, c.window, c.months or 0)))


def read(version: ProgramVersion) -> Content:
    """Return what the version's rows say; 17 queries, whatever its size, and one for the unit that a trial counts."""
    return Content(
        **_same(version, SWITCHES),
        trial=_read_trial(version),
        units=_read_units(version),
        tiers=_read_tiers(version),
        events=tuple(
            EventContent(event.code, event.name, event.waits_for_friend)
            for event in version.event_types.order_by("code")
        ),
        groups=_read_groups(version),
        rules=_read_rules(version),
        rewards=read_rewards(version),
    )


def write(content: Content, *, version: ProgramVersion) -> None:
    """Make the rows of an empty draft say ``content``; its units exist already."""
    units = {unit.code: unit for unit in version.program.units.all()}
    _write_version(content, version, units)
    tiers = _write_tiers(content, version, units)
    _write_units(content, version, units, tiers)
    EventType.objects.bulk_create(
        EventType(version=version, code=event.code, name=event.name, waits_for_friend=event.waits_for_friend)
        for event in content.events
    )
    groups = {
        given.code: RuleGroup(
            version=version, code=given.code, name=given.name, position=given.position, mode=given.mode
        )
        for given in content.groups
    }
    RuleGroup.objects.bulk_create(groups.values())
    RuleCap.objects.bulk_create(
        RuleCap(group=groups[given.code], **_same(cap, OF_CAP)) for given in content.groups for cap in given.caps
    )
    _write_rules(content, version, units, tiers, groups)
    write_rewards(content.rewards, version=version, units=units, tiers=tiers)


def _same(source: object, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields that rows and content share by name."""
    return {name: getattr(source, name) for name in names}


def _read_trial(version: ProgramVersion) -> TrialContent | None:
    if not version.trial_tier or version.trial_need is None or version.trial_months is None:
        return None
    return TrialContent(
        tier=version.trial_tier,
        measure=version.trial_measure,
        need=version.trial_need,
        months=version.trial_months,
        once_in_months=version.trial_once_in_months,
        unit=version.trial_unit.code if version.trial_unit else "",
    )


def _read_units(version: ProgramVersion) -> tuple[UnitContent, ...]:
    by_tier = Prefetch("tier_expiries", TierExpiry.objects.select_related("tier"))
    return tuple(
        UnitContent(
            unit=terms.unit.code,
            tiers=tuple(
                TierExpiryContent(row.tier.code, row.months)
                for row in sorted(terms.tier_expiries.all(), key=lambda row: row.tier.code)
            ),
            **_same(terms, OF_UNIT),
        )
        for terms in version.unit_terms.select_related("unit").prefetch_related(by_tier).order_by("unit__code")
    )


def _read_tiers(version: ProgramVersion) -> tuple[TierContent, ...]:
    conditions = Prefetch("conditions", TierCondition.objects.select_related("unit"))
    return tuple(
        TierContent(
            code=tier.code,
            name=tier.name,
            rank=tier.rank,
            by_invitation=tier.by_invitation,
            conditions=in_order(
                ConditionContent(unit=row.unit.code if row.unit else "", **_same(row, OF_CONDITION))
                for row in tier.conditions.all()
            ),
            benefits=tuple(BenefitContent(row.kind, row.name, row.detail) for row in tier.benefits.all()),
        )
        for tier in version.tiers.prefetch_related(conditions, "benefits").order_by("rank", "code")
    )


def _read_groups(version: ProgramVersion) -> tuple[GroupContent, ...]:
    return tuple(
        GroupContent(
            code=group.code,
            name=group.name,
            position=group.position,
            mode=group.mode,
            caps=_read_caps(group.caps.all()),
        )
        for group in version.groups.prefetch_related("caps").order_by("position", "code")
    )


def _read_caps(caps: Iterable[RuleCap]) -> tuple[CapContent, ...]:
    return tuple(sorted(CapContent(**_same(cap, OF_CAP)) for cap in caps))


def _read_rules(version: ProgramVersion) -> tuple[RuleContent, ...]:
    tier_rates = Prefetch("tier_rates", TierRate.objects.select_related("tier"))
    line_rates = Prefetch("line_rates", RuleLineRate.objects.order_by("position", "kind", "value", "negated"))
    return tuple(
        RuleContent(
            unit=rule.unit.code,
            group=rule.group.code if rule.group else "",
            tier_rates=tuple(sorted(TierRateContent(row.tier.code, row.rate) for row in rule.tier_rates.all())),
            caps=_read_caps(rule.caps.all()),
            clauses=tuple(sorted(ClauseContent(row.kind, row.value, row.negated) for row in rule.clauses.all())),
            line_rates=tuple(
                LineRateContent(ClauseContent(row.kind, row.value, row.negated), row.rate)
                for row in rule.line_rates.all()
            ),
            **_same(rule, OF_RULE),
        )
        for rule in version.rules.select_related("unit", "group")
        .prefetch_related(tier_rates, "caps", "clauses", line_rates)
        .order_by("position", "code")
    )


def _write_version(content: Content, version: ProgramVersion, units: Mapping[str, Unit]) -> None:
    changed = _same(content, SWITCHES)
    if content.trial is not None:
        changed |= {f"trial_{name}": value for name, value in _same(content.trial, OF_TRIAL).items()}
        changed["trial_unit"] = units[content.trial.unit] if content.trial.unit else None
    for name, value in changed.items():
        setattr(version, name, value)
    version.save(update_fields=list(changed))


def _write_units(
    content: Content, version: ProgramVersion, units: Mapping[str, Unit], tiers: Mapping[str, Tier]
) -> None:
    terms = {
        given.unit: UnitTerms(version=version, unit=units[given.unit], **_same(given, OF_UNIT))
        for given in content.units
    }
    UnitTerms.objects.bulk_create(terms.values())
    TierExpiry.objects.bulk_create(
        TierExpiry(unit_terms=terms[given.unit], tier=tiers[row.tier], months=row.months)
        for given in content.units
        for row in given.tiers
    )


def _write_tiers(content: Content, version: ProgramVersion, units: Mapping[str, Unit]) -> dict[str, Tier]:
    tiers = {
        given.code: Tier(version=version, **_same(given, ("code", "name", "rank", "by_invitation")))
        for given in content.tiers
    }
    Tier.objects.bulk_create(tiers.values())
    TierCondition.objects.bulk_create(
        TierCondition(tier=tiers[given.code], unit=units[row.unit] if row.unit else None, **_same(row, OF_CONDITION))
        for given in content.tiers
        for row in given.conditions
    )
    TierBenefit.objects.bulk_create(
        TierBenefit(tier=tiers[given.code], position=position, kind=row.kind, name=row.name, detail=row.detail)
        for given in content.tiers
        for position, row in enumerate(given.benefits)
    )
    return tiers


def _write_rules(
    content: Content,
    version: ProgramVersion,
    units: Mapping[str, Unit],
    tiers: Mapping[str, Tier],
    groups: Mapping[str, RuleGroup],
) -> None:
    rules = {
        given.code: Rule(
            version=version,
            unit=units[given.unit],
            group=groups[given.group] if given.group else None,
            **_same(given, OF_RULE),
        )
        for given in content.rules
    }
    Rule.objects.bulk_create(rules.values())
    each = [(rules[given.code], given) for given in content.rules]
    TierRate.objects.bulk_create(
        TierRate(rule=rule, tier=tiers[row.tier], rate=row.rate) for rule, given in each for row in given.tier_rates
    )
    RuleCap.objects.bulk_create(RuleCap(rule=rule, **_same(cap, OF_CAP)) for rule, given in each for cap in given.caps)
    RuleClause.objects.bulk_create(
        RuleClause(rule=rule, kind=row.kind, value=row.value, negated=row.negated)
        for rule, given in each
        for row in given.clauses
    )
    RuleLineRate.objects.bulk_create(
        RuleLineRate(
            rule=rule,
            position=position,
            kind=row.clause.kind,
            value=row.clause.value,
            negated=row.clause.negated,
            rate=row.rate,
        )
        for rule, given in each
        for position, row in enumerate(given.line_rates)
    )
