"""Rewards, redemptions and vouchers over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from loyalty.api.endpoints import Endpoint, json_answer
from loyalty.api.pagination import PageAnswer, page_of
from loyalty.api.preferences import language_for
from loyalty.api.problems import Fault
from loyalty.api.schema import CURSOR, IDEMPOTENCY_KEY, MEMBER, PAGE_SIZE, documented
from loyalty.ledger.folding import present_moment
from loyalty.ledger.members import UnknownMemberError, find_member
from loyalty.ledger.models import Standing
from loyalty.rewards import actions, guesses
from loyalty.rewards.answers import (
    RedemptionAnswer,
    RewardAnswer,
    VoucherAnswer,
    redemption_answer,
    reward_answer,
    voucher_answer,
)
from loyalty.rewards.inputs import RedemptionBody, VoucherRedeemBody, redemption_input, voucher_redeem_input
from loyalty.rewards.lookups import find_redemption, find_voucher
from loyalty.rewards.models import Redemption as RedemptionRow
from loyalty.rewards.models import Voucher as VoucherRow
from loyalty.rewards.problems import UnknownRedemptionError, UnknownVoucherError
from loyalty.rewards.queries import bring, offers_of
from programs.models import Membership

REWARDS = "Rewards"
REDEMPTION = OpenApiParameter(
    "redemption", str, OpenApiParameter.PATH, description="The id, or the code that the customer shows.", required=True
)
CODE = OpenApiParameter(
    "code", str, OpenApiParameter.PATH, description="The code; case, blanks and hyphens do not matter.", required=True
)


class RewardsEndpoint(Endpoint):
    """What these calls have in common: the language of their sentences, and codes that cannot be tried out."""

    @contextmanager
    def language_of(self, member: Membership) -> Iterator[None]:
        """Speak the caller's language, else the member's, else the program's."""
        asked = self.request.headers.get("Accept-Language", "")
        with translation.override(language_for(asked, member.customer.language, self.program.language)):
            yield

    def redemption(self, reference: str) -> RedemptionRow:
        """Return the redemption of an id or a code; what is not there counts as a guess."""
        guesses.check(self.key)
        try:
            return find_redemption(program=self.program, reference=reference)
        except UnknownRedemptionError:
            guesses.missed(self.key, reference)
            raise

    def voucher(self, code: str) -> VoucherRow:
        """Return the voucher of a code; what is not there counts as a guess."""
        guesses.check(self.key)
        try:
            return find_voucher(program=self.program, code=code)
        except UnknownVoucherError:
            guesses.missed(self.key, code)
            raise

    def answered(self, row: RedemptionRow, *, status: int = 200) -> HttpResponse:
        """Answer with a redemption."""
        with self.language_of(row.membership):
            return json_answer(redemption_answer(row, program=self.program), status=status)


class Rewards(RewardsEndpoint):
    """What a member can have."""

    scopes: ClassVar = {"GET": "rewards:read"}

    @documented(
        name="members_rewards",
        summary="List what a member can have, and why not yet",
        answers={200: PageAnswer[RewardAnswer]},
        errors=[404],
        parameters=[MEMBER],
        tag=REWARDS,
    )
    def get(self, request: Request, member: str) -> HttpResponse:
        found = find_member(program=self.program, reference=member)
        with self.language_of(found):
            offers = offers_of(found)
            results = [reward_answer(offer, program=self.program) for offer in offers.offers]
        return json_answer(PageAnswer(results=results, next=None, previous=None))


class Vouchers(RewardsEndpoint):
    """What a member holds."""

    scopes: ClassVar = {"GET": "rewards:read"}

    @documented(
        name="members_vouchers",
        summary="List a member's vouchers, newest first",
        answers={200: PageAnswer[VoucherAnswer]},
        errors=[400, 404],
        parameters=[MEMBER, CURSOR, PAGE_SIZE],
        tag=REWARDS,
    )
    def get(self, request: Request, member: str) -> HttpResponse:
        found = find_member(program=self.program, reference=member)
        now = present_moment(found, bring(found))
        rows = VoucherRow.objects.filter(program=self.program, membership=found)
        page = page_of(request, rows, place=lambda row: row.posted_at)
        with self.language_of(found):
            results = [voucher_answer(row, program=self.program, now=now) for row in page.rows]
        return json_answer(PageAnswer(results=results, next=page.next, previous=page.previous))


class VoucherEndpoint(RewardsEndpoint):
    """What the calls of one voucher have in common."""

    def shown(self, row: VoucherRow) -> HttpResponse:
        """Answer with a voucher as it stands at its member's present."""
        standing = Standing.objects.get(pk=row.membership_id)
        now = present_moment(row.membership, standing)
        with self.language_of(row.membership):
            return json_answer(voucher_answer(row, program=self.program, now=now))


class Voucher(VoucherEndpoint):
    """One voucher."""

    scopes: ClassVar = {"GET": "rewards:read"}

    @documented(
        name="vouchers_read",
        summary="Show a voucher",
        answers={200: VoucherAnswer},
        errors=[404, 429],
        parameters=[CODE],
        tag=REWARDS,
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        return self.shown(self.voucher(code))


class VoucherRedeem(VoucherEndpoint):
    """Use a voucher, once."""

    scopes: ClassVar = {"POST": "vouchers:write"}

    @documented(
        name="vouchers_redeem",
        summary="Use a voucher; safe to repeat with the same redemption_ref",
        body=VoucherRedeemBody,
        answers={200: VoucherAnswer},
        errors=[400, 404, 409, 413, 415, 422, 429],
        parameters=[CODE, IDEMPOTENCY_KEY],
        tag=REWARDS,
    )
    def post(self, request: Request, code: str) -> HttpResponse:
        given = voucher_redeem_input(request.data, program=self.program)
        row = self.voucher(code)
        with self.language_of(row.membership):
            row = actions.redeem_voucher(voucher=row, ref=given.ref, basket=given.basket, by=self.key)
        return self.shown(row)


class Redemptions(RewardsEndpoint):
    """Set the units of a reward aside."""

    scopes: ClassVar = {"POST": "redemptions:write"}

    @documented(
        name="redemptions_create",
        summary="Reserve a reward for 15 minutes",
        body=RedemptionBody,
        answers={201: RedemptionAnswer},
        errors=[400, 404, 409, 413, 415, 422],
        parameters=[IDEMPOTENCY_KEY],
        tag=REWARDS,
    )
    def post(self, request: Request) -> HttpResponse:
        given = redemption_input(request.data, program=self.program)
        member = self._member(given.member)
        with self.language_of(member):
            row = actions.reserve(membership=member, reward=given.reward, ask=given.ask, by=self.key)
        return self.answered(row, status=201)

    def _member(self, reference: str) -> Membership:
        try:
            return find_member(program=self.program, reference=reference)
        except UnknownMemberError:
            fault = Fault("/member", UnknownMemberError.code, str(UnknownMemberError.title))
            raise UnknownMemberError(errors=[fault]) from None


class Redemption(RewardsEndpoint):
    """One redemption."""

    scopes: ClassVar = {"GET": "rewards:read"}

    @documented(
        name="redemptions_read",
        summary="Show a redemption",
        answers={200: RedemptionAnswer},
        errors=[404, 429],
        parameters=[REDEMPTION],
        tag=REWARDS,
    )
    def get(self, request: Request, redemption: str) -> HttpResponse:
        row = self.redemption(redemption)
        if row.status == RedemptionRow.Status.RESERVED:
            bring(row.membership)  # Its time may be up.
            row = self.redemption(str(row.pk))
        return self.answered(row)


class RedemptionCapture(RewardsEndpoint):
    """Spend what is set aside."""

    scopes: ClassVar = {"POST": "redemptions:write"}

    @documented(
        name="redemptions_capture",
        summary="Spend what is set aside; safe to repeat",
        answers={200: RedemptionAnswer},
        errors=[400, 404, 409, 413, 415, 422, 429],
        parameters=[REDEMPTION, IDEMPOTENCY_KEY],
        tag=REWARDS,
    )
    def post(self, request: Request, redemption: str) -> HttpResponse:
        row = self.redemption(redemption)
        with self.language_of(row.membership):
            return self.answered(self._again(actions.capture(redemption=row, by=self.key)))

    def _again(self, row: RedemptionRow) -> RedemptionRow:
        return find_redemption(program=self.program, reference=str(row.pk))


class RedemptionRelease(RedemptionCapture):
    """Give free what is set aside."""

    @documented(
        name="redemptions_release",
        summary="Give free what is set aside; safe to repeat",
        answers={200: RedemptionAnswer},
        errors=[400, 404, 409, 413, 415, 422, 429],
        parameters=[REDEMPTION, IDEMPOTENCY_KEY],
        tag=REWARDS,
    )
    def post(self, request: Request, redemption: str) -> HttpResponse:
        row = self.redemption(redemption)
        with self.language_of(row.membership):
            return self.answered(self._again(actions.release(redemption=row, by=self.key)))
