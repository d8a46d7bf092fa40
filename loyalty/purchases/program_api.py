"""A program's time over HTTP: a sandbox's clock, and the loading of a history."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request

from loyalty.api.decoding import shaped
from loyalty.api.endpoints import Endpoint, json_answer
from loyalty.api.formats import moment, moment_text
from loyalty.api.schema import IDEMPOTENCY_KEY, documented
from loyalty.purchases.bodies import MomentText
from loyalty.purchases.program_actions import move_clock, set_backfill

PROGRAM = "Program"


class ClockBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the sandbox's clock shall show."""

    now: MomentText


class ClockAnswer(msgspec.Struct):
    """What the sandbox's clock shows."""

    now: str


class BackfillBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a history is being loaded."""

    on: bool


class SandboxClock(Endpoint):
    """Move a sandbox's clock; all that falls due until then is done."""

    scopes: ClassVar = {"POST": "sandbox"}

    @documented(
        name="sandbox_clock",
        summary="Move a sandbox's clock forward",
        body=ClockBody,
        answers={200: ClockAnswer},
        errors=[400, 409, 413, 415, 422],
        parameters=[IDEMPOTENCY_KEY],
        tag=PROGRAM,
    )
    def post(self, request: Request) -> HttpResponse:
        given = moment(shaped(request.data, ClockBody).now, pointer="/now")
        shows = move_clock(program=self.program, now=given, by=self.key)
        return json_answer(ClockAnswer(now=moment_text(shows, self.program.zone)))


class Backfill(Endpoint):
    """Say that a history is being loaded: until it is off, due work waits for each member's own activity."""

    scopes: ClassVar = {"PUT": "purchases:write"}

    @documented(
        name="backfill",
        summary="Begin or end the loading of a history",
        body=BackfillBody,
        answers={200: BackfillBody},
        errors=[400, 413, 415],
        tag=PROGRAM,
    )
    def put(self, request: Request) -> HttpResponse:
        is_on = shaped(request.data, BackfillBody).on
        set_backfill(program=self.program, is_on=is_on, by=self.key)
        return json_answer(BackfillBody(on=is_on))
