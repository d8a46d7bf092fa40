"""Problems by RFC 9457: small exceptions beside the verbs that raise them, and how they are answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError, connections
from django.http import Http404, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions

MEDIA_TYPE = "application/problem+json"

Text = str | Promise

logger = logging.getLogger(__name__)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field; ``pointer`` is a JSON pointer (RFC 6901) into the body."""

    pointer: str
    code: str
    detail: str


class ProblemAnswer(msgspec.Struct, omit_defaults=True, rename={"kind": "type"}):
    """The body of every answer that is not a success."""

    kind: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault] = []


@dataclass(frozen=True)
class Meaning:
    """What a code stands for, as its page says it."""

    status: int
    title: Text
    cure: Text


CATALOGUE: dict[str, Meaning] = {}


def field_code(code: str, *, title: Text, cure: Text) -> str:
    """Enter a code for bad content into the catalogue and return it."""
    CATALOGUE[code] = Meaning(status=400, title=title, cure=cure)
    return code


class ProblemError(Exception):
    """A refusal that the caller is told about; each code is a subclass with its status, title and cure."""

    status: ClassVar[int] = 400
    title: ClassVar[Text] = ""
    cure: ClassVar[Text] = ""
    code: str = ""

    def __init__(self, detail: Text = "", *, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None):
        self.detail: Text = detail or self.title
        self.errors = list(errors)
        self.headers = dict(headers or {})
        super().__init__(self.code)

    def __init_subclass__(cls) -> None:
        if cls.code:
            CATALOGUE[cls.code] = Meaning(status=cls.status, title=cls.title, cure=cls.cure)

    @property
    def heading(self) -> Text:
        """The title of the code, in the reader's language."""
        return CATALOGUE[self.code].title


class InvalidError(ProblemError):
    """Content that cannot be taken: 400 under the code of its first fault."""

    def __init__(self, errors: Sequence[Fault]) -> None:
        super().__init__(errors[0].detail, errors=errors)
        self.code = errors[0].code


def invalid(pointer: str, code: str, detail: Text = "") -> InvalidError:
    """Return the refusal of one field."""
    return InvalidError([Fault(pointer=pointer, code=code, detail=str(detail or CATALOGUE[code].title))])


class KeyMissingError(ProblemError):
    """No key was given."""

    status, code = 401, "key-missing"
    title = _("A key is needed")
    cure = _("Send the header “Authorization: Bearer” with a till key of your program.")


class KeyUnknownError(ProblemError):
    """The key opens nothing (any more)."""

    status, code = 401, "key-unknown"
    title = _("This key opens nothing")
    cure = _("The key was mistyped, has expired or was revoked. Ask the owner of the program for a new one.")


class ScopeMissingError(ProblemError):
    """The key may not do this."""

    status, code = 403, "scope-missing"
    title = _("This key may not do that")
    cure = _("Use a key with the scope that the call needs.")


class NotFoundError(ProblemError):
    """There is no such thing in this program."""

    status, code = 404, "not-found"
    title = _("There is nothing here")
    cure = _("Check the address, which ends with a slash, and the identifier. A key sees its own program alone.")


class MethodNotAllowedError(ProblemError):
    """The address does not take this method."""

    status, code = 405, "method-not-allowed"
    title = _("This address does not take that method")
    cure = _("The header “Allow” names the methods that it takes.")


class TooLargeError(ProblemError):
    """The body is too large."""

    status, code = 413, "too-large"
    title = _("That is too much at once")
    cure = _("Send less at a time: at most 10 MB, and at most 1000 purchases in a batch.")


class MediaTypeError(ProblemError):
    """The body is of another type than JSON."""

    status, code = 415, "unsupported-media-type"
    title = _("The body must be JSON")
    cure = _("Send the header “Content-Type: application/json”.")


class ThrottledError(ProblemError):
    """Too many calls."""

    status, code = 429, "too-many-requests"
    title = _("Too many requests")
    cure = _("Wait as many seconds as the header “Retry-After” says.")


class ServerError(ProblemError):
    """A fault of ours."""

    status, code = 500, "server-error"
    title = _("Something went wrong on our side")
    cure = _("Try again with the same external_id: nothing counts twice. The fault has been logged.")


class UnavailableError(ProblemError):
    """The database does not answer at the moment."""

    status, code = 503, "unavailable"
    title = _("Not available at the moment")
    cure = _("Try again after as many seconds as the header “Retry-After” says: nothing counts twice.")


def answer(problem: ProblemError) -> HttpResponse:
    """Return the problem as ``application/problem+json``."""
    body = ProblemAnswer(
        kind=f"/api/problems/{problem.code}/",
        title=str(problem.heading),
        status=problem.status,
        detail=str(problem.detail),
        code=problem.code,
        errors=problem.errors,
    )
    response = HttpResponse(msgspec.json.encode(body), content_type=MEDIA_TYPE, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def handle(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer whatever a view raised; what nobody foresaw is logged and answered with 500."""
    _roll_back()
    problem = _as_problem(exc)
    if problem.status >= 500:
        request = context.get("request")
        logger.error("%s at %s", problem.code, getattr(request, "path", ""), exc_info=exc)
    return answer(problem)


def _roll_back() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


def _as_problem(exc: Exception) -> ProblemError:
    match exc:
        case ProblemError():
            return exc
        case Http404() | exceptions.NotFound():
            return NotFoundError()
        case exceptions.NotAuthenticated():
            return KeyMissingError()
        case exceptions.AuthenticationFailed():
            return KeyUnknownError()
        case PermissionDenied() | exceptions.PermissionDenied():
            return ScopeMissingError()
        case exceptions.MethodNotAllowed():
            return MethodNotAllowedError()
        case exceptions.UnsupportedMediaType():
            return MediaTypeError()
        case RequestDataTooBig():
            return TooLargeError()
        case OperationalError():
            return UnavailableError(headers={"Retry-After": "2"})
        case _:
            return ServerError()
