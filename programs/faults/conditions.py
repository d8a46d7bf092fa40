"""Faults of a rule's conditions: what cannot be read, what is not there, what can never hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from django.utils.translation import gettext as _

from accounts import formats
from programs.clauses import ClauseError, parsed
from programs.content import ClauseContent, Content, RuleContent
from programs.engine.terms import Clause
from programs.faults.contradictions import contradicting
from programs.faults.fault import Known
from programs.models import Rule
from programs.models.rules import ClauseKind

LINE_KINDS = frozenset({"sku", "category", "brand", "tag", "first_lines"})
PURCHASE_KINDS = LINE_KINDS | {"amount", "quantity", "nth", "every_nth", "channel", "store"}


def find(rule: RuleContent, terms: Content, known: Known) -> Iterator[str]:
    """Yield in words what is wrong with the conditions of a rule."""
    clauses: list[Clause] = []
    for given in rule.clauses:
        clause, wrong = read(given, known)
        if clause is None:
            yield _about(rule, given.kind, wrong)
        else:
            clauses.append(clause)
    faults = {clause: list(_clause(clause, rule, terms, known)) for clause in clauses}
    for clause, found in faults.items():
        for wrong in found:
            yield _about(rule, clause.kind, wrong)
    never = contradicting(clauses, tiers=[tier.code for tier in terms.tiers])
    if never and not any(faults.values()):
        yield _("Rule “%(rule)s” can never apply: its conditions on “%(kind)s” exclude each other.") % {
            "rule": rule.name,
            "kind": kind_name(never),
        }


def read(given: ClauseContent, known: Known) -> tuple[Clause | None, str]:
    """Return a condition as the engine reads it; else None and why it cannot be read."""
    try:
        return parsed(given.kind, given.value, negated=given.negated, digits=known.digits), ""
    except ClauseError as error:
        return None, str(error)


def readable(given: Iterable[ClauseContent], known: Known) -> list[Clause]:
    """Return those of the conditions that can be read."""
    return [clause for clause, _wrong in (read(one, known) for one in given) if clause is not None]


def kind_name(kind: str) -> str:
    """Return what a kind of condition is called."""
    names = dict(ClauseKind.choices)
    return str(names.get("nth" if kind == "every_nth" else kind, kind))


def _about(rule: RuleContent, kind: str, wrong: str) -> str:
    return _("Rule “%(rule)s”, condition “%(kind)s”: %(wrong)s") % {
        "rule": rule.name,
        "kind": kind_name(kind),
        "wrong": wrong,
    }


def _clause(clause: Clause, rule: RuleContent, terms: Content, known: Known) -> Iterator[str]:
    if rule.trigger != Rule.Trigger.PURCHASE and clause.kind in PURCHASE_KINDS:
        yield _("only purchases have this, but the rule is about something else.")
    elif clause.kind == "tier":
        codes = {tier.code.casefold() for tier in terms.tiers}
        for code in (value for value in clause.values if value not in codes):
            yield _("this version has no tier “%(tier)s”.") % {"tier": code}
    elif clause.kind == "segment" and known.segments is not None:
        for code in (value for value in clause.values if value not in known.segments):
            yield _("there is no segment “%(segment)s”.") % {"segment": code}
    elif never := _never(clause, rule, known):
        yield never


def _never(clause: Clause, rule: RuleContent, known: Known) -> str | None:
    """Return why a condition can never hold, whatever the others say."""
    least, most = clause.least, clause.most
    if clause.kind == "hours":
        return _("it ends in the minute in which it begins.") if least == most else None
    if clause.kind in {"nth", "every_nth"}:
        too_low = "0" in clause.values or (least is not None and least < 1)
        return _("purchases are counted from 1.") if too_low else None
    if clause.kind == "first_lines":
        return _("at least the first line has to count.") if most is not None and most < 1 else None
    if least is not None and most is not None and least > most:
        return _("it ends before it begins.") if clause.kind == "dates" else _("the least is more than the most.")
    if clause.kind == "dates" and not clause.negated and known.first_day is not None and most is not None:
        over = most < known.first_day.toordinal()
        last = formats.day(date.fromordinal(most))
        return _("it is over on %(day)s, before this version can take effect.") % {"day": last} if over else None
    if clause.kind == "age" and rule.trigger == Rule.Trigger.ENROLMENT and not clause.negated and least:
        return _("who joins is a member for no month yet.")
    return None
