"""An example purchase or event judged under terms that nobody has published: what it would get, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from accounts.ids import new_id
from loyalty.api.problems import invalid
from loyalty.purchases.explanations import Reason, explain
from loyalty.purchases.facts import Row, engine_activity
from loyalty.purchases.inputs import PurchaseInput
from loyalty.purchases.intake import NO_TERMS_IN_FORCE
from loyalty.purchases.models import Activity, Judgement
from loyalty.purchases.quotes import judged, row_of
from programs.content import Content
from programs.engine.state import Holding, Refund, State, Verdict
from programs.engine.terms import Schedule, Terms
from programs.engine.timeline import fold
from programs.faults import Fault
from programs.models import Membership, Program, Unit
from programs.terms import schedule_of


@dataclass(frozen=True, slots=True)
class Example:
    """What is tried: a purchase, or an event of the type ``event``; for a member, else for someone new in a tier."""

    purchase: PurchaseInput
    event: str = ""
    tier: str = ""
    member: Membership | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """How an example was judged: the tier it was judged by, what each rule gave and why, and in all by unit's code."""

    tier: str
    reasons: Sequence[Reason]
    given: Mapping[str, int]


def triable(said: Content, faults: Sequence[Fault]) -> tuple[Content, list[str]]:
    """Return the terms without the rules that cannot be judged, and why each of those was left out."""
    units = {unit.unit for unit in said.units}
    groups = {fault.where.removeprefix("group:") for fault in faults if fault.where.startswith("group:")}
    broken = {fault.where.removeprefix("rule:") for fault in faults if fault.where.startswith("rule:")}
    broken |= {rule.code for rule in said.rules if rule.group in groups or rule.unit not in units}
    while more := {rule.code for rule in said.rules if rule.of in broken} - broken:
        broken |= more  # What stands on a rule that is left out.
    wrong = [fault.message for fault in faults if fault.where.startswith(("rule:", "group:")) or fault.where == "units"]
    return replace(said, rules=tuple(rule for rule in said.rules if rule.code not in broken)), wrong


def trial(example: Example, *, program: Program, terms: Terms, units: Mapping[str, Unit]) -> Trial:
    """Return how the example would be judged under these terms. Nothing is written.

    Raises InvalidError for a member at a moment at which the program had no terms.
    """
    verdict = _verdict(example, program=program, terms=terms)
    judgement = Judgement(program=program, version_id=verdict.version_id, tier=verdict.tier, facts=verdict.facts)
    given: dict[str, int] = {}
    for _rule, unit, amount in verdict.awards:
        given[unit] = given.get(unit, 0) + amount
    return Trial(
        tier=verdict.tier,
        reasons=explain(judgement, program=program, units=units, terms=terms),
        given=given,
    )


def _verdict(example: Example, *, program: Program, terms: Terms) -> Verdict:
    if example.member is None:
        return _for_someone_new(example, program=program, terms=terms)
    schedule = schedule_of(program)
    index = schedule.index_at(example.purchase.occurred_at)
    if index < 0:
        raise invalid("/occurred_at", NO_TERMS_IN_FORCE)
    # In the place of what is in force at that moment, so that the member is not reviewed under it before.
    in_force = schedule.versions[index]
    versions = list(schedule.versions)
    versions[index] = replace(terms, version_id=in_force.version_id, starts_at=in_force.starts_at)
    row = _row(example, program=program, member=example.member.pk)
    return judged(row, example.member, program=program, schedule=Schedule(versions))


def _for_someone_new(example: Example, *, program: Program, terms: Terms) -> Verdict:
    at = example.purchase.occurred_at
    since = replace(terms, starts_at=min(terms.starts_at, at))
    state = State(joined_at=at, as_of=at, version_id=terms.version_id, tier=example.tier, earned=Holding(example.tier))
    activity = engine_activity(_row(example, program=program, member=new_id()), {}, {})
    assert not isinstance(activity, Refund), activity
    _state, outcome = fold(state=state, schedule=Schedule([since]), activity=[activity], new_id=new_id)
    return outcome.verdicts[0]


def _row(example: Example, *, program: Program, member: UUID) -> Row:
    row = row_of(example.purchase, program=program, member=member)
    if example.event:
        row = replace(row, kind=Activity.Kind.EVENT, event_type=example.event, total=None, lines=[])
    return row
