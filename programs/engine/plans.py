"""A version's rules made ready to judge with: conditions parted, scales worked out, groups in their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from programs.engine.clauses import CHANGEABLE_KINDS, LINE_KINDS, matcher, standing
from programs.engine.limits import Limit, limits_of
from programs.engine.state import Line
from programs.engine.terms import RATE_SCALE, Clause, Rule, Terms

PROPORTIONAL = frozenset({"per_amount", "percent", "multiplier"})
PIECES = frozenset({"per_item", "stamp"})
THOUSANDTHS = 1_000
KEPT = 64

Matcher = Callable[[Sequence[Line]], list[bool]]


@dataclass(frozen=True, slots=True)
class Planned:
    """A rule made ready. What it counts, times its rate, over ``step`` is the award in smallest steps of its unit.

    ``weight`` makes the rates of proportional rules comparable, ``worth`` the awards of different units.
    """

    rule: Rule
    place: int
    standing: tuple[Clause, ...]
    of_lines: tuple[Matcher, ...]
    changeable: tuple[Clause, ...]
    line_rates: tuple[tuple[Matcher, int], ...]
    limits: tuple[Limit, ...]
    base: Planned | None
    step: int
    weight: int
    worth: int

    def rates(self, lines: Sequence[Line], tier: str) -> list[int]:
        """Return the rate for each of the lines."""
        rates = [self.rule.rate_for(tier)] * len(lines)
        for matches, rate in reversed(self.line_rates):
            rates = [rate if held else own for held, own in zip(matches(lines), rates, strict=True)]
        if self.rule.effect != "multiplier":
            return rates
        if self.base is None:
            return [0] * len(lines)
        multiplied = self.base.rates(lines, tier if self.rule.of_tier_rate else "")
        return [rate * own for rate, own in zip(rates, multiplied, strict=True)]


@dataclass(frozen=True, slots=True)
class Slot:
    """Rules that stack by a mode: a group, or one rule that stands alone."""

    mode: str
    rules: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules for one trigger."""

    rules: tuple[Planned, ...]
    slots: tuple[Slot, ...]


_plans: dict[tuple[int, str, str], tuple[Terms, Plan]] = {}


def plan_of(terms: Terms, trigger: str, event: str) -> Plan:
    """Return the plan for an activity; the latest ones are kept, each with its terms, so that it is never another's."""
    key = (id(terms), trigger, event)
    kept = _plans.get(key)
    if kept is not None and kept[0] is terms:
        return kept[1]
    plan = _made(terms, trigger, event)
    if len(_plans) >= KEPT:
        _plans.clear()
    _plans[key] = (terms, plan)
    return plan


def _made(terms: Terms, trigger: str, event: str) -> Plan:
    rules = [
        rule
        for rule in terms.rules
        if rule.trigger == trigger and (trigger != "event" or rule.event.casefold() == event.casefold())
    ]
    planned = tuple(_planned(terms, place, rule) for place, rule in enumerate(rules))
    groups: dict[str, list[Planned]] = {}
    for one in planned:
        known = one.rule.group if one.rule.group in terms.groups else ""
        groups.setdefault(f"@{known}" if known else one.rule.code, []).append(one)
    slots = [
        Slot(terms.groups[name[1:]].mode if name.startswith("@") else "all", tuple(_bases_first(members)))
        for name, members in groups.items()
    ]
    return Plan(planned, tuple(_in_order(slots)))


def _bases_first(rules: list[Planned]) -> list[Planned]:
    """Return rules with each bonus behind what it is a bonus of, else as they come."""
    return [one for slot in _in_order([Slot("all", (rule,)) for rule in rules]) for one in slot.rules]


def _in_order(slots: list[Slot]) -> list[Slot]:
    """Return slots with each bonus behind what it is a bonus of, else as they come."""
    waiting, done = list(slots), []
    while waiting:
        codes = [{one.rule.code for one in slot.rules} for slot in waiting]
        free = (
            place
            for place, slot in enumerate(waiting)
            if not any(_bonus_of(slot) & others for other, others in enumerate(codes) if other != place)
        )
        done.append(waiting.pop(next(free, 0)))
    return done


def _bonus_of(slot: Slot) -> set[str]:
    return {one.rule.of for one in slot.rules if one.rule.effect == "bonus"}


def _planned(terms: Terms, place: int, rule: Rule) -> Planned:
    of = next((one for one in terms.rules if one.code == rule.of and one is not rule), None)
    base = (
        _planned(terms, -1, of)
        if rule.effect == "multiplier" and of and of.effect in PROPORTIONAL - {rule.effect}
        else None
    )
    smallest = 10 ** terms.units[rule.unit].precision
    effect = base.rule.effect if base else rule.effect
    scale, weight = RATE_SCALE, 1
    if effect in PROPORTIONAL:
        scale, weight = scale * 10**terms.digits, RATE_SCALE
    if effect in PIECES:
        scale *= THOUSANDTHS
    if effect in {"percent", "bonus"}:
        scale *= 100
    else:
        weight *= 100
    if rule.effect == "multiplier":
        scale, weight = scale * RATE_SCALE, weight // RATE_SCALE
    if rule.effect == "bonus" and of:
        scale *= 10 ** terms.units[of.unit].precision
    finest = max(unit.precision for unit in terms.units.values())
    assert scale % smallest == 0, rule.code
    return Planned(
        rule=rule,
        place=place,
        standing=standing(rule.clauses),
        of_lines=tuple(matcher(clause) for clause in rule.clauses if clause.kind in LINE_KINDS),
        changeable=tuple(clause for clause in rule.clauses if clause.kind in CHANGEABLE_KINDS),
        line_rates=tuple((matcher(line_rate.clause), line_rate.rate) for line_rate in rule.line_rates),
        limits=limits_of(terms, rule),
        base=base,
        step=scale // smallest,
        weight=weight,
        worth=10**finest // smallest,
    )
