"""The parts of a version in words, for the lists on its page; the terms are read once for a page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from programs import content
from programs.changes import together
from programs.changes.ladder import asked_lines
from programs.changes.rules import finer_lines, limits_of
from programs.changes.units import unit_lines
from programs.changes.words import Words, words_for
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


def tier_in_words(code: str, version: ProgramVersion) -> str:
    """Return what a tier asks for and how many benefits it has; empty for everyone's without any."""
    told = _told(version)
    tier = next((tier for tier in told.terms.tiers if tier.code == code), None)
    if tier is None:
        return ""
    lines = [f"{name} {value}" for name, value in asked_lines(tier, told.words).items()]
    if tier.by_invitation:
        lines.insert(0, _("by invitation only"))
    if tier.benefits:
        names = ", ".join(benefit.name for benefit in tier.benefits)
        lines.append(_("benefits: %(names)s") % {"names": names})
    return "; ".join(lines)


def rule_in_words(code: str, version: ProgramVersion) -> str:
    """Return when a rule applies, its other rates and its limits; empty where it has none."""
    told = _told(version)
    rule = next((rule for rule in told.terms.rules if rule.code == code), None)
    if rule is None:
        return ""
    group = {_("Group"): told.words.groups.get(rule.group, rule.group)} if rule.group else {}
    return together(group | finer_lines(rule, told.words))


def group_in_words(code: str, version: ProgramVersion) -> str:
    """Return the names of a group's rules, and the limits that they share."""
    told = _told(version)
    group = next((group for group in told.terms.groups if group.code == code), None)
    if group is None:
        return ""
    names = ", ".join(rule.name for rule in told.terms.rules if rule.group == code)
    limits = together(limits_of(group, told.terms.rules, told.words))
    return "; ".join(part for part in (names, limits) if part)


def unit_in_words(code: str, version: ProgramVersion) -> str:
    """Return how a unit lives and ends."""
    told = _told(version)
    unit = next((unit for unit in told.terms.units if unit.unit == code), None)
    return together(unit_lines(unit, told.words)) if unit else ""
