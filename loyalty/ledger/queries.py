"""What is shown of members: balances, tiers, what comes next. Amounts in smallest steps and minor units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, Sum

from loyalty.ledger.book import state_of
from loyalty.ledger.models import Account, Lot, Standing
from programs.engine import tiers
from programs.engine.dates import local_day
from programs.engine.expiry import inactivity_end
from programs.engine.keeping import given_by, keeping
from programs.engine.state import Grant, State
from programs.engine.terms import Schedule, Terms, Tier
from programs.engine.tiers import UNIT, Missing, Record
from programs.models import Membership, Program, Unit
from programs.terms import schedules_of


@dataclass(frozen=True, slots=True)
class TierView:
    """The tier held; ``until`` is the last day included, None where it has no end.

    ``given``: the kind of grant it rests on (hand, invitation, trial), empty where it was reached.
    """

    code: str
    name: str
    since: date
    until: date | None
    given: str = ""


@dataclass(frozen=True, slots=True)
class MissingView:
    """One condition of the next tier; ``by`` is the last day to meet it.

    ``measure`` is spend, visits, years or a unit's code; amounts in its smallest steps.
    """

    measure: str
    need: int
    have: int
    missing: int
    by: date | None
    precision: int


@dataclass(frozen=True, slots=True)
class NextTierView:
    """The tier above, and what it still asks for."""

    code: str
    name: str
    missing: list[MissingView]


@dataclass(frozen=True, slots=True)
class BalanceView:
    """One unit's balances. ``next_expiry``: how much is gone at which moment unless something happens before.

    ``owed``: a debt that is remembered, to be paid out of the next units.
    """

    available: int
    pending: int
    held: int
    precision: int
    next_expiry: tuple[int, datetime] | None
    owed: int = 0


@dataclass(frozen=True, slots=True)
class RungView:
    """One rung of the ladder; ``threshold`` is None at the lowest and for tiers that staff alone give.

    It is that of the first condition, in minor units where the measure is spend.
    """

    code: str
    name: str
    rank: int
    threshold: int | None
    measure: str = "spend"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Pending units of one purchase, and when they can be spent."""

    unit: str
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class MemberView:
    """What holds for one member at ``as_of``. ``stays_until``: where inactivity ends the points, when it would.

    ``terms`` are those it is judged by; ``units`` the program's, by code. ``keeping``: what keeps the tier beyond its
    last day, fulfilled or not; empty where nothing has to.
    """

    as_of: datetime
    terms: Terms
    units: list[Unit]
    tier: TierView | None
    next_tier: NextTierView | None
    balances: dict[str, BalanceView]
    ladder: list[RungView] = field(default_factory=list)
    arriving: list[Arrival] = field(default_factory=list)
    stays_until: datetime | None = None
    keeping: list[MissingView] = field(default_factory=list)


def member_views(*, memberships: Sequence[Membership]) -> dict[UUID, MemberView]:
    """Return what is shown of these members (their programs loaded), in a fixed number of queries.

    Bring the members up to date first.
    """
    programs = {membership.program_id: membership.program for membership in memberships}
    schedules = schedules_of(programs.values())
    standings = Standing.objects.in_bulk([membership.pk for membership in memberships])
    units = {unit.pk: unit for unit in Unit.objects.filter(program_id__in=programs)}
    accounts: dict[UUID, list[Account]] = defaultdict(list)
    for account in Account.objects.filter(membership_id__in=standings):
        if account.membership_id is not None:
            accounts[account.membership_id].append(account)
    lots = _dated_lots(standings)
    views = {}
    for membership in memberships:
        program, standing = membership.program, standings[membership.pk]
        present = present_of(program=program, standing=standing, now=program.now())
        views[membership.pk] = _view(
            membership=membership,
            standing=standing,
            terms=_terms(schedules[program.pk], standing),
            ends_at=schedules[program.pk].ends_at,
            present=present,
            units=sorted((unit for unit in units.values() if unit.program_id == program.pk), key=lambda one: one.code),
            balances=[(units[account.unit_id], account) for account in accounts[membership.pk]],
            lots=[(units[unit_id].code, total, arrives, ends) for unit_id, total, arrives, ends in lots[membership.pk]],
        )
    return views


def present_of(*, program: Program, standing: Standing, now: datetime) -> datetime:
    """Return a member's present: the later of the program's clock and the member's latest activity.

    While a history is being loaded nobody is brought further than their own activity; a paused program stands still.
    """
    if program.is_in_backfill and program.clock is None:
        return standing.as_of
    return max(program.reached_by(now), standing.as_of)


def _dated_lots(membership_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, int, datetime | None, datetime | None]]]:
    """Return by member what arrives or ends at a moment of its own: (unit, amount, arrives, ends)."""
    found: dict[UUID, list[tuple[UUID, int, datetime | None, datetime | None]]] = defaultdict(list)
    rows = (
        Lot.objects.filter(membership_id__in=list(membership_ids), remaining__gt=0)
        .filter(Q(matures_at__isnull=False) | Q(expires_at__isnull=False))
        .values_list("membership_id", "unit_id", "matures_at", "expires_at")
        .annotate(total=Sum("remaining"))
        .order_by("matures_at", "expires_at")
    )
    for membership_id, unit_id, matures_at, expires_at, total in rows:
        found[membership_id].append((unit_id, total, matures_at, expires_at))
    return found


def _terms(schedule: Schedule, standing: Standing) -> Terms:
    return schedule.versions[max(0, schedule.index_of(standing.version_id))]


def _view(
    *,
    membership: Membership,
    standing: Standing,
    terms: Terms,
    ends_at: datetime | None,
    present: datetime,
    units: list[Unit],
    balances: Sequence[tuple[Unit, Account]],
    lots: Sequence[tuple[str, int, datetime | None, datetime | None]],
) -> MemberView:
    state = state_of(standing, membership.joined_at)
    state.as_of = present
    digits = {f"{UNIT}{unit.code}": unit.precision for unit in units} | {"spend": terms.digits}
    by_unit: dict[str, dict[str, int]] = defaultdict(dict)
    precision: dict[str, int] = {}
    for unit, account in balances:
        by_unit[unit.code][account.kind] = account.balance or 0
        precision[unit.code] = unit.precision
        state.balances[unit.code, account.kind] = account.balance or 0
    ends = {unit: _by_the_end(unit, state, _next_expiry(unit, state, terms, lots), ends_at) for unit in by_unit}
    stays = [end for unit in by_unit if (end := inactivity_end(state=state, terms=terms, unit=unit))]
    return MemberView(
        as_of=present,
        terms=terms,
        units=units,
        tier=_tier(membership, standing, terms, given_by(state=state, terms=terms)),
        next_tier=_next_tier(state, terms, digits),
        balances={
            unit: BalanceView(
                available=kinds.get("available", 0),
                pending=kinds.get("pending", 0),
                held=kinds.get("held", 0),
                precision=precision[unit],
                next_expiry=ends[unit],
                owed=state.owed.get(unit, 0),
            )
            for unit, kinds in sorted(by_unit.items())
        },
        ladder=[RungView(tier.code, tier.name, rank, *_threshold(tier)) for rank, tier in enumerate(terms.tiers)],
        arriving=[Arrival(unit, amount, matures_at) for unit, amount, matures_at, _ends in lots if matures_at],
        stays_until=min(stays, default=None),
        keeping=[_missing(one, digits) for one in keeping(state=state, terms=terms)],
    )


def _next_expiry(
    unit: str, state: State, terms: Terms, lots: Sequence[tuple[str, int, datetime | None, datetime | None]]
) -> tuple[int, datetime] | None:
    dated = sorted((end, amount) for code, amount, _arrives, end in lots if code == unit and end)
    if dated:
        return sum(amount for end, amount in dated if end == dated[0][0]), dated[0][0]
    end = inactivity_end(state=state, terms=terms, unit=unit)
    if end is None:
        return None
    return max(0, state.balance(unit, "available")) + state.balance(unit, "pending"), end


def _by_the_end(
    unit: str, state: State, found: tuple[int, datetime] | None, ends_at: datetime | None
) -> tuple[int, datetime] | None:
    """Return the next end of a unit, which in a closed program is the program's where none comes before."""
    left = max(0, state.balance(unit, "available")) + state.balance(unit, "pending")
    if ends_at is None or not left or (found is not None and found[1] < ends_at):
        return found
    return left, ends_at


def _tier(membership: Membership, standing: Standing, terms: Terms, grant: Grant | None) -> TierView | None:
    if not terms.tiers:
        return None
    rank = terms.rank(standing.tier)
    joined = local_day(membership.joined_at, terms.zone)
    since = joined if rank == 0 else standing.tier_since or joined
    given = grant.kind if grant is not None else ""
    return TierView(terms.tiers[rank].code, terms.tiers[rank].name, since, standing.tier_until, given)


def _threshold(tier: Tier) -> tuple[int | None, str]:
    if not tier.conditions:
        return None, "spend"
    return tier.conditions[0].need, tier.conditions[0].measure.removeprefix(UNIT)


def _next_tier(state: State, terms: Terms, digits: Mapping[str, int]) -> NextTierView | None:
    record = Record(state.joined_at, state.credit, state.marks)
    found = tiers.next_tier(terms=terms, record=record, tier=state.tier, at=state.as_of)
    if found is None:
        return None
    above, missing = found
    return NextTierView(above.code, above.name, [_missing(one, digits) for one in missing])


def _missing(one: Missing, digits: Mapping[str, int]) -> MissingView:
    measure = one.measure.removeprefix(UNIT)
    return MissingView(measure, one.need, one.have, one.missing, one.by, digits.get(one.measure, 0))
