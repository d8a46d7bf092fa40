"""What a draft changes against the version before it, in words: for whoever approves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from programs.changes.ladder import switch_lines, tier_lines, trial_lines
from programs.changes.rewards import reward_lines
from programs.changes.rules import event_lines, group_lines, rule_lines
from programs.changes.units import unit_lines
from programs.changes.words import Lines, Words, words_for
from programs.content import Content
from programs.models import Program

TERMS = "terms"


class Kind(StrEnum):
    """How a part differs."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the comparison; ``before`` is empty for what is new, ``after`` for what goes.

    ``part`` names what differs as faults do: ``terms`` (the switches), ``trial``, ``unit:CODE``, ``tier:CODE`` …
    """

    kind: Kind
    what: str
    detail: str
    before: str
    after: str
    part: str = ""


def compare(before: Content | None, after: Content, *, program: Program) -> list[Change]:
    """Return what differs: switches, then units, the ladder from below, events, groups, rules in order, rewards."""
    return list(_compare(before, after, words_for(program, before, after)))


def _compare(before: Content | None, after: Content, words: Words) -> Iterator[Change]:
    old = before or Content(tax_earns=False, tier_validity=after.tier_validity)
    yield from _switches(old, after)
    was, becomes = (trial_lines(terms.trial, words) if terms.trial else None for terms in (old, after))
    if was or becomes:
        yield from _differences(_("Trial of a tier"), was, becomes, part="trial")
    yield from _parts(
        "unit",
        old.units,
        after.units,
        named=lambda unit: _("Unit %(unit)s") % {"unit": words.unit(unit.unit)},
        said=lambda unit: unit_lines(unit, words),
        key="unit",
    )
    yield from _parts(
        "tier",
        old.tiers,
        after.tiers,
        named=lambda tier: _("Tier %(tier)s") % {"tier": tier.name},
        said=lambda tier: tier_lines(tier, words),
    )
    yield from _parts(
        "event",
        old.events,
        after.events,
        named=lambda event: _("Event %(event)s") % {"event": event.name},
        said=event_lines,
    )
    yield from _parts(
        "group",
        old.groups,
        after.groups,
        named=lambda group: _("Group %(group)s") % {"group": group.name},
        said=lambda group: group_lines(group, (after if group in after.groups else old).rules, words),
    )
    yield from _parts(
        "rule",
        old.rules,
        after.rules,
        named=lambda rule: _("Rule %(rule)s") % {"rule": rule.name},
        said=lambda rule: rule_lines(rule, words),
    )
    yield from _parts(
        "reward",
        old.rewards,
        after.rewards,
        named=lambda reward: _("Reward %(reward)s") % {"reward": reward.name},
        said=lambda reward: reward_lines(reward, words),
    )


def _switches(old: Content, new: Content) -> Iterator[Change]:
    """Yield the version's own switches that differ, each under its own name."""
    was, becomes = switch_lines(old), switch_lines(new)
    for name in (*was, *(name for name in becomes if name not in was)):
        if was.get(name) != becomes.get(name):
            kind = _kind(name in was, name in becomes)
            yield Change(kind, name, "", was.get(name, ""), becomes.get(name, ""), TERMS)


def _parts(
    part: str,
    old: Iterable[Any],
    new: Iterable[Any],
    *,
    named: Callable[[Any], str],
    said: Callable[[Any], Lines],
    key: str = "code",
) -> Iterator[Change]:
    """Yield the differences of parts that are known by a code: those that stay or go first, then the new ones."""
    was = {getattr(one, key): one for one in old}
    becomes = {getattr(one, key): one for one in new}
    for code in (*was, *(code for code in becomes if code not in was)):
        yield from _differences(
            named(becomes.get(code) or was[code]),
            said(was[code]) if code in was else None,
            said(becomes[code]) if code in becomes else None,
            part=f"{part}:{code}",
        )


def _differences(what: str, old: Lines | None, new: Lines | None, *, part: str) -> Iterator[Change]:
    """Yield one line for a part that is new or goes, else one for each of its lines that differs."""
    if old is None:
        yield Change(Kind.ADDED, what, "", "", together(new or {}), part)
    elif new is None:
        yield Change(Kind.REMOVED, what, "", together(old), "", part)
    else:
        for name in (*old, *(name for name in new if name not in old)):
            if old.get(name) != new.get(name):
                kind = _kind(name in old, name in new)
                yield Change(kind, what, name, old.get(name, ""), new.get(name, ""), part)


def _kind(was: bool, is_there: bool) -> Kind:
    if was and is_there:
        return Kind.CHANGED
    return Kind.ADDED if is_there else Kind.REMOVED


def together(lines: Lines) -> str:
    """Return lines as one sentence."""
    return "; ".join(f"{name}: {value}" for name, value in lines.items())
