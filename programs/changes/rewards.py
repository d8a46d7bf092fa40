"""Says what a reward is: what it takes and gives, whom it is for, when it is open, and how often it can be had."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from programs.changes.words import Lines, Words, condition, condition_lines, days, months, switched
from programs.content import ClauseContent
from programs.models import Reward, RuleCap
from programs.reward_content import RewardClauseContent, RewardContent, RewardTierContent
from programs.terms import listed, month_and_day

Kind, Conversion = Reward.Kind, Reward.Conversion
LEAP_YEAR = 2024  # It has every day that a year can have.


def reward_lines(reward: RewardContent, words: Words) -> Lines:
    """Return all that is said of a reward."""
    lines = {_("Name"): reward.name, _("Order"): str(reward.position)}
    if reward.detail:
        lines[_("In detail")] = reward.detail
    if not reward.is_on:
        lines[_("Switch")] = switched(reward.is_on)
    return (
        lines
        | {_("Kind"): str(dict(Kind.choices).get(reward.kind, reward.kind))}
        | worth_lines(reward, words)
        | whom_lines(reward, words)
        | when_lines(reward, words)
        | conversion_lines(reward)
        | voucher_lines(reward)
    )


def brief_lines(reward: RewardContent, words: Words) -> Lines:
    """Return what a list says of a reward: what it takes, whom it is for, and when."""
    return worth_lines(reward, words) | whom_lines(reward, words) | when_lines(reward, words) | conversion_lines(reward)


# --- What it takes and gives -----------------------------------------------------------------------------------------


def worth_lines(reward: RewardContent, words: Words) -> Lines:
    """Return the price, what it is worth, and how far it may go, with what differs by tier."""
    lines = {_("Price"): price(reward.price, reward, words)}
    if reward.value is not None:
        lines[worth_name(reward)] = words.amount(reward.value)
    if reward.percent is not None:
        lines[_("Percent off")] = percent(reward.percent)
    if reward.by_amount:
        step = Decimal(1).scaleb(-words.digits) if reward.step is None else reward.step
        lines[_("Any amount")] = _("in steps of %(step)s") % {"step": words.amount(step)}
    if reward.several:
        lines[_("Several at once")] = _("yes")
    if reward.gives is not None:
        lines[_("Gives")] = words.units_of(reward.gives_unit, reward.gives)
    lines |= _by_tier(reward, words)
    if reward.most_share is not None:
        lines[_("At most of the basket")] = percent(reward.most_share)
    if reward.least_basket is not None:
        lines[_("From a basket of")] = words.amount(reward.least_basket)
    if reward.stock is not None:
        lines[_("Stock")] = formats.number(reward.stock)
    if reward.pool:
        lines[_("Pool of codes")] = reward.pool
    return lines


def price(amount: Decimal, reward: RewardContent, words: Words) -> str:
    """Return a price: “500 points”, or that it costs nothing."""
    if not (amount and reward.unit):
        return _("nothing")
    unit = words.units.get(reward.unit)
    return words.amount(amount) if unit is not None and unit.is_money else words.units_of(reward.unit, amount)


def worth_name(reward: RewardContent) -> str:
    """Return what the worth of this kind of reward is called."""
    if reward.by_amount:
        return _("Worth at that price")
    return _("Costs at most") if reward.kind == Kind.PRODUCT else _("Worth")


def percent(value: Decimal) -> str:
    """Return a percentage: “20 %”."""
    return f"{formats.rate(value)}{formats.NO_BREAK}%"


def by_tier(reward: RewardContent, words: Words) -> list[RewardTierContent]:
    """Return what differs for tiers, from the lowest tier up."""
    places = {code: place for place, code in enumerate(words.tiers)}
    return sorted(reward.tiers, key=lambda given: (places.get(given.tier, len(places)), given.tier))


def _by_tier(reward: RewardContent, words: Words) -> Lines:
    lines: Lines = {}
    for given in by_tier(reward, words):
        said = {"tier": words.tiers.get(given.tier, given.tier)}
        if given.price is not None:
            lines[_("Price for tier %(tier)s") % said] = price(given.price, reward, words)
        if given.value is not None:
            lines[_("Worth for tier %(tier)s") % said] = words.amount(given.value)
        if given.percent is not None:
            lines[_("Percent off for tier %(tier)s") % said] = percent(given.percent)
    return lines


# --- For whom, when, how often ---------------------------------------------------------------------------------------


def whom_lines(reward: RewardContent, words: Words) -> Lines:
    """Return the lowest tier, the conditions, and how often a member may have it."""
    lines: Lines = {}
    if reward.from_tier:
        lines[_("From tier")] = words.tiers.get(reward.from_tier, reward.from_tier)
    lines |= condition_lines(as_clauses(reward.clauses), words)
    lines |= {limit_name(limit.window): times(limit.times) for limit in reward.limits}
    if reward.choice:
        lines[_("One of a choice")] = reward.choice
    return lines


def as_clauses(given: Iterable[RewardClauseContent]) -> list[ClauseContent]:
    """Return conditions of a reward as those of a rule are said."""
    return [ClauseContent(one.kind, one.value, one.negated) for one in given]


def limit_name(window: str) -> str:
    """Return what a limit is called: “At most, a day”."""
    return _("At most, %(window)s") % {"window": window_name(window)}


def window_name(window: str) -> str:
    """Return the name of a window inside a sentence."""
    names = dict(RuleCap.Window.choices)
    return str(names.get(window, window)).lower()


def times(count: int) -> str:
    """Return a number of times."""
    return ngettext("%(count)d time", "%(count)d times", count) % {"count": count}


def when_lines(reward: RewardContent, words: Words) -> Lines:
    """Return when it can be had; moments are the program's time, hours those of the reward's own zone."""
    lines: Lines = {}
    if reward.opens_at is not None:
        lines[_("Open from")] = formats.moment(reward.opens_at, zone=words.zone)
    for given in by_tier(reward, words):
        if given.opens_at is not None:
            name = _("Open for tier %(tier)s from") % {"tier": words.tiers.get(given.tier, given.tier)}
            lines[name] = formats.moment(given.opens_at, zone=words.zone)
    if reward.closes_at is not None:
        lines[_("Open until")] = formats.moment(reward.closes_at, zone=words.zone)
    if reward.weekdays:
        lines[_("On the days")] = weekdays(reward.weekdays, words)
    if reward.opens_from is not None or reward.opens_until is not None:
        lines[_("At the time")] = hours(reward.opens_from, reward.opens_until)
    if reward.zone and (reward.weekdays or reward.opens_from is not None or reward.opens_until is not None):
        lines[_("In the time of")] = reward.zone
    return lines


def weekdays(text: str, words: Words) -> str:
    """Return days of the week in words; as they were written where they cannot be read."""
    return condition(ClauseContent("weekday", text), words)


def hours(least: time | None, most: time | None) -> str:
    """Return from and to which time of the day."""
    if least is not None and most is not None:
        return _("from %(least)s to %(most)s") % {"least": formats.clock(least), "most": formats.clock(most)}
    if least is not None:
        return _("from %(time)s on") % {"time": formats.clock(least)}
    return _("until %(time)s") % {"time": formats.clock(most or time())}


def zone_name(zone: str, fallback: tzinfo) -> str:
    """Return what people call a zone's time: “Pacific Time”; a name that nobody knows as it was written."""
    try:
        return formats.zone(ZoneInfo(zone) if zone else fallback)
    except (KeyError, ValueError, OSError):
        return zone


# --- By itself, and its voucher --------------------------------------------------------------------------------------


def conversion_lines(reward: RewardContent) -> Lines:
    """Return how units turn into it by themselves."""
    if not reward.conversion:
        return {}
    kinds = dict(Conversion.choices)
    lines = {_("Units turn into it"): str(kinds.get(reward.conversion, reward.conversion)).lower()}
    if reward.closes_on:
        lines[_("Counted at the end of")] = formats.listed([yearly_day(text) for text in listed(reward.closes_on)])
    if reward.issue_day is not None:
        lines[_("Given on day of the month after")] = str(reward.issue_day)
    if reward.most_at_once is not None:
        lines[_("At most each time")] = formats.number(reward.most_at_once)
    if reward.most_a_year is not None:
        lines[_("At most in the program's year")] = formats.number(reward.most_a_year)
    if reward.is_withdrawn:
        lines[_("After a return of too many units")] = _("an unused one is withdrawn")
    return lines


def yearly_day(text: str) -> str:
    """Return a day of every year in words; as it was written where it cannot be read."""
    try:
        month, day = month_and_day(text)
    except ValueError:
        return text
    return formats.day(date(LEAP_YEAR, month, day), year=False)


def voucher_lines(reward: RewardContent) -> Lines:
    """Return how long its voucher lives."""
    if reward.lives_months is not None:
        return {_("Its voucher lives"): months(reward.lives_months)}
    if reward.lives_days is not None:
        return {_("Its voucher lives"): days(reward.lives_days)}
    return {}
