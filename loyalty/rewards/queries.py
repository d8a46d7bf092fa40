"""What a member can have: every reward of the terms in force, and why some cannot be had now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounts import formats
from loyalty.ledger import book as ledger
from loyalty.ledger.folding import EVERYTHING, folded, locked_standing, present_moment
from loyalty.ledger.models import Account, Standing
from loyalty.ledger.signals import units_wanted
from loyalty.rewards import stocks
from loyalty.rewards.models import Voucher
from loyalty.rewards.sentences import refusal_sentence
from loyalty.rewards.worth import unit_worth
from programs.engine.dates import local_day
from programs.engine.offers import judge
from programs.engine.state import Ask, Refusal, State
from programs.engine.terms import Reward, Terms
from programs.models import Membership, Program, Unit
from programs.outstanding import Outstanding
from programs.terms import schedule_of

ANY_BASKET = 10**13  # Nothing is known of a basket yet: that alone does not close a reward.


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward as one member has it; ``reason`` says why not, empty where it can be had now.

    ``left``: how many there are, None for no end. ``opens_at``: when it next opens, where that is known.
    """

    reward: Reward
    unit: Unit | None
    is_available: bool
    refusal: str
    reason: str
    opens_at: datetime | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Offers:
    """A member's rewards in the order of the terms, as of their present."""

    as_of: datetime
    terms: Terms
    offers: list[Offer]


def bring(membership: Membership) -> Standing:
    """Have all done that has fallen due for a member (program loaded), and return the standing."""
    units_wanted.send(sender=Membership, membership=membership)
    standing = Standing.objects.get(pk=membership.pk)
    if standing.due_at is not None and standing.due_at <= present_moment(membership, standing):
        with transaction.atomic():
            standing = locked_standing(membership)
            folded(standing, schedule_of(membership.program), until=present_moment(membership, standing))
        standing = Standing.objects.get(pk=membership.pk)
    return standing


def offers_of(membership: Membership) -> Offers:
    """Return what the member (program loaded) can have at their present, in the active language."""
    standing = bring(membership)
    schedule = schedule_of(membership.program)
    terms = schedule.versions[max(0, schedule.index_of(standing.version_id))]
    now = present_moment(membership, standing).astimezone(UTC)
    state = ledger.open_book([standing], {membership.pk: EVERYTHING}).states[membership.pk]
    left = stocks.left(program=membership.program, rewards=terms.rewards, day=local_day(now, terms.zone))
    units = {unit.code: unit for unit in Unit.objects.filter(program_id=membership.program_id)}
    offers = [
        offer_of(
            reward,
            terms=terms,
            state=state,
            at=now,
            program=membership.program,
            units=units,
            left=left.get(reward.code),
        )
        for reward in terms.rewards
    ]
    return Offers(now, terms, offers)


def offer_of(
    reward: Reward,
    *,
    terms: Terms,
    state: State,
    at: datetime,
    program: Program,
    units: Mapping[str, Unit],
    left: int | None,
) -> Offer:
    """Return a reward as somebody who stands like this has it, in the active language; ``left`` of its stock."""
    ask = Ask(amount=_least(reward) if reward.by_amount else None, basket=ANY_BASKET)
    found = judge(reward=reward, terms=terms, state=state, ask=ask, at=at)
    refusal = found if isinstance(found, Refusal) else None
    if left == 0 and (refusal is None or refusal.code in ("not-enough-units", "basket-share")):
        refusal = Refusal("sold-out")
    own, unit = reward.for_tier(state.tier), units.get(reward.unit)
    reason = ""
    if refusal is not None:
        reason = refusal_sentence(refusal, reward=own, terms=terms, program=program, unit=unit)
    return Offer(
        reward=own,
        unit=unit,
        is_available=refusal is None,
        refusal=refusal.code if refusal is not None else "",
        reason=reason,
        opens_at=refusal.opens_at if refusal is not None else None,
        left=left,
    )


def _least(reward: Reward) -> int:
    """Return the least money that a reward by amount gives."""
    return max(reward.step, 1)


def outstanding(program: Program) -> list[Outstanding]:
    """Return the vouchers that can still be used, and what all units are worth, where a reward says so."""
    good = Voucher.objects.filter(program=program, status=Voucher.Status.ISSUED)
    count = good.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=program.now())).count()
    lines = [Outstanding(_("Vouchers that can still be used"), formats.number(count))] if count else []
    sums = dict(
        Account.objects.filter(program=program, membership__isnull=False, balance__gt=0)
        .order_by()
        .values_list("unit")
        .annotate(total=Sum("balance"))
    )
    for unit in Unit.objects.filter(pk__in=sums, is_spendable=True, is_money=False).order_by("code"):
        worth = unit_worth(program, unit)
        if worth is not None:
            money = int(worth.of(sums[unit.pk], unit).scaleb(formats.minor_digits(program.currency)))
            name = _("All %(units)s, at what “%(reward)s” gives for them") % {
                "units": unit.name_plural,
                "reward": worth.by,
            }
            lines.append(Outstanding(name, formats.money(money, program.currency)))
    return lines
