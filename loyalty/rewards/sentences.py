"""Why a reward cannot be had, in words that customer and cashier both read."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from loyalty.rewards import problems
from programs.engine.state import Refusal
from programs.engine.terms import Reward, Terms
from programs.models import Program, RuleCap, Unit


def refusal_sentence(refusal: Refusal, *, reward: Reward, terms: Terms, program: Program, unit: Unit | None) -> str:
    """Return the sentence for a refusal, in the active language and the program's time; ``unit`` is the price's."""
    return _because(refusal, reward, terms, program, unit)


def _because(refusal: Refusal, reward: Reward, terms: Terms, program: Program, unit: Unit | None) -> str:
    if refusal.code == "not-enough-units":
        return _missing(refusal.missing or 0, program, unit)
    if refusal.code == "tier-too-low":
        return _("This is for members from %(tier)s on.") % {"tier": _tier(terms, reward.from_tier)}
    if refusal.code == "limit-reached":
        return _limit(refusal, reward, terms)
    if refusal.code == "basket-share":
        return _basket(refusal, program)
    if refusal.code == "sold-out":
        return _("All of them are gone.")
    if refusal.code == "comes-by-itself":
        return _by_itself(reward, program, unit)
    return _not_open(refusal, reward, program)


def _missing(steps: int, program: Program, unit: Unit | None) -> str:
    if unit is None:
        return str(problems.NotEnoughUnitsError.title)
    said = {"units": formats.units(unit, steps, currency=program.currency)}
    is_one = unit.is_money or formats.unit_name(unit, formats.steps(unit, steps)) == unit.name != unit.name_plural
    return _("%(units)s is missing.") % said if is_one else _("%(units)s are missing.") % said


def _tier(terms: Terms, code: str) -> str:
    return next((tier.name for tier in terms.tiers if tier.code == code), code)


def _limit(refusal: Refusal, reward: Reward, terms: Terms) -> str:
    often = _how_often(refusal.why, refusal.most or 1)
    others = [other.name for other in terms.rewards if other.choice and other.choice == reward.choice]
    if len(others) > 1:
        return _("One of %(rewards)s is given, %(often)s.") % {"rewards": formats.listed(others), "often": often}
    return _("It is given %(often)s.") % {"often": often}


def _how_often(window: str, most: int) -> str:
    said = {
        RuleCap.Window.DAY: ngettext("once a day", "%(count)d times a day", most),
        RuleCap.Window.WEEK: ngettext("once a week", "%(count)d times a week", most),
        RuleCap.Window.MONTH: ngettext("once a calendar month", "%(count)d times a calendar month", most),
        RuleCap.Window.QUARTER: ngettext("once a quarter", "%(count)d times a quarter", most),
        RuleCap.Window.YEAR: ngettext("once a calendar year", "%(count)d times a calendar year", most),
        RuleCap.Window.PROGRAM_YEAR: ngettext("once a program year", "%(count)d times a program year", most),
        RuleCap.Window.LIFETIME: ngettext("once only", "%(count)d times in all", most),
    }[RuleCap.Window(window)]
    return said % {"count": most} if "%" in said else said


def _basket(refusal: Refusal, program: Program) -> str:
    if not refusal.most:
        return _("The basket is too small for it.")
    most = formats.money(refusal.most, program.currency)
    if refusal.why == "least":
        return _("The basket must come to %(amount)s or more.") % {"amount": most}
    return _("With this basket it may be at most %(amount)s.") % {"amount": most}


def _by_itself(reward: Reward, program: Program, unit: Unit | None) -> str:
    price = formats.units(unit, reward.price, currency=program.currency) if unit is not None else str(reward.price)
    if reward.conversion == "at_once":
        return _("It comes by itself for every %(units)s.") % {"units": price}
    return _("It comes by itself at set dates, for every %(units)s.") % {"units": price}


def _not_open(refusal: Refusal, reward: Reward, program: Program) -> str:
    if refusal.why == "over":
        return _("It is over.")
    if refusal.why == "birthday-unknown":
        return _("It is for the birthday, which is not known.")
    if refusal.why == "birthday":
        return _opening(_("It is for the time of the birthday"), refusal.opens_at, program)
    if refusal.why == "segment":
        return _("It is for invited members.")
    if refusal.why == "age":
        return _opening(_("It depends on the time since joining"), refusal.opens_at, program)
    return _opening(_("It is closed now"), refusal.opens_at, program)


def _opening(said: str, opens_at: datetime | None, program: Program) -> str:
    if opens_at is None:
        return _("%(reason)s.") % {"reason": said}
    when = formats.moment(opens_at, zone=program.zone)
    return _("%(reason)s; it opens on %(moment)s.") % {"reason": said, "moment": when}
