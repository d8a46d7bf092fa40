"""How the rules of a group share a basket: all of them, the best for the member, or the first and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from programs.engine.baskets import Basket, content_of
from programs.engine.clauses import within
from programs.engine.dates import local_day
from programs.engine.limits import Usage
from programs.engine.plans import PROPORTIONAL, Planned, Slot
from programs.engine.state import Line
from programs.engine.tallies import Claim, Piece, Tally
from programs.engine.terms import Terms

NO_LINES = (Line(number=0, amount=0, quantity=0),)  # What rules take of an event.


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a rule gave what it gave. ``reason`` is a code; amounts in minor units, rate in ten-thousandths.

    Reasons: earned, cut (a limit let only a part through: ``counted`` of ``amount``, or ``units``), limit_used (nothing
    was left), nothing (there is nothing that earns, or the rate is 0), rounded_away (less than one smallest step),
    not_met (a condition, of the kind ``clause``), no_lines (none is the rule's), beaten (by a better one in its group),
    taken (all of its lines, by one before it).

    ``amount`` is what the rule found to count, ``pieces`` the quantity it counted in thousandths, ``of`` the rule whose
    rate it multiplies or whose award it adds to. ``cut_by`` is the limit's window, with ``limit``, what it counts and
    whose it is.
    """

    rule: str
    name: str
    unit: str
    effect: str
    reason: str
    amount: int = 0
    counted: int = 0
    rate: int = 0
    units: int = 0
    cut_by: str | None = None
    limit: int | None = None
    cap_counts: str | None = None
    cap_scope: str | None = None
    clause: str | None = None
    pieces: int = 0
    of: str = ""

    @property
    def fired(self) -> bool:
        """Whether the rule gave anything."""
        return self.units > 0


class Judging:
    """One evaluation in progress."""

    def __init__(
        self, *, terms: Terms, basket: Basket, tier: str, barred: Mapping[str, str], counters: Mapping[str, int]
    ) -> None:
        self.basket = basket
        self.tier = tier
        self.barred = barred
        self.lines = basket.lines if basket.trigger == "purchase" else NO_LINES
        self.usage = Usage(
            day=local_day(basket.occurred_at, terms.zone),
            year_starts=terms.year_starts,
            attributes=basket.attributes,
            counters=counters,
        )
        self.findings: dict[int, Finding] = {}
        self.given: dict[str, int] = {}
        self.whole = self._pieces()

    def judge(self, slot: Slot) -> None:
        """Judge the rules that stack with each other."""
        if slot.mode == "best" and len(slot.rules) > 1:
            self._best(slot.rules)
        elif slot.mode == "first":
            self._first(slot.rules)
        else:
            for planned in slot.rules:
                if (claim := self._claim(planned)) is not None:
                    self._commit(self._alone(claim))

    def _pieces(self) -> list[Piece]:
        return [Piece(line.amount, line.quantity) for line in self.lines]

    def _claim(self, planned: Planned) -> Claim | None:
        """Return what a rule may count; None, with the finding, where a condition does not hold."""
        rule = planned.rule
        if (kind := self.barred.get(rule.code)) is not None:
            self._refuse(planned, "not_met", kind)
            return None
        if not (planned.of_lines or planned.changeable or planned.line_rates or rule.effect == "multiplier"):
            if not self.lines:
                self._refuse(planned, "no_lines")
                return None
            return Claim(
                planned, dict.fromkeys(range(len(self.lines)), rule.rate_for(self.tier)), self.given.get(rule.of, 0)
            )
        places = self._places(planned)
        if not places:
            self._refuse(planned, "no_lines")
            return None
        for clause in planned.changeable:
            value = self.basket.amount if clause.kind == "amount" else sum(self.lines[at].quantity for at in places)
            if within(value, clause) is clause.negated:
                self._refuse(planned, "not_met", clause.kind)
                return None
        rates = planned.rates(self.lines, self.tier)
        return Claim(planned, {place: rates[place] for place in places}, self.given.get(rule.of, 0))

    def _places(self, planned: Planned) -> list[int]:
        places = list(range(len(self.lines)))
        for matches in planned.of_lines:
            held = matches(self.lines)
            places = [place for place in places if held[place]]
        return places if self.basket.trigger == "purchase" or not planned.of_lines else []

    def _alone(self, claim: Claim) -> Tally:
        tally = Tally(claim, self.usage)
        tally.count_all(self.whole, claim.rates)
        tally.settle()
        return tally

    def _first(self, rules: Sequence[Planned]) -> None:
        pieces = self._pieces()
        for planned in rules:
            if (claim := self._claim(planned)) is None:
                continue
            rates = {place: rate for place, rate in claim.rates.items() if pieces[place].is_open}
            if not rates:
                self._refuse(planned, "taken")
                continue
            tally = Tally(claim, self.usage)
            tally.take_all(pieces, rates)
            tally.settle()
            self._commit(tally)

    def _best(self, rules: Sequence[Planned]) -> None:
        """Let the best rule win alone, or several that share the lines where that gives more."""
        alone = [self._alone(claim) for planned in rules if (claim := self._claim(planned)) is not None]
        if not alone:
            return
        best = max(alone, key=_worth)
        firing = [tally.claim for tally in alone if tally.units and tally.effect in PROPORTIONAL]
        winners = [best] if best.units else []
        if len(firing) > 1:
            shared = self._shared(firing)
            if sum(map(_worth, shared)) > _worth(best):
                winners = shared
        for tally in alone:
            self._keep(tally, is_beaten=True)
        for tally in winners:
            self._commit(tally)

    def _shared(self, claims: Sequence[Claim]) -> list[Tally]:
        """Share the lines, the highest rate first, what a limit cuts going to the next; return what then fires."""
        pieces = self._pieces()
        tallies = [Tally(claim, self.usage) for claim in claims]
        for tally in tallies:
            tally.aim(pieces, tally.claim.rates)
        rates = [
            {place: rate * claim.planned.weight * claim.planned.worth for place, rate in claim.rates.items()}
            for claim in claims
        ]
        if all(tally.is_free for tally in tallies):
            for tally, own in zip(tallies, _highest(rates), strict=True):
                tally.count_all(pieces, {place: tally.claim.rates[place] for place in own})
        else:
            for order, place in self._offers(rates):
                if pieces[place].is_open:
                    part = tallies[order].take(pieces[place], claims[order].rates[place])
                    if part is not None:
                        pieces[place].lose(part)
        used = dict(self.usage.used)
        for tally in tallies:  # What they have in common is used up by one after another.
            tally.look_again(self.usage)
            tally.settle()
            self._use(tally)
        self.usage.used = used
        return [tally for tally in tallies if tally.units]

    def _offers(self, rates: Sequence[Mapping[int, int]]) -> list[tuple[int, int]]:
        """Return which rule is offered which line, in turn: best rate first, then whose other rates are the lowest."""
        alike = [content_of(line) for line in self.lines]
        offers = []
        for order, own in enumerate(rates):
            for place, rate in own.items():
                elsewhere = max([other[place] for other in rates if other.get(place, rate) < rate], default=0)
                offers.append((-rate, elsewhere, order, alike[place], place))
        return [(order, place) for _rate, _elsewhere, order, _content, place in sorted(offers)]

    def _commit(self, tally: Tally) -> None:
        self._use(tally)
        rule = tally.claim.planned.rule
        self.given[rule.code] = tally.units
        self._keep(tally)

    def _use(self, tally: Tally) -> None:
        if tally.counted or tally.units:
            self.usage.use(tally.claim.planned.limits, amount=tally.counted, units=tally.units)

    def _keep(self, tally: Tally, *, is_beaten: bool = False) -> None:
        """Keep how a rule fared; one that is beaten counted nothing, whether or not it would have given anything."""
        planned = tally.claim.planned
        reason = "beaten" if is_beaten and tally.units else tally.reason
        cap = tally.cutter if reason in {"cut", "limit_used", "rounded_away"} else None
        rule = planned.rule
        self.findings[planned.place] = Finding(
            rule=rule.code,
            name=rule.name,
            unit=rule.unit,
            effect=rule.effect,
            reason=reason,
            amount=tally.amount,
            counted=0 if is_beaten else tally.counted,
            rate=rule.rate_for(self.tier),
            units=0 if is_beaten else tally.units,
            cut_by=cap.window if cap else None,
            limit=cap.limit if cap else None,
            cap_counts=cap.counts if cap else None,
            cap_scope=cap.scope if cap else None,
            pieces=0 if is_beaten else tally.pieces,
            of=rule.of,
        )

    def _refuse(self, planned: Planned, reason: str, clause: str | None = None) -> None:
        rule = planned.rule
        self.findings[planned.place] = Finding(
            rule=rule.code,
            name=rule.name,
            unit=rule.unit,
            effect=rule.effect,
            reason=reason,
            rate=rule.rate_for(self.tier),
            clause=clause,
            of=rule.of,
        )


def _worth(tally: Tally) -> int:
    return tally.units * tally.claim.planned.worth


def _highest(rates: Sequence[Mapping[int, int]]) -> list[list[int]]:
    """Return for each rule the places of the lines at which its rate is the highest; of equals, the first rule's is."""
    places: list[list[int]] = [[] for _ in rates]
    best: dict[int, tuple[int, int]] = {}
    for order, own in enumerate(rates):
        for place, rate in own.items():
            if place not in best or rate > best[place][0]:
                best[place] = rate, order
    for place, (_rate, order) in best.items():
        places[order].append(place)
    return places
