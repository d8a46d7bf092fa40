"""A back-test, slice by slice: each member's past up to the period once, then the period under either terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.purchases.budgets import has_budgets
from loyalty.rehearsals import reading, snapshots, sums
from loyalty.rehearsals.models import BackTest, Mover
from loyalty.rehearsals.reading import Past, Timed
from loyalty.rehearsals.schedules import Dated, moved, ruled_by
from loyalty.rehearsals.walks import Walk
from programs.engine.dates import local_day, months_later, start_of
from programs.engine.state import Outcome, Refund
from programs.engine.terms import Schedule, Terms
from programs.models import Membership
from programs.terms import schedule_of, terms_of

INSTANT = timedelta(microseconds=1)
BUDGETS, PERIOD = "budgets", "period"  # The two rounds; the first only where a whole program shares limits.


@dataclass(slots=True)
class Setting:
    """What one slice needs of the test, made once: the terms of both sides, and the months between them."""

    test: BackTest
    published: Schedule
    sides: tuple[Schedule, Schedule]
    dated: list[Dated]
    starts_at: datetime
    ends: list[tuple[str, datetime]]  # The last moment of each month of the period.


def setting_of(test: BackTest) -> Setting:
    """Return what is to be compared. Raises ClauseError, KeyError where the kept terms cannot be read any more."""
    program, published = test.program, schedule_of(test.program)
    starts_at = start_of(test.first_day, program.zone)
    draft = snapshots.terms_then(
        program=program, version_id=test.version_id or test.pk, number=test.number, snapshot=test.terms
    )
    draft, dated = _moved(draft, test)
    before = published
    if test.against_id is not None:
        before = ruled_by(published, _moved(terms_of(test.against_id), test)[0], since=starts_at)
    after = ruled_by(published, draft, since=starts_at)
    return Setting(test, published, (before, after), dated, starts_at, _month_ends(test, starts_at))


def _moved(terms: Terms, test: BackTest) -> tuple[Terms, list[Dated]]:
    return moved(terms, first_day=test.first_day, last_day=test.last_day, moves=test.moves_dates)


def _month_ends(test: BackTest, starts_at: datetime) -> list[tuple[str, datetime]]:
    zone = test.program.zone
    found = []
    month = local_day(starts_at, zone).replace(day=1)
    while (following := months_later(month, 1)) <= test.last_day:
        found.append((f"{month:%Y-%m}", start_of(following, zone) - INSTANT))
        month = following
    return [*found, (f"{month:%Y-%m}", test.until)]


def begin(test: BackTest) -> tuple[int, dict[str, Any]]:
    """Return how many receipts there are to go through, and the state of a test that has not begun."""
    known = _activity(test)
    versions = [*schedule_of(test.program).versions, *setting_of(test).sides[1].versions]
    has_history = known.filter(occurred_at__lt=start_of(test.first_day, test.program.zone)).exists()
    rounds = [BUDGETS, PERIOD] if has_history and any(map(has_budgets, versions)) else [PERIOD]
    state: dict[str, Any] = {
        "rounds": rounds,
        "after": None,
        "budgets": {},
        "history": {},
        "sides": [{}, {}],
        "sums": sums.empty(),
    }
    return known.count() * len(rounds), state


def _activity(test: BackTest) -> Any:
    return reading.judged_before(test.program, until=test.until, known_by=test.requested_at)


def step(setting: Setting, state: dict[str, Any]) -> tuple[int, list[Mover]] | None:
    """Go through the next members; return how many receipts that were and who moved, None at the end.

    ``state`` is changed in place: it holds all that the next slice goes on from.
    """
    test = setting.test
    activity = _activity(test)
    members = Membership.objects.filter(program=test.program)
    after = UUID(state["after"]) if state["after"] else None
    ids = reading.next_members(members, activity, after=after)
    if not ids:
        state["rounds"], state["after"] = state["rounds"][1:], None
        if not state["rounds"]:
            return None
        # What the past used up of shared limits is what the period finds, on both sides.
        state["sides"] = [dict(state["budgets"]), dict(state["budgets"])]
        return 0, []
    state["after"] = str(ids[-1])
    found = reading.pasts(ids, activity, schedule=setting.published)
    movers: list[Mover] = []
    for past in found:
        if state["rounds"][0] == BUDGETS:
            _history(setting, past, state["budgets"])
        else:
            movers += _member(setting, past, state)
    return sum(len(past.activity) for past in found), movers


def _history(setting: Setting, past: Past, budgets: dict[str, int]) -> tuple[Walk, list[Timed]]:
    """Return where the member stood as the period began, and what follows."""
    walk = Walk(past.fresh, setting.published, budgets, past.returned)
    before = [one for one in past.activity if one.moment < setting.starts_at]
    if past.fresh.joined_at < setting.starts_at:
        for _outcome in walk.go([one.activity for one in before], until=setting.starts_at - INSTANT):
            pass
    return walk, past.activity[len(before) :]


def _member(setting: Setting, past: Past, state: dict[str, Any]) -> list[Mover]:
    """Fold one member's period under both terms and add up what each gave; return the member if the tier differs."""
    walk, activity = _history(setting, past, state["history"])
    total = state["sums"]
    totals = {one.row.id: one.row.total or 0 for one in activity}
    sums.count_activity(total, [one.activity for one in activity], totals=totals)
    returns = frozenset(one.activity.id for one in activity if isinstance(one.activity, Refund))
    ends = []
    for schedule, budgets, side in zip(setting.sides, state["sides"], total["sides"], strict=True):
        own = walk.branch(schedule, budgets)
        outcomes = _period(setting, own, activity, side)
        for outcome in outcomes:
            sums.count_outcome(side, outcome, returns=returns)
        ends.append((own.state.tier, sums.given_to(outcomes)))
    (before, given_before), (after, given_after) = ends
    sums.count_member(total, past.membership_id, (given_before, given_after), (before, after))
    return _mover(setting, past, before, after, sums.difference(given_before, given_after), total)


def _period(setting: Setting, walk: Walk, activity: Sequence[Timed], side: dict[str, Any]) -> list[Outcome]:
    """Fold the period month by month, noting on the side what is held at each end; return what it all came to."""
    outcomes: list[Outcome] = []
    place = 0
    for month, end in setting.ends:
        following = place
        while following < len(activity) and activity[following].moment <= end:
            following += 1
        if walk.state.joined_at <= end:
            outcomes += walk.go([one.activity for one in activity[place:following]], until=end)
            sums.count_month(side, month, walk.state)
        place = following
    return outcomes


def _mover(
    setting: Setting, past: Past, before: str, after: str, differences: dict[str, int], total: dict[str, Any]
) -> list[Mover]:
    if before == after:
        return []
    is_up = rank(setting.sides, after) > rank(setting.sides, before)
    total["up" if is_up else "down"] += 1
    return [
        Mover(
            program_id=setting.test.program_id,
            back_test=setting.test,
            membership_id=past.membership_id,
            before=before,
            after=after,
            is_up=is_up,
            differences=differences,
        )
    ]


def rank(sides: tuple[Schedule, Schedule], tier: str) -> float:
    """Return the place of a tier on the ladders of both sides, the draft's first; -1 for none."""
    for schedule in reversed(sides):
        tiers = [one.code for one in schedule.versions[-1].tiers]
        if tier in tiers:
            return tiers.index(tier) / len(tiers)
    return -1


def finished(setting: Setting, state: dict[str, Any]) -> dict[str, Any]:
    """Return the result: the sums, what became of dated rules, and what the tiers and rules are called."""
    before, after = (schedule.versions for schedule in setting.sides)
    names = {"rules": {}, "tiers": {}}  # type: dict[str, dict[str, str]]
    for terms in (*before, *after):
        names["rules"] |= {rule.code: rule.name for rule in terms.rules}
        names["tiers"] |= {tier.code: tier.name for tier in terms.tiers}
    ladder = [tier.code for tier in after[-1].tiers]
    ladder += [tier.code for tier in before[-1].tiers if tier.code not in ladder]
    return {
        **state["sums"],
        "names": names,
        "ladder": ladder,
        "dated": [_dated(one) for one in setting.dated],
        "shares_limits": any(map(has_budgets, (*before, *after))),
    }


def _dated(one: Dated) -> dict[str, Any]:
    def text(day: date | None) -> str | None:
        return day.isoformat() if day is not None else None

    return {
        "rule": one.rule,
        "name": one.name,
        "years": one.years,
        "first": text(one.first),
        "last": text(one.last),
        "fires": one.fires,
        "movable": one.movable,
    }
