"""Faults of rewards: each by itself, whom it is for, and those that do not fit beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from django.utils.translation import gettext as _

from programs.content import ClauseContent, Content
from programs.faults import conditions, reward_times, reward_worth
from programs.faults.contradictions import contradicting
from programs.faults.fault import Fault, Known, unknown
from programs.models import Reward
from programs.models.rewards import CLAUSES, WINDOWS
from programs.reward_content import RewardContent, RewardTierContent

Kind, Conversion = Reward.Kind, Reward.Conversion
MOST_LIMIT = 2**31 - 1


def find(terms: Content, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with each reward, then between rewards."""
    for reward in terms.rewards:
        for message in _reward(reward, terms, known):
            yield Fault(message, f"reward:{reward.code}")
    yield from _between([reward for reward in terms.rewards if reward.is_on])


def _reward(reward: RewardContent, terms: Content, known: Known) -> Iterator[str]:
    said = {"reward": reward.name}
    what = _("Reward “%(reward)s”") % said
    for value, choices in ((reward.kind, Kind.values), (reward.conversion, ["", *Conversion.values])):
        if wrong := unknown(what, value, choices):
            yield wrong
    yield from reward_worth.find(reward, terms, known, said)
    yield from _whom(reward, terms, known, said)
    yield from reward_times.opening(reward, terms, known, said)
    if reward.conversion:
        yield from reward_times.conversion(reward, said)
    elif reward.is_withdrawn or reward.most_at_once is not None or reward.most_a_year is not None:
        yield (
            _(
                "Reward “%(reward)s” has what only one has that units turn into by themselves: say when they do, or "
                "take out its limits each time and a year, and that it is withdrawn after a return."
            )
            % said
        )
    if reward.lives_months is not None and reward.lives_days is not None:
        yield _("Reward “%(reward)s”: its voucher lives months or days, not both. Empty one of them.") % said


# --- For whom --------------------------------------------------------------------------------------------------------


def _whom(reward: RewardContent, terms: Content, known: Known, said: dict[str, str]) -> Iterator[str]:
    names = {tier.code: tier.name for tier in terms.tiers}
    places = {tier.code: place for place, tier in enumerate(terms.tiers)}
    lowest = names.get(reward.from_tier, reward.from_tier)
    if reward.from_tier and reward.from_tier not in names:
        yield _("Reward “%(reward)s” is for members from tier “%(tier)s” on, which this version does not have.") % {
            **said,
            "tier": reward.from_tier,
        }
    for row in reward.tiers:
        about = {**said, "tier": names.get(row.tier, row.tier), "lowest": lowest}
        if row.tier not in names:
            yield _("Reward “%(reward)s” differs for tier “%(tier)s”, which this version does not have.") % about
        elif places[row.tier] < places.get(reward.from_tier, 0):
            yield (
                _(
                    "Reward “%(reward)s” differs for tier “%(tier)s”, but only members from “%(lowest)s” on may have "
                    "it: take that line out."
                )
                % about
            )
        elif _is_empty(row):
            yield _("Reward “%(reward)s” has a line for tier “%(tier)s” that says nothing: take it out.") % about
    if reward.conversion and any(row.price is not None or row.opens_at is not None for row in reward.tiers):
        yield (
            _(
                "Reward “%(reward)s” comes by itself, so it costs the same and comes at the same time in every tier: "
                "only what it is worth can differ."
            )
            % said
        )
    yield from _limits(reward, said)
    yield from _clauses(reward, known, said)


def _is_empty(row: RewardTierContent) -> bool:
    return all(one is None for one in (row.price, row.value, row.percent, row.opens_at))


def _limits(reward: RewardContent, said: dict[str, str]) -> Iterator[str]:
    what = _("Limit of reward “%(reward)s”") % said
    for limit in reward.limits:
        if wrong := unknown(what, limit.window, [value for value, _label in WINDOWS]):
            yield wrong
        if not 1 <= limit.times <= MOST_LIMIT:
            yield _("%(limit)s: it lets nothing through. Say at least 1, or switch the reward off.") % {"limit": what}
    if reward.conversion and reward.limits:
        yield (
            _(
                "Reward “%(reward)s” comes by itself: limit it each time and in the program's year in place of how "
                "often members choose it."
            )
            % said
        )
    if reward.choice and not reward.limits:
        yield (
            _(
                "Reward “%(reward)s” is one of the choice “%(choice)s”, but has no limit to share: add the limit, for "
                "example once a calendar year."
            )
            % {**said, "choice": reward.choice}
        )


def _clauses(reward: RewardContent, known: Known, said: dict[str, str]) -> Iterator[str]:
    found = []
    for given in reward.clauses:
        about = {**said, "kind": conditions.kind_name(given.kind)}
        clause, wrong = conditions.read(ClauseContent(given.kind, given.value, given.negated), known)
        if given.kind not in CLAUSES:
            wrong = _("rewards do not look at this.")
        elif clause is not None:
            wrong = ""
            missing = [code for code in clause.values if known.segments is not None and code not in known.segments]
            if clause.kind == "segment" and missing:
                wrong = _("there is no segment “%(segment)s”.") % {"segment": missing[0]}
            elif clause.least is not None and clause.most is not None and clause.least > clause.most:
                wrong = _("the least is more than the most.")
            else:
                found.append(clause)
        if wrong:
            yield _("Reward “%(reward)s”, condition “%(kind)s”: %(wrong)s") % {**about, "wrong": wrong}
    if never := contradicting(found):
        yield _("Reward “%(reward)s” can never be had: its conditions on “%(kind)s” exclude each other.") % {
            **said,
            "kind": conditions.kind_name(never),
        }


# --- Between rewards -------------------------------------------------------------------------------------------------


def _between(running: list[RewardContent]) -> Iterator[Fault]:
    for one, other in combinations(running, 2):
        said = {"one": one.name, "other": other.name}
        if one.conversion and one.conversion == other.conversion and one.unit == other.unit:
            yield Fault(
                _(
                    "The same units turn into “%(one)s” and “%(other)s”: which of them wins is not said. Switch one "
                    "off, or let members choose it."
                )
                % said,
                f"reward:{other.code}",
            )
        if one.choice and one.choice == other.choice and one.limits != other.limits:
            yield Fault(
                _(
                    "“%(one)s” and “%(other)s” are one choice “%(choice)s”, but their limits differ: give both the "
                    "same ones."
                )
                % {**said, "choice": one.choice},
                f"reward:{other.code}",
            )
