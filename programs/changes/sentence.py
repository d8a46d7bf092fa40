"""What one earning rule does, as a text that can be read aloud; each fact in it knows the field that it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from accounts import formats
from programs.changes.words import Words, condition, limit_in_words
from programs.clauses import ClauseError, parsed
from programs.content import CapContent, ClauseContent, Content, RuleContent
from programs.engine.terms import Clause
from programs.models import Rule, RuleCap, RuleGroup

Trigger = Rule.Trigger

# A fact stands between these while sentences are put together, with the name of its field before it.
OPEN, NAMED, CLOSE = "\x02", "\x03", "\x04"
FACT = re.compile(f"{OPEN}([^{NAMED}]*){NAMED}([^{CLOSE}]*){CLOSE}")

# By kind of condition: how what it asks is said, and how where it must not be so.
PHRASES: Mapping[str, tuple[str, str]] = {
    "sku": (gettext_noop("on the article %(said)s"), gettext_noop("not on the article %(said)s")),
    "category": (gettext_noop("on the category %(said)s"), gettext_noop("not on the category %(said)s")),
    "brand": (gettext_noop("on the brand %(said)s"), gettext_noop("not on the brand %(said)s")),
    "tag": (gettext_noop("on what is tagged %(said)s"), gettext_noop("not on what is tagged %(said)s")),
    "first_lines": (gettext_noop("on %(said)s"), gettext_noop("not on %(said)s")),
    "amount": (gettext_noop("for an amount of %(said)s"), gettext_noop("not for an amount of %(said)s")),
    "quantity": (gettext_noop("for a quantity of %(said)s"), gettext_noop("not for a quantity of %(said)s")),
    "store": (gettext_noop("in the store %(said)s"), gettext_noop("not in the store %(said)s")),
    "channel": (gettext_noop("through %(said)s"), gettext_noop("not through %(said)s")),
    "weekday": (gettext_noop("on %(said)s"), gettext_noop("not on %(said)s")),
    "hours": (gettext_noop("between %(said)s"), gettext_noop("not between %(said)s")),
    "dates": (gettext_noop("%(said)s"), gettext_noop("not %(said)s")),
    "nth": (gettext_noop("for the member's purchase %(said)s"), gettext_noop("not for the member's purchase %(said)s")),
    "every_nth": (
        gettext_noop("for %(said)s purchases of the member"),
        gettext_noop("not for %(said)s purchases of the member"),
    ),
    "tier": (gettext_noop("in the tier %(said)s"), gettext_noop("not in the tier %(said)s")),
    "segment": (gettext_noop("for members of %(said)s"), gettext_noop("not for members of %(said)s")),
    "age": (gettext_noop("%(said)s after joining"), gettext_noop("not %(said)s after joining")),
    "attribute": (gettext_noop("where %(said)s"), gettext_noop("not where %(said)s")),
}
ORDER = ("weekday", "hours", "dates", "birthday", "tier", "segment", "age", "nth", "store", "channel", "amount")
"""Kinds of conditions as a sentence names them: when and who before what."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text; ``field`` names the part of the form that a fact comes from, empty between facts."""

    text: str
    field: str = ""


def rule_sentence(rule: RuleContent, terms: Content, words: Words) -> list[Piece]:
    """Return what the rule does: what for, on which conditions, how much, up to where, and beside which other rules.

    ``terms`` are those it stands in. Fields: trigger, effect, clauses, tier_rates, line_rates, caps, group, is_on.
    """
    told = [
        *([] if rule.is_on else [_("%(off)s.") % {"off": _fact("is_on", _("Switched off: it gives nothing"))}]),
        _gives(rule, words),
        *_rates(rule, words),
        *(_cap(cap, rule, words) for cap in rule.caps if cap.is_on),
        *_beside(rule, terms, words),
    ]
    return list(_pieces(" ".join(told)))


def plain(pieces: Iterable[Piece]) -> str:
    """Return the text alone."""
    return "".join(piece.text for piece in pieces)


def _fact(field: str, text: str) -> str:
    return f"{OPEN}{field}{NAMED}{text}{CLOSE}"


def _pieces(text: str) -> Iterable[Piece]:
    """Cut a text into its facts and what stands between them."""
    last = 0
    for found in FACT.finditer(text):
        if found.start() > last:
            yield Piece(text[last : found.start()])
        yield Piece(found[2], found[1])
        last = found.end()
    if last < len(text):
        yield Piece(text[last:])


# --- What is given -------------------------------------------------------------------------------------------------


def _gives(rule: RuleContent, words: Words) -> str:
    said = {"trigger": _fact("trigger", _trigger(rule, words)), "gives": _fact("effect", _what(rule, words))}
    conditions = [_fact("clauses", text) for text in _conditions(rule.clauses, words)]
    if not conditions:
        return _("For %(trigger)s a member gets %(gives)s.") % said
    said["conditions"] = formats.listed(conditions)
    return _("For %(trigger)s a member gets %(gives)s, but only %(conditions)s.") % said


def _trigger(rule: RuleContent, words: Words) -> str:
    if rule.trigger == Trigger.EVENT:
        return _("the event “%(event)s”") % {"event": words.events.get(rule.event, rule.event) or "…"}
    return _("joining") if rule.trigger == Trigger.ENROLMENT else _("a purchase")


def _what(rule: RuleContent, words: Words) -> str:
    """Return the rule's own rate in words."""
    told = words.rate(rule, rule.rate)
    if rule.effect == Rule.Effect.PERCENT:
        return _("%(percent)s of the amount in %(units)s") % {"percent": told, "units": words.unit(rule.unit)}
    if rule.effect == Rule.Effect.MULTIPLIER and rule.of_tier_rate:
        of = words.rules.get(rule.of, rule.of)
        return _("%(rate)s times the rate that “%(of)s” has for the member's tier") % {
            "rate": formats.rate(rule.rate),
            "of": of,
        }
    if rule.effect == Rule.Effect.PER_ITEM and rule.pieces == Rule.Pieces.LARGEST:
        return _("%(gives)s of the line with the most pieces") % {"gives": told}
    return told


def _rates(rule: RuleContent, words: Words) -> Iterable[str]:
    """Yield what is given in place of that: by tier, and for some lines."""
    if rule.tier_rates:
        places = {code: place for place, code in enumerate(words.tiers)}
        by_tier = sorted(rule.tier_rates, key=lambda row: places.get(row.tier, len(places)))
        rates = [
            _("%(rate)s in the tier %(tier)s")
            % {"rate": words.short_rate(rule, row.rate), "tier": words.tiers.get(row.tier, row.tier)}
            for row in by_tier
        ]
        yield _("It is %(rates)s.") % {"rates": formats.listed([_fact("tier_rates", rate) for rate in rates])}
    if rule.line_rates:
        rates = [
            _("%(rate)s %(lines)s")
            % {"rate": words.rate(rule, row.rate), "lines": next(iter(_conditions([row.clause], words)))}
            for row in rule.line_rates
        ]
        yield _("In place of that it is %(rates)s; the first that fits a line counts.") % {
            "rates": formats.listed([_fact("line_rates", rate) for rate in rates])
        }


# --- On which conditions -------------------------------------------------------------------------------------------


def _conditions(clauses: Iterable[ClauseContent], words: Words) -> list[str]:
    """Return each condition as a phrase that follows “only”."""
    ordered = sorted(clauses, key=lambda one: ORDER.index(one.kind) if one.kind in ORDER else len(ORDER))
    return [_phrase(given, words) for given in ordered]


def _phrase(given: ClauseContent, words: Words) -> str:
    try:
        clause: Clause | None = parsed(given.kind, given.value, digits=words.digits)
    except ClauseError:
        clause = None
    if clause is not None and clause.kind == "birthday":
        return _birthday(clause, negated=given.negated)
    said = condition(ClauseContent(given.kind, given.value), words)
    if clause is not None and clause.kind == "hours":
        said = _("%(begin)s and %(end)s") % {"begin": _hour(clause.least), "end": _hour(clause.most)}
    if clause is not None and given.kind in QUOTED:
        said = _quoted(said) if len(clause.values) == 1 else said
    phrases = PHRASES.get(clause.kind if clause is not None else given.kind, ("%(said)s", gettext_noop("not %(said)s")))
    return _(phrases[given.negated]) % {"said": said or "…"}


QUOTED = frozenset({"sku", "category", "brand", "tag", "store", "channel"})


def _hour(minutes: int | None) -> str:
    return "{:02d}:{:02d}".format(*divmod(minutes or 0, 60))


def _birthday(clause: Clause, *, negated: bool) -> str:
    if clause.values:
        return _("not in the month of the birthday") if negated else _("in the month of the birthday")
    before, after = -(clause.least or 0), clause.most or 0
    if before == after == 0:
        return _("not on the birthday") if negated else _("on the birthday")
    said = {
        "before": ngettext("%(count)d day", "%(count)d days", before) % {"count": before},
        "after": ngettext("%(count)d day", "%(count)d days", after) % {"count": after},
    }
    if negated:
        return _("not from %(before)s before to %(after)s after the birthday") % said
    return _("from %(before)s before to %(after)s after the birthday") % said


# --- Up to where ---------------------------------------------------------------------------------------------------

WINDOWS: Mapping[str, Callable[[], str]] = {
    "purchase": lambda: _("in one purchase"),
    "day": lambda: _("a day"),
    "week": lambda: _("a week"),
    "month": lambda: _("a calendar month"),
    "quarter": lambda: _("a quarter"),
    "year": lambda: _("a calendar year"),
    "program_year": lambda: _("a year of the program"),
    "lifetime": lambda: _("in all"),
}


def _cap(cap: CapContent, rule: RuleContent, words: Words, *, field: str = "caps") -> str:
    window = WINDOWS[RuleCap.Window(cap.window).value]()
    said = _("%(limit)s %(window)s") % {"limit": limit_in_words(cap, rule.unit, words), "window": window}
    text = CAPS[RuleCap.Scope(cap.scope), RuleCap.Counts(cap.counts)]() % {"limit": _fact(field, said)}
    if not cap.per:
        return text
    return _("%(sentence)s Each “%(per)s” counts apart.") % {"sentence": text, "per": cap.per}


MEMBER, PROGRAM = RuleCap.Scope.MEMBER, RuleCap.Scope.PROGRAM
CAPS: Mapping[tuple[RuleCap.Scope, RuleCap.Counts], Callable[[], str]] = {
    (MEMBER, RuleCap.Counts.AMOUNT): lambda: _("Of each member's purchases it counts at most %(limit)s."),
    (MEMBER, RuleCap.Counts.UNITS): lambda: _("It gives each member at most %(limit)s."),
    (MEMBER, RuleCap.Counts.TIMES): lambda: _("For each member it applies at most %(limit)s."),
    (PROGRAM, RuleCap.Counts.AMOUNT): lambda: _("Of all members' purchases together it counts at most %(limit)s."),
    (PROGRAM, RuleCap.Counts.UNITS): lambda: _("It gives all members together at most %(limit)s."),
    (PROGRAM, RuleCap.Counts.TIMES): lambda: _("For all members together it applies at most %(limit)s."),
}


# --- Beside which others -------------------------------------------------------------------------------------------


def _beside(rule: RuleContent, terms: Content, words: Words) -> Iterable[str]:
    group = next((one for one in terms.groups if one.code == rule.group), None)
    if group is None:
        if len(terms.rules) > 1:
            yield _("It counts %(beside)s.") % {"beside": _fact("group", _("beside all other rules"))}
        return
    others = [
        _quoted(one.name)
        for one in terms.rules
        if one.group == group.code and one.code != rule.code and one.is_on and one.trigger == rule.trigger
    ]
    if others:
        said = {"others": _fact("group", formats.listed(others))}
        yield GROUPED[RuleGroup.Mode(group.mode)](others) % said
    else:
        yield _("It is alone in the group %(group)s.") % {"group": _fact("group", _quoted(group.name))}
    for cap in (cap for cap in group.caps if cap.is_on):
        yield _("For the whole group: %(limit)s") % {"limit": _cap(cap, rule, words, field="group")}


def _quoted(name: str) -> str:
    return "“" + name + "”"


GROUPED: Mapping[RuleGroup.Mode, Callable[[Sequence[str]], str]] = {
    RuleGroup.Mode.ALL: lambda _others: _("It counts together with %(others)s."),
    RuleGroup.Mode.BEST: lambda others: ngettext(
        "Where %(others)s fits too, the member gets the better one.",
        "Where %(others)s fit too, the member gets the best one.",
        len(others),
    ),
    RuleGroup.Mode.FIRST: lambda _others: _(
        "With %(others)s, the first in order counts; what it leaves goes to the next."
    ),
}
