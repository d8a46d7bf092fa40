"""How tier credit is written: money, purchases, years, or a unit's amounts."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import ngettext

from accounts import formats
from programs.models import Unit

SPEND, VISITS, YEARS = "spend", "visits", "years"


def figure(measure: str, amount: int, *, units: Mapping[str, Unit], currency: str) -> str:
    """Return an amount of credit without its name, for places where the name stands elsewhere: ``380``, ``€350``."""
    if measure == SPEND:
        return formats.money(amount, currency, drop_cents=True)
    if measure in units:
        return formats.figure(units[measure], amount, currency=currency)
    return formats.number(amount)


def written(measure: str, amount: int, *, units: Mapping[str, Unit], currency: str) -> str:
    """Return an amount of credit with its name: ``120 Stars``, ``3 purchases``, ``2 years``, ``€350``."""
    number = figure(measure, amount, units=units, currency=currency)
    if measure == VISITS:
        return ngettext("%(number)s purchase", "%(number)s purchases", amount) % {"number": number}
    if measure == YEARS:
        return ngettext("%(number)s year", "%(number)s years", amount) % {"number": number}
    return formats.units(units[measure], amount, currency=currency) if measure in units else number
