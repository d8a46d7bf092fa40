"""What a fault is, and what the terms may refer to beyond themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend.

    ``where`` names the part that mends it: ``tier:CODE``, ``rule:CODE``, ``group:CODE``, ``unit:CODE``,
    ``reward:CODE``, or a whole list: ``tiers``, ``rules``, ``units``, ``events``, ``rewards``; ``terms`` are the
    version's own switches.
    """

    message: str
    where: str


@dataclass(frozen=True, slots=True)
class Known:
    """What stands around the terms: the currency's ``digits``, units by code, segments, the first day they can judge.

    ``unspendable`` are the codes of units that nobody can pay with. ``segments`` and ``first_day`` are None where they
    are not known: then nothing is held against them.
    """

    digits: int = 2
    names: Mapping[str, str] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    segments: frozenset[str] | None = None
    first_day: date | None = None
    unspendable: frozenset[str] = frozenset()

    def unit(self, code: str) -> str:
        """Return what many of a unit are called."""
        return self.names.get(code, code)

    def is_whole(self, value: Decimal, *, unit: str | None = None) -> bool:
        """Whether a value has no more decimals than the unit has, or the currency where no unit is said."""
        places = self.digits if unit is None else self.decimals.get(unit, 4)
        steps = Decimal(value).scaleb(places)
        return steps == steps.to_integral_value()


def unknown(what: str, value: str, choices: Collection[str]) -> str | None:
    """Return that a value is none of the choices; None where it is one."""
    if value in choices:
        return None
    return _("%(what)s: “%(value)s” is unknown. Choose one of %(choices)s.") % {
        "what": what,
        "value": value,
        "choices": ", ".join(choices),
    }
