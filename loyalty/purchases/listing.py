"""Pages of activity, members and entries, by the filters that their lists take.

Newest first by (posted_at, id). Where activity is asked for by when it happened, or members by when they joined, the
list is sorted by that: so the index that finds the period also gives the order, at the same speed for any period.
"""

from __future__ import annotations

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from loyalty.api.filters import UNKNOWN_KIND, UNKNOWN_STATUS, check_parameters, choice, period, text, within
from loyalty.api.pagination import Page, page_of
from loyalty.ledger.lookups import known_tier, known_unit
from loyalty.ledger.members import customers_with_email, members_of
from loyalty.ledger.models import Entry, Transaction
from loyalty.purchases.buyers import members_named, named_in
from loyalty.purchases.inputs import member_name
from loyalty.purchases.models import Activity, ActivityQuerySet
from loyalty.purchases.stores import known_store
from programs.models import Membership, Program

MOMENT = "ISO 8601 with an offset, or a date: the start of its day in the program's zone."
FILTERS = (
    OpenApiParameter("member", str, description="Of this member: a card number or `external_id:…`."),
    OpenApiParameter("status", str, enum=Activity.Status.values, description="As it stands."),
    OpenApiParameter("from", str, description=f"Happened then or later; sorts by when it happened. {MOMENT}"),
    OpenApiParameter("to", str, description=f"Happened before; sorts by when it happened. {MOMENT}"),
)
OF_STORES = (*FILTERS, OpenApiParameter("store", str, description="Of the store of this code."))
OF_MEMBERS = (
    OpenApiParameter("email", str, description="The member with this e-mail address, without regard to case."),
    OpenApiParameter("external_id", str, description="The member with this number of yours."),
    OpenApiParameter("status", str, enum=Membership.Status.values, description="As it stands."),
    OpenApiParameter("tier", str, description="Members who hold the tier of this code."),
    OpenApiParameter("joined_from", str, description=f"Joined then or later; sorts by joining. {MOMENT}"),
    OpenApiParameter("joined_to", str, description=f"Joined before; sorts by joining. {MOMENT}"),
)
OF_ENTRIES = (
    OpenApiParameter("unit", str, description="Of the unit of this code."),
    OpenApiParameter("kind", str, enum=Transaction.Kind.values, description="What moved the units."),
    OpenApiParameter("from", str, description=f"Happened then or later. {MOMENT}"),
    OpenApiParameter("to", str, description=f"Happened before. {MOMENT}"),
)


def page_of_activity(
    request: Request, rows: ActivityQuerySet, *, program: Program, filters: Sequence[OpenApiParameter]
) -> Page[Activity]:
    """Return the page of these rows that is asked for.

    Raises InvalidError, UnknownMemberError, UnknownStoreError.
    """
    check_parameters(request, [one.name for one in filters])
    if status := choice(request, "status", known=Activity.Status.values, code=UNKNOWN_STATUS):
        rows = rows.filter(status=status)
    since, until = period(request, "from", "to", zone=program.zone)
    if given := text(request, "member"):
        reference = member_name(given)
        rows = rows.filter(membership=named_in(members_named(program, {reference}), reference, pointer="/member"))
    if store := text(request, "store"):
        rows = rows.filter(store=known_store(program=program, code=store))
    if since is None and until is None:
        return page_of(request, rows, place=lambda row: row.posted_at)
    rows = rows.filter(**within("occurred_at", since, until))
    return page_of(request, rows, posted_at="occurred_at", place=lambda row: row.occurred_at)


def page_of_members(request: Request, *, program: Program) -> tuple[Page[Membership], str]:
    """Return the page of members that is asked for, and the code of the tier that they are to hold, if any.

    Raises InvalidError, UnknownTierError.
    """
    check_parameters(request, [one.name for one in OF_MEMBERS])
    rows = members_of(program)
    if email := text(request, "email"):
        rows = rows.filter(customer__in=customers_with_email(program, email))
    if external_id := text(request, "external_id"):
        rows = rows.filter(external_id=external_id)
    if status := choice(request, "status", known=Membership.Status.values, code=UNKNOWN_STATUS):
        rows = rows.filter(status=status)
    if tier := text(request, "tier"):
        rows = rows.filter(standing__tier=known_tier(program=program, code=tier))
    since, until = period(request, "joined_from", "joined_to", zone=program.zone)
    if since is None and until is None:
        return page_of(request, rows, posted_at="created_at", place=lambda member: member.created_at), tier
    rows = rows.filter(**within("joined_at", since, until))
    return page_of(request, rows, posted_at="joined_at", place=lambda member: member.joined_at), tier


def page_of_entries(request: Request, *, member: Membership, program: Program) -> Page[Entry]:
    """Return the page of a member's entries that is asked for, always in the order in which they were written.

    Raises InvalidError, UnknownUnitError.
    """
    check_parameters(request, [one.name for one in OF_ENTRIES])
    rows = Entry.objects.filter(program=program, transaction__membership=member, account__membership=member)
    if unit := text(request, "unit"):
        rows = rows.filter(account__unit=known_unit(program=program, code=unit))
    if kind := choice(request, "kind", known=Transaction.Kind.values, code=UNKNOWN_KIND):
        rows = rows.filter(transaction__kind=kind)
    rows = rows.filter(**within("transaction__occurred_at", *period(request, "from", "to", zone=program.zone)))
    return page_of(
        request,
        rows.select_related("transaction", "account__unit"),
        posted_at="transaction__posted_at",
        place=lambda entry: entry.transaction.posted_at,
    )
