"""Limits of rules, groups of rules and whole programs, and the counters by which their use is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from programs.engine.clauses import attribute
from programs.engine.dates import local_day, window_of
from programs.engine.terms import Cap, Rule, Terms


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap and whose it is: a rule's code, or ``@`` and a group's."""

    owner: str
    cap: Cap


def limits_of(terms: Terms, rule: Rule) -> tuple[Limit, ...]:
    """Return the limits that a rule is under: its own, then its group's."""
    own = tuple(Limit(rule.code, cap) for cap in rule.caps)
    group = terms.groups.get(rule.group)
    return own + (tuple(Limit(f"@{group.code}", cap) for cap in group.caps) if group else ())


def counter_key(limit: Limit, window: str, attributes: Mapping[str, Any]) -> str:
    """Return the key under which the use of a limit is counted; ``window`` is the name of the one it falls in.

    Keys are kept with members: their form never changes. ``base|month|2026-03``; ``base#units|…`` where it counts other
    than an amount, ``@group…`` for a group's, ``program|…`` for a budget, ``…|value`` where an attribute's values are
    counted apart.
    """
    cap = limit.cap
    scope = "program|" if cap.scope == "program" else ""
    counts = "" if cap.counts == "amount" else f"#{cap.counts}"
    per = f"|{_text(attributes, cap.per)}" if cap.per else ""
    return f"{scope}{limit.owner}{counts}|{cap.window}|{window}{per}"


def budget_keys(*, terms: Terms, occurred_at: datetime, attributes: Mapping[str, Any]) -> dict[str, int]:
    """Return the keys of all budgets that activity at a moment may use, each with its limit."""
    day = local_day(occurred_at, terms.zone)
    keys: dict[str, int] = {}
    for rule in terms.rules:
        for limit in limits_of(terms, rule):
            if limit.cap.scope == "program" and limit.cap.window != "purchase":
                key = counter_key(limit, window_of(day, limit.cap.window, terms.year_starts), attributes)
                keys[key] = min(limit.cap.limit, keys.get(key, limit.cap.limit))
    return keys


class Usage:
    """What one evaluation finds in the counters and uses up itself."""

    def __init__(
        self, *, day: date, year_starts: int, attributes: Mapping[str, Any], counters: Mapping[str, int]
    ) -> None:
        self.day = day
        self.year_starts = year_starts
        self.attributes = attributes
        self.counters = counters
        self.found: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self.keys: dict[int, str] = {}
        self.windows: dict[str, str] = {}

    @property
    def consumed(self) -> dict[str, int]:
        """What was used of the limits that outlast the purchase."""
        return {key: used for key, used in self.used.items() if key in self.found}

    def note(self, limits: Iterable[Limit]) -> None:
        """Keep what the counters say."""
        for limit in limits:
            if limit.cap.window != "purchase":
                key = self._key(limit)
                self.found[key] = self.counters.get(key, 0)

    def left(self, limit: Limit) -> int:
        """Return what is left of a limit."""
        key = self._key(limit)
        return max(0, limit.cap.limit - self.found.get(key, 0) - self.used.get(key, 0))

    def use(self, limits: Iterable[Limit], *, amount: int, units: int) -> None:
        """Count an award against the limits that it is under; those of one key count it once."""
        size = {"amount": amount, "units": units, "times": int(units > 0)}
        for key, counts in {self._key(limit): limit.cap.counts for limit in limits}.items():
            if size[counts]:
                self.used[key] = self.used.get(key, 0) + size[counts]

    def _key(self, limit: Limit) -> str:
        if (known := self.keys.get(id(limit))) is not None:
            return known
        if limit.cap.window == "purchase":
            key = f"{limit.owner}#{limit.cap.counts}|purchase"
        else:
            key = counter_key(limit, self._window(limit.cap.window), self.attributes)
        self.keys[id(limit)] = key
        return key

    def _window(self, window: str) -> str:
        if (name := self.windows.get(window)) is None:
            name = self.windows[window] = window_of(self.day, window, self.year_starts)
        return name


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attribute(attributes, name)
    return "" if value is None else str(value).strip().casefold()
