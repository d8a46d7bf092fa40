"""The terms of a draft as a form on the page says them, before anything is saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from programs import content
from programs.content import (
    OF_CAP,
    OF_CONDITION,
    OF_RULE,
    BenefitContent,
    CapContent,
    ClauseContent,
    ConditionContent,
    Content,
    LineRateContent,
    RuleContent,
    TierContent,
    TierRateContent,
)
from programs.models import Rule, RuleCap, RuleClause, RuleLineRate, Tier, TierBenefit, TierCondition, TierRate


def rule_as_typed(form: Any, formsets: Iterable[Any]) -> RuleContent | None:
    """Return a rule as its bound form says it, without what cannot be read; None where it has no unit yet."""
    rule: Rule = form.instance
    if not rule.unit_id or not isinstance(rule.rate, Decimal):
        return None
    rows = {formset.model: list(_rows(formset)) for formset in formsets}
    return RuleContent(
        unit=rule.unit.code,
        group=rule.group.code if rule.group else "",
        clauses=tuple(sorted(_clause(row) for row in rows.get(RuleClause, ()))),
        tier_rates=tuple(sorted(TierRateContent(row.tier.code, row.rate) for row in rows.get(TierRate, ()))),
        line_rates=tuple(
            LineRateContent(_clause(row), row.rate)
            for row in sorted(rows.get(RuleLineRate, ()), key=lambda row: row.position)
        ),
        caps=tuple(sorted(CapContent(**_same(row, OF_CAP)) for row in rows.get(RuleCap, ()))),
        **_same(rule, OF_RULE),
    )


def tier_as_typed(form: Any, formsets: Iterable[Any]) -> TierContent:
    """Return a tier as its bound form says it, without what cannot be read."""
    tier: Tier = form.instance
    rows = {formset.model: list(_rows(formset)) for formset in formsets}
    return TierContent(
        conditions=content.in_order(
            ConditionContent(unit=row.unit.code if row.unit else "", **_same(row, OF_CONDITION))
            for row in rows.get(TierCondition, ())
        ),
        benefits=tuple(BenefitContent(row.kind, row.name, row.detail) for row in rows.get(TierBenefit, ())),
        **_same(tier, ("code", "name", "rank", "by_invitation")),
    )


def with_rule(terms: Content, rule: RuleContent, *, code: str) -> Content:
    """Return the terms with a rule in place of the one of this code, or beside the others where there is none."""
    others = [one for one in terms.rules if one.code != code]
    return replace(terms, rules=tuple(sorted([*others, rule], key=lambda one: (one.position, one.code))))


def with_tier(terms: Content, tier: TierContent, *, code: str) -> Content:
    """Return the terms with a tier in place of the one of this code."""
    others = [one for one in terms.tiers if one.code != code]
    return replace(terms, tiers=tuple(sorted([*others, tier], key=lambda one: (one.rank, one.code))))


def _rows(formset: Any) -> Iterator[Any]:
    """Yield the rows that would stand after saving: without those taken out, left empty or wrongly filled in."""
    for form in formset.forms:
        if form.errors or formset._should_delete_form(form):
            continue
        if form.instance._state.adding and not form.has_changed():
            continue
        yield form.instance


def _clause(row: RuleClause | RuleLineRate) -> ClauseContent:
    return ClauseContent(row.kind, row.value, row.negated)


def _same(source: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
