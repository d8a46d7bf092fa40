"""What a paused or a closed program still takes, and what it does with its members then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as text
from django.utils.translation import gettext_lazy as _

from accounts import formats
from loyalty.api.problems import ProblemError
from loyalty.ledger.models import Account, Notice, Standing
from programs.models import Program, Unit
from programs.outstanding import Outstanding

LATE_RECEIPTS = timedelta(hours=72)
"""How long after its close a program still takes what happened before: tills may have been offline for days."""


class ProgramPausedError(ProblemError):
    """The program stands still."""

    status, code = 409, "program-paused"
    title = _("The program is paused")
    cure = _(
        "Nobody can join and nothing can be spent until the program goes on. Purchases, returns and events are still "
        "taken, and judged then: go on sending them."
    )


class ProgramClosedError(ProblemError):
    """The program has ended."""

    status, code = 409, "program-closed"
    title = _("The program has ended")
    cure = _(
        "Nobody can join and nothing can be earned any more. Returns are still taken, and for 72 hours purchases and "
        "events that happened before the end. Units can be spent up to the last day that the business has named."
    )


def check_may_join(program: Program) -> None:
    """Refuse who would join. Raises ProgramPausedError, ProgramClosedError."""
    if program.is_paused:
        raise ProgramPausedError
    if program.is_closed:
        raise ProgramClosedError


def check_may_spend(program: Program) -> None:
    """Refuse to spend units or vouchers. Raises ProgramPausedError, and from its last day on ProgramClosedError.

    Call it with the program as read in the transaction that spends.
    """
    if program.is_paused:
        raise ProgramPausedError
    if program.is_over:
        raise ProgramClosedError


def check_may_earn(program: Program, *, occurred_at: datetime) -> None:
    """Refuse what happened from a close on, and after 72 hours all that is reported. Raises ProgramClosedError."""
    if not program.is_closed:
        return
    closed_at = program.status_since
    assert closed_at is not None, "a constraint holds it"
    if occurred_at >= closed_at or program.now() > closed_at + LATE_RECEIPTS:
        raise ProgramClosedError


def plan_anew(*, program: Program, at: datetime, ended: datetime | None) -> int:
    """Make every member due at ``at``, so that what comes next is worked out anew; return how many.

    Where a close is undone, what members have not yet been told of it (its ``ended``) is told no more.
    """
    standings = Standing.objects.filter(program=program)
    standings.filter(Q(lots_due_at__isnull=True) | Q(lots_due_at__gt=at)).update(lots_due_at=at)
    count = standings.filter(Q(due_at__isnull=True) | Q(due_at__gt=at)).update(due_at=at)
    if ended is not None:
        unsent = Notice.objects.unsent().filter(program=program, kind=Notice.Kind.EXPIRY, ends_at=ended)
        unsent.delete()
    return count


def outstanding(program: Program) -> list[Outstanding]:
    """Return what members have of each unit that can be spent, and what they owe. One query."""
    return list(_lines(program, _sums(program)))


def _sums(program: Program) -> QuerySet[Account, Any]:
    """Return by unit and account what is there, what is owed, and how many members have any."""
    accounts = Account.objects.filter(program=program, membership__isnull=False).order_by("unit__code", "kind")
    return accounts.values("unit", "kind").annotate(
        there=Sum("balance", filter=Q(balance__gt=0)),
        owed=Sum("balance", filter=Q(balance__lt=0)),
        owners=Count("pk", filter=Q(balance__gt=0)),
    )


def _lines(program: Program, sums: Iterable[dict[str, Any]]) -> Iterable[Outstanding]:
    units = {unit.pk: unit for unit in program.units.all()}
    kinds = {
        Account.Kind.AVAILABLE.value: text("%(units)s that can be spent"),
        Account.Kind.PENDING.value: text("%(units)s on their way"),
        Account.Kind.HELD.value: text("%(units)s set aside for redemptions"),
    }
    for row in sums:
        unit = units[row["unit"]]
        there, owed, kind = int(row["there"] or 0), -int(row["owed"] or 0), str(row["kind"])
        if there:
            what = kinds[kind] if unit.is_spendable else text("%(units)s that count")
            yield Outstanding(_named(what, unit), formats.units(unit, there, currency=program.currency))
        if owed:
            yield Outstanding(
                _named(text("%(units)s that members owe"), unit), formats.units(unit, owed, currency=program.currency)
            )


def _named(what: str, unit: Unit) -> str:
    said = what % {"units": unit.name_plural}
    return said[:1].upper() + said[1:]
