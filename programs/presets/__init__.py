"""Presets: whole programs as data. One TOML file each, read into frozen values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from programs.content import (
    CapContent,
    ConditionContent,
    Content,
    RuleContent,
    TierContent,
    TierRateContent,
    UnitContent,
)
from programs.models import ProgramVersion, UnitTerms

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PresetUnit:
    """A unit that the program counts in."""

    code: str
    name: str
    name_plural: str
    precision: int
    is_money: bool


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


class UnknownPresetError(LookupError):
    """There is no preset of this name."""


def names() -> list[str]:
    """Return the names of the presets that exist."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def get(name: str) -> Preset:
    """Return the preset of this name. Raises ``UnknownPresetError``."""
    if name not in names():
        raise UnknownPresetError(name)
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    business, program = data["business"], data["program"]
    return Preset(
        name=name,
        business_name=business["name"],
        brand=business["brand"],
        program_name=program["name"],
        currency=program["currency"],
        timezone=program["timezone"],
        language=program["language"],
        units=tuple(_unit(given) for given in data["units"]),
        content=_content(data),
    )


def _unit(given: dict[str, Any]) -> PresetUnit:
    return PresetUnit(
        code=given["code"],
        name=given["name"],
        name_plural=given["name_plural"],
        precision=given["precision"],
        is_money=given.get("is_money", False),
    )


def _content(data: dict[str, Any]) -> Content:
    terms = data.get("terms", {})
    return Content(
        tax_earns=terms.get("tax_earns", False),
        tier_validity=terms.get("tier_validity", ProgramVersion.TierValidity.NEXT_YEAR.value),
        units=tuple(sorted((_unit_content(given) for given in data["units"]), key=lambda unit: unit.unit)),
        tiers=tuple(_tier(given, rank) for rank, given in enumerate(data.get("tiers", []))),
        rules=tuple(_rule(given, position) for position, given in enumerate(data["rules"])),
    )


def _unit_content(given: dict[str, Any]) -> UnitContent:
    return UnitContent(
        unit=given["code"],
        expiry=given.get("expiry", UnitTerms.Expiry.NONE.value),
        expiry_months=given.get("expiry_months"),
        pending_days=given.get("pending_days", 0),
    )


def _tier(given: dict[str, Any], rank: int) -> TierContent:
    conditions = sorted(
        ConditionContent(measure=c["measure"], window=c["window"], threshold=Decimal(c["threshold"]))
        for c in given.get("conditions", [])
    )
    return TierContent(code=given["code"], name=given["name"], rank=rank, conditions=tuple(conditions))


def _rule(given: dict[str, Any], position: int) -> RuleContent:
    return RuleContent(
        code=given["code"],
        name=given["name"],
        position=position,
        unit=given["unit"],
        effect=given["effect"],
        rate=Decimal(given["rate"]),
        tier_rates=tuple(
            sorted(TierRateContent(tier, Decimal(rate)) for tier, rate in given.get("tier_rates", {}).items())
        ),
        caps=tuple(sorted(CapContent(cap["window"], Decimal(cap["amount"])) for cap in given.get("caps", []))),
    )
