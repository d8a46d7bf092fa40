"""A reward as the form on its page says it, before anything is saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from programs.content import Content
from programs.models import Reward, RewardClause, RewardLimit, RewardTier
from programs.reward_content import PLAIN, RewardClauseContent, RewardContent, RewardLimitContent, RewardTierContent


def reward_as_typed(form: Any, formsets: Iterable[Any]) -> RewardContent | None:
    """Return a reward as its bound form says it, without what cannot be read; None where it has no kind yet."""
    reward: Reward = form.instance
    if not reward.kind:
        return None
    rows = {formset.model: list(_rows(formset)) for formset in formsets}
    return RewardContent(
        **{name: getattr(reward, name) for name in PLAIN},
        unit=reward.unit.code if reward.unit else "",
        gives_unit=reward.gives_unit.code if reward.gives_unit else "",
        tiers=tuple(
            RewardTierContent(row.tier.code, row.price, row.value, row.percent, row.opens_at)
            for row in sorted(rows.get(RewardTier, ()), key=lambda row: row.tier.code)
        ),
        limits=tuple(sorted(RewardLimitContent(row.window, row.times) for row in rows.get(RewardLimit, ()))),
        clauses=tuple(
            sorted(RewardClauseContent(row.kind, row.value, row.negated) for row in rows.get(RewardClause, ()))
        ),
    )


def with_reward(terms: Content, reward: RewardContent, *, code: str) -> Content:
    """Return the terms with a reward in place of the one of this code, or beside the others where there is none."""
    others = [one for one in terms.rewards if one.code != code]
    return replace(terms, rewards=tuple(sorted([*others, reward], key=lambda one: (one.position, one.code))))


def _rows(formset: Any) -> Iterator[Any]:
    """Yield the rows that would stand after saving: without those taken out, left empty or wrongly filled in."""
    for form in formset.forms:
        if form.errors or formset._should_delete_form(form):
            continue
        if form.instance._state.adding and not form.has_changed():
            continue
        yield form.instance
