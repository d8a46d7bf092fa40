"""Faults of earning rules: what sets them off, what they give, which rule they stand on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from programs.content import Content, RuleContent
from programs.faults import caps, conditions
from programs.faults.fault import Fault, Known, unknown
from programs.faults.stacking import judged_in_order
from programs.models import Rule

Effect, Trigger = Rule.Effect, Rule.Trigger
OF_ANOTHER = (Effect.MULTIPLIER, Effect.BONUS)
PROPORTIONAL = (Effect.PER_AMOUNT, Effect.PERCENT)
BY_LINE = (*PROPORTIONAL, Effect.PER_ITEM, Effect.STAMP, Effect.MULTIPLIER)


def find(terms: Content, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with each rule that is switched on, in their order."""
    running = [rule for rule in terms.rules if rule.is_on]
    if not terms.rules:
        yield Fault(_("There is no earning rule: nobody would earn anything."), "rules")
    elif not running:
        yield Fault(_("Every earning rule is switched off: nobody would earn anything."), "rules")
    places = {rule.code: place for place, rule in enumerate(judged_in_order(running))}
    for rule in running:
        for message in (
            *_basics(rule, terms, known),
            *_trigger(rule, terms),
            *_of(rule, terms, places),
            *conditions.find(rule, terms, known),
            *_line_rates(rule, known),
            *caps.of_rule(rule, known),
        ):
            yield Fault(message, f"rule:{rule.code}")


def _basics(rule: RuleContent, terms: Content, known: Known) -> Iterator[str]:
    said = {"rule": rule.name, "unit": known.unit(rule.unit)}
    named = _("Rule “%(rule)s”") % said
    choices = ((rule.trigger, Trigger.values), (rule.effect, Effect.values), (rule.pieces, Rule.Pieces.values))
    for value, possible in choices:
        if wrong := unknown(named, value, possible):
            yield wrong
    if rule.unit not in {unit.unit for unit in terms.units}:
        yield _("Rule “%(rule)s” gives “%(unit)s”, a unit without terms in this version.") % said
    if rule.group and rule.group not in {group.code for group in terms.groups}:
        yield _("Rule “%(rule)s” is in the group “%(group)s”, which this version does not have.") % {
            **said,
            "group": rule.group,
        }
    tiers = {tier.code for tier in terms.tiers}
    for tier in (given.tier for given in rule.tier_rates if given.tier not in tiers):
        yield _("Rule “%(rule)s” has a rate for tier “%(tier)s”, which this version does not have.") % {
            **said,
            "tier": tier,
        }
    rates = [rule.rate, *(row.rate for row in rule.tier_rates), *(row.rate for row in rule.line_rates)]
    if not any(rates):
        yield _("Rule “%(rule)s” has the rate 0: it gives nothing.") % said
    elif rule.effect == Effect.FIXED and not any(rate.scaleb(known.decimals.get(rule.unit, 4)) >= 1 for rate in rates):
        yield _("Rule “%(rule)s” gives less than the smallest part of “%(unit)s”, so it gives nothing.") % said


def _trigger(rule: RuleContent, terms: Content) -> Iterator[str]:
    said = {"rule": rule.name}
    if rule.trigger == Trigger.PURCHASE:
        return
    if rule.effect not in (Effect.FIXED, Effect.BONUS):
        yield _("Rule “%(rule)s” is not about a purchase, so there is no amount: it can only give fixed units.") % said
    if rule.trigger == Trigger.EVENT and not rule.event:
        yield _("Rule “%(rule)s” is about an event, but not about which: choose the event type.") % said
    elif rule.trigger == Trigger.EVENT and rule.event not in {event.code for event in terms.events}:
        yield _("Rule “%(rule)s” is about the event “%(event)s”, which this version does not have.") % {
            **said,
            "event": rule.event,
        }


def _of(rule: RuleContent, terms: Content, places: Mapping[str, int]) -> Iterator[str]:
    """Yield what is wrong with the rule that a multiplier or a bonus stands on."""
    if rule.effect not in OF_ANOTHER:
        return
    base = next((other for other in terms.rules if other.code == rule.of), None)
    said = {"rule": rule.name, "base": base.name if base else rule.of}
    if not rule.of:
        yield _("Rule “%(rule)s” stands on another rule, but not said on which: choose it.") % said
    elif base is None:
        yield _("Rule “%(rule)s” stands on the rule “%(base)s”, which this version does not have.") % said
    elif base.code == rule.code:
        yield _("Rule “%(rule)s” stands on itself.") % said
    elif not base.is_on:
        yield _("Rule “%(rule)s” stands on the rule “%(base)s”, which is switched off.") % said
    else:
        yield from _stands_on(rule, base, said, places)


def _stands_on(rule: RuleContent, base: RuleContent, said: dict[str, str], places: Mapping[str, int]) -> Iterator[str]:
    if rule.effect == Effect.MULTIPLIER and base.effect not in PROPORTIONAL:
        yield _("Rule “%(rule)s” multiplies “%(base)s”, which gives neither units per amount nor a percentage.") % said
    if (base.trigger, base.event) != (rule.trigger, rule.event):
        yield _("Rule “%(rule)s” stands on “%(base)s”, which applies to something else.") % said
    if base.unit != rule.unit:
        yield _("Rule “%(rule)s” stands on “%(base)s”, which gives another unit.") % said
    if base.effect in OF_ANOTHER and base.of == rule.code:
        yield _("Rules “%(rule)s” and “%(base)s” stand on each other.") % said
    elif rule.effect == Effect.BONUS and places[base.code] > places[rule.code]:
        yield _("Rule “%(rule)s” is a bonus on “%(base)s”, which comes after it: put it before.") % said


def _line_rates(rule: RuleContent, known: Known) -> Iterator[str]:
    said = {"rule": rule.name}
    if rule.line_rates and rule.trigger == Trigger.PURCHASE and rule.effect not in BY_LINE:
        yield _("Rule “%(rule)s” has rates for some lines, but what it gives does not go by line.") % said
    for given in rule.line_rates:
        _clause, wrong = conditions.read(given.clause, known)
        kind = conditions.kind_name(given.clause.kind)
        if wrong:
            yield _("Rule “%(rule)s”, rate for lines by “%(kind)s”: %(wrong)s") % {**said, "kind": kind, "wrong": wrong}
        elif given.clause.kind not in conditions.LINE_KINDS:
            yield _("Rule “%(rule)s” has a rate for lines by “%(kind)s”, which is not about a line.") % {
                **said,
                "kind": kind,
            }
