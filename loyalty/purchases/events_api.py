"""Events over HTTP."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from loyalty.api.filters import text
from loyalty.api.pagination import PageAnswer
from loyalty.api.schema import CURSOR, IDEMPOTENCY_KEY, IF_NONE_MATCH, PAGE_SIZE, WAIT, documented
from loyalty.purchases.answers import ActivityAnswer
from loyalty.purchases.api import ActivityEndpoint
from loyalty.purchases.bodies import EventBody
from loyalty.purchases.events import check_known_type, record_event
from loyalty.purchases.inputs import event_input
from loyalty.purchases.listing import FILTERS
from loyalty.purchases.models import Activity, ActivityQuerySet

EVENTS = "Events"
TYPE = OpenApiParameter("type", str, description="Events of this type alone; `enrolment` is the joining itself.")


class Events(ActivityEndpoint):
    """Record an event once, however often it is sent; list what was recorded."""

    kind = Activity.Kind.EVENT
    scopes: ClassVar = {"GET": "purchases:read", "POST": "events:write"}
    filters = (*FILTERS, TYPE)

    def rows(self) -> ActivityQuerySet:
        """Return the program's events, of the type that is asked for."""
        asked = text(self.request, TYPE.name) if self.request.method == "GET" else ""
        if not asked:
            return super().rows()
        check_known_type(program=self.program, code=asked)
        return super().rows().filter(event_type=asked)

    @documented(
        name="events_list",
        summary="List events, newest first",
        answers={200: PageAnswer[ActivityAnswer]},
        errors=[400, 404],
        parameters=[CURSOR, PAGE_SIZE, *filters],
        tag=EVENTS,
    )
    def get(self, request: Request) -> HttpResponse:
        return self.listed(request)

    @documented(
        name="events_create",
        summary="Record an event; one that names a friend waits for the friend's first purchase",
        body=EventBody,
        answers={201: ActivityAnswer, 200: ActivityAnswer},
        errors=[400, 404, 409, 413, 415, 422],
        parameters=[WAIT, IDEMPOTENCY_KEY],
        tag=EVENTS,
    )
    def post(self, request: Request) -> HttpResponse:
        item = event_input(request.data)
        return self.recorded(record_event(program=self.program, item=item, by=self.key))


class Event(ActivityEndpoint):
    """One event."""

    kind = Activity.Kind.EVENT
    scopes: ClassVar = {"GET": "purchases:read"}

    @documented(
        name="events_read",
        summary="Show an event, what it earned and why",
        answers={200: ActivityAnswer},
        errors=[404],
        parameters=[IF_NONE_MATCH],
        tag=EVENTS,
    )
    def get(self, request: Request, external_id: str) -> HttpResponse:
        return self.single(external_id)
