"""Faults of limits, on a rule or on a group of rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from programs.content import CapContent, GroupContent, RuleContent
from programs.faults.fault import Known, unknown
from programs.models import Rule, RuleCap

Counts, Scope, Window = RuleCap.Counts, RuleCap.Scope, RuleCap.Window


def of_rule(rule: RuleContent, known: Known) -> Iterator[str]:
    """Yield in words what is wrong with the limits of a rule."""
    said = _("Limit of rule “%(rule)s”") % {"rule": rule.name}
    for cap in (cap for cap in rule.caps if cap.is_on):
        yield from _any(cap, said, [rule], known)
        if cap.counts == Counts.AMOUNT and rule.trigger != Rule.Trigger.PURCHASE:
            yield _("%(limit)s: only purchases have an amount. Limit the units or the times.") % {"limit": said}


def of_group(group: GroupContent, rules: Sequence[RuleContent], known: Known) -> Iterator[str]:
    """Yield in words what is wrong with the limits that the rules of a group share."""
    said = _("Limit of group “%(group)s”") % {"group": group.name}
    for cap in (cap for cap in group.caps if cap.is_on):
        yield from _any(cap, said, rules, known)
        if cap.counts == Counts.AMOUNT:
            yield _("%(limit)s: a group limits units or times. Put a limit on the amount on each rule.") % {
                "limit": said
            }
        if cap.counts == Counts.UNITS and len({rule.unit for rule in rules}) > 1:
            yield _("%(limit)s: its rules give different units, which cannot be added up.") % {"limit": said}


def _any(cap: CapContent, said: str, rules: Sequence[RuleContent], known: Known) -> Iterator[str]:
    choices = ((cap.counts, Counts.values), (cap.scope, Scope.values), (cap.window, Window.values))
    for value, possible in choices:
        if wrong := unknown(said, value, possible):
            yield wrong
    if cap.amount <= 0:
        yield _("%(limit)s: it lets nothing through. Switch the rule off instead.") % {"limit": said}
    elif not _is_whole(cap, rules, known):
        yield _("%(limit)s: %(amount)s cannot be counted so finely.") % {
            "limit": said,
            "amount": f"{cap.amount.normalize():f}",
        }
    if cap.window == Window.PURCHASE:
        yield from _in_one_purchase(cap, said)
    if cap.per and any(rule.trigger == Rule.Trigger.ENROLMENT for rule in rules):
        yield _("%(limit)s: it counts each “%(per)s” apart, but who joins comes without attributes.") % {
            "limit": said,
            "per": cap.per,
        }


def _in_one_purchase(cap: CapContent, said: str) -> Iterator[str]:
    if cap.counts == Counts.TIMES:
        yield _("%(limit)s: a rule applies once to a purchase anyway. Count the times in a day or longer.") % {
            "limit": said
        }
    if cap.scope == Scope.PROGRAM:
        yield _("%(limit)s: a budget of the whole program is for a day or longer, not for one purchase.") % {
            "limit": said
        }
    if cap.per:
        yield _("%(limit)s: one purchase has one “%(per)s”, so there is nothing to count apart.") % {
            "limit": said,
            "per": cap.per,
        }


def _is_whole(cap: CapContent, rules: Sequence[RuleContent], known: Known) -> bool:
    if cap.counts == Counts.AMOUNT:
        return known.is_whole(cap.amount)
    if cap.counts == Counts.UNITS:
        return all(known.is_whole(cap.amount, unit=rule.unit) for rule in rules)
    return cap.amount == cap.amount.to_integral_value()
