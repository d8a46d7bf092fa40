"""What units are worth in money, where that is known."""

from __future__ import annotations

from decimal import Decimal

from programs.models import Program, Unit


def unit_worth(program: Program, unit: Unit) -> Decimal | None:
    """Return what one of a unit is worth in the program's currency; None where nothing says so."""
    return Decimal(1) if unit.is_money else None
