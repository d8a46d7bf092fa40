"""Tiers given by staff: with a reason, for a time or without end; they hold beside what the member reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from loyalty.api.problems import Text
from loyalty.ledger.folding import folded, locked_standing, present_moment
from loyalty.ledger.memory import grant_kept
from loyalty.ledger.models import Standing, TierGrant
from loyalty.ledger.queries import present_of
from programs.engine.dates import LAST_DAY, local_day, months_later
from programs.engine.state import Grant
from programs.engine.terms import Schedule, Terms
from programs.models import Membership
from programs.terms import schedule_of

log = structlog.get_logger(__name__)


class GrantError(ValueError):
    """A tier cannot be given like that; the text says why. ``field`` is the argument at fault."""

    field: str = "tier"
    text: Text = ""

    def __init__(self) -> None:
        super().__init__(str(self.text))


class NoSuchTierError(GrantError):
    """The terms in force have no tier of that code."""

    text = _("The terms in force have no such tier.")


class NoReasonError(GrantError):
    """No reason was given."""

    field, text = "reason", _("Say why: the reason stays in the member's history.")


class EndInPastError(GrantError):
    """The last day has passed."""

    field, text = "until", _("The last day has passed already.")


class EndTooFarError(GrantError):
    """The last day is beyond what is counted with."""

    field, text = "until", _("The last day is too far away: leave it empty where the tier has no end.")


class NoTrialTierError(GrantError):
    """The terms in force offer no trial of that tier."""

    text = _("The terms in force offer no trial of this tier.")


class TrialWithoutEndError(GrantError):
    """A trial needs a last day."""

    field, text = "until", _("A trial needs a last day.")


class TrialTooSoonError(GrantError):
    """The member's last trial is not long enough ago."""

    field, text = "kind", _("The member's last trial is not long enough ago.")


class GrantEndedError(Exception):
    """The grant was ended before."""


@transaction.atomic
def grant_tier(*, membership: Membership, tier: str, kind: str, reason: str, until: date | None, by: User) -> TierGrant:
    """Give the member (the program loaded) a tier from their present up to the last day ``until``; it shows at once.

    Raises a GrantError: NoSuchTierError, NoReasonError, EndInPastError, EndTooFarError; of a trial
    NoTrialTierError, TrialWithoutEndError, TrialTooSoonError.
    """
    program, schedule = membership.program, schedule_of(membership.program)
    standing = _brought_to_present(membership, schedule)
    now = standing.as_of.astimezone(UTC)
    _check(_terms(schedule, standing), membership, tier=tier, kind=kind, reason=reason, until=until, now=now)
    row = TierGrant.objects.create(
        program=program,
        membership=membership,
        tier=tier,
        kind=kind,
        reason=reason.strip(),
        starts_at=now,
        until=until,
        granted_by=by,
    )
    grants = [*standing.memory.get("grants", ()), grant_kept(_engine_grant(row))]
    _review(standing, schedule, grants)
    log.info("tier_granted", member=str(membership.pk), tier=tier, kind=kind, by=str(by.pk))
    return row


@transaction.atomic
def end_grant(*, grant: TierGrant, by: User) -> TierGrant:
    """End a grant (its membership and program loaded) at the member's present. Raises GrantEndedError."""
    membership = grant.membership
    schedule = schedule_of(membership.program)
    standing = _brought_to_present(membership, schedule)
    grant.refresh_from_db(fields=["ended_at"])  # Under the standing's lock nobody else ends it.
    if grant.ended_at is not None:
        raise GrantEndedError
    before = grant_kept(_engine_grant(grant))
    grant.ended_at, grant.ended_by = max(standing.as_of, grant.starts_at), by
    grant.save(update_fields=["ended_at", "ended_by"])
    after = grant_kept(_engine_grant(grant))
    known = standing.memory.get("grants", ())
    _review(standing, schedule, [after if given == before else given for given in known])
    log.info("tier_grant_ended", member=str(membership.pk), tier=grant.tier, by=str(by.pk))
    return grant


def check_grant(*, membership: Membership, tier: str, kind: str, reason: str, until: date | None) -> None:
    """Raise the GrantError that ``grant_tier`` would raise now, as far as can be seen without a lock."""
    standing = Standing.objects.get(pk=membership.pk)
    now = present_of(program=membership.program, standing=standing, now=membership.program.now())
    schedule = schedule_of(membership.program)
    _check(
        schedule.at(now) or schedule.versions[0], membership, tier=tier, kind=kind, reason=reason, until=until, now=now
    )


def _check(
    terms: Terms, membership: Membership, *, tier: str, kind: str, reason: str, until: date | None, now: datetime
) -> None:
    today = local_day(now, terms.zone)
    if all(known.code != tier for known in terms.tiers):
        raise NoSuchTierError
    if not reason.strip():
        raise NoReasonError
    if until is not None and until < today:
        raise EndInPastError
    if until is not None and until > LAST_DAY:
        raise EndTooFarError
    if kind == TierGrant.Kind.TRIAL:
        _check_trial(terms, membership, tier=tier, until=until, today=today)


def _check_trial(terms: Terms, membership: Membership, *, tier: str, until: date | None, today: date) -> None:
    trial = terms.trial
    if trial is None or trial.tier != tier:
        raise NoTrialTierError
    if until is None:
        raise TrialWithoutEndError
    earlier = TierGrant.objects.filter(
        program_id=membership.program_id, membership=membership, kind=TierGrant.Kind.TRIAL
    )
    last = earlier.order_by("starts_at").last()
    if last is not None and today < months_later(local_day(last.starts_at, terms.zone), trial.once_in_months):
        raise TrialTooSoonError


def _brought_to_present(membership: Membership, schedule: Schedule) -> Standing:
    """Return the member's standing, locked, with all done that has fallen due."""
    standing = locked_standing(membership)
    folded(standing, schedule, until=present_moment(membership, standing))
    return Standing.objects.get(pk=standing.pk)


def _review(standing: Standing, schedule: Schedule, grants: Sequence[object]) -> None:
    """Give the member the grants, and the tier that now holds."""
    standing.memory = {**standing.memory, "grants": list(grants)}
    folded(standing, schedule, until=standing.as_of)


def _terms(schedule: Schedule, standing: Standing) -> Terms:
    return schedule.versions[max(0, schedule.index_of(standing.version_id))]


def _engine_grant(row: TierGrant) -> Grant:
    return Grant(
        tier=row.tier,
        kind=row.kind,
        starts_at=row.starts_at.astimezone(UTC),
        until=row.until,
        ended_at=row.ended_at.astimezone(UTC) if row.ended_at is not None else None,
    )
