"""Guests' receipts over HTTP."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from loyalty.api.decoding import shaped
from loyalty.api.schema import IDEMPOTENCY_KEY, WAIT, documented
from loyalty.purchases.answers import ActivityAnswer
from loyalty.purchases.api import PURCHASES, ActivityEndpoint
from loyalty.purchases.bodies import MemberName
from loyalty.purchases.inputs import member_name
from loyalty.purchases.models import Activity
from loyalty.purchases.receipts import UnknownReceiptError, claim
from loyalty.rewards import guesses

CODE = OpenApiParameter(
    "code",
    str,
    OpenApiParameter.PATH,
    description="The receipt's code; case, blanks and hyphens do not matter.",
    required=True,
)


class ClaimBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who claims the receipt."""

    member: MemberName


class ReceiptClaim(ActivityEndpoint):
    """Claim a guest's purchase for a member, once."""

    kind = Activity.Kind.PURCHASE
    scopes: ClassVar = {"POST": "purchases:write"}

    @documented(
        name="receipts_claim",
        summary="Claim a guest's purchase for a member; safe to repeat for the same member",
        body=ClaimBody,
        answers={200: ActivityAnswer},
        errors=[400, 404, 409, 413, 415, 422],
        parameters=[CODE, WAIT, IDEMPOTENCY_KEY],
        tag=PURCHASES,
    )
    def post(self, request: Request, code: str) -> HttpResponse:
        member = member_name(shaped(request.data, ClaimBody).member)
        guesses.check(self.key)
        try:
            outcome = claim(program=self.program, code=code, member=member, by=self.key)
        except UnknownReceiptError:
            guesses.missed(self.key, code)
            raise
        return self.recorded(outcome)
