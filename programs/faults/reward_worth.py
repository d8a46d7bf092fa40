"""Faults of what a reward costs and is worth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts import formats
from programs.content import Content
from programs.faults.fault import Known
from programs.models import Reward
from programs.reward_content import RewardContent

Kind = Reward.Kind


def find(reward: RewardContent, terms: Content, known: Known, said: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with the price, the worth, the bounds and the stock; ``said`` names the reward."""
    yield from _price(reward, terms, known, said)
    yield from _worth(reward, terms, known, said)
    yield from _bounds(reward, said)


def _price(reward: RewardContent, terms: Content, known: Known, said: dict[str, str]) -> Iterator[str]:
    said = {**said, "unit": known.unit(reward.unit)}
    prices = [reward.price, *(row.price for row in reward.tiers if row.price is not None)]
    if any(price < 0 for price in prices):
        yield _("Reward “%(reward)s” has a price below 0: nobody is paid for taking it.") % said
    if any(prices) and not reward.unit:
        yield _("Reward “%(reward)s” has a price, but not in which unit: choose the unit it is paid in.") % said
    if not reward.unit:
        return
    if reward.unit not in {unit.unit for unit in terms.units}:
        yield _("Reward “%(reward)s” is paid in “%(unit)s”, a unit without terms in this version.") % said
    elif reward.unit in known.unspendable:
        yield _("Reward “%(reward)s” is paid in “%(unit)s”, which cannot be spent: choose another unit.") % said
    for price in prices:
        if not known.is_whole(price, unit=reward.unit):
            yield _("Reward “%(reward)s” costs %(price)s “%(unit)s”, which are not counted so finely.") % {
                **said,
                "price": formats.rate(price),
            }


def _worth(reward: RewardContent, terms: Content, known: Known, said: dict[str, str]) -> Iterator[str]:
    amounts = [reward.value, reward.step, reward.least_basket, *(row.value for row in reward.tiers)]
    for amount in amounts:
        if amount is not None and not known.is_whole(amount):
            yield _("Reward “%(reward)s”: %(amount)s is finer than the smallest coin.") % {
                **said,
                "amount": formats.rate(amount),
            }
    if reward.kind == Kind.MONEY_OFF and not reward.value:
        yield _("Reward “%(reward)s” takes money off, but not said how much: fill in what it is worth.") % said
    if reward.kind == Kind.MONEY_OFF and any(row.value == 0 for row in reward.tiers):
        yield _("Reward “%(reward)s” takes nothing off in some tier: fill in what it is worth there.") % said
    if reward.kind == Kind.PERCENT_OFF:
        yield from _percent(reward, said)
    elif reward.percent is not None or any(row.percent is not None for row in reward.tiers):
        yield (
            _("Reward “%(reward)s” has a percentage, but takes no percentage off: empty it, or change the kind.") % said
        )
    if reward.kind == Kind.POOL and not reward.pool:
        yield _("Reward “%(reward)s” hands out codes of a pool, but not said of which: name the pool.") % said
    elif reward.kind != Kind.POOL and reward.pool:
        yield (
            _("Reward “%(reward)s” names a pool of codes, but hands out none: empty the pool, or change the kind.")
            % said
        )
    if reward.by_amount:
        yield from _by_amount(reward, said)
    elif reward.step is not None:
        yield _("Reward “%(reward)s” has steps, which only any amount goes in: empty them, or allow any amount.") % said
    yield from _gives(reward, terms, known, said)


def _percent(reward: RewardContent, said: dict[str, str]) -> Iterator[str]:
    if reward.percent is None:
        yield _("Reward “%(reward)s” takes a percentage off, but not said which: fill in the percent.") % said
    given = [reward.percent, *(row.percent for row in reward.tiers)]
    if any(one is not None and not 0 < one <= 100 for one in given):
        yield _("Reward “%(reward)s” takes off no percentage above 0 and up to 100: change it.") % said
    if reward.value is not None or any(row.value is not None for row in reward.tiers):
        yield _("Reward “%(reward)s” takes off a percentage and an amount: empty what it is worth.") % said


def _by_amount(reward: RewardContent, said: dict[str, str]) -> Iterator[str]:
    if reward.kind != Kind.MONEY_OFF:
        yield _("Reward “%(reward)s” can be had for any amount, which only money off can: change the kind.") % said
    if not reward.price or any(row.price == 0 for row in reward.tiers):
        yield _("Reward “%(reward)s” gives any amount for nothing: say what so much of it costs.") % said
    if reward.several:
        yield _("Reward “%(reward)s” goes by amount, so there are not several of it: switch one of both off.") % said
    if reward.stock is not None:
        yield _("Reward “%(reward)s” goes by amount, so there are no pieces to count: empty its stock.") % said
    if reward.step is not None and reward.step <= 0:
        yield _("Reward “%(reward)s” goes in steps of 0: empty them, or say more.") % said
    for row_price, row_value in _rates(reward):
        if reward.step and row_value and not _divides(row_price, row_value, reward.step):
            yield (
                _(
                    "Reward “%(reward)s”: a step of %(step)s does not cost whole units, so members would pay a little "
                    "more than the rate. Choose steps that divide what it is worth."
                )
                % {**said, "step": formats.rate(reward.step)}
            )
            return


def _rates(reward: RewardContent) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield the price and what it is worth, for everyone and for each tier that has its own."""
    value = reward.value or Decimal(0)
    yield reward.price, value
    for row in reward.tiers:
        yield (
            reward.price if row.price is None else row.price,
            value if row.value is None else row.value,
        )


def _divides(price: Decimal, value: Decimal, step: Decimal) -> bool:
    """Whether a step costs a whole number of units; finer ones are left to the check of the price itself."""
    cost = step * price / value
    return cost == cost.to_integral_value() or price != price.to_integral_value()


def _gives(reward: RewardContent, terms: Content, known: Known, said: dict[str, str]) -> Iterator[str]:
    said = {**said, "unit": known.unit(reward.gives_unit)}
    if reward.kind == Kind.UNITS and not (reward.gives and reward.gives_unit):
        yield _("Reward “%(reward)s” gives units, but not said how many of which: fill in both.") % said
    if reward.kind != Kind.UNITS and (reward.gives is not None or reward.gives_unit):
        yield _("Reward “%(reward)s” says which units it gives, but gives none: empty them, or change the kind.") % said
    if reward.gives_unit and reward.gives_unit not in {unit.unit for unit in terms.units}:
        yield _("Reward “%(reward)s” gives “%(unit)s”, a unit without terms in this version.") % said
    if reward.gives is not None and reward.gives_unit and not known.is_whole(reward.gives, unit=reward.gives_unit):
        yield _("Reward “%(reward)s” gives %(count)s “%(unit)s”, which are not counted so finely.") % {
            **said,
            "count": formats.rate(reward.gives),
        }
    if reward.kind == Kind.UNITS and reward.conversion:
        yield _("Reward “%(reward)s”: units turn into a voucher, and a voucher cannot give units.") % said


def _bounds(reward: RewardContent, said: dict[str, str]) -> Iterator[str]:
    if reward.most_share is not None and not 0 < reward.most_share <= 100:
        yield _("Reward “%(reward)s” may pay no share of a basket above 0 and up to 100 percent: change it.") % said
