"""Stocks and pools of codes: each piece is given out once, however many ask at the same moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from loyalty.rewards.models import PoolCode, RewardStock, claimable, left_of
from loyalty.rewards.problems import SoldOutError
from programs.engine.terms import Reward, Terms
from programs.models import Program
from programs.terms import schedules_of

log = structlog.get_logger(__name__)


def claim(*, program_id: UUID, reward: Reward, quantity: int, redemption_id: UUID, day: date) -> None:
    """Take so many out of the reward's stock, and a code that is still good on ``day`` out of its pool.

    Raises SoldOutError.
    """
    if reward.stock is not None:
        RewardStock.objects.get_or_create(program_id=program_id, reward=reward.code)
        row = RewardStock.objects.filter(program_id=program_id, reward=reward.code)
        there = row.filter(claimable(quantity=quantity, terms=reward.stock))
        if not there.update(claimed=F("claimed") + quantity):
            raise SoldOutError(_("All of them are gone."))
    if reward.pool:
        _hold_code(program_id, reward.pool, redemption_id, day)


def _good_on(day: date) -> Q:
    return Q(expires_on__isnull=True) | Q(expires_on__gte=day)


def _hold_code(program_id: UUID, pool: str, redemption_id: UUID, day: date) -> None:
    skip = connection.features.has_select_for_update_skip_locked
    free = PoolCode.objects.filter(_good_on(day), program_id=program_id, pool=pool, state=PoolCode.State.FREE)
    code = free.select_for_update(skip_locked=skip).order_by("id").first()
    if code is None:
        raise SoldOutError(_("All of them are gone."))
    code.state, code.redemption_id = PoolCode.State.HELD, redemption_id
    code.save(update_fields=["state", "redemption_id"])


def give_back(returned: Mapping[tuple[UUID, str], int], redemption_ids: Iterable[UUID]) -> None:
    """Put back what was claimed, by program and reward, and set the codes of these redemptions free."""
    for (program_id, reward), quantity in sorted(returned.items()):  # In one order, so that nobody waits in a circle.
        RewardStock.objects.filter(program_id=program_id, reward=reward, claimed__gte=quantity).update(
            claimed=F("claimed") - quantity
        )
    held = PoolCode.objects.filter(redemption_id__in=list(redemption_ids), state=PoolCode.State.HELD)
    held.update(state=PoolCode.State.FREE, redemption_id=None)


def left(*, program: Program, rewards: Iterable[Reward], day: date) -> dict[str, int]:
    """Return how many are left on ``day`` of the rewards that have a stock or a pool, by code; at most two queries."""
    given = list(rewards)
    found: dict[str, int] = {}
    if limited := [reward for reward in given if reward.stock is not None]:
        rows = RewardStock.objects.filter(program=program, reward__in=[reward.code for reward in limited])
        stocks = {row.reward: row for row in rows}
        for reward in limited:
            found[reward.code] = left_of(stocks.get(reward.code), terms=reward.stock) or 0
    if pooled := [reward for reward in given if reward.pool]:
        free = PoolCode.objects.filter(
            _good_on(day), program=program, pool__in={reward.pool for reward in pooled}, state=PoolCode.State.FREE
        )
        counts = dict(free.order_by().values_list("pool").annotate(count=Count("id")))
        for reward in pooled:
            there = counts.get(reward.pool, 0)
            found[reward.code] = min(there, found.get(reward.code, there))
    return found


def in_force(programs: Iterable[Program]) -> dict[UUID, Terms | None]:
    """Return the terms that are in force at each program's present, None where there are none; one query."""
    known = {program.pk: program for program in programs}
    return {pk: schedule.at(known[pk].now()) for pk, schedule in schedules_of(known.values()).items()}


def open_rows(programs: Iterable[Program]) -> None:
    """Make the rows of stocks of which nothing was given out or added yet, so that staff see them; three queries."""
    wanted = {
        (pk, reward.code)
        for pk, terms in in_force(programs).items()
        for reward in (terms.rewards if terms is not None else ())
        if reward.stock is not None
    }
    there = RewardStock.objects.filter(program__in={pk for pk, _code in wanted}).values_list("program_id", "reward")
    missing = sorted(wanted - set(there))
    RewardStock.objects.bulk_create(
        [RewardStock(program_id=pk, reward=code) for pk, code in missing], ignore_conflicts=True
    )


@transaction.atomic
def add_stock(*, program: Program, reward: str, count: int, by: User) -> RewardStock:
    """Add so many to what can be given out of a reward; less than 0 takes some away. Safe beside claims."""
    RewardStock.objects.get_or_create(program=program, reward=reward)
    RewardStock.objects.filter(program=program, reward=reward).update(added=F("added") + count)
    log.info("stock_added", program=program.slug, reward=reward, count=count, by=str(by.pk))
    return RewardStock.objects.get(program=program, reward=reward)


def mark_issued(codes: Mapping[UUID, UUID]) -> None:
    """Say of the codes set aside (by id) which voucher each has become."""
    now = datetime.now(UTC)
    for code_id, voucher_id in codes.items():
        PoolCode.objects.filter(pk=code_id).update(state=PoolCode.State.ISSUED, voucher_id=voucher_id, issued_at=now)
