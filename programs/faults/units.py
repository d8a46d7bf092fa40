"""Faults of how units live and end."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext as _

from programs.content import Content, UnitContent
from programs.engine.dates import LAST_DAY
from programs.faults.fault import Fault, Known, unknown
from programs.models import UnitTerms

ACTIVITIES = ("purchase", "redemption", "event")
BY_MONTHS = (UnitTerms.Expiry.ROLLING, UnitTerms.Expiry.INACTIVITY)
YEARLY = re.compile(r"(\d{2})-(\d{2})")
LEAP_YEAR = 2024


def find(terms: Content, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with the units' terms, and with the names of events that they may refer to."""
    if not terms.units:
        yield Fault(_("No unit has terms: say how what members earn lives and ends."), "units")
    for event in terms.events:
        if event.code in ACTIVITIES:
            yield Fault(
                _("Event type “%(event)s” has the code “%(code)s”, which has a meaning of its own. Choose another.")
                % {"event": event.name, "code": event.code},
                "events",
            )
    for unit in terms.units:
        for message in _unit(unit, terms, known):
            yield Fault(message, f"unit:{unit.unit}")


def _unit(unit: UnitContent, terms: Content, known: Known) -> Iterator[str]:
    said = {"unit": known.unit(unit.unit)}
    choices = (
        (_("Expiry"), unit.expiry, UnitTerms.Expiry.values),
        (_("Rounded up to the end of"), unit.round_up, ["", *UnitTerms.RoundUp.values]),
        (_("Return of units already spent"), unit.debt, UnitTerms.Debt.values),
    )
    for what, value, possible in choices:
        if wrong := unknown(what, value, possible):
            yield wrong
    if unit.expiry in BY_MONTHS and not unit.expiry_months and not unit.expiry_days:
        yield _("“%(unit)s” expire, but after how long is not said: fill in months or days.") % said
    if unit.expiry == UnitTerms.Expiry.FIXED:
        yield from _fixed_days(unit, said)
    if unit.expiry == UnitTerms.Expiry.INACTIVITY:
        yield from _kept_alive(unit, terms, said)
    yield from _by_tier(unit, terms, said)


def _fixed_days(unit: UnitContent, said: dict[str, str]) -> Iterator[str]:
    days = listed(unit.fixed_days)
    if not days:
        yield _("“%(unit)s” expire on fixed days, but none is given: write for example 12-31.") % said
    for day in days:
        if not is_day(day):
            yield _(
                "“%(unit)s” expire on “%(day)s”, a day that no calendar has: write 12-31 for each year, or 2027-06-30."
            ) % {**said, "day": day}
        elif not YEARLY.fullmatch(day) and date.fromisoformat(day) > LAST_DAY:
            yield _("“%(unit)s” expire on “%(day)s”, which is too far away: let them never expire instead.") % {
                **said,
                "day": day,
            }


def is_day(text: str) -> bool:
    """Whether a text is a day of every year (12-31), or one single day (2027-06-30)."""
    yearly = YEARLY.fullmatch(text)
    if yearly:
        month, day = int(yearly[1]), int(yearly[2])
        return 1 <= month <= 12 and 1 <= day <= monthrange(LEAP_YEAR, month)[1]
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2027-06-30")


def _kept_alive(unit: UnitContent, terms: Content, said: dict[str, str]) -> Iterator[str]:
    activities = listed(unit.kept_alive_by)
    if not activities:
        yield _("“%(unit)s” expire without activity, but no activity keeps them alive: name at least one.") % said
    possible = (*ACTIVITIES, *(event.code for event in terms.events))
    for activity in activities:
        if activity not in possible:
            yield _("“%(unit)s” are kept alive by “%(activity)s”, which is unknown. Choose from %(choices)s.") % {
                **said,
                "activity": activity,
                "choices": ", ".join(possible),
            }


def _by_tier(unit: UnitContent, terms: Content, said: dict[str, str]) -> Iterator[str]:
    tiers = {tier.code for tier in terms.tiers}
    for given in unit.tiers:
        if given.tier not in tiers:
            yield _("“%(unit)s” expire differently in tier “%(tier)s”, which this version does not have.") % {
                **said,
                "tier": given.tier,
            }
    if unit.tiers and unit.expiry not in BY_MONTHS:
        yield (
            _(
                "“%(unit)s” have months for some tiers, which count only where units expire so long after they were "
                "earned or without activity."
            )
            % said
        )
    if unit.fall_months and not unit.tiers:
        yield (
            _(
                "“%(unit)s” get an end when a member falls to a lower tier, but no tier has an end of its own: "
                "add the tiers."
            )
            % said
        )


def listed(text: str) -> list[str]:
    """Return the parts of a text that commas divide."""
    return [part for part in (piece.strip() for piece in text.split(",")) if part]
