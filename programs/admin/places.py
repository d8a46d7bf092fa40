"""Where in the admin a fault of a draft is mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from programs.faults import Fault
from programs.models import ProgramVersion

LISTS = {"tiers": "tiers", "rules": "rules", "units": "unit_terms", "events": "event_types", "rewards": "rewards"}
"""The rows on the version's page, by what they are called in a fault: the prefix of their form."""


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """A fault with the address of the page, or of the rows on it, that mend it."""

    message: str
    where: str
    address: str


def placed(faults: Iterable[Fault], addresses: Mapping[str, str]) -> list[PlacedFault]:
    """Return the faults with their addresses."""
    own = addresses["terms"]
    return [PlacedFault(fault.message, fault.where, addresses.get(fault.where, own)) for fault in faults]


def addresses_of(version: ProgramVersion) -> dict[str, str]:
    """Return by the name of a part (``tier:gold``, ``rules``, ``terms``) where it is read and edited; six queries."""
    own = reverse("admin:programs_programversion_change", args=[version.pk])
    events = f"{own}#{LISTS['events']}-group"
    return {
        "terms": own,
        "trial": own,
        **{name: f"{own}#{prefix}-group" for name, prefix in LISTS.items()},
        **{f"event:{code}": events for code in version.event_types.values_list("code", flat=True)},
        **_pages("tier", "tier", version.tiers.values_list("code", "pk")),
        **_pages("rule", "rule", version.rules.values_list("code", "pk")),
        **_pages("group", "rulegroup", version.groups.values_list("code", "pk")),
        **_pages("reward", "reward", version.rewards.values_list("code", "pk")),
        **_pages("unit", "unitterms", version.unit_terms.values_list("unit__code", "pk")),
    }


def _pages(part: str, model: str, rows: Iterable[tuple[str, UUID]]) -> dict[str, str]:
    return {f"{part}:{code}": reverse(f"admin:programs_{model}_change", args=[pk]) for code, pk in rows}
