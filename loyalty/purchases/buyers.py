"""Whose activity it is: the members whom bodies name."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Fault, ProblemError
from loyalty.ledger.members import EXTERNAL, UnknownMemberError, named
from programs.models import Membership, Program


class MemberBlockedError(ProblemError):
    """The member is blocked."""

    status, code = 409, "member-blocked"
    title = _("The member is blocked")
    cure = _("The business has blocked this member. Send the purchase without one, or ask the business.")


class MemberClosedError(ProblemError):
    """The membership has ended."""

    status, code = 409, "member-closed"
    title = _("The membership has ended")
    cure = _("Send the purchase without a member.")


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
    member = named_in(members, reference, pointer="/member")
    if member.status == Membership.Status.BLOCKED:
        raise MemberBlockedError
    if member.status == Membership.Status.CLOSED:
        raise MemberClosedError
    return member
