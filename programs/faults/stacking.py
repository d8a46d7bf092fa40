"""Faults of how rules stack: groups, and rules that both apply without it being said how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from django.utils.translation import gettext as _

from programs.content import Content, RuleContent
from programs.engine.terms import Clause
from programs.faults import caps, conditions
from programs.faults.contradictions import contradicting
from programs.faults.fault import Fault, Known, unknown
from programs.models import Rule, RuleGroup

PROPORTIONAL = (Rule.Effect.PER_AMOUNT, Rule.Effect.PERCENT)


def find(terms: Content, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with the groups, then each two rules of which nobody said how they stack."""
    running = [rule for rule in terms.rules if rule.is_on]
    for group in terms.groups:
        rules = [rule for rule in running if rule.group == group.code]
        said = {"group": group.name}
        messages = list(caps.of_group(group, rules, known))
        if wrong := unknown(_("Group “%(group)s”") % said, group.mode, RuleGroup.Mode.values):
            messages.append(wrong)
        if not rules:
            messages.append(_("Group “%(group)s” has no rule: put rules into it, or take it out.") % said)
        if group.mode == RuleGroup.Mode.BEST and len({rule.unit for rule in rules}) > 1:
            messages.append(_("Group “%(group)s” chooses between rules that give different units.") % said)
        yield from (Fault(message, f"group:{group.code}") for message in messages)
    yield from _beside_each_other(running, known)


def _beside_each_other(rules: Iterable[RuleContent], known: Known) -> Iterator[Fault]:
    """Yield where two base rules outside of groups give the same unit for the same lines."""
    alone = [
        rule
        for rule in rules
        if not rule.group and rule.trigger == Rule.Trigger.PURCHASE and rule.effect in PROPORTIONAL
    ]
    for one, other in combinations(alone, 2):
        if one.unit == other.unit and not _are_apart(one, other, known):
            yield Fault(
                _(
                    "Rules “%(one)s” and “%(other)s” can both apply to the same purchase: "
                    "say how they stack, put both in a group."
                )
                % {"one": one.name, "other": other.name},
                f"rule:{other.code}",
            )


def _are_apart(one: RuleContent, other: RuleContent, known: Known) -> bool:
    """Whether the conditions of two rules keep them from ever counting the same line of the same purchase."""
    left, right = conditions.readable(one.clauses, known), conditions.readable(other.clauses, known)
    if _lines(left) != _lines(right):  # Quantities are those of different lines then.
        left, right = ([c for c in clauses if c.kind != "quantity"] for clauses in (left, right))
    return contradicting([*left, *right]) is not None


def _lines(clauses: Iterable[Clause]) -> set[Clause]:
    return {clause for clause in clauses if clause.kind in conditions.LINE_KINDS}


def judged_in_order(rules: Sequence[RuleContent]) -> list[RuleContent]:
    """Return rules in the order in which they are judged: a group at the place of its first rule."""
    firsts: dict[str, int] = {}
    for place, rule in enumerate(rules):
        firsts.setdefault(rule.group or f"rule {rule.code}", place)
    places = {rule.code: place for place, rule in enumerate(rules)}
    return sorted(rules, key=lambda rule: (firsts[rule.group or f"rule {rule.code}"], places[rule.code]))
