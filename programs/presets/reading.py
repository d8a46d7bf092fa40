"""From the text of a preset to frozen values; what they do not know they refuse, so that a typo is noticed."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from programs.content import (
    BenefitContent,
    CapContent,
    ClauseContent,
    ConditionContent,
    Content,
    EventContent,
    GroupContent,
    LineRateContent,
    RuleContent,
    TierContent,
    TierExpiryContent,
    TierRateContent,
    TrialContent,
    UnitContent,
    in_order,
)
from programs.models import ProgramVersion, Rule, RuleCap, RuleGroup, UnitTerms
from programs.models.terms import KEPT_ALIVE_BY
from programs.reward_content import RewardClauseContent, RewardContent, RewardLimitContent, RewardTierContent

T = TypeVar("T")
NEVER = "never"


@dataclass(frozen=True, slots=True)
class PresetUnit:
    """A unit that the program counts in."""

    code: str
    name: str
    name_plural: str
    precision: int
    is_money: bool
    is_spendable: bool = True


@dataclass(frozen=True, slots=True)
class Preset:
    """A business, its program and the program's terms."""

    name: str
    business_name: str
    brand: str
    program_name: str
    currency: str
    timezone: str
    language: str
    units: tuple[PresetUnit, ...]
    content: Content


class PresetError(ValueError):
    """The text of a preset has a mistake; it says where and which."""


class Table:
    """One table of a preset. Each key is taken once; ``close`` refuses what nobody took."""

    def __init__(self, where: str, given: dict[str, Any]) -> None:
        self.where = where
        self.given = dict(given)

    def take(self, key: str, kind: type[T]) -> T:
        """Return the value of a key that has to be there."""
        if key not in self.given:
            raise PresetError(f"{self.where}: “{key}” is missing.")
        return self._checked(key, self.given.pop(key), kind)

    def get(self, key: str, default: T) -> T:
        """Return the value of a key that may be left out; it is of the default's type."""
        return self._checked(key, self.given.pop(key), type(default)) if key in self.given else default

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """Return the value of a key that may be left out; None where it is."""
        return self.take(key, kind) if key in self.given else None

    def peek(self, key: str) -> str:
        """Return a text that has to be there, and that somebody else takes."""
        self.given[key] = text = self.take(key, str)
        return text

    def number(self, key: str) -> Decimal:
        """Return a number, which is written as a text: what is exact stays so."""
        text = self.take(key, str)
        try:
            return Decimal(text)
        except InvalidOperation:
            raise PresetError(f"{self.where}: “{key}” is no number: “{text}”.") from None

    def maybe_number(self, key: str) -> Decimal | None:
        """Return a number that may be left out; None where it is."""
        return self.number(key) if key in self.given else None

    def table(self, key: str, where: str = "") -> Table:
        """Return a table in it; an empty one where it is left out."""
        return Table(where or f"{self.where}, {key}", self.get(key, {}))

    def tables(self, key: str, where: str = "") -> list[Table]:
        """Return a list of tables in it, each named by its code or its place."""
        given: list[Any] = self.get(key, [])
        names = [row.get("code", place) if isinstance(row, dict) else place for place, row in enumerate(given, start=1)]
        found = [
            Table(f"{where or f'{self.where}, {key}'} {name}", self._checked(key, row, dict))
            for name, row in zip(names, given, strict=True)
        ]
        for code in {name for name in names if names.count(name) > 1}:
            raise PresetError(f"{self.where}: two of {key} are called “{code}”.")
        return found

    def close(self) -> None:
        """Refuse keys that nobody took."""
        for key in self.given:
            raise PresetError(f"{self.where}: “{key}” is no key that presets have.")

    def _checked(self, key: str, value: Any, kind: type[T]) -> T:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise PresetError(f"{self.where}: “{key}” has to be of the type {kind.__name__}.")
        return value


def read(name: str, text: str) -> Preset:
    """Return the preset that the text says. Raises ``PresetError``."""
    try:
        whole = Table(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{name}: {error}") from error
    business, program = whole.table("business"), whole.table("program")
    units = whole.tables("units")
    preset = Preset(
        name=name,
        business_name=business.take("name", str),
        brand=business.take("brand", str),
        program_name=program.take("name", str),
        currency=program.take("currency", str),
        timezone=program.take("timezone", str),
        language=program.take("language", str),
        units=tuple(_unit(given) for given in units),
        content=_content(whole, units),
    )
    for table in (business, program, whole):
        table.close()
    _check_codes(preset)
    return preset


def _closed(table: Table, value: T) -> T:
    table.close()
    return value


def _unit(given: Table) -> PresetUnit:
    return PresetUnit(
        code=given.peek("code"),
        name=given.take("name", str),
        name_plural=given.take("name_plural", str),
        precision=given.take("precision", int),
        is_money=given.get("is_money", False),
        is_spendable=given.get("is_spendable", True),
    )


def _content(whole: Table, units: Iterable[Table]) -> Content:
    terms = whole.table("terms")
    return Content(
        tax_earns=terms.get("tax_earns", False),
        paid_part_earns=terms.get("paid_part_earns", False),
        year_starts=terms.get("year_starts", 1),
        tier_validity=terms.get("tier_validity", ProgramVersion.TierValidity.NEXT_YEAR.value),
        tier_months=terms.get("tier_months", 12),
        tier_grace_months=terms.get("tier_grace_months", 0),
        tier_fall=terms.get("tier_fall", ProgramVersion.TierFall.EARNED.value),
        reaching_earns_new=terms.get("reaching_earns_new", False),
        needs_notice=terms.get("needs_notice", False),
        claim_days=terms.get("claim_days", 14),
        redeemed_come_back=terms.get("redeemed_come_back", True),
        notice_days=_closed(terms, terms.get("notice_days", 30)),
        trial=_trial(whole.table("trial")) if "trial" in whole.given else None,
        units=tuple(sorted((_unit_content(given) for given in units), key=lambda unit: unit.unit)),
        tiers=tuple(_tier(given, rank) for rank, given in enumerate(whole.tables("tiers"))),
        events=tuple(sorted((_event(given) for given in whole.tables("events")), key=lambda event: event.code)),
        groups=tuple(_group(given, position) for position, given in enumerate(whole.tables("groups"))),
        rules=tuple(_rule(given, position) for position, given in enumerate(whole.tables("rules"))),
        rewards=tuple(_reward(given, position) for position, given in enumerate(whole.tables("rewards"))),
    )


def _unit_content(given: Table) -> UnitContent:
    by_tier = given.table("tier_expiry")
    content = UnitContent(
        unit=given.take("code", str),
        expiry=given.get("expiry", UnitTerms.Expiry.NONE.value),
        expiry_months=given.maybe("expiry_months", int),
        pending_days=given.get("pending_days", 0),
        expiry_days=given.maybe("expiry_days", int),
        round_up=given.get("round_up", ""),
        fixed_days=given.get("fixed_days", ""),
        fall_months=given.maybe("fall_months", int),
        kept_alive_by=given.get("kept_alive_by", KEPT_ALIVE_BY),
        pending_until=given.maybe("pending_until", date),
        debt=given.get("debt", UnitTerms.Debt.OWE.value),
        tiers=tuple(sorted(TierExpiryContent(tier, _months(by_tier, tier)) for tier in list(by_tier.given))),
    )
    return _closed(given, content)


def _months(by_tier: Table, tier: str) -> int | None:
    if by_tier.given[tier] == NEVER:
        by_tier.given.pop(tier)
        return None
    return by_tier.take(tier, int)


def _trial(given: Table) -> TrialContent:
    trial = TrialContent(
        tier=given.take("tier", str),
        measure=given.take("measure", str),
        need=given.number("need"),
        months=given.take("months", int),
        once_in_months=given.get("once_in_months", 0),
        unit=given.get("unit", ""),
    )
    return _closed(given, trial)


def _tier(given: Table, rank: int) -> TierContent:
    tier = TierContent(
        code=given.take("code", str),
        name=given.take("name", str),
        rank=rank,
        conditions=in_order(_condition(row) for row in given.tables("conditions")),
        benefits=tuple(_benefit(row) for row in given.tables("benefits")),
        by_invitation=given.get("by_invitation", False),
    )
    return _closed(given, tier)


def _condition(given: Table) -> ConditionContent:
    condition = ConditionContent(
        measure=given.take("measure", str),
        window=given.take("window", str),
        threshold=given.number("threshold"),
        unit=given.get("unit", ""),
        for_life=given.get("for_life", False),
        months=given.maybe("months", int),
    )
    return _closed(given, condition)


def _benefit(given: Table) -> BenefitContent:
    benefit = BenefitContent(given.take("kind", str), given.take("name", str), given.get("detail", ""))
    return _closed(given, benefit)


def _event(given: Table) -> EventContent:
    event = EventContent(given.take("code", str), given.take("name", str), given.get("waits_for_friend", False))
    return _closed(given, event)


def _group(given: Table, position: int) -> GroupContent:
    group = GroupContent(
        code=given.take("code", str),
        name=given.take("name", str),
        position=position,
        mode=given.get("mode", RuleGroup.Mode.ALL.value),
        caps=_caps(given),
    )
    return _closed(given, group)


def _rule(given: Table, position: int) -> RuleContent:
    tier_rates = given.table("tier_rates")
    rule = RuleContent(
        code=given.take("code", str),
        name=given.take("name", str),
        position=position,
        unit=given.take("unit", str),
        effect=given.take("effect", str),
        rate=given.number("rate"),
        tier_rates=tuple(sorted(TierRateContent(tier, tier_rates.number(tier)) for tier in list(tier_rates.given))),
        caps=_caps(given),
        is_on=given.get("is_on", True),
        trigger=given.get("trigger", Rule.Trigger.PURCHASE.value),
        event=given.get("event", ""),
        group=given.get("group", ""),
        of=given.get("of", ""),
        of_tier_rate=given.get("of_tier_rate", False),
        pieces=given.get("pieces", Rule.Pieces.SUM.value),
        clauses=tuple(sorted(_closed(row, _clause(row)) for row in given.tables("conditions"))),
        line_rates=tuple(
            _closed(row, LineRateContent(_clause(row), row.number("rate"))) for row in given.tables("line_rates")
        ),
    )
    return _closed(given, rule)


def _reward(given: Table, position: int) -> RewardContent:
    by_tier, limits = given.table("tiers"), given.table("limits")
    reward = RewardContent(
        code=given.take("code", str),
        name=given.take("name", str),
        detail=given.get("detail", ""),
        position=position,
        kind=given.take("kind", str),
        is_on=given.get("is_on", True),
        unit=given.get("unit", ""),
        price=given.maybe_number("price") or Decimal(0),
        value=given.maybe_number("value"),
        percent=given.maybe_number("percent"),
        by_amount=given.get("by_amount", False),
        step=given.maybe_number("step"),
        several=given.get("several", False),
        most_share=given.maybe_number("most_share"),
        least_basket=given.maybe_number("least_basket"),
        from_tier=given.get("from_tier", ""),
        stock=given.maybe("stock", int),
        pool=given.get("pool", ""),
        gives_unit=given.get("gives_unit", ""),
        gives=given.maybe_number("gives"),
        opens_at=given.maybe("opens_at", datetime),
        closes_at=given.maybe("closes_at", datetime),
        weekdays=given.get("weekdays", ""),
        opens_from=given.maybe("opens_from", time),
        opens_until=given.maybe("opens_until", time),
        zone=given.get("zone", ""),
        choice=given.get("choice", ""),
        conversion=given.get("conversion", ""),
        closes_on=given.get("closes_on", ""),
        issue_day=given.maybe("issue_day", int),
        most_at_once=given.maybe("most_at_once", int),
        most_a_year=given.maybe("most_a_year", int),
        is_withdrawn=given.get("is_withdrawn", False),
        lives_months=given.maybe("lives_months", int),
        lives_days=given.maybe("lives_days", int),
        tiers=tuple(_reward_tier(by_tier.table(code), code) for code in sorted(by_tier.given)),
        limits=tuple(sorted(RewardLimitContent(window, limits.take(window, int)) for window in list(limits.given))),
        clauses=tuple(
            sorted(
                _closed(
                    row, RewardClauseContent(row.take("kind", str), row.take("value", str), row.get("negated", False))
                )
                for row in given.tables("conditions")
            )
        ),
    )
    return _closed(given, reward)


def _reward_tier(given: Table, code: str) -> RewardTierContent:
    part = RewardTierContent(
        code,
        given.maybe_number("price"),
        given.maybe_number("value"),
        given.maybe_number("percent"),
        given.maybe("opens_at", datetime),
    )
    return _closed(given, part)


def _clause(given: Table) -> ClauseContent:
    return ClauseContent(given.take("kind", str), given.take("value", str), given.get("negated", False))


def _caps(given: Table) -> tuple[CapContent, ...]:
    return tuple(sorted(_closed(row, _cap(row)) for row in given.tables("caps")))


def _cap(given: Table) -> CapContent:
    return CapContent(
        window=given.take("window", str),
        amount=given.number("amount"),
        counts=given.get("counts", RuleCap.Counts.AMOUNT.value),
        scope=given.get("scope", RuleCap.Scope.MEMBER.value),
        per=given.get("per", ""),
        is_on=given.get("is_on", True),
    )


def _check_codes(preset: Preset) -> None:
    """Refuse references to what the preset does not have; rows could not be made of them."""
    terms = preset.content
    units, tiers = {unit.code for unit in preset.units}, {tier.code for tier in terms.tiers}
    groups = {group.code for group in terms.groups}
    for rule in terms.rules:
        _known(f"{preset.name}, rules {rule.code}", "unit", [rule.unit], units)
        _known(f"{preset.name}, rules {rule.code}", "group", [rule.group] if rule.group else [], groups)
        _known(f"{preset.name}, rules {rule.code}", "tier", [row.tier for row in rule.tier_rates], tiers)
    for reward in terms.rewards:
        where = f"{preset.name}, rewards {reward.code}"
        _known(where, "unit", [code for code in (reward.unit, reward.gives_unit) if code], units)
        _known(where, "tier", [row.tier for row in reward.tiers], tiers)
        _known(where, "tier", [reward.from_tier] if reward.from_tier else [], tiers)
    for unit in terms.units:
        _known(f"{preset.name}, units {unit.unit}", "tier", [row.tier for row in unit.tiers], tiers)
    for tier in terms.tiers:
        _known(f"{preset.name}, tiers {tier.code}", "unit", [row.unit for row in tier.conditions if row.unit], units)
    if terms.trial is not None:
        _known(f"{preset.name}, trial", "unit", [terms.trial.unit] if terms.trial.unit else [], units)
        _known(f"{preset.name}, trial", "tier", [terms.trial.tier], tiers)


def _known(where: str, what: str, codes: Iterable[str], known: Collection[str]) -> None:
    for code in codes:
        if code not in known:
            raise PresetError(f"{where}: there is no {what} “{code}”.")
