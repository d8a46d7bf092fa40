"""What a list is asked for: each parameter is checked, and one that the list does not know is refused.

A misspelled filter that silently shows everything would be worse than a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, tzinfo

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from loyalty.api.decoding import NUL_CHARACTER, TOO_LONG, pointer
from loyalty.api.formats import moment
from loyalty.api.problems import CATALOGUE, Fault, InvalidError, field_code, invalid

PAGING = ("cursor", "page_size")
LONGEST = 254

UNKNOWN_PARAMETER = field_code(
    "unknown-parameter",
    title=_("The list has no such parameter"),
    cure=_("Correct the name of the parameter, or leave it out."),
)
UNKNOWN_STATUS = field_code(
    "unknown-status", title=_("There is no such status"), cure=_("Send one of those that the API's pages name.")
)
UNKNOWN_KIND = field_code(
    "unknown-kind", title=_("There is no such kind"), cure=_("Send one of those that the API's pages name.")
)
ENDS_BEFORE_START = field_code(
    "ends-before-start", title=_("The end lies before the start"), cure=_("Send an end after the start.")
)

# A plus sign that was not written as %2B arrives as a blank.
_LOST_PLUS = re.compile(r"^(\S+T\S+) (\d\d:?\d\d)$")


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Refuse parameters beside these and those of paging."""
    unknown = sorted(request.query_params.keys() - {*PAGING, *known})
    if unknown:
        detail = str(CATALOGUE[UNKNOWN_PARAMETER].title)
        raise InvalidError([Fault(pointer((name,)), UNKNOWN_PARAMETER, detail) for name in unknown])


def text(request: Request, name: str) -> str:
    """Return the parameter, empty without one; refuse what no column could hold."""
    given = request.query_params.get(name) or ""
    if "\x00" in given:
        raise invalid(f"/{name}", NUL_CHARACTER)
    if len(given) > LONGEST:
        raise invalid(f"/{name}", TOO_LONG)
    return given


def choice(request: Request, name: str, *, known: Iterable[str], code: str) -> str:
    """Return the parameter, empty without one; refuse under ``code`` what is not known."""
    given = text(request, name)
    if given and given not in set(known):
        raise invalid(f"/{name}", code)
    return given


def period(request: Request, first: str, last: str, *, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return the moments from which and before which; a date alone is the start of its day in the zone."""
    since, until = _moment(request, first, zone), _moment(request, last, zone)
    if since is not None and until is not None and until < since:
        raise invalid(f"/{last}", ENDS_BEFORE_START)
    return since, until


def within(column: str, since: datetime | None, until: datetime | None) -> dict[str, datetime]:
    """Return the conditions that keep a column between the two."""
    bounds = {f"{column}__gte": since, f"{column}__lt": until}
    return {name: at for name, at in bounds.items() if at is not None}


def _moment(request: Request, name: str, zone: tzinfo) -> datetime | None:
    given = text(request, name)
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return moment(_LOST_PLUS.sub(r"\1+\2", given), pointer=f"/{name}")
    midnight = datetime.combine(day, time(), tzinfo=zone) if 1 < day.year < 9999 else datetime.combine(day, time(), UTC)
    return moment(midnight.isoformat(), pointer=f"/{name}")
