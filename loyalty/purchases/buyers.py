"""Whose activity it is: the members whom bodies name."""

from __future__ import annotations

from collections.abc import Mapping

from loyalty.api.problems import Fault
from loyalty.ledger.members import (
    EXTERNAL,
    MemberBlockedError,
    MemberClosedError,
    UnknownMemberError,
    check_active,
    named,
)
from programs.models import Membership, Program


def members_named(program: Program, references: set[str]) -> dict[str, Membership]:
    """Return the members by the reference they were named with."""
    if not references:
        return {}
    found: dict[str, Membership] = {}
    for member in Membership.objects.filter(named(references), program=program):
        found[member.card] = member
        if member.external_id:
            found[EXTERNAL + member.external_id] = member
    return found


def named_in(members: Mapping[str, Membership], reference: str, *, pointer: str) -> Membership:
    """Return the member whom a body names at ``pointer``; raise UnknownMemberError."""
    member = members.get(reference)
    if member is None:
        raise UnknownMemberError(errors=[Fault(pointer, UnknownMemberError.code, str(UnknownMemberError.title))])
    return member


def member_of(reference: str, members: Mapping[str, Membership]) -> Membership | None:
    """Return the member whose activity it is, None for a guest.

    Raises UnknownMemberError, MemberBlockedError, MemberClosedError.
    """
    if not reference:
        return None
    return active(named_in(members, reference, pointer="/member"))


def active(member: Membership) -> Membership:
    """Return the member whom a body names; raise MemberBlockedError or MemberClosedError with the place."""
    try:
        check_active(member)
    except (MemberBlockedError, MemberClosedError) as refusal:
        raise type(refusal)(errors=[Fault("/member", refusal.code, str(refusal.title))]) from None
    return member
