"""What is worth a look before a draft is published, and does not stand in its way."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from programs.content import CapContent, Content, RuleContent
from programs.faults.fault import Fault, Known
from programs.models import Program, Rule, RuleCap, SegmentMember, TierCondition

Effect, Trigger, Counts = Rule.Effect, Rule.Trigger, RuleCap.Counts


def remarks_of(terms: Content, *, program: Program, before: Content | None) -> list[Fault]:
    """Return what is worth a look, each with the part that it is about. ``before`` are the terms that it follows."""
    known = Known(names={unit.code: unit.name_plural for unit in program.units.all()})
    filled = SegmentMember.objects.filter(program=program).values_list("segment__code", flat=True).distinct()
    peopled = frozenset(code.casefold() for code in filled)
    return list(find(terms, known, before=before, peopled=peopled))


def find(
    terms: Content, known: Known, *, before: Content | None = None, peopled: frozenset[str] | None = None
) -> Iterator[Fault]:
    """Yield the remarks; ``peopled`` are the segments with anybody in them, None where that is not known."""
    running = [rule for rule in terms.rules if rule.is_on]
    yield from _units(terms, running, known)
    yield from _tiers(terms, running, known)
    yield from _events(terms, running)
    for rule in running:
        yield from (Fault(message, f"rule:{rule.code}") for message in _rule(rule, peopled))
    if before is not None:
        yield from _against(before, terms, known)


def _units(terms: Content, running: list[RuleContent], known: Known) -> Iterator[Fault]:
    given = {rule.unit for rule in running}
    for unit in terms.units:
        if unit.unit not in given:
            yield Fault(_("No rule gives “%(unit)s”.") % {"unit": known.unit(unit.unit)}, f"unit:{unit.unit}")


def _tiers(terms: Content, running: list[RuleContent], known: Known) -> Iterator[Fault]:
    given = {rule.unit for rule in running}
    for tier in terms.tiers:
        for condition in tier.conditions:
            if condition.measure == TierCondition.Measure.UNITS and condition.unit not in given:
                yield Fault(
                    _("Nobody can reach tier “%(tier)s”: it counts “%(unit)s”, which no rule gives.")
                    % {"tier": tier.name, "unit": known.unit(condition.unit)},
                    f"tier:{tier.code}",
                )


def _events(terms: Content, running: list[RuleContent]) -> Iterator[Fault]:
    used = {rule.event for rule in running if rule.trigger == Trigger.EVENT}
    alive = {code.strip() for unit in terms.units for code in unit.kept_alive_by.split(",")}
    for event in terms.events:
        if event.code not in used and not alive & {event.code, "event"}:
            yield Fault(_("Event “%(event)s” earns nothing: no rule is about it.") % {"event": event.name}, "events")


def _rule(rule: RuleContent, peopled: frozenset[str] | None) -> Iterator[str]:
    for cap in rule.caps:
        if cap.is_on and _cuts_each_award(rule, cap):
            yield _(
                "Rule “%(rule)s” gives more at once than its own limit lets through: the limit cuts each award."
            ) % {"rule": rule.name}
    for clause in rule.clauses:
        if clause.kind != "segment" or clause.negated or peopled is None:
            continue
        codes = [code.strip() for code in clause.value.split(",") if code.strip()]
        if codes and not any(code.casefold() in peopled for code in codes):
            yield _("Rule “%(rule)s” is for a segment that nobody is in.") % {"rule": rule.name}


def _cuts_each_award(rule: RuleContent, cap: CapContent) -> bool:
    rates = [rule.rate, *(given.rate for given in rule.tier_rates)]
    least = min((rate for rate in rates if rate > 0), default=None)
    return rule.effect == Effect.FIXED and cap.counts == Counts.UNITS and least is not None and least > cap.amount


def _against(before: Content, after: Content, known: Known) -> Iterator[Fault]:
    """Yield what members may take for a breach of what they were promised."""
    if before.needs_notice and not after.needs_notice:
        yield Fault(
            _("Members will lose units and tiers without being told before: notices are switched off."), "terms"
        )
    old = {unit.unit: unit for unit in before.units}
    ends = ("expiry", "expiry_months", "expiry_days", "fixed_days", "round_up")
    for unit in after.units:
        was = old.get(unit.unit)
        if was is None or all(getattr(was, name) == getattr(unit, name) for name in ends):
            continue
        if "inactivity" in (was.expiry, unit.expiry):
            text = _("“%(unit)s” end in another way: those without a date of their own follow at once.")
        else:
            text = _("“%(unit)s” end in another way: those earned before keep the end that they have.")
        yield Fault(text % {"unit": known.unit(unit.unit)}, f"unit:{unit.unit}")
    stays = {tier.code for tier in after.tiers}
    for tier in before.tiers:
        if tier.code not in stays:
            yield Fault(
                _("Tier “%(tier)s” is taken out: who holds it moves to the tier that their own activity reaches.")
                % {"tier": tier.name},
                "tiers",
            )
