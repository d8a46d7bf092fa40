"""What a correction would change: each member's past under the right terms, against what was posted."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from loyalty.ledger import book as ledger
from loyalty.ledger.models import Lot, Standing
from loyalty.ledger.queries import present_of
from loyalty.purchases.credits import complete as complete_credit
from loyalty.purchases.facts import rejudged
from loyalty.purchases.models import Activity, Award, Judgement, Rejudgement
from loyalty.rehearsals import reading, running
from loyalty.rehearsals.models import Corrected, Correction
from loyalty.rehearsals.reading import Past
from loyalty.rehearsals.schedules import in_place_of
from loyalty.rehearsals.walks import Walk, numbered
from programs.engine import state as engine
from programs.engine.corrections import Corrections, Credited, correct, credit_between, differences
from programs.engine.terms import Schedule, Terms
from programs.engine.value import Change
from programs.models import Membership
from programs.terms import schedule_of, terms_of

Awards = list[tuple[str, str, int]]


@dataclass(slots=True)
class Setting:
    """What one slice needs of the correction, made once: the published terms, and both readings of the past."""

    run: Correction
    published: Schedule
    before: Schedule
    after: Schedule
    right: Terms


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an activity was judged: the version, the tier, the facts, and all that it came to."""

    version_id: UUID
    tier: str
    facts: Mapping[str, Any]
    awards: Awards


@dataclass(slots=True)
class Effect:
    """What the right terms make of one member: the judgements to be put in place, and what is to be put right."""

    membership_id: UUID
    verdicts: dict[UUID, Verdict] = field(default_factory=dict)
    corrections: Corrections = field(default_factory=Corrections)
    budgets: dict[str, int] = field(default_factory=dict)

    @property
    def units(self) -> dict[str, int]:
        """By unit what comes or goes, smallest steps."""
        found: dict[str, int] = {}
        for change in self.corrections.units:
            found[change.unit] = found.get(change.unit, 0) + change.amount
        return {unit: amount for unit, amount in found.items() if amount}

    @property
    def count(self) -> int:
        """How many receipts come to something else."""
        return len({change.activity_id for change in self.corrections.units})


def setting_of(run: Correction) -> Setting:
    """Return both readings of the program's past: as it was judged, corrections included, and as it should be."""
    published = schedule_of(run.program)
    stands_for = _earlier_corrections(run)
    right = terms_of(run.right_id)
    before: dict[UUID, Terms] = {}
    after: dict[UUID, Terms] = {}
    for terms in published.versions:
        judged_by = _followed(terms.version_id, stands_for)
        if judged_by != terms.version_id:
            before[terms.version_id] = after[terms.version_id] = terms_of(judged_by)
        if run.wrong_id in (terms.version_id, judged_by):
            after[terms.version_id] = right
    return Setting(run, published, in_place_of(published, before), in_place_of(published, after), right)


def _earlier_corrections(run: Correction) -> dict[UUID, UUID]:
    posted = Correction.objects.filter(program_id=run.program_id, phase=Correction.Phase.POST).exclude(pk=run.pk)
    return dict(posted.order_by("requested_at").values_list("wrong_id", "right_id"))


def _followed(version_id: UUID, stands_for: Mapping[UUID, UUID]) -> UUID:
    seen = {version_id}
    while (following := stands_for.get(version_id)) is not None and following not in seen:
        seen.add(version_id := following)
    return version_id


# --- Whose, and what -----------------------------------------------------------------------------------------------


def members_of(run: Correction) -> QuerySet[Membership]:
    """Return the members of whom something was judged by the wrong version."""
    own = {"activity__membership_id": OuterRef("pk"), "version_id": run.wrong_id, "program_id": run.program_id}
    members = Membership.objects.filter(program_id=run.program_id)
    return members.filter(Exists(Judgement.objects.filter(**own)) | Exists(Rejudgement.objects.filter(**own)))


def activity_of(run: Correction) -> QuerySet[Activity]:
    """Return all that was judged of members, up to now."""
    return Activity.objects.filter(program_id=run.program_id, membership__isnull=False, status=Activity.Status.ACCRUED)


def effects(setting: Setting, ids: Collection[UUID], budgets: tuple[dict[str, int], dict[str, int]]) -> list[Effect]:
    """Return what the right terms make of these members, by id. Eight queries; ``budgets`` of both sides go on."""
    known, arrived = _judged(ids)
    affected = {pk for pk, verdict in known.items() if verdict.version_id == setting.run.wrong_id}
    found = []
    for past in reading.pasts(ids, activity_of(setting.run), schedule=setting.published, places=arrived):
        own = {one.row.id for one in past.activity} & affected
        if own:
            found.append(_effect(setting, past, own, known, budgets))
    return found


def _judged(ids: Collection[UUID]) -> tuple[dict[UUID, Verdict], dict[UUID, datetime]]:
    """Return how the members' activity is judged by now, and when each was judged first."""
    awards: dict[UUID, Awards] = defaultdict(list)
    of_members = {"activity__membership_id__in": list(ids)}
    for activity_id, rule, unit, amount in Award.objects.filter(**of_members).values_list(
        "activity_id", "rule", "unit__code", "amount"
    ):
        awards[activity_id].append((rule, unit, amount))
    verdicts: dict[UUID, Verdict] = {}
    arrived: dict[UUID, datetime] = {}
    columns = ("activity_id", "version_id", "tier", "facts", "posted_at")
    for activity_id, version_id, tier, facts, posted_at in Judgement.objects.filter(**of_members).values_list(*columns):
        verdicts[activity_id] = Verdict(version_id, tier, facts, awards[activity_id])
        arrived[activity_id] = posted_at
    for activity_id, again in rejudged(Rejudgement.objects.filter(**of_members)).items():
        given = [(rule, unit, amount) for rule, unit, amount in again.awards]
        verdicts[activity_id] = Verdict(again.version_id, again.tier, again.facts, given)
    return verdicts, arrived


def _effect(
    setting: Setting,
    past: Past,
    affected: set[UUID],
    known: Mapping[UUID, Verdict],
    budgets: tuple[dict[str, int], dict[str, int]],
) -> Effect:
    _before, used_before = _walked(past, setting.before, affected, budgets[0])
    after, used_after = _walked(past, setting.after, affected, budgets[1])
    effect = Effect(past.membership_id)
    moments = {one.row.id: one.row.occurred_at for one in past.activity}
    for one in past.activity:
        verdict = after.get(one.row.id)
        if verdict is None:
            continue
        old, right = known[one.row.id], list(verdict.awards)
        effect.verdicts[one.row.id] = Verdict(setting.right.version_id, verdict.tier, verdict.facts, right)
        is_return = isinstance(one.activity, engine.Refund)
        cause = one.activity.purchase_id if isinstance(one.activity, engine.Refund) else one.row.id
        at = moments.get(cause, one.row.occurred_at)
        for unit, amount in differences(old.awards, right).items():
            effect.corrections.units.append(Change(cause, unit, amount, at, verdict.tier, setting.right))
        credit = credit_between(
            old.facts.get("credit", {}), verdict.facts.get("credit", {}), sign=-1 if is_return else 1
        )
        if credit:
            effect.corrections.credit.append(Credited(at, credit))
    effect.corrections.units = _netted(effect.corrections.units)
    for key in {*used_before, *used_after}:
        if used := used_after.get(key, 0) - used_before.get(key, 0):
            (effect.budgets if key.startswith("program|") else effect.corrections.counters)[key] = used
    return effect


def _netted(changes: list[Change]) -> list[Change]:
    """Return one change for each purchase and unit: what its return takes less is not given and taken again."""
    sums: dict[tuple[UUID, str], int] = defaultdict(int)
    first: dict[tuple[UUID, str], Change] = {}
    for change in changes:
        key = (change.activity_id, change.unit)
        sums[key] += change.amount
        first.setdefault(key, change)
    return [
        Change(*key, amount, first[key].at, first[key].tier, first[key].terms) for key, amount in sums.items() if amount
    ]


def _walked(
    past: Past, schedule: Schedule, affected: set[UUID], budgets: dict[str, int]
) -> tuple[dict[UUID, engine.Verdict], dict[str, int]]:
    """Return how the affected activity is judged under a schedule, and what it uses of limits in all."""
    walk = Walk(past.fresh, schedule, budgets, past.returned)
    verdicts: dict[UUID, engine.Verdict] = {}
    used: dict[str, int] = {}
    between = []
    for one in past.activity:
        if one.row.id not in affected:
            between.append(one.activity)
            continue
        for _outcome in walk.go(between):
            pass
        between = []
        before = {**walk.state.counters, **walk.budgets}
        for verdict in walk.step([one.activity]).verdicts:
            verdicts[verdict.activity_id] = verdict
        for key, amount in {**walk.state.counters, **walk.budgets}.items():
            if amount != before.get(key, 0):
                used[key] = used.get(key, 0) + amount - before.get(key, 0)
    return verdicts, used


# --- Where it would bring members ----------------------------------------------------------------------------------


def opened(setting: Setting, standings: list[Standing], effects: list[Effect]) -> ledger.Book:
    """Return the states of members (their standings locked, where it is to be written) with what correcting needs."""
    book = ledger.open_book(standings, {one.membership_id: ledger.Needs(lots=True) for one in standings})
    complete_credit(book, {setting.run.program_id: setting.published})
    codes = {unit.pk: unit.code for unit in book.units.values()}
    causes = {change.activity_id for effect in effects for change in effect.corrections.units}
    members = [standing.membership_id for standing in standings]
    for lot in Lot.objects.filter(activity_id__in=causes, membership_id__in=members, remaining=0):
        book.states[lot.membership_id].lots.append(ledger.engine_lot(lot, codes[lot.unit_id]))
    return book


def present(setting: Setting, standing: Standing) -> datetime:
    """Return the member's present, at which they are put right."""
    return present_of(program=setting.run.program, standing=standing, now=setting.run.program.now())


def shown(effect: Effect, before: str, after: str) -> dict[str, Any]:
    """Return a member's effect as it is kept."""
    return {"units": effect.units, "before": before, "after": after, "count": effect.count}


def size_of(effect: Effect) -> int:
    """Return how large a member's effect is, whatever its direction."""
    return sum(abs(amount) for amount in effect.units.values())


def sums_of(run: Correction) -> dict[str, Any]:
    """Return what it comes to with all members: of each what is posted, else what was shown.

    ``units``: by code how many get, what they get, how many lose, what they lose; ``moves``: [tier, tier, members].
    """
    units: dict[str, list[int]] = {}
    told: dict[str, Any]
    moves: dict[tuple[str, str], int] = {}
    members = posted = differing = 0
    for seen, done, differs in run.members.values_list("shown", "posted", "differs").iterator(chunk_size=2_000):
        told = done or seen or {}
        members, posted, differing = members + 1, posted + (done is not None), differing + differs
        for code, amount in told["units"].items():
            counts = units.setdefault(code, [0, 0, 0, 0])
            counts[0 if amount > 0 else 2] += 1
            counts[1 if amount > 0 else 3] += amount
        if told["before"] != told["after"]:
            key = (told["before"], told["after"])
            moves[key] = moves.get(key, 0) + 1
    return {
        "units": units,
        "moves": [[*key, count] for key, count in moves.items()],
        "members": members,
        "posted": posted,
        "differing": differing,
    }


# --- The preview, slice by slice -----------------------------------------------------------------------------------


def begin(run: Correction) -> None:
    """Prepare a run that has no state yet, be it to show or to post."""
    running.save(run, total=members_of(run).count(), done=0, state={"after": None, "budgets": [{}, {}], "receipts": 0})


def steps_of(run: Correction) -> Callable[[], bool]:
    """Return what works out the effect on members for about a second. Nothing of the ledger is written."""
    setting, state = setting_of(run), run.state

    def go_on() -> bool:
        ends, rows, done = time.monotonic() + running.SAVES, list[Corrected](), run.done
        after = UUID(state["after"]) if state["after"] else None
        is_first = True
        while is_first or time.monotonic() < ends:
            is_first = False
            ids = reading.next_members(members_of(run), activity_of(run), after=after)
            if not ids:
                with transaction.atomic():
                    Corrected.objects.bulk_create(rows)
                    said = {"receipts": state["receipts"], "sums": sums_of(run)}
                    running.finish(run, done=run.total, result=said, state={})
                return False
            after, done = ids[-1], done + len(ids)
            state["after"] = str(after)
            rows += _previewed(setting, ids, state)
        with transaction.atomic():
            Corrected.objects.bulk_create(rows)
            running.save(run, done=done, state=state)
        return True

    return go_on


def _previewed(setting: Setting, ids: list[UUID], state: dict[str, Any]) -> list[Corrected]:
    found = effects(setting, ids, (state["budgets"][0], state["budgets"][1]))
    state["receipts"] += sum(len(effect.verdicts) for effect in found)
    by_member = {effect.membership_id: effect for effect in found}
    standings = list(Standing.objects.filter(pk__in=by_member).order_by("pk"))
    book = opened(setting, standings, found)
    rows = []
    for standing in standings:
        effect = by_member[standing.membership_id]
        now, _outcome, _moved = correct(
            state=book.states[standing.membership_id],
            schedule=setting.published,
            corrections=effect.corrections,
            until=present(setting, standing),
            new_id=numbered(),
        )
        if effect.units or now.tier != standing.tier:
            told = shown(effect, standing.tier, now.tier)
            rows.append(
                Corrected(
                    program_id=setting.run.program_id,
                    correction=setting.run,
                    membership_id=standing.membership_id,
                    shown=told,
                    size=size_of(effect),
                )
            )
    return rows


def now_utc() -> datetime:
    """Return the real time, which marks when rows are written."""
    return datetime.now(UTC)
