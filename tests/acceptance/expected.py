"""What each member must have, worked out from the purchases alone.

Shares no code with the product: standard library only, the published rules written down a second time and in another
way. By hand:

    python tests/acceptance/expected.py FILE [--program cashback] [--shift-days N] [--present ISO] [--members 30]

prints one CSV row per member. Files in the columns of The Complete Journey and in the generic ones are read.
"""

from __future__ import annotations

import argparse
import calendar
import csv
import gzip
import io
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
PRAGUE = ZoneInfo("Europe/Prague")


@dataclass(frozen=True)
class Basket:
    """One purchase; cents, and the moment in UTC."""

    id: str
    member: str
    moment: datetime
    cents: int


@dataclass
class Standing:
    """What one member has at the end. ``units`` in smallest steps; ``spend`` in cents, of the present's year.

    ``awards``: what each basket earned when it was paid, by its id.
    """

    member: str
    baskets: int
    total: int
    units: int
    pending: int
    tier: str
    spend: int
    joined: datetime
    awards: dict[str, int]


def read(file: Path, *, shift_days: int = 0) -> list[Basket]:
    """Return the baskets of a file as (moment, place in the file) has them."""
    data = file.read_bytes()
    if file.name.endswith(".gz"):
        data = gzip.decompress(data)
    found: dict[str, list] = {}
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        basket = row.get("basket_id") or row["external_id"]
        member = row.get("household_id") or row.get("member") or ""
        when = row.get("timestamp_utc") or row["occurred_at"]
        paid = row.get("sales_value") or row["amount"]
        entry = found.setdefault(basket, [basket, member, when, 0])
        entry[3] += cents(paid)
    baskets = [
        Basket(basket, member, instant(when) + timedelta(days=shift_days), paid)
        for basket, member, when, paid in found.values()
    ]
    return sorted(baskets, key=lambda basket: basket.moment)


def cents(text: str) -> int:
    """Return an amount as whole cents."""
    return round(Fraction(text) * 100)


def instant(text: str) -> datetime:
    """Return a moment with an offset as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def by_member(baskets: list[Basket]) -> dict[str, list[Basket]]:
    """Return each member's baskets in order; guests have none."""
    owned: dict[str, list[Basket]] = {}
    for basket in baskets:
        if basket.member:
            owned.setdefault(basket.member, []).append(basket)
    return owned


# --- beauty_insider: a level by the spend of a calendar year, points by the level of the day ------------------------


def level_of(spent: int) -> int:
    """Return 0, 1 or 2 for Insider, VIB and Rouge."""
    if spent >= 1000_00:
        return 2
    if spent >= 350_00:
        return 1
    return 0


def beauty_insider(member: str, baskets: list[Basket], *, present: datetime) -> Standing:
    """Return a member's points, level and spend of the year at the present."""
    spent: dict[int, int] = {}
    awards: dict[str, int] = {}
    points = 0
    keeps_until = None

    def held_in(year: int) -> int:
        return max(level_of(spent.get(year, 0)), level_of(spent.get(year - 1, 0)))

    for basket in baskets:
        day = basket.moment.astimezone(NEW_YORK).date()
        if keeps_until is not None and day > keeps_until:
            points = 0
        quarters = (4, 5, 6)[held_in(day.year)]  # Quarters of a point per dollar.
        awards[basket.id] = basket.cents * quarters // 400
        points += awards[basket.id]
        spent[day.year] = spent.get(day.year, 0) + basket.cents
        keeps_until = a_year_after(day)
    today = present.astimezone(NEW_YORK).date()
    if keeps_until is not None and today > keeps_until:
        points = 0
    return Standing(
        member=member,
        baskets=len(baskets),
        total=sum(basket.cents for basket in baskets),
        units=points,
        pending=0,
        tier=("insider", "vib", "rouge")[held_in(today.year)],
        spend=spent.get(today.year, 0),
        joined=baskets[0].moment,
        awards=awards,
    )


def a_year_after(day: date) -> date:
    """Return the last day on which what lives twelve months from ``day`` is there."""
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return day.replace(year=day.year + 1, day=min(day.day, last))


# --- cashback: one percent of at most 500 a purchase and 3,000 a month, pending for 14 days -------------------------


def cashback(member: str, baskets: list[Basket], *, present: datetime) -> Standing:
    """Return a member's cashback in cents, spendable and pending, at the present."""
    left_of_month: dict[tuple[int, int], int] = {}
    awards: dict[str, int] = {}
    spendable = pending = 0
    for basket in baskets:
        local = basket.moment.astimezone(PRAGUE)
        month = (local.year, local.month)
        left = left_of_month.setdefault(month, 3000_00)
        counts = min(basket.cents, 500_00, left)
        left_of_month[month] = left - counts
        awards[basket.id] = back = counts // 100
        ripe = (local.replace(tzinfo=None) + timedelta(days=14)).replace(tzinfo=PRAGUE)
        if ripe <= present:
            spendable += back
        else:
            pending += back
    return Standing(
        member=member,
        baskets=len(baskets),
        total=sum(basket.cents for basket in baskets),
        units=spendable,
        pending=pending,
        tier="",
        spend=0,
        joined=baskets[0].moment,
        awards=awards,
    )


PROGRAMS = {"beauty_insider": beauty_insider, "cashback": cashback}


def standings(baskets: list[Basket], *, program: str, present: datetime) -> dict[str, Standing]:
    """Return each member's standing under one of the programs; nobody's present is before their last basket."""
    rules = PROGRAMS[program]
    return {
        member: rules(member, owned, present=max(present, owned[-1].moment))
        for member, owned in by_member(baskets).items()
    }


def main() -> None:
    """Print a CSV row per member."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--program", choices=sorted(PROGRAMS), default="beauty_insider")
    parser.add_argument("--shift-days", type=int, default=0)
    parser.add_argument("--present", help="ISO 8601 with an offset; default: now")
    parser.add_argument("--members", type=int, help="only the first so many, by number")
    asked = parser.parse_args()
    present = instant(asked.present) if asked.present else datetime.now(UTC)
    found = standings(read(asked.file, shift_days=asked.shift_days), program=asked.program, present=present)
    out = csv.writer(sys.stdout)
    out.writerow(["member", "baskets", "total", "units", "pending", "tier", "spend", "joined_at"])
    for member in sorted(found, key=lambda name: (len(name), name))[: asked.members]:
        had = found[member]
        money = [f"{amount / 100:.2f}" for amount in (had.total, had.spend)]
        out.writerow(
            [member, had.baskets, money[0], had.units, had.pending, had.tier, money[1], had.joined.isoformat()]
        )


if __name__ == "__main__":
    main()
