"""What stands in the way of publishing a draft, in words for the person who edits it."""

from __future__ import annotations

from collections.abc import Iterator

from babel.numbers import get_currency_precision

from programs import content
from programs.content import Content
from programs.faults import ladder, rewards, rules, stacking, switches, units
from programs.faults.fault import Fault, Known
from programs.models import ProgramVersion

__all__ = ["Fault", "Known", "faults_of", "find"]


def faults_of(version: ProgramVersion, said: Content | None = None) -> list[Fault]:
    """Return what must be mended before the version can be published; nothing where it may be.

    ``said`` stands in for what its rows say.
    """
    return list(find(said or content.read(version), _known(version)))


def find(terms: Content, known: Known | None = None) -> Iterator[Fault]:
    """Yield the faults of the terms: units, the ladder from below, rules, how they stack, rewards, switches."""
    around = known or Known()
    for part in (units, ladder, rules, stacking, rewards, switches):
        yield from part.find(terms, around)


def _known(version: ProgramVersion) -> Known:
    """Return what stands around a draft; the first version may take effect in the past, so any day may be its own."""
    program = version.program
    counted = list(program.units.all())
    is_first = not program.versions.published().exists()
    return Known(
        digits=get_currency_precision(program.currency),
        names={unit.code: unit.name_plural for unit in counted},
        decimals={unit.code: unit.precision for unit in counted},
        segments=frozenset(code.casefold() for code in program.segments.values_list("code", flat=True)),
        first_day=None if is_first else program.now().astimezone(program.zone).date(),
        unspendable=frozenset(unit.code for unit in counted if not unit.is_spendable),
    )
