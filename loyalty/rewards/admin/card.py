"""The panel beside a reward's form: the reward as a member of a tier would see it at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import formats
from loyalty.rewards import stocks
from loyalty.rewards.queries import Offer, offer_of
from programs import codes
from programs.admin import panels
from programs.admin.rewards import CARD
from programs.content import Content
from programs.engine.clauses import LINE_KINDS
from programs.engine.dates import local_day
from programs.engine.state import State
from programs.engine.terms import RATE_SCALE, Reward, Terms
from programs.models import Program, ProgramVersion, Unit
from programs.reward_content import RewardContent
from programs.terms import compiled

EXAMPLE_CODE = codes.shown("7QK3M9XD2PV" + codes.check_character("7QK3M9XD2PV"))
MOST_UNITS = 10**12
ICONS = {
    "money_off": "confirmation_number",
    "percent_off": "percent",
    "product": "redeem",
    "entitlement": "key",
    "event_seat": "event_seat",
    "pool": "qr_code_2",
    "units": "toll",
}


@panels.panel(CARD)
def card(
    request: HttpRequest,
    version: ProgramVersion,
    said: Content,
    *,
    reward: RewardContent | None,
    is_sound: bool,
    form_id: str,
) -> SafeString:
    """Return the panel; without a card where the reward has faults, or is not there yet."""
    given: Mapping[str, Any] = request.POST if request.method == "POST" else request.GET
    asked = _asked(given, version.program, said, reward)
    shown: dict[str, Any] = {}
    if reward is not None and is_sound:
        shown = _shown(version, said, reward, asked)
    context = {**asked, **shown, "tiers": said.tiers, "form_id": form_id, "is_sound": is_sound, "reward": reward}
    return render_to_string("admin/rewards/card.html", context, request)


def _asked(given: Mapping[str, Any], program: Program, said: Content, reward: RewardContent | None) -> dict[str, Any]:
    """Return for whom and when the card is shown: the lowest tier that may have it, enough units, the present."""
    lowest = said.tiers[0].code if said.tiers else ""
    tier = given.get("card_tier") or (reward.from_tier if reward else "") or lowest
    if tier not in {one.code for one in said.tiers}:
        tier = lowest
    return {
        "tier": tier,
        "at": _moment(given.get("card_at", ""), program),
        "balance": _number(given.get("card_units", "")),
        "fits": "card_tier" not in given or bool(given.get("card_fits")),
        "has_conditions": bool(reward)
        and any(one.kind not in LINE_KINDS for one in (reward.clauses if reward else ())),
    }


def _moment(text: str, program: Program) -> datetime:
    """Return a moment as it was picked, in the program's time; its present where it cannot be read."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or not 1900 <= found.year <= 2200:
        return program.now().astimezone(program.zone).replace(second=0, microsecond=0)
    return found.replace(tzinfo=program.zone) if found.tzinfo is None else found.astimezone(program.zone)


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip().replace(",", "."))
    except (InvalidOperation, AttributeError):
        return None
    return found if found.is_finite() and 0 <= found <= MOST_UNITS else None


def _shown(version: ProgramVersion, said: Content, content: RewardContent, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card: what the member reads, and what can be done."""
    program = version.program
    alone = replace(said, rules=(), groups=(), trial=None, rewards=(replace(content, is_on=True),))
    terms = compiled(version, alone)
    reward = terms.rewards[0]
    if asked["fits"]:
        reward = replace(reward, clauses=tuple(one for one in reward.clauses if one.kind in LINE_KINDS))
    units = {unit.code: unit for unit in program.units.all()}
    own, at = reward.for_tier(asked["tier"]), asked["at"].astimezone(UTC)
    unit = units.get(reward.unit)
    there = _steps(asked["balance"], unit) if asked["balance"] is not None else own.price
    state = State(joined_at=at, as_of=at, tier=asked["tier"], balances={(reward.unit, "available"): there})
    day = local_day(at, program.zone)
    left = stocks.left(program=program, rewards=[reward], day=day).get(reward.code)
    offer = offer_of(reward, terms=terms, state=state, at=at, program=program, units=units, left=left)
    return {
        "card": {
            **_said(offer, terms, program),
            "icon": ICONS.get(reward.kind, "redeem"),
            "example": EXAMPLE_CODE,
            "share": _share(own, there, offer),
            "steps": _openings(reward, terms, program, asked["tier"]),
        }
    }


def _steps(amount: Decimal, unit: Unit | None) -> int:
    return int(amount.scaleb(unit.precision)) if unit is not None else 0


def _said(offer: Offer, terms: Terms, program: Program) -> dict[str, Any]:
    reward, unit = offer.reward, offer.unit
    price = formats.units(unit, reward.price, currency=program.currency) if unit and reward.price else ""
    return {
        "name": reward.name,
        "detail": reward.detail,
        "price": price,
        "is_rate": reward.by_amount,
        "worth": worth_words(reward, program),
        "step": formats.money(reward.step, program.currency) if reward.by_amount and reward.step > 1 else "",
        "left": offer.left,
        "several": reward.several,
        "is_available": offer.is_available,
        "comes_by_itself": offer.refusal == "converts",
        "reason": offer.reason,
        "button": _("Get for %(price)s") % {"price": price} if price and not reward.by_amount else _("Get it"),
    }


def worth_words(reward: Reward, program: Program) -> str:
    """Return in a word what a reward is worth: “$10”, “20 %”; empty for most."""
    if reward.percent is not None:
        return f"{formats.rate(Decimal(reward.percent) / RATE_SCALE)}{formats.NO_BREAK}%"
    if reward.value is not None:
        return formats.money(reward.value, program.currency, drop_cents=True)
    return ""


def _share(reward: Reward, there: int, offer: Offer) -> int | None:
    """Return how much of the price is there, in percent, where units are all that is missing."""
    if offer.refusal != "not-enough-units" or not reward.price:
        return None
    return min(99, 100 * there // reward.price)


def _openings(reward: Reward, terms: Terms, program: Program, tier: str) -> list[dict[str, Any]]:
    """Return when it opens for each tier, the highest first, where that differs."""
    if not any(one.opens_at for one in reward.tiers.values()):
        return []
    rows = []
    for one in reversed(terms.tiers):
        opens_at = reward.for_tier(one.code).opens_at
        if terms.rank(one.code) >= terms.rank(reward.from_tier) if reward.from_tier else True:
            when = formats.moment(opens_at, zone=program.zone) if opens_at else _("at once")
            rows.append({"name": one.name, "when": when, "is_own": one.code == tier})
    return rows
