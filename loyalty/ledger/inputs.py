"""The body with which a member is enrolled."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _
from msgspec import Meta

from loyalty.api.decoding import shaped
from loyalty.api.formats import moment
from loyalty.api.problems import field_code, invalid
from loyalty.ledger.members import MemberDetails

NOT_A_DATE = field_code("not-a-date", title=_("This is not a date"), cure=_("Send such as 1990-04-30."))


class CorrectionBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be set of a member; null leaves a field as it is, an empty text clears it."""

    external_id: Annotated[str, Meta(max_length=128)] | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    phone: Annotated[str, Meta(max_length=32)] | None = None
    first_name: Annotated[str, Meta(max_length=150)] | None = None
    last_name: Annotated[str, Meta(max_length=150)] | None = None
    birth_date: Annotated[str, Meta(max_length=10, examples=["1990-04-30"])] | None = None
    language: Annotated[str, Meta(max_length=10, pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")] | None = None


class MemberBody(CorrectionBody, kw_only=True):
    """Who joins; every field may be left out."""

    joined_at: Annotated[str, Meta(max_length=64, examples=["2026-03-29T10:15:00+02:00"])] | None = None


def member_details(body: Any) -> MemberDetails:
    """Return what is known of someone who joins, or raise InvalidError with the pointer of what is wrong."""
    given = shaped(body, MemberBody)
    return MemberDetails(
        external_id=given.external_id or "",
        email=(given.email or "").strip(),
        phone=given.phone or "",
        first_name=given.first_name or "",
        last_name=given.last_name or "",
        birth_date=_date(given.birth_date),
        language=(given.language or "").lower(),
        joined_at=moment(given.joined_at, pointer="/joined_at") if given.joined_at else None,
    )


def member_changes(body: Any) -> dict[str, str | date | None]:
    """Return the fields to set, by name; raise InvalidError with the pointer of what is wrong."""
    given = shaped(body, CorrectionBody)
    changes: dict[str, str | date | None] = {
        name: value for name, value in msgspec.structs.asdict(given).items() if value is not None
    }
    if given.email is not None:
        changes["email"] = given.email.strip()
    if given.birth_date is not None:
        changes["birth_date"] = _date(given.birth_date)
    if given.language is not None:
        changes["language"] = given.language.lower()
    return changes


def _date(given: str | None) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise invalid("/birth_date", NOT_A_DATE) from None
