"""The parts of a version in words, for the lists on its page; the terms are read once for a page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from programs import content
from programs.changes import rewards
from programs.changes.ladder import asked_lines
from programs.changes.rules import brief_lines, limits_of
from programs.changes.units import unit_lines
from programs.changes.words import Lines, Words, words_for
from programs.content import Content
from programs.models import ProgramVersion


@dataclass(frozen=True, slots=True)
class Told:
    """A version's terms and the words for them."""

    terms: Content
    words: Words


def _told(version: ProgramVersion) -> Told:
    """Return the version's terms, kept with the row that the page has read."""
    known: Told | None = getattr(version, "_told", None)
    if known is None:
        terms = content.read(version)
        known = Told(terms, words_for(version.program, terms))
        version._told = known  # type: ignore[attr-defined]
    return known


def tier_in_words(code: str, version: ProgramVersion) -> list[str]:
    """Return what a tier asks for, and its benefits by name."""
    told = _told(version)
    tier = next((tier for tier in told.terms.tiers if tier.code == code), None)
    if tier is None:
        return []
    asked = [f"{name} {value}" for name, value in asked_lines(tier, told.words).items()]
    if tier.by_invitation:
        asked.insert(0, _("By invitation only"))
    benefits = ", ".join(benefit.name for benefit in tier.benefits)
    return [*(asked or [_("Everyone's")]), *([_("Benefits: %(names)s") % {"names": benefits}] if benefits else [])]


def rule_in_words(code: str, version: ProgramVersion) -> list[str]:
    """Return what a rule gives and when, its other rates and its limits."""
    told = _told(version)
    rule = next((rule for rule in told.terms.rules if rule.code == code), None)
    if rule is None:
        return []
    group = {_("Group"): told.words.groups.get(rule.group, rule.group)} if rule.group else {}
    own_rate = [told.words.rate(rule, rule.rate)] if rule.rate or not rule.tier_rates else []
    return [*own_rate, *_each(brief_lines(rule, told.words) | group)]


def group_in_words(code: str, version: ProgramVersion) -> list[str]:
    """Return the names of a group's rules, and the limits that they share."""
    told = _told(version)
    group = next((group for group in told.terms.groups if group.code == code), None)
    if group is None:
        return []
    names = ", ".join(rule.name for rule in told.terms.rules if rule.group == code) or _("No rule yet")
    return [names, *_each(limits_of(group, told.terms.rules, told.words))]


def reward_in_words(code: str, version: ProgramVersion) -> list[str]:
    """Return what a reward takes and gives, for whom, and when."""
    told = _told(version)
    reward = next((reward for reward in told.terms.rewards if reward.code == code), None)
    return _each(rewards.brief_lines(reward, told.words)) if reward else []


def unit_in_words(code: str, version: ProgramVersion) -> list[str]:
    """Return how a unit lives and ends."""
    told = _told(version)
    unit = next((unit for unit in told.terms.units if unit.unit == code), None)
    return _each(unit_lines(unit, told.words)) if unit else []


def _each(lines: Lines) -> list[str]:
    return [f"{name}: {value}" for name, value in lines.items()]
