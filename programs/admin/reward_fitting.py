"""Which parts of a reward fit its kind and how it is had: one table, by which the server clears and the page hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from programs.engine.clauses import LINE_KINDS
from programs.models import Reward
from programs.models.rewards import CLAUSES

Kind, Conversion = Reward.Kind, Reward.Conversion
CHOSEN = [""]
BY_ITSELF = [one.value for one in Conversion]
OF_A_BASKET = [Kind.MONEY_OFF.value, Kind.PERCENT_OFF.value, Kind.PRODUCT.value]
WITH_A_WORTH = [Kind.MONEY_OFF.value, Kind.PRODUCT.value, Kind.POOL.value]
IN_PIECES = [""]

FIELDS: Mapping[str, Sequence[Mapping[str, list[str]]]] = {
    "value": [{"kind": WITH_A_WORTH}],
    "percent": [{"kind": [Kind.PERCENT_OFF.value]}],
    "by_amount": [{"kind": [Kind.MONEY_OFF.value], "conversion": CHOSEN}],
    "step": [{"kind": [Kind.MONEY_OFF.value], "conversion": CHOSEN, "by_amount": ["on"]}],
    "several": [{"conversion": CHOSEN, "by_amount": IN_PIECES}],
    "most_share": [{"kind": [Kind.MONEY_OFF.value, Kind.PERCENT_OFF.value]}],
    "least_basket": [{"kind": OF_A_BASKET}],
    "basket": [{"kind": OF_A_BASKET}],
    "pool": [{"kind": [Kind.POOL.value]}],
    "gives": [{"kind": [Kind.UNITS.value]}],
    "gives_unit": [{"kind": [Kind.UNITS.value]}],
    "stock": [{"conversion": CHOSEN, "by_amount": IN_PIECES}],
    "limits": [{"conversion": CHOSEN}],
    "from_tier": [{"conversion": CHOSEN}],
    "choice": [{"conversion": CHOSEN}],
    "opens_at": [{"conversion": CHOSEN}],
    "closes_at": [{"conversion": CHOSEN}],
    "weekdays": [{"conversion": CHOSEN}],
    "opens_from": [{"conversion": CHOSEN}],
    "opens_until": [{"conversion": CHOSEN}],
    "zone": [{"conversion": CHOSEN}],
    "open": [{"conversion": CHOSEN}],
    "closes_on": [{"conversion": [Conversion.DATES.value]}],
    "issue_day": [{"conversion": [Conversion.DATES.value]}],
    "most_at_once": [{"conversion": [Conversion.DATES.value]}],
    "most_a_year": [{"conversion": BY_ITSELF}],
    "is_withdrawn": [{"conversion": BY_ITSELF}],
    "voucher": [{"conversion": BY_ITSELF}, {"kind": [Kind.POOL.value]}],
    "lives_months": [{"conversion": BY_ITSELF}, {"kind": [Kind.POOL.value]}],
    "lives_days": [{"conversion": BY_ITSELF}, {"kind": [Kind.POOL.value]}],
    "tier-price": [{"conversion": CHOSEN}],
    "tier-value": [{"kind": WITH_A_WORTH}],
    "tier-percent": [{"kind": [Kind.PERCENT_OFF.value]}],
    "tier-opens_at": [{"conversion": CHOSEN}],
}
"""By field, or list of rows: what kind, conversion and by_amount must be for it, one way or another.

What is not named fits always.
"""

OF_ARTICLES = [kind for kind in CLAUSES if kind in LINE_KINDS]

CONDITIONS: Mapping[str, list[str]] = {
    Conversion.AT_ONCE.value: OF_ARTICLES,
    Conversion.DATES.value: OF_ARTICLES,
}
"""By conversion: the kinds of condition that fit; every one where it is not named."""

EMPTY: Mapping[str, Any] = {
    "by_amount": False,
    "several": False,
    "is_withdrawn": False,
    **dict.fromkeys(("pool", "from_tier", "choice", "weekdays", "zone", "closes_on"), ""),
}
"""What a field that does not fit is cleared to; None where it is not named."""


def fits(field: str, *, kind: str, conversion: str, by_amount: bool) -> bool:
    """Return whether a field, or a list of rows, has a meaning for such a reward."""
    chosen = {"kind": kind, "conversion": conversion, "by_amount": "on" if by_amount else ""}
    ways = FIELDS.get(field)
    return ways is None or any(all(chosen[name] in values for name, values in way.items()) for way in ways)


def condition_fits(kind: str, *, conversion: str) -> bool:
    """Return whether such a condition has a meaning for a reward that is had in this way."""
    return kind in CONDITIONS.get(conversion, [kind])


def table() -> dict[str, Any]:
    """Return the table as the page reads it."""
    return {"fields": FIELDS, "conditions": CONDITIONS}
