"""What units are worth in money, by what the terms in force give for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from accounts.formats import minor_digits
from programs.engine.terms import Reward, Terms
from programs.models import Program, Unit
from programs.terms import schedule_of


@dataclass(frozen=True, slots=True)
class Worth:
    """Money for one unit, in the program's currency, and the name of the reward that says so; empty for money."""

    money: Decimal
    by: str = ""

    def of(self, steps: int, unit: Unit) -> Decimal:
        """Return what so many smallest steps of the unit are worth."""
        return self.money * Decimal(steps).scaleb(-unit.precision)


def unit_worth(program: Program, unit: Unit, *, terms: Terms | None = None) -> Worth | None:
    """Return what one unit is worth by these terms, else those in force; None where nothing says so.

    A unit that is money is worth itself; another the most that a reward of money off gives for it to everyone.
    """
    if unit.is_money:
        return Worth(Decimal(1))
    in_force = terms if terms is not None else schedule_of(program).at(program.now())
    if in_force is None or not unit.is_spendable:
        return None
    rates = list(_rates(in_force.rewards, unit, minor_digits(program.currency)))
    return max(rates, key=lambda one: one.money, default=None)


def _rates(rewards: Iterable[Reward], unit: Unit, digits: int) -> Iterable[Worth]:
    for reward in rewards:
        if (
            reward.unit == unit.code
            and reward.value
            and reward.price
            and reward.percent is None
            and not reward.from_tier
        ):
            price = Decimal(reward.price).scaleb(-unit.precision)
            yield Worth(Decimal(reward.value).scaleb(-digits) / price, reward.name)
