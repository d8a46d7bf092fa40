"""Codes that callers filter by: of a tier or a unit that the program has, or refused."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Fault, ProblemError
from programs.models import Program, Unit
from programs.terms import schedule_of


class UnknownTierError(ProblemError):
    """The terms know no such tier."""

    status, code = 400, "unknown-tier"
    title = _("The program's terms know no such tier")
    cure = _("Send the code of a tier of the program.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/tier", self.code, str(self.title))])


class UnknownUnitError(ProblemError):
    """The program has no such unit."""

    status, code = 400, "unknown-unit"
    title = _("The program has no such unit")
    cure = _("Send the code of a unit of the program.")

    def __init__(self) -> None:
        super().__init__(errors=[Fault("/unit", self.code, str(self.title))])


def known_tier(*, program: Program, code: str) -> str:
    """Return the code of a tier that a published version has; raise UnknownTierError."""
    if not any(tier.code == code for terms in schedule_of(program).versions for tier in terms.tiers):
        raise UnknownTierError
    return code


def known_unit(*, program: Program, code: str) -> Unit:
    """Return the program's unit of this code; raise UnknownUnitError."""
    unit = Unit.objects.filter(program=program, code=code).first() if "\x00" not in code else None
    if unit is None:
        raise UnknownUnitError
    return unit
