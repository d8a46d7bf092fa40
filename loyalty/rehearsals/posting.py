"""Posting a correction: member by member under the lock of their standing, each once, as things stand by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.ids import new_id
from loyalty.ledger import book as ledger
from loyalty.ledger.models import Transaction
from loyalty.purchases.budgets import hold
from loyalty.purchases.models import Rejudgement
from loyalty.rehearsals import correcting, reading, running
from loyalty.rehearsals.correcting import Effect, Setting
from loyalty.rehearsals.models import Adjustment, Corrected, Correction
from programs.engine.corrections import correct


def steps_of(run: Correction) -> Callable[[], bool]:
    """Return what posts for the next members: their books and how far the run is in one transaction."""
    setting, state = correcting.setting_of(run), run.state

    def go_on() -> bool:
        after = UUID(state["after"]) if state["after"] else None
        ids = reading.next_members(correcting.members_of(run), correcting.activity_of(run), after=after)
        if not ids:
            said = {"receipts": state["receipts"], "sums": correcting.sums_of(run)}
            running.finish(run, done=run.total, result=said, state={})
            return False
        budgets = [dict(used) for used in state["budgets"]]
        with transaction.atomic():
            receipts = _post(setting, ids, (budgets[0], budgets[1]))
            following = {"after": str(ids[-1]), "budgets": budgets, "receipts": state["receipts"] + receipts}
            running.save(run, done=run.done + len(ids), state=following)
        state.update(following)
        return True

    return go_on


def _post(setting: Setting, ids: list[UUID], budgets: tuple[dict[str, int], dict[str, int]]) -> int:
    """Put these members right and write it; return how many receipts were judged again."""
    standings = ledger.lock_standings(ids, skip_locked=False)
    effects = {one.membership_id: one for one in correcting.effects(setting, ids, budgets)}
    standings = [one for one in standings if one.membership_id in effects]
    if not standings:
        return 0
    book = correcting.opened(setting, standings, list(effects.values()))
    written_from = correcting.now_utc()
    results, moved = {}, {}
    for standing in standings:
        pk = standing.membership_id
        state, outcome, moved[pk] = correct(
            state=book.states[pk],
            schedule=setting.published,
            corrections=effects[pk].corrections,
            until=correcting.present(setting, standing),
            new_id=new_id,
        )
        results[pk] = (state, outcome)
    ledger.write(book, results)
    tiers = {one.membership_id: (one.tier, results[one.membership_id][0].tier) for one in standings}
    _use_budgets(setting, effects.values())
    _write_judgements(setting, effects.values(), at=written_from)
    _write_adjustments(setting, book, effects, moved, at=written_from)
    _tell(setting, effects, tiers)
    return sum(len(effect.verdicts) for effect in effects.values())


def _use_budgets(setting: Setting, effects: Any) -> None:
    """Bring limits that the whole program shares to what the right terms use of them."""
    used: dict[str, int] = {}
    for effect in effects:
        for key, amount in effect.budgets.items():
            used[key] = used.get(key, 0) + amount
    held = hold({setting.run.program_id: used})
    sums = held.of(setting.run.program_id)
    for key, amount in used.items():
        sums[key] = max(0, sums.get(key, 0) + amount)
    held.write()


def _write_judgements(setting: Setting, effects: Any, *, at: datetime) -> None:
    Rejudgement.objects.bulk_create(
        Rejudgement(
            program_id=setting.run.program_id,
            activity_id=activity_id,
            run=setting.run.pk,
            version_id=verdict.version_id,
            tier=verdict.tier,
            facts=verdict.facts,
            awards=verdict.awards,
            posted_at=at,
        )
        for effect in effects
        for activity_id, verdict in effect.verdicts.items()
    )


def _write_adjustments(
    setting: Setting,
    book: ledger.Book,
    effects: Mapping[UUID, Effect],
    moved: Mapping[UUID, Mapping[str, int]],
    *,
    at: datetime,
) -> None:
    """Write what each member got or lost, with the transaction that moved it; the database takes each but once."""
    program_id = setting.run.program_id
    written = dict(
        Transaction.objects.filter(
            program_id=program_id, membership_id__in=list(effects), kind=Transaction.Kind.ADJUST, posted_at__gte=at
        ).values_list("membership_id", "pk")
    )
    Adjustment.objects.bulk_create(
        Adjustment(
            program_id=program_id,
            correction=setting.run,
            membership_id=pk,
            unit=book.units[program_id, unit],
            amount=amount,
            moved=moved[pk].get(unit, 0),
            transaction_id=written.get(pk),
            posted_at=at,
        )
        for pk, effect in effects.items()
        for unit, amount in effect.units.items()
    )


def _tell(setting: Setting, effects: Mapping[UUID, Effect], tiers: Mapping[UUID, tuple[str, str]]) -> None:
    """Keep beside what was shown of each member what was posted."""
    known = {
        one.membership_id: one
        for one in Corrected.objects.filter(correction=setting.run, membership_id__in=list(effects))
    }
    fresh, changed = [], []
    for pk, effect in effects.items():
        posted = correcting.shown(effect, *tiers[pk])
        row = known.get(pk)
        if row is None:
            if effect.units or tiers[pk][0] != tiers[pk][1]:
                fresh.append(
                    Corrected(
                        program_id=setting.run.program_id,
                        correction=setting.run,
                        membership_id=pk,
                        posted=posted,
                        differs=True,
                        size=correcting.size_of(effect),
                    )
                )
            continue
        row.posted, row.differs = posted, posted["units"] != (row.shown or {}).get("units")
        changed.append(row)
    Corrected.objects.bulk_create(fresh)
    Corrected.objects.bulk_update(changed, ["posted", "differs"])
