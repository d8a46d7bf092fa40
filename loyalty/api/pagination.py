"""Keyset pages, newest first by (posted_at, id): as fast on the last page as on the first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from loyalty.api.problems import field_code, invalid

PAGE_SIZE, LARGEST_PAGE = 50, 200

BAD_CURSOR = field_code(
    "bad-cursor", title=_("This page cannot be found"), cure=_("Follow the links “next” and “previous” as they are.")
)
BAD_PAGE_SIZE = field_code(
    "bad-page-size", title=_("The size of a page is not a number"), cure=_("Ask for 1 to 200 at a time.")
)

M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True)
class Cursor:
    """A place in a list: what lies before or after this row."""

    posted_at: datetime
    id: UUID
    is_backwards: bool = False

    def __str__(self) -> str:
        text = f"{'p' if self.is_backwards else 'n'}{self.posted_at.astimezone(UTC).isoformat()}|{self.id.hex}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, given: str) -> Cursor:
        """Return the cursor in this text; raise InvalidError if there is none."""
        try:
            text = base64.urlsafe_b64decode(given.encode("ascii") + b"===").decode("ascii")
            posted_at, _bar, row = text[1:].partition("|")
            parsed = datetime.fromisoformat(posted_at)
            if text[0] not in "pn" or parsed.tzinfo is None:
                raise ValueError(text)
            return cls(posted_at=parsed.astimezone(UTC), id=UUID(hex=row), is_backwards=text[0] == "p")
        except (ValueError, IndexError, OverflowError, binascii.Error):
            raise invalid("/cursor", BAD_CURSOR) from None


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows of one page and the addresses of its neighbours."""

    rows: Sequence[M]
    next: str | None
    previous: str | None


class PageAnswer(msgspec.Struct, Generic[T]):
    """The body of every list."""

    results: list[T]
    next: str | None
    previous: str | None


def page_of(
    request: Request, rows: QuerySet[M], *, posted_at: str = "posted_at", place: Callable[[M], datetime]
) -> Page[M]:
    """Return the page that ``?cursor=&page_size=`` asks for; ``place`` reads the time a row is sorted by."""
    size = _size(request.query_params.get("page_size"))
    given = request.query_params.get("cursor")
    cursor = Cursor.parse(given) if given else None
    found = list(_slice(rows, cursor, posted_at)[: size + 1])
    has_more = len(found) > size
    found = found[:size]
    is_backwards = cursor is not None and cursor.is_backwards
    if is_backwards:
        found.reverse()
    has_next = has_more or is_backwards
    has_previous = has_more if is_backwards else cursor is not None
    return Page(
        rows=found,
        next=_address(request, found[-1], place, is_backwards=False) if found and has_next else None,
        previous=_address(request, found[0], place, is_backwards=True) if found and has_previous else None,
    )


def _size(given: str | None) -> int:
    if not given:
        return PAGE_SIZE
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and int(given)):
        raise invalid("/page_size", BAD_PAGE_SIZE)
    return min(int(given), LARGEST_PAGE)


def _slice(rows: QuerySet[M], cursor: Cursor | None, posted_at: str) -> QuerySet[M]:
    if cursor is None:
        return rows.order_by(f"-{posted_at}", "-id")
    side = "gt" if cursor.is_backwards else "lt"
    # The first condition alone lets the index find the place; the second is exact.
    bound: dict[str, Any] = {f"{posted_at}__{side}e": cursor.posted_at}
    beyond = Q(**{f"{posted_at}__{side}": cursor.posted_at}) | Q(**{f"id__{side}": cursor.id})
    order = (posted_at, "id") if cursor.is_backwards else (f"-{posted_at}", "-id")
    return rows.filter(beyond, **bound).order_by(*order)


def _address(request: Request, row: M, place: Callable[[M], datetime], *, is_backwards: bool) -> str:
    cursor = Cursor(posted_at=place(row), id=row.pk, is_backwards=is_backwards)
    query = {**request.query_params.dict(), "cursor": str(cursor)}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
