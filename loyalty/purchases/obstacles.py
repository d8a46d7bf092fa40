"""Which condition of a rule was in the way, in words: by its kind, and by what it asks where that is not in doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal

from babel.dates import format_time, get_day_names
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from accounts import formats
from programs.engine.clauses import LINE_KINDS
from programs.engine.terms import Clause, Terms

THOUSANDTHS = 3  # Digits of a quantity.

# By kind: in general, where only these do, and where these do not.
LISTED = {
    "store": (
        gettext_noop("Not in this store"),
        gettext_noop("Only in these stores: %(values)s"),
        gettext_noop("Not in these stores: %(values)s"),
    ),
    "channel": (
        gettext_noop("Not through this channel"),
        gettext_noop("Only through these channels: %(values)s"),
        gettext_noop("Not through these channels: %(values)s"),
    ),
    "weekday": (
        gettext_noop("Not on this day of the week"),
        gettext_noop("Only on %(values)s"),
        gettext_noop("Not on %(values)s"),
    ),
    "nth": (
        gettext_noop("Not for this purchase in the row of the member's purchases"),
        gettext_noop("Only for the member's purchase number %(values)s"),
        gettext_noop("Not for the member's purchase number %(values)s"),
    ),
    "tier": (
        gettext_noop("Not in the tier held then"),
        gettext_noop("Only in the tiers: %(values)s"),
        gettext_noop("Not in the tiers: %(values)s"),
    ),
    "segment": (
        gettext_noop("Not for this group of members"),
        gettext_noop("Only for members of: %(values)s"),
        gettext_noop("Not for members of: %(values)s"),
    ),
    "sku": (
        gettext_noop("The purchase has no line of the right article"),
        gettext_noop("The purchase has no line of the article %(values)s"),
        gettext_noop("The purchase has no other line than of the article %(values)s"),
    ),
    "category": (
        gettext_noop("The purchase has no line of the right category"),
        gettext_noop("The purchase has no line of the category %(values)s"),
        gettext_noop("The purchase has no other line than of the category %(values)s"),
    ),
    "brand": (
        gettext_noop("The purchase has no line of the right brand"),
        gettext_noop("The purchase has no line of the brand %(values)s"),
        gettext_noop("The purchase has no other line than of the brand %(values)s"),
    ),
    "tag": (
        gettext_noop("The purchase has no line with the right tag"),
        gettext_noop("The purchase has no line with the tag %(values)s"),
        gettext_noop("The purchase has no other line than with the tag %(values)s"),
    ),
}
# By kind: in general, and what the bounds are of.
BOUNDED = {
    "hours": (gettext_noop("Not at this time of day"), gettext_noop("Time of day: %(bounds)s")),
    "dates": (gettext_noop("Not on this date"), gettext_noop("Date: %(bounds)s")),
    "age": (gettext_noop("Not after this time as a member"), gettext_noop("Months as a member: %(bounds)s")),
    "amount": (gettext_noop("Not for this amount"), gettext_noop("Amount of the purchase: %(bounds)s")),
    "quantity": (gettext_noop("Not for this quantity"), gettext_noop("Quantity: %(bounds)s")),
}
# By whether there is a least, whether there is a most, and whether it is negated.
BOUNDS = {
    (True, True, False): gettext_noop("only between %(least)s and %(most)s"),
    (True, False, False): gettext_noop("only from %(least)s on"),
    (False, True, False): gettext_noop("only up to %(most)s"),
    (True, True, True): gettext_noop("not between %(least)s and %(most)s"),
    (True, False, True): gettext_noop("not from %(least)s on"),
    (False, True, True): gettext_noop("not up to %(most)s"),
}


def not_met(kind: str, *, rule: str, terms: Terms, currency: str) -> str:
    """Return what the rule asked of the member, the moment or the purchase and did not find."""
    clause = _clause(rule, terms, frozenset({kind}))
    if kind in LISTED:
        return _listed(kind, clause, terms)
    if kind in BOUNDED:
        return _bounded(kind, clause, currency)
    return {"every_nth": _every_nth, "birthday": _birthday, "attribute": _attribute}.get(kind, _unsaid)(clause)


def no_lines(*, rule: str, terms: Terms) -> str:
    """Return what the rule asked of the purchase's lines and found in none."""
    clause = _clause(rule, terms, LINE_KINDS)
    if clause is None or clause.kind not in LISTED:
        return _("No line of the purchase fits")
    return _listed(clause.kind, clause, terms)


def _clause(rule: str, terms: Terms, kinds: frozenset[str]) -> Clause | None:
    """Return the rule's one condition of these kinds; None where more than one may be meant."""
    found = [clause for one in terms.rules if one.code == rule for clause in one.clauses if clause.kind in kinds]
    return found[0] if len(found) == 1 else None


def _listed(kind: str, clause: Clause | None, terms: Terms) -> str:
    general, only, but = LISTED[kind]
    if clause is None or not clause.values:
        return _(general)
    values = [_value(kind, value, terms) for value in clause.values]
    return _(but if clause.negated else only) % {"values": ", ".join(values)}


def _value(kind: str, value: str, terms: Terms) -> str:
    if kind == "weekday":
        return str(get_day_names("wide", locale=formats.locale())[int(value) - 1])
    if kind == "tier":
        return next((tier.name for tier in terms.tiers if tier.code.casefold() == value.casefold()), value)
    return value


def _bounded(kind: str, clause: Clause | None, currency: str) -> str:
    general, subject = BOUNDED[kind]
    if clause is None or (clause.least is None and clause.most is None):
        return _(general)
    sentence = BOUNDS[clause.least is not None, clause.most is not None, clause.negated]
    written = WRITTEN[kind]
    bounds = _(sentence) % {
        "least": "" if clause.least is None else written(clause.least, currency),
        "most": "" if clause.most is None else written(clause.most, currency),
    }
    return _(subject) % {"bounds": bounds}


def _every_nth(clause: Clause | None) -> str:
    if clause is None or not clause.least:
        return _("Only for every so many purchases")
    if clause.negated:
        text = ngettext("Not for every purchase", "Not for one in %(count)d purchases", clause.least)
    else:
        text = ngettext("Only for every purchase", "Only for one in %(count)d purchases", clause.least)
    return text % {"count": clause.least}


def _birthday(clause: Clause | None) -> str:
    is_month = clause is not None and "month" in clause.values
    if clause is not None and clause.negated:
        return _("Not in the month of the birthday") if is_month else _("Not around the birthday")
    return _("Only in the month of the birthday") if is_month else _("Only around the birthday")


def _attribute(clause: Clause | None) -> str:
    if clause is None:
        return _("What was sent with it does not fit")
    name, *values = clause.values
    if not values:
        text = _("Not where “%(name)s” is given") if clause.negated else _("Only where “%(name)s” is given")
        return text % {"name": name}
    text = _("Not where “%(name)s” is %(values)s") if clause.negated else _("Only where “%(name)s” is %(values)s")
    return text % {"name": name, "values": ", ".join(values)}


def _unsaid(_clause: Clause | None) -> str:
    return _("A condition of the rule does not hold")


def _hour(minutes: int, _currency: str) -> str:
    hours, rest = divmod(minutes % (24 * 60), 60)
    return str(format_time(time(hours, rest), "HH:mm", locale=formats.locale()))


def _day(ordinal: int, _currency: str) -> str:
    return formats.day(date.fromordinal(ordinal))


def _quantity(thousandths: int, _currency: str) -> str:
    return formats.rate(Decimal(thousandths).scaleb(-THOUSANDTHS))


WRITTEN: Mapping[str, Callable[[int, str], str]] = {
    "hours": _hour,
    "dates": _day,
    "age": lambda months, _currency: formats.number(months),
    "amount": lambda minor, currency: formats.money(minor, currency, drop_cents=True),
    "quantity": _quantity,
}
