"""Says what a rule gives, when and up to where, and how a group stacks its rules."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from programs.changes.words import Lines, Words, cap_lines, condition_lines, line_rate_lines, switched
from programs.content import EventContent, GroupContent, RuleContent
from programs.models import Rule, RuleGroup


def rule_lines(rule: RuleContent, words: Words) -> Lines:
    """Return all that is said of a rule."""
    lines = {_("Name"): rule.name, _("Order"): str(rule.position)}
    if not rule.is_on:
        lines[_("Switch")] = switched(rule.is_on)
    if rule.group:
        lines[_("Group")] = words.groups.get(rule.group, rule.group)
    lines |= {_("Gives"): words.unit(rule.unit), _("Rate"): words.rate(rule, rule.rate)}
    return lines | finer_lines(rule, words)


def finer_lines(rule: RuleContent, words: Words) -> Lines:
    """Return what of a rule stands on its own page: when it applies, its other rates, its limits."""
    rates = {
        _("Rate for tier %(tier)s") % {"tier": name}: words.rate(rule, rate) for name, rate in _by_tier(rule, words)
    }
    return when_lines(rule, words) | rates | line_rate_lines(rule, words) | cap_lines(rule.caps, rule.unit, words)


def brief_lines(rule: RuleContent, words: Words) -> Lines:
    """Return the same with the tiers' rates in one line."""
    rates = ", ".join(f"{name} {words.short_rate(rule, rate)}" for name, rate in _by_tier(rule, words))
    by_tier = {_("By tier"): rates} if rates else {}
    return when_lines(rule, words) | by_tier | line_rate_lines(rule, words) | cap_lines(rule.caps, rule.unit, words)


def _by_tier(rule: RuleContent, words: Words) -> list[tuple[str, Decimal]]:
    """Return the tiers' rates from the lowest tier up."""
    places = {code: place for place, code in enumerate(words.tiers)}
    rates = sorted(rule.tier_rates, key=lambda given: places.get(given.tier, len(places)))
    return [(words.tiers.get(given.tier, given.tier), given.rate) for given in rates]


def when_lines(rule: RuleContent, words: Words) -> Lines:
    """Return what a rule applies to, and what it asks for."""
    lines: Lines = {}
    if rule.trigger == Rule.Trigger.EVENT:
        lines[_("For")] = _("the event “%(event)s”") % {"event": words.events.get(rule.event, rule.event)}
    elif rule.trigger != Rule.Trigger.PURCHASE:
        lines[_("For")] = _("joining")
    lines |= condition_lines(rule.clauses, words)
    if rule.of_tier_rate:
        lines[_("Multiplies")] = _("the rate of the member's tier")
    if rule.pieces != Rule.Pieces.SUM:
        lines[_("Pieces")] = str(Rule.Pieces(rule.pieces).label)
    return lines


def group_lines(group: GroupContent, rules: Iterable[RuleContent], words: Words) -> Lines:
    """Return all that is said of a group; its rules say themselves that they are in it."""
    lines = {
        _("Name"): group.name,
        _("Order"): str(group.position),
        _("Of its rules count"): str(RuleGroup.Mode(group.mode).label),
    }
    return lines | limits_of(group, rules, words)


def limits_of(group: GroupContent, rules: Iterable[RuleContent], words: Words) -> Lines:
    """Return the limits that a group's rules share."""
    units = {rule.unit for rule in rules if rule.group == group.code}
    return cap_lines(group.caps, units.pop() if len(units) == 1 else "", words)


def event_lines(event: EventContent) -> Lines:
    """Return all that is said of a type of event."""
    counts = _("once the friend has bought") if event.waits_for_friend else _("at once")
    return {_("Name"): event.name, _("Counts"): counts}
