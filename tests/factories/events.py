"""Programs whose terms reward more than purchases: check-ins, referrals and, if asked, joining."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from programs.models import EventType, Program, ProgramVersion, Rule
from tests.factories import EVER_SINCE, RuleSpec, UnitSpec, make_program, make_version


def make_event_shop(
    *,
    welcome: int = 0,
    clock: datetime | None = None,
    rules: Sequence[RuleSpec] = (RuleSpec(),),
    units: Sequence[UnitSpec] = (UnitSpec(),),
    timezone: str = "UTC",
    **terms: Any,
) -> Program:
    """Return a program with 5 points for a check-in, 25 for a referral and ``welcome`` points for joining."""
    program = make_program(clock=clock, timezone=timezone)
    version = make_version(program=program, rules=rules, units=units, is_published=False)
    unit = program.units.get(code=units[0].code)
    for place, (code, rate, waits) in enumerate([("check_in", 5, False), ("referral", 25, True)]):
        EventType.objects.create(version=version, code=code, name=code.title(), waits_for_friend=waits)
        Rule.objects.create(
            version=version,
            code=code,
            name=code.title(),
            position=10 + place,
            unit=unit,
            trigger="event",
            event=code,
            effect="fixed",
            rate=Decimal(rate),
        )
    if welcome:
        Rule.objects.create(
            version=version,
            code="welcome",
            name="Welcome",
            position=20,
            unit=unit,
            trigger="enrolment",
            effect="fixed",
            rate=Decimal(welcome),
        )
    publish(version, **terms)
    return program


def publish(version: ProgramVersion, **terms: Any) -> None:
    """Freeze a version that a test has put together, in force since ever."""
    for name, value in terms.items():
        setattr(version, name, value)
    version.status = ProgramVersion.Status.PUBLISHED
    version.in_force_from = EVER_SINCE
    version.published_at = datetime.now(UTC)
    version.save()


def an_event(external_id: str = "e-1", **fields: Any) -> dict[str, Any]:
    """Return the body of a check-in of member 42."""
    body = {
        "external_id": external_id,
        "member": "external_id:42",
        "type": "check_in",
        "occurred_at": "2026-03-29T10:15:00+02:00",
    }
    return {**body, **fields}
