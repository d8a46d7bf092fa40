"""Purchases and returns over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request

from loyalty.api.decoding import shaped
from loyalty.api.endpoints import Endpoint, json_answer
from loyalty.api.pagination import PageAnswer, page_of
from loyalty.api.preferences import wait_asked, wait_until
from loyalty.api.problems import NotFoundError, ProblemError, TooLargeError
from loyalty.api.schema import CURSOR, IDEMPOTENCY_KEY, PAGE_SIZE, WAIT, documented
from loyalty.purchases.actions import record_purchases, record_refund
from loyalty.purchases.answers import ActivityAnswer, activity_answers
from loyalty.purchases.bodies import PurchaseBody, RefundBody
from loyalty.purchases.inputs import PurchaseInput, purchase_input, refund_input
from loyalty.purchases.intake import Outcome
from loyalty.purchases.models import Activity, ActivityQuerySet, ReceiptKey

MOST_PURCHASES = 1_000
REFUSED = "refused"
PURCHASES, RETURNS = "Purchases", "Returns"


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 1000 purchases; each is judged by itself."""

    purchases: list[Any]


class DocumentedBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 1000 purchases; each stands alone."""

    purchases: list[PurchaseBody]


class BatchResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one purchase; ``code`` and ``detail`` say why it was refused."""

    external_id: str | None
    status: str
    code: str = ""
    detail: str = ""


class BatchAnswer(msgspec.Struct):
    """One result for each purchase, in their order."""

    results: list[BatchResult]


class ActivityEndpoint(Endpoint):
    """What purchases and returns have in common."""

    kind: ClassVar[str]

    def rows(self) -> ActivityQuerySet:
        """Return this kind's activity of the program, with what an answer needs."""
        rows = Activity.objects.filter(program=self.program, kind=self.kind)
        return rows.select_related("membership__customer", "store", "judgement").prefetch_related("awards__unit")

    def shown(self, rows: Any) -> list[ActivityAnswer]:
        """Return the rows as the caller reads them."""
        language = self.request.headers.get("Accept-Language", "")
        return activity_answers(list(rows), program=self.program, accept_language=language)

    def recorded(self, outcome: Outcome) -> HttpResponse:
        """Answer with the activity, once it is settled where the caller prefers to wait."""
        if outcome.problem is not None:
            raise outcome.problem
        activity_id = outcome.activity_id
        assert activity_id is not None
        seconds = wait_asked(self.request.headers.get("Prefer", ""))
        if seconds is not None:
            wait_until(lambda: _is_settled(activity_id), seconds=seconds)
        (answer,) = self.shown(self.rows().filter(pk=activity_id))
        headers = {} if seconds is None else {"Preference-Applied": f"wait={seconds}"}
        return json_answer(answer, status=201 if outcome.is_new else 200, headers=headers)

    def listed(self, request: Request) -> HttpResponse:
        """Answer with a page of this kind's activity, newest first."""
        page = page_of(request, self.rows(), place=lambda row: row.posted_at)
        return json_answer(PageAnswer(results=self.shown(page.rows), next=page.next, previous=page.previous))

    def single(self, external_id: str) -> HttpResponse:
        """Answer with the activity of this external_id."""
        if "\x00" in external_id or len(external_id) > 128:
            raise NotFoundError
        key = ReceiptKey.objects.filter(program=self.program, kind=self.kind, external_id=external_id)
        found = self.shown(self.rows().filter(pk__in=key.values("activity_id")))
        if not found:
            raise NotFoundError
        return json_answer(found[0])


def _is_settled(activity_id: UUID) -> bool:
    """Whether waiting is over, or would be in vain since it is not due yet."""
    due = Activity.objects.awaiting_accrual(at=datetime.now(UTC))
    return not due.filter(pk=activity_id).exists()


class Purchases(ActivityEndpoint):
    """Record a purchase once, however often it is sent; list what was recorded."""

    kind = Activity.Kind.PURCHASE
    scopes: ClassVar = {"GET": "purchases:read", "POST": "purchases:write"}

    @documented(
        name="purchases_list",
        summary="List purchases, newest first",
        answers={200: PageAnswer[ActivityAnswer]},
        errors=[400],
        parameters=[CURSOR, PAGE_SIZE],
        tag=PURCHASES,
    )
    def get(self, request: Request) -> HttpResponse:
        return self.listed(request)

    @documented(
        name="purchases_create",
        summary="Record a purchase",
        body=PurchaseBody,
        answers={201: ActivityAnswer, 200: ActivityAnswer},
        errors=[400, 404, 409, 413, 415, 422, 429],
        parameters=[WAIT, IDEMPOTENCY_KEY],
        tag=PURCHASES,
    )
    def post(self, request: Request) -> HttpResponse:
        item = purchase_input(request.data, program=self.program)
        (outcome,) = record_purchases(program=self.program, items=[item], by=self.key)
        return self.recorded(outcome)


class Purchase(ActivityEndpoint):
    """One purchase."""

    kind = Activity.Kind.PURCHASE
    scopes: ClassVar = {"GET": "purchases:read"}

    @documented(
        name="purchases_read",
        summary="Show a purchase, what it earned and why",
        answers={200: ActivityAnswer},
        errors=[404],
        tag=PURCHASES,
    )
    def get(self, request: Request, external_id: str) -> HttpResponse:
        return self.single(external_id)


class PurchaseBatch(Endpoint):
    """Record up to 1000 purchases at once; each stands alone."""

    scopes: ClassVar = {"POST": "purchases:write"}

    @documented(
        name="purchases_batch",
        summary="Record up to 1000 purchases; each stands alone",
        body=DocumentedBatch,
        answers={200: BatchAnswer},
        errors=[400, 409, 413, 415, 422],
        parameters=[IDEMPOTENCY_KEY],
        tag=PURCHASES,
    )
    def post(self, request: Request) -> HttpResponse:
        bodies = shaped(request.data, BatchBody).purchases
        if len(bodies) > MOST_PURCHASES:
            raise TooLargeError
        parsed = [self._parsed(body, position) for position, body in enumerate(bodies)]
        items = [item for item in parsed if isinstance(item, PurchaseInput)]
        outcomes = iter(record_purchases(program=self.program, items=items, by=self.key) if items else [])
        results = [
            _result(next(outcomes)) if isinstance(item, PurchaseInput) else _refused(_external_id(body), item)
            for item, body in zip(parsed, bodies, strict=True)
        ]
        return json_answer(BatchAnswer(results=results))

    def _parsed(self, body: Any, position: int) -> PurchaseInput | ProblemError:
        try:
            return purchase_input(body, program=self.program, position=position)
        except ProblemError as problem:
            return problem


def _external_id(body: Any) -> str | None:
    found = body.get("external_id") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _result(outcome: Outcome) -> BatchResult:
    if outcome.problem is not None:
        return _refused(outcome.external_id, outcome.problem)
    return BatchResult(external_id=outcome.external_id, status=outcome.status)


def _refused(external_id: str | None, problem: ProblemError) -> BatchResult:
    where = problem.errors[0].pointer if problem.errors else ""
    detail = f"{where}: {problem.detail}" if where else str(problem.detail)
    return BatchResult(external_id=external_id, status=REFUSED, code=problem.code, detail=detail)


class Refunds(ActivityEndpoint):
    """Record a return once; list what was returned."""

    kind = Activity.Kind.REFUND
    scopes: ClassVar = {"GET": "purchases:read", "POST": "refunds:write"}

    @documented(
        name="refunds_list",
        summary="List returns, newest first",
        answers={200: PageAnswer[ActivityAnswer]},
        errors=[400],
        parameters=[CURSOR, PAGE_SIZE],
        tag=RETURNS,
    )
    def get(self, request: Request) -> HttpResponse:
        return self.listed(request)

    @documented(
        name="refunds_create",
        summary="Return a purchase or parts of it; one still to come is waited for",
        body=RefundBody,
        answers={201: ActivityAnswer, 200: ActivityAnswer},
        errors=[400, 404, 409, 413, 415, 422, 429],
        parameters=[WAIT, IDEMPOTENCY_KEY],
        tag=RETURNS,
    )
    def post(self, request: Request) -> HttpResponse:
        item = refund_input(request.data, program=self.program)
        return self.recorded(record_refund(program=self.program, item=item, by=self.key))


class Refund(ActivityEndpoint):
    """One return."""

    kind = Activity.Kind.REFUND
    scopes: ClassVar = {"GET": "purchases:read"}

    @documented(
        name="refunds_read",
        summary="Show a return, what it took back and why",
        answers={200: ActivityAnswer},
        errors=[404],
        tag=RETURNS,
    )
    def get(self, request: Request, external_id: str) -> HttpResponse:
        return self.single(external_id)
