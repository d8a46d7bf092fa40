"""Faults of when a reward is open, and of when units turn into it by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from programs.clauses import ClauseError, parsed
from programs.content import Content
from programs.faults.fault import Known
from programs.models import Reward
from programs.reward_content import RewardContent
from programs.terms import listed, month_and_day

Kind, Conversion = Reward.Kind, Reward.Conversion


def opening(reward: RewardContent, terms: Content, known: Known, said: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with when it is open; ``said`` names the reward."""
    if reward.weekdays:
        try:
            parsed("weekday", reward.weekdays)
        except ClauseError as error:
            yield _("Reward “%(reward)s”, days of the week: %(wrong)s") % {**said, "wrong": error}
    if reward.zone and not _is_zone(reward.zone):
        yield _("Reward “%(reward)s”: “%(zone)s” is no time zone. Choose one of the list.") % {
            **said,
            "zone": reward.zone,
        }
    if reward.opens_from is not None and reward.opens_from == reward.opens_until:
        yield _("Reward “%(reward)s” closes in the minute in which it opens: change a time, or empty both.") % said
    names = {tier.code: tier.name for tier in terms.tiers}
    for name, opens_at in [
        ("", reward.opens_at),
        *((names.get(row.tier, row.tier), row.opens_at) for row in reward.tiers),
    ]:
        if reward.closes_at is None or opens_at is None or opens_at < reward.closes_at:
            continue
        if name:
            yield _("Reward “%(reward)s” closes before it opens for tier “%(tier)s”.") % {**said, "tier": name}
        else:
            yield _("Reward “%(reward)s” closes before it opens: change one of both moments.") % said
    first_day = known.first_day
    if reward.is_on and reward.closes_at is not None and first_day is not None and reward.closes_at.date() < first_day:
        yield (
            _("Reward “%(reward)s” is over before this version can take effect: change its end, or switch it off.")
            % said
        )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def conversion(reward: RewardContent, said: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with how units turn into it; ``said`` names the reward."""
    if not reward.unit or reward.price <= 0:
        yield _("Units turn into reward “%(reward)s”, but not said how many of which: fill in its price.") % said
    if reward.kind == Kind.POOL:
        yield _("Units cannot turn into reward “%(reward)s”: codes of a pool are only for members who choose.") % said
    if reward.stock is not None:
        yield _("Units turn into reward “%(reward)s” by themselves, so it cannot run out: empty its stock.") % said
    if reward.by_amount or reward.several:
        yield (
            _("Reward “%(reward)s” comes by itself, one for each full price: switch off any amount and several.") % said
        )
    if reward.from_tier or any(given.kind in ("segment", "birthday", "age") for given in reward.clauses):
        yield (
            _(
                "Units turn into reward “%(reward)s” for everyone who has them: take out from which tier, and "
                "conditions on the member."
            )
            % said
        )
    if reward.opens_at or reward.closes_at or reward.weekdays or reward.opens_from or reward.opens_until:
        yield _("Reward “%(reward)s” comes by itself, so it has no opening times: empty them.") % said
    if reward.conversion == Conversion.DATES:
        yield from _dates(reward, said)
    elif reward.closes_on or reward.issue_day is not None:
        yield _("Units turn into reward “%(reward)s” at once, so it has no dates: empty them.") % said
    if reward.most_a_year == 0 or reward.most_at_once == 0:
        yield _("Reward “%(reward)s” is limited to 0: say at least 1, or switch it off.") % said


def _dates(reward: RewardContent, said: dict[str, str]) -> Iterator[str]:
    days = listed(reward.closes_on)
    if not days:
        yield _("Units turn into reward “%(reward)s” at set dates, but none is given: write for example 05-31.") % said
    for text in days:
        try:
            month_and_day(text)
        except ValueError:
            yield (
                _("Reward “%(reward)s”: “%(day)s” is no day of the year. Write month and day, for example 05-31.")
                % {**said, "day": text}
            )
    if len(set(days)) < len(days):
        yield _("Reward “%(reward)s” counts units twice at the end of one day: write each day once.") % said
    if reward.issue_day is None or not 1 <= reward.issue_day <= 28:
        yield _("Reward “%(reward)s”: say on which day of the month after it is given, from 1 to 28.") % said
