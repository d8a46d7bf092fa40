"""What events are called: by the name of their type in the version of their day."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from loyalty.purchases.models import ENROLMENT, Activity
from programs.engine.terms import Schedule
from programs.models import Program
from programs.terms import schedule_of


def event_names(activity: Iterable[Activity], *, program: Program) -> dict[UUID, str]:
    """Return the names of the events among a program's activity, by id; no query where there are none."""
    events = [one for one in activity if one.kind == Activity.Kind.EVENT]
    if not events:
        return {}
    schedule = schedule_of(program)
    return {one.pk: _name(one, schedule) for one in events}


def _name(event: Activity, schedule: Schedule) -> str:
    if event.event_type == ENROLMENT:
        return _("Joining")
    terms = schedule.at(event.occurred_at)
    known = terms.events.get(event.event_type) if terms is not None else None
    return known.name if known is not None else event.event_type
