"""The one base of every API view: keys, problems, idempotency, bytes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse
from django.urls.converters import StringConverter
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from loyalty.api import conditions, idempotency, limits
from loyalty.api.problems import NotFoundError
from programs.models import ApiKey, Program


class AlwaysJson(BaseContentNegotiation):
    """Read by Content-Type; answer with JSON whatever is asked for: there is nothing else."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        given = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


def json_answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a struct or plain value as a JSON answer."""
    return HttpResponse(
        msgspec.json.encode(body), status=status, content_type="application/json", headers=dict(headers or {})
    )


class Endpoint(APIView):
    """A view for till keys. ``scopes`` names the scope of each method."""

    scopes: ClassVar[Mapping[str, str]] = {}
    http_method_names = ("get", "post", "put", "patch", "head")
    content_negotiation_class = AlwaysJson

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Members' data is nobody's to keep on the way."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    @property
    def key(self) -> ApiKey:
        """The key that calls."""
        assert isinstance(self.request.auth, ApiKey)
        return self.request.auth

    @property
    def program(self) -> Program:
        """The program of the key: everything is looked for in it alone."""
        return self.key.program

    def stated(self, answer: Any, *, etag: str) -> HttpResponse:
        """Answer with a state and its tag, or with 304 to whoever has it already."""
        self.headers.update({"ETag": etag, "Cache-Control": "private, no-cache"})
        if conditions.is_known(self.request.headers.get("If-None-Match"), etag):
            return conditions.not_modified()
        return json_answer(answer)

    def perform_authentication(self, request: Request) -> None:
        """Find the key, and count the call: every answer from here on tells what is left, refusals too."""
        super().perform_authentication(request)
        if isinstance(request.auth, ApiKey):
            allowance = limits.spend(request.auth)
            self.headers.update(allowance.headers)
            allowance.check()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        handler = getattr(self, str(request.method).lower(), None)
        if request.method == "POST" and handler is not None and "Idempotency-Key" in request.headers:
            setattr(self, "post", self._once(handler))  # noqa: B010 -- on this one request's view

    def _once(self, handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Return the handler, answering from the store where the key was answered before."""

        def post(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            claimed = idempotency.claim(
                program=self.program,
                key=request.headers["Idempotency-Key"],
                path=request.path,
                body=request.data,
                now=datetime.now(UTC),
            )
            if isinstance(claimed, idempotency.Replay):
                return _replayed(claimed)
            try:
                response = handler(request, *args, **kwargs)
            except BaseException:
                idempotency.give_up(claimed)
                raise
            idempotency.keep(claimed, status=response.status_code, body=response.content)
            return response

        return post


def _replayed(replay: idempotency.Replay) -> HttpResponse:
    return HttpResponse(
        replay.body,
        status=replay.status,
        content_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )


class UnknownAddress(Endpoint):
    """Any other address under the API: 404 as a problem, to everyone alike."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFoundError


class AnythingConverter(StringConverter):
    """A part of an address with any character in it: an external_id is the caller's own."""

    regex = "(?s:.+)"
