"""Tier credit read anew from history: where terms ask for more than was kept of a member so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from loyalty.ledger.book import Book
from loyalty.purchases.facts import rejudged
from loyalty.purchases.models import Activity, Award, Judgement, Rejudgement
from programs.engine.dates import local_day
from programs.engine.state import State
from programs.engine.terms import Schedule
from programs.engine.tiers import counts_of


def complete(book: Book, schedules: Mapping[UUID, Schedule]) -> None:
    """Bring the credit of members up to what their program's terms ask for; nothing where it is. Five queries.

    A member needs it once: after an upgrade, or under the first terms that look at more than calendar years.
    """
    programs = {standing.membership_id: standing.program_id for standing in book.standings}
    wanted = {pk: state for pk, state in book.states.items() if state.counted < counts_of(schedules[programs[pk]])}
    if not wanted:
        return
    counts, moments = _history(wanted)
    for pk, state in wanted.items():
        schedule = schedules[programs[pk]]
        state.credit, state.marks = {}, {}
        for activity_id, measures in counts[pk].items():
            _add(state, moments[activity_id], measures, schedule)
        state.counted = counts_of(schedule)


def _history(members: Mapping[UUID, State]) -> tuple[dict[UUID, dict[UUID, dict[str, int]]], dict[UUID, datetime]]:
    """Return by member and purchase (or event) what it counts, less its returns; and when each happened."""
    rows = list(
        Activity.objects.filter(membership_id__in=list(members), status=Activity.Status.ACCRUED).values_list(
            "id", "membership_id", "kind", "occurred_at", "is_void"
        )
    )
    facts = dict(
        Judgement.objects.filter(activity__membership_id__in=list(members)).values_list("activity_id", "facts")
    )
    units: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    awards = Award.objects.filter(activity__membership_id__in=list(members))
    for activity_id, unit, amount in awards.values_list("activity_id", "unit__code", "amount"):
        units[activity_id][f"unit:{unit}"] += amount
    for activity_id, again in rejudged(Rejudgement.objects.filter(activity__membership_id__in=list(members))).items():
        facts[activity_id], units[activity_id] = again.facts, defaultdict(int)
        for _rule, unit, amount in again.awards:
            units[activity_id][f"unit:{unit}"] += amount
    counts: dict[UUID, dict[UUID, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for activity_id, membership_id, kind, _occurred_at, is_void in rows:
        known = facts.get(activity_id, {})
        is_return = kind == Activity.Kind.REFUND
        counted = counts[membership_id][UUID(known["purchase"]) if is_return else activity_id]
        counted["spend"] += (-1 if is_return else 1) * sum(known.get("credit", {}).get("spend", {}).values())
        counted["visits"] += kind == Activity.Kind.PURCHASE and not is_void
        for measure, amount in units[activity_id].items():
            counted[measure] += amount
    return counts, {activity_id: occurred_at for activity_id, _member, _kind, occurred_at, _void in rows}


def _add(state: State, at: datetime, measures: Mapping[str, int], schedule: Schedule) -> None:
    said = {measure: amount for measure, amount in measures.items() if amount}
    year = str(local_day(at, schedule.versions[0].zone).year)
    for measure, amount in said.items():
        years = state.credit.setdefault(measure, {})
        years[year] = years.get(year, 0) + amount
    if said and counts_of(schedule) > 1:
        mark = state.marks.setdefault(at, {})
        for measure, amount in said.items():
            mark[measure] = mark.get(measure, 0) + amount
