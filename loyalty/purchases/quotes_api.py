"""Quotes over HTTP: what a purchase would earn."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.request import Request

from loyalty.api.endpoints import Endpoint, json_answer
from loyalty.api.formats import decimal_text, digits_of, moment_text
from loyalty.api.preferences import language_for
from loyalty.api.schema import IDEMPOTENCY_KEY, documented
from loyalty.ledger.answers import TierAnswer
from loyalty.purchases.answers import AwardAnswer, ExplanationAnswer
from loyalty.purchases.bodies import QuoteBody
from loyalty.purchases.explanations import explain, explain_award
from loyalty.purchases.inputs import quote_input
from loyalty.purchases.models import Award, Judgement
from loyalty.purchases.quotes import Arithmetic, Quote, quote
from programs.engine.dates import local_day
from programs.engine.state import State, Verdict
from programs.engine.terms import Terms
from programs.models import Membership, Program, Unit

QUOTES = "Quotes"


class ArithmeticAnswer(msgspec.Struct, kw_only=True):
    """What of the total earns: ``earns`` = ``total`` − ``tax`` − ``paid``, each in the currency.

    ``tax`` and ``paid`` (with units or vouchers) are what is taken off; 0 where the terms let it earn.
    """

    total: str
    tax: str
    paid: str
    earns: str
    rounding: str


class PresentBalance(msgspec.Struct, kw_only=True):
    """What the member has of one unit; a negative ``available`` is a debt."""

    available: str
    pending: str
    held: str


class PresentAnswer(msgspec.Struct, kw_only=True):
    """The member before the purchase, as of ``as_of``."""

    card: str
    external_id: str | None
    as_of: str
    tier: TierAnswer | None
    balances: dict[str, PresentBalance]


class QuoteAnswer(msgspec.Struct, kw_only=True):
    """What the purchase would earn and why; nothing for guests."""

    member: PresentAnswer | None
    awards: list[AwardAnswer]
    explanation: list[ExplanationAnswer]
    arithmetic: ArithmeticAnswer


class Quotes(Endpoint):
    """Say what a purchase would earn."""

    scopes: ClassVar = {"POST": "quotes"}

    @documented(
        name="quotes_create",
        summary="Say what a purchase would earn and why; writes nothing",
        body=QuoteBody,
        answers={200: QuoteAnswer},
        errors=[400, 404, 409, 413, 415, 422, 429],
        parameters=[IDEMPOTENCY_KEY],
        tag=QUOTES,
    )
    def post(self, request: Request) -> HttpResponse:
        given = quote(program=self.program, item=quote_input(request.data, program=self.program), by=self.key)
        own = given.member.customer.language if given.member is not None else ""
        with translation.override(language_for(request.headers.get("Accept-Language", ""), own, self.program.language)):
            return json_answer(_answer(given, program=self.program))


def _answer(given: Quote, *, program: Program) -> QuoteAnswer:
    units = {unit.code: unit for unit in Unit.objects.filter(program=program)}
    answer = QuoteAnswer(
        member=_present(given, program=program, units=units),
        awards=[],
        explanation=[],
        arithmetic=_arithmetic(given.arithmetic, digits=digits_of(program.currency)),
    )
    if given.verdict is not None:
        _explain(answer, given.verdict, program=program, units=units)
    return answer


def _explain(answer: QuoteAnswer, verdict: Verdict, *, program: Program, units: dict[str, Unit]) -> None:
    """Fill in what is given and why, in the words that the purchase itself would be answered with."""
    judgement = Judgement(program=program, version_id=verdict.version_id, tier=verdict.tier, facts=verdict.facts)
    for rule, code, amount in verdict.awards:
        unit = units[code]
        award = Award(program=program, rule=rule, unit=unit, amount=amount)
        reason = explain_award(award, judgement=judgement, program=program)
        answer.awards.append(
            AwardAnswer(unit=code, amount=decimal_text(amount, unit.precision), rule=rule, reason=reason)
        )
    answer.explanation += [
        ExplanationAnswer(rule=one.rule, fired=one.fired, reason=one.text, cut_by=one.cut_by)
        for one in explain(judgement, program=program, units=units)
    ]


def _arithmetic(given: Arithmetic, *, digits: int) -> ArithmeticAnswer:
    return ArithmeticAnswer(
        total=decimal_text(given.total, digits),
        tax=decimal_text(given.tax, digits),
        paid=decimal_text(given.paid, digits),
        earns=decimal_text(given.earns, digits),
        rounding=_(
            "Each rule's award is rounded down once, on the sum of the lines that it counts. "
            "What is cut is not carried over."
        ),
    )


def _present(given: Quote, *, program: Program, units: dict[str, Unit]) -> PresentAnswer | None:
    if given.member is None or given.present is None or given.terms is None:
        return None
    state = given.present

    def text(unit: Unit, account: str) -> str:
        return decimal_text(state.balance(unit.code, account), unit.precision)

    return PresentAnswer(
        card=given.member.card,
        external_id=given.member.external_id or None,
        as_of=moment_text(state.as_of, program.zone),
        tier=_tier(given.member, state, given.terms),
        balances={
            code: PresentBalance(
                available=text(unit, "available"), pending=text(unit, "pending"), held=text(unit, "held")
            )
            for code, unit in sorted(units.items())
        },
    )


def _tier(member: Membership, state: State, terms: Terms) -> TierAnswer | None:
    if not terms.tiers:
        return None
    rank = terms.rank(state.tier)
    joined = local_day(state.joined_at, terms.zone)
    since = joined if rank == 0 else state.tier_since or joined
    return TierAnswer(code=terms.tiers[rank].code, name=terms.tiers[rank].name, since=since, until=state.tier_until)
