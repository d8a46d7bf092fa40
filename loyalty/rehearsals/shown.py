"""What the page of a back-test says: figures, tables and a chart made from the kept sums, in the language in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import formats
from loyalty.rehearsals.drawing import Bar, Lines, bar, lines
from loyalty.rehearsals.models import BackTest
from programs.models import Program, Unit

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: its name, what it means, the value, and a line or two below it."""

    name: str
    meaning: str
    value: str
    change: str = ""
    of: str = ""
    up: int = 0
    down: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table that compares both sides: smallest steps, and as they are written."""

    name: str
    note: str
    before: int
    after: int
    written: tuple[str, str, str]
    share: str
    bar: Bar

    @property
    def difference(self) -> int:
        """How much more the draft gives."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that sum to ``total``."""

    rows: list[Row]
    total: Row


@dataclass(slots=True)
class OfUnit:
    """What one unit came to, by rule and by tier."""

    unit: Unit
    rules: Table
    tiers: Table
    facts: list[Row] = field(default_factory=list)


class Shown:
    """A finished back-test as it is read."""

    def __init__(self, test: BackTest, units: Mapping[str, Unit]) -> None:
        assert test.result is not None, test
        self.test = test
        self.program: Program = test.program
        self.result: dict[str, Any] = test.result
        self.known = dict(units)
        self.worth = {code: Decimal(value) for code, value in test.worth.items() if code in units}

    # --- What there is ------------------------------------------------------------------------------------------

    @property
    def against(self) -> str:
        """What the draft is compared with."""
        if self.test.against is None:
            return str(_("As it was"))
        return str(_("Version %(number)d") % {"number": self.test.against.number})

    @cached_property
    def units(self) -> list[OfUnit]:
        """Each unit that either side gave or holds, those that can be spent first."""
        codes = {code for side in self.result["sides"] for code in [*side["units"], *_last(side)]}
        found = [self.known[code] for code in codes if code in self.known]
        return [self._of_unit(unit) for unit in sorted(found, key=lambda one: (not one.is_spendable, one.code))]

    def _of_unit(self, unit: Unit) -> OfUnit:
        names = self.result["names"]
        notes = {row["rule"]: self._dates_of(row) for row in self.result["dated"] if row["years"]}
        rules = self._pairs("rules", unit.code)
        order = list(names["rules"])
        rule_rows = [
            (names["rules"].get(code, code), notes.get(code, ""), *pair)
            for code, pair in sorted(rules.items(), key=lambda row: order.index(row[0]) if row[0] in order else 0)
        ]
        tiers = self._pairs("tiers", unit.code)
        ladder = self.result["ladder"]
        tier_rows = [
            (names["tiers"].get(code, code) or str(_("No tier")), "", *pair)
            for code, pair in sorted(tiers.items(), key=lambda row: -(ladder.index(row[0]) if row[0] in ladder else -1))
        ]
        facts = [
            (str(_("Issued")), "", *self._sums("issued", unit.code)),
            (str(_("Taken back with returns")), "", *self._sums("taken_back", unit.code)),
            (str(_("Expired")), "", *self._sums("expired", unit.code)),
            (str(_("Outstanding at the end")), "", *self._held(unit.code)),
        ]
        most = max((abs(row[3] - row[2]) for row in [*rule_rows, *tier_rows]), default=0)
        return OfUnit(
            unit,
            self._table(rule_rows, unit, most),
            self._table(tier_rows, unit, most),
            [self._row(*row, unit=unit, most=0) for row in facts],
        )

    def _pairs(self, what: str, unit: str) -> dict[str, tuple[int, int]]:
        before, after = (side[what] for side in self.result["sides"])
        pairs = {
            code: (before.get(code, {}).get(unit, 0), after.get(code, {}).get(unit, 0)) for code in {**before, **after}
        }
        return {code: pair for code, pair in pairs.items() if any(pair)}

    def _sums(self, what: str, unit: str) -> tuple[int, int]:
        before, after = (side["units"].get(unit, {}).get(what, 0) for side in self.result["sides"])
        return before, after

    def _held(self, unit: str) -> tuple[int, int]:
        before, after = (_last(side).get(unit, 0) for side in self.result["sides"])
        return before, after

    def _table(self, rows: list[tuple[str, str, int, int]], unit: Unit, most: int) -> Table:
        total = (str(_("All")), "", sum(row[2] for row in rows), sum(row[3] for row in rows))
        return Table([self._row(*row, unit=unit, most=most) for row in rows], self._row(*total, unit=unit, most=0))

    def _row(self, name: str, note: str, before: int, after: int, *, unit: Unit, most: int) -> Row:
        def written(amount: int) -> str:
            return formats.figure(unit, amount, currency=self.program.currency)

        difference = after - before
        told = (written(before), written(after), formats.signed(written(difference), difference))
        return Row(name, note, before, after, told, change_in_percent(before, after), bar(difference, most))

    def _dates_of(self, row: Mapping[str, Any]) -> str:
        return str(_("tested as %(dates)s") % {"dates": days(row)})

    # --- The figures --------------------------------------------------------------------------------------------

    @cached_property
    def tiles(self) -> list[Tile]:
        """The five figures that answer what the draft would cost and whom it would move."""
        tiles = [self._issued(one) for one in self.units[:1]]
        tiles += [self._liability(), self._movers()]
        tiles += [self._who_earns_more(one) for one in self.units[:1]]
        return [*tiles, self._cost()]

    def _issued(self, one: OfUnit) -> Tile:
        total = one.rules.total
        name = _("%(units)s issued") % {"units": one.unit.name_plural.capitalize()}
        purchases = self.result["purchases"]
        of = ngettext("on %(count)s purchase", "on %(count)s purchases", purchases) % {
            "count": formats.number(purchases)
        }
        change = _("%(before)s → %(after)s") % {"before": total.written[0], "after": total.written[1]}
        meaning = _("What rules gave in the period, before returns.")
        return Tile(name, meaning, total.share if total.before else total.written[2], change, of)

    def _money(self, of: Any) -> tuple[Decimal, Decimal] | None:
        """Return a sum over all units whose worth is known, in the currency; None where none is."""
        if not self.worth:
            return None
        both = [Decimal(0), Decimal(0)]
        for code, worth in self.worth.items():
            for side, amount in enumerate(of(code)):
                both[side] += formats.steps(self.known[code], amount) * worth
        return both[0], both[1]

    def money(self, value: Decimal) -> str:
        """Return an amount of the currency as it is written."""
        return formats.money(round(value.scaleb(formats.minor_digits(self.program.currency))), self.program.currency)

    def _liability(self) -> Tile:
        name, meaning = (
            _("Liability at the end"),
            _("What members would hold on the last day, at the worth given for a unit."),
        )
        found = self._money(self._held)
        if found is None:
            return Tile(name, meaning, str(_("n/a")), str(_("no worth is given for any unit")))
        before, after = found
        change = _("%(before)s → %(after)s") % {"before": self.money(before), "after": self.money(after)}
        written = self.money(after - before)
        return Tile(name, meaning, "+" + written if after > before else written, change, self._left_out())

    def _left_out(self) -> str:
        missing = [
            one.unit.name_plural for one in self.units if one.unit.is_spendable and one.unit.code not in self.worth
        ]
        return str(_("without %(units)s") % {"units": formats.listed(missing)}) if missing else ""

    def _movers(self) -> Tile:
        up, down = self.result["up"], self.result["down"]
        members = formats.number(self.result["members"])
        of = _("on %(day)s, of %(members)s") % {"day": formats.day(self.test.last_day, year=False), "members": members}
        meaning = _("Members whose tier on the last day would be another.")
        return Tile(_("Members who move"), meaning, formats.number(up + down), "", str(of), up, down)

    def _who_earns_more(self, one: OfUnit) -> Tile:
        known = self.result["units"].get(one.unit.code, {"more": 0, "less": 0})
        members = self.result["members"]
        share = formats.percent(Decimal(known["more"]) / members) if members else str(_("n/a"))
        change = _("%(share)s of all %(members)s") % {"share": share, "members": formats.number(members)}
        of = ngettext("%(count)s earns less", "%(count)s earn less", known["less"]) % {
            "count": formats.number(known["less"])
        }
        return Tile(_("Members who earn more"), _("After returns."), formats.number(known["more"]), str(change), of)

    def _cost(self) -> Tile:
        sum_of = formats.money(
            100 * 10 ** formats.minor_digits(self.program.currency), self.program.currency, drop_cents=True
        )
        name = _("Cost for each %(amount)s sold") % {"amount": sum_of}
        meaning = _("Units given less those taken back, at their worth, for what was sold less what came back.")
        sold = Decimal(self.result["sales"] - self.result["returned"]).scaleb(
            -formats.minor_digits(self.program.currency)
        )
        found = self._money(self._net)
        if found is None or sold <= 0:
            return Tile(name, meaning, str(_("n/a")), str(_("no worth is given for any unit")) if found is None else "")
        before, after = (amount * HUNDRED / sold for amount in found)
        change = _("%(before)s → %(after)s") % {"before": self.money(before), "after": self.money(after)}
        written = self.money(after - before)
        return Tile(
            name,
            meaning,
            "+" + written if self.money(after) != self.money(before) and after > before else written,
            change,
        )

    def _net(self, unit: str) -> tuple[int, int]:
        issued, taken = self._sums("issued", unit), self._sums("taken_back", unit)
        return issued[0] - taken[0], issued[1] - taken[1]

    # --- Month by month -----------------------------------------------------------------------------------------

    @cached_property
    def months(self) -> list[tuple[str, str, str]]:
        """What was owed (or outstanding) at the end of each month on both sides, as it is written."""
        rows = self._by_month()
        return [(formats.month(month), self._axis(before), self._axis(after)) for month, before, after in rows]

    @property
    def has_money(self) -> bool:
        """Whether the months are told in money."""
        return bool(self.worth)

    def _by_month(self) -> list[tuple[date, float, float]]:
        before, after = (side["months"] for side in self.result["sides"])
        rows = []
        for month in sorted({**before, **after}):
            first = date.fromisoformat(f"{month}-01")
            rows.append((first, self._level(before.get(month, {})), self._level(after.get(month, {}))))
        return rows

    def _level(self, held: Mapping[str, int]) -> float:
        if self.worth:
            return float(
                sum(
                    (formats.steps(self.known[code], held.get(code, 0)) * worth for code, worth in self.worth.items()),
                    Decimal(0),
                )
            )
        main = self.units[0].unit if self.units else None
        return float(formats.steps(main, held.get(main.code, 0))) if main else 0.0

    def _axis(self, value: float) -> str:
        if self.worth:
            return formats.money(
                round(value * 10 ** formats.minor_digits(self.program.currency)), self.program.currency, drop_cents=True
            )
        return formats.number(round(value))

    @cached_property
    def chart(self) -> Lines | None:
        """Both sides month by month; nothing to draw for a period within one month."""
        rows = self._by_month()
        if len(rows) < 2:
            return None
        most = max(max(before, after) for _month, before, after in rows)
        names = [
            _("%(name)s %(value)s") % {"name": name, "value": self._axis(value)}
            for name, value in zip((self.against, _("Draft")), rows[-1][1:], strict=True)
        ]
        return lines(
            [formats.short_month(month) for month, _before, _after in rows],
            ([row[1] for row in rows], [row[2] for row in rows]),
            (names[0], names[1]),
            axis=self._axis,
            spacing=_nice(most),
        )

    # --- Tiers and rules ----------------------------------------------------------------------------------------

    @cached_property
    def matrix(self) -> dict[str, Any]:
        """Who would be where: a row for each tier without the draft, a column for each with it."""
        ladder, names, found = self.result["ladder"], self.result["names"]["tiers"], self.result["tiers"]
        rows = []
        for code in reversed(ladder):
            cells = []
            for other in ladder:
                count = found.get(code, {}).get(other, 0)
                move = (ladder.index(other) > ladder.index(code)) - (ladder.index(other) < ladder.index(code))
                cells.append({"count": formats.number(count), "is_zero": not count, "move": move if count else 0})
            total = formats.number(sum(found.get(code, {}).values()))
            rows.append({"name": names.get(code, code), "cells": cells, "total": total})
        return {"columns": [names.get(code, code) for code in ladder], "rows": rows}

    @property
    def moved_rules(self) -> list[dict[str, Any]]:
        """The rules whose dates were moved, with the days they were tested on."""
        return [
            {**row, "dates": days(row), "told": _years(row["years"])} for row in self.result["dated"] if row["years"]
        ]

    @property
    def silent_rules(self) -> list[dict[str, Any]]:
        """The rules with dates that can never fire in the period."""
        return [{**row, "dates": days(row)} for row in self.result["dated"] if not row["fires"]]

    @cached_property
    def largest(self) -> list[tuple[str, str, list[str]]]:
        """The largest differences of the main unit: the member's id, the amount, and the tiers."""
        if not self.units:
            return []
        unit = self.units[0].unit
        known = self.result["units"].get(unit.code, {"most": [], "least": []})
        names = self.result["names"]["tiers"]
        rows = []
        for pk, amount, *tiers in [*known["most"], *reversed(known["least"])]:
            written = formats.signed(formats.figure(unit, amount, currency=self.program.currency), amount)
            rows.append((pk, written, [names.get(code, code) for code in dict.fromkeys(tiers) if code]))
        return rows


def change_in_percent(before: int, after: int) -> str:
    """Return the relative change with its sign; words where there was nothing before."""
    if before == after:
        return formats.percent(0) if before else ""
    if not before:
        return str(_("new"))
    share = Decimal(after - before) / Decimal(before)
    return formats.signed(formats.percent(share), after - before)


def days(row: Mapping[str, Any]) -> str:
    """Return the days of a rule in words."""
    first, last = (date.fromisoformat(row[end]) if row[end] else None for end in ("first", "last"))
    if first and last:
        return str(
            _("%(first)s to %(last)s")
            % {"first": formats.short_day(first, year=True), "last": formats.short_day(last, year=True)}
        )
    if first:
        return str(_("from %(first)s") % {"first": formats.short_day(first, year=True)})
    return str(_("up to %(last)s") % {"last": formats.short_day(last, year=True)}) if last else ""


def _years(years: int) -> str:
    text = (
        ngettext("%(count)d year back", "%(count)d years back", -years)
        if years < 0
        else ngettext("%(count)d year on", "%(count)d years on", years)
    )
    return text % {"count": abs(years)}


def _last(side: Mapping[str, Any]) -> dict[str, int]:
    months = side["months"]
    return months[max(months)] if months else {}


def _nice(most: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that at most five lines reach ``most``."""
    wide = 1.0
    while wide * 5 < most:
        wide *= 2 if str(int(wide))[0] in "15" else 2.5
    return wide
