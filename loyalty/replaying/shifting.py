"""Moving a history in time by whole days of 24 hours, so that what lies between purchases stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from loyalty.replaying.client import Client
from loyalty.replaying.lanes import PROBES
from loyalty.replaying.reading import Purchase

DAY = timedelta(days=1)


def shift_to(day: date, *, last: datetime, zone: ZoneInfo) -> timedelta:
    """Return the whole days after which ``last`` falls on ``day`` in the zone, summer time or not.

    A day of 23 hours may lack that time of day: then it falls on the day before, never on a later one.
    """
    shift = day - last.astimezone(zone).date() + DAY
    while (last + shift).astimezone(zone).date() > day:
        shift -= DAY
    return shift


def shift_of_earlier_load(purchases: Sequence[Purchase], *, client: Client) -> timedelta | None:
    """Return by how much an earlier load moved these purchases; None where the server has none of them.

    What the server holds is the only record of it, so it survives a restored backup, a moved database and a load that
    was cut short: the first purchases are posted first, and some from all over the file are asked after as well.
    """
    step = max(1, len(purchases) // PROBES)
    for purchase in [*purchases[:PROBES], *purchases[::step]]:
        answer = client.call("GET", f"purchases/{quote(purchase.external_id, safe='')}/")
        if answer.status >= 400:
            continue
        shift = datetime.fromisoformat(str(answer.body["occurred_at"])) - purchase.occurred_at
        if shift % DAY == timedelta(0):
            return shift
    return None
