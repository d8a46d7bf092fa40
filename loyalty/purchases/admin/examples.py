"""An example purchase or event to begin with: one that the rule would apply to, as far as one can be made up."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal

from accounts import formats
from loyalty.purchases.models import ENROLMENT
from programs.clauses import ClauseError, parsed
from programs.content import Content, RuleContent
from programs.engine.terms import Clause
from programs.models import Program, Rule

PREFIX, LINES = "try", "try-lines"
EXAMPLE_AMOUNT = Decimal(100)
DAYS_AHEAD = 400


def example(rule: RuleContent | None, said: Content, program: Program) -> dict[str, str]:
    """Return an example that the rule would apply to, as far as one can be made up."""
    clauses = _readable(rule, formats.minor_digits(program.currency)) if rule is not None else []
    one_of = {clause.kind: clause.values[0] for clause in clauses if clause.values and not clause.negated}
    least = next((clause.least for clause in clauses if clause.kind == "amount" and clause.least), None)
    digits = formats.minor_digits(program.currency)
    amount = max(EXAMPLE_AMOUNT, Decimal(least or 0).scaleb(-digits))
    line = {name: _first(rule, name) for name in ("category", "brand", "sku", "tag")}
    stores = {store.code.casefold(): store.code for store in program.business.stores.all()}
    tiers = {tier.code.casefold(): tier.code for tier in said.tiers}
    return {
        f"{PREFIX}-what": _what(rule),
        f"{PREFIX}-when": _moment_for(clauses, program).strftime("%Y-%m-%dT%H:%M"),
        f"{PREFIX}-tier": tiers.get(one_of.get("tier", ""), said.tiers[0].code if said.tiers else ""),
        f"{PREFIX}-store": stores.get(one_of.get("store", ""), ""),
        f"{PREFIX}-channel": one_of.get("channel", ""),
        f"{LINES}-TOTAL_FORMS": "1",
        f"{LINES}-INITIAL_FORMS": "0",
        **{f"{LINES}-0-{name}": value for name, value in line.items()},
        f"{LINES}-0-quantity": "1",
        f"{LINES}-0-amount": f"{amount:.{digits}f}",
    }


def _what(rule: RuleContent | None) -> str:
    if rule is None or rule.trigger == Rule.Trigger.PURCHASE:
        return ""
    return rule.event if rule.trigger == Rule.Trigger.EVENT else ENROLMENT


def _first(rule: RuleContent | None, kind: str) -> str:
    """Return the first value that the rule asks of a line, as it was written."""
    written = next((one.value for one in rule.clauses if one.kind == kind and not one.negated), "") if rule else ""
    return next((part.strip() for row in csv.reader([written], skipinitialspace=True) for part in row), "")


def _readable(rule: RuleContent, digits: int) -> list[Clause]:
    found = []
    for given in rule.clauses:
        try:
            found.append(parsed(given.kind, given.value, negated=given.negated, digits=digits))
        except ClauseError:
            continue
    return found


def _moment_for(clauses: Iterable[Clause], program: Program) -> datetime:
    """Return the first moment from now on whose day and hour fit; now, where none does."""
    now = program.now().astimezone(program.zone)
    days = [clause for clause in clauses if clause.kind in ("dates", "weekday")]
    for ahead in range(DAYS_AHEAD):
        day = now.date() + timedelta(days=ahead)
        if all(_is_on(clause, day.toordinal(), str(day.isoweekday())) for clause in days):
            hours = next((one for one in clauses if one.kind == "hours" and not one.negated), None)
            at = now.time() if hours is None else time(*divmod(hours.least or 0, 60))
            return datetime.combine(day, at, program.zone)
    return now


def _is_on(clause: Clause, ordinal: int, weekday: str) -> bool:
    if clause.kind == "weekday":
        fits = weekday in clause.values
    else:
        fits = (clause.least or 0) <= ordinal and (clause.most is None or ordinal <= clause.most)
    return fits != clause.negated
