"""What can be done to the books of members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q

from accounts.ids import new_id
from loyalty.ledger.memory import kept
from loyalty.ledger.models import Account, Standing, TierPeriod
from loyalty.ledger.signals import members_joined
from programs.engine.state import State
from programs.engine.tiers import counts_of
from programs.engine.timeline import fold
from programs.models import Membership, ProgramVersion, Unit
from programs.terms import schedules_of


class NoTermsInForceError(Exception):
    """The program has no published version, so nobody can join it yet."""


@transaction.atomic
def open_books(*, memberships: Sequence[Membership], is_joining_rewarded: bool = True) -> None:
    """Give new members their standing, first tier and accounts. Raises NoTermsInForceError without a published version.

    Members who were members elsewhere before need not be rewarded for joining: ``is_joining_rewarded``.

    Call it in the transaction that writes the memberships: their foreign key holds the program against a publishing
    that would not see them.
    """
    schedules = schedules_of({membership.program_id: membership.program for membership in memberships}.values())
    open_program_accounts(program_ids=schedules)
    standings: list[Standing] = []
    periods: list[TierPeriod] = []
    for membership in memberships:
        schedule = schedules[membership.program_id]
        if not schedule.versions:
            raise NoTermsInForceError(membership.program.slug)
        state = State(joined_at=membership.joined_at, as_of=membership.joined_at, counted=counts_of(schedule))
        state, outcome = fold(state=state, schedule=schedule, new_id=new_id)
        standings.append(
            Standing(
                membership=membership,
                program_id=membership.program_id,
                version_id=state.version_id,
                as_of=state.as_of,
                due_at=outcome.due_at,
                tier=state.tier,
                tier_since=state.tier_since,
                tier_until=state.tier_until,
                memory=kept(state),
            )
        )
        periods += [
            TierPeriod(
                program_id=membership.program_id,
                membership=membership,
                tier=change.tier,
                starts_at=change.starts_at,
                reason=change.reason,
                posted_at=membership.created_at,
            )
            for change in outcome.tier_changes
        ]
    Standing.objects.bulk_create(standings)
    TierPeriod.objects.bulk_create(periods)
    open_member_accounts(memberships=memberships)
    members_joined.send(
        sender=Membership, memberships=memberships, schedules=schedules, is_joining_rewarded=is_joining_rewarded
    )


def open_member_accounts(*, memberships: Iterable[Membership]) -> None:
    """Open each member's accounts in every unit of the program; those that are open stay as they are."""
    members = list(memberships)
    units = list(Unit.objects.filter(program_id__in={member.program_id for member in members}))
    Account.objects.bulk_create(
        [
            Account(program_id=member.program_id, membership=member, unit=unit, kind=kind, balance=0)
            for member in members
            for unit in units
            if unit.program_id == member.program_id
            for kind in Account.MEMBER_KINDS
        ],
        ignore_conflicts=True,
    )


def open_program_accounts(*, program_ids: Iterable[object]) -> None:
    """Open the accounts that the programs themselves have in each unit; those that are open stay as they are."""
    wanted = [
        Account(program_id=unit.program_id, unit=unit, kind=kind)
        for unit in Unit.objects.filter(program_id__in=list(program_ids))
        for kind in Account.PROGRAM_KINDS
    ]
    there = set(
        Account.objects.filter(program_id__in=list(program_ids), membership__isnull=True).values_list("unit_id", "kind")
    )
    Account.objects.bulk_create([a for a in wanted if (a.unit_id, a.kind) not in there], ignore_conflicts=True)


@transaction.atomic
def plan_review(*, version: ProgramVersion) -> int:
    """Make every member of the program due for a review when the version comes into force; return how many."""
    moment = version.in_force_from
    assert moment is not None
    open_before = Account.objects.filter(program_id=version.program_id, membership__isnull=True).values("unit_id")
    if Unit.objects.filter(program_id=version.program_id).exclude(pk__in=open_before).exists():
        open_program_accounts(program_ids=[version.program_id])
        open_member_accounts(memberships=Membership.objects.filter(program_id=version.program_id).iterator())
    standings = Standing.objects.filter(program_id=version.program_id)
    return standings.filter(Q(due_at__isnull=True) | Q(due_at__gt=moment)).update(due_at=moment)
