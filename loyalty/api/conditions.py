"""Conditional requests (RFC 9110): a state has an entity tag, to ask for it anew, or to change it only if it stands.

Tags are weak: they name the state, while ``as_of`` goes with the time. ``If-Match`` takes them nevertheless, as OData's
does, since what must not be lost is a change of state.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import ProblemError

ANY = "*"


class PreconditionFailedError(ProblemError):
    """What was to be changed has changed meanwhile."""

    status, code = 412, "precondition-failed"
    title = _("This has changed since it was read")
    cure = _("Read it again, and send the change with the new ETag, or without “If-Match”.")


def etag_of(shown: Any) -> str:
    """Return the entity tag of a state: of the struct that is shown, without what goes with the time alone."""
    digest = hashlib.sha256(msgspec.json.encode(shown)).digest()
    return f'W/"{base64.urlsafe_b64encode(digest[:15]).decode()}"'


def is_known(header: str | None, etag: str) -> bool:
    """Return whether ``If-None-Match`` names the state, so that it need not be sent."""
    return header is not None and _names(header, etag)


def check_unchanged(header: str, etag: str) -> None:
    """Raise PreconditionFailedError unless ``If-Match`` names the state."""
    if not _names(header, etag):
        raise PreconditionFailedError


def not_modified() -> HttpResponse:
    """Return the answer to whoever has the state already."""
    response = HttpResponse(status=304)
    del response["Content-Type"]
    return response


def _names(header: str, etag: str) -> bool:
    given = parse_etags(header)
    return given == [ANY] or etag.removeprefix("W/") in {one.removeprefix("W/") for one in given}
