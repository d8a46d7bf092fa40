"""Enrolment: a customer of the business becomes a member of a program, with a card and open books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer
from loyalty.api.problems import ProblemError, field_code, invalid
from loyalty.ledger.actions import NoTermsInForceError, open_books
from loyalty.ledger.running import check_may_join
from programs.cards import new_card, normal
from programs.models import ApiKey, Membership, Program

log = structlog.get_logger(__name__)

EXTERNAL = "external_id:"
TRIES = 5  # Against a twin that enrols the same person, and against the same random card number.

NOT_AN_EMAIL = field_code(
    "not-an-email", title=_("This is not an e-mail address"), cure=_("Correct the address, or leave it out.")
)
JOINED_IN_FUTURE = field_code(
    "joined-in-future", title=_("Nobody has joined in the future"), cure=_("Send a joined_at up to now, or none.")
)


class UnknownMemberError(ProblemError):
    """No member of this program has that card number or external_id."""

    status, code = 404, "unknown-member"
    title = _("There is no such member in this program")
    cure = _("Send a card number of 12 digits, or “external_id:” and the number that you enrolled the member with.")


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


class MemberConflictError(ProblemError):
    """The external_id and the e-mail address belong to two members."""

    status, code = 409, "member-conflict"
    title = _("The external_id and the e-mail address belong to two different members")
    cure = _("Leave one of them out, or correct the member that has the wrong one.")


class NoTermsError(ProblemError):
    """The program has no published terms yet."""

    status, code = 409, "no-terms"
    title = _("The program has no published terms yet")
    cure = _("Publish the first version of the program's terms.")


@dataclass(frozen=True)
class MemberDetails:
    """What is known of someone who joins; empty where it is not."""

    external_id: str = ""
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    birth_date: date | None = None
    language: str = ""
    joined_at: datetime | None = None


@dataclass(frozen=True)
class Enrolment:
    """The member, and whether this call enrolled them."""

    membership: Membership
    is_new: bool


PERSONAL = ("email", "phone", "first_name", "last_name", "birth_date", "language")


def members_of(program: Program) -> QuerySet[Membership]:
    """Return the program's members with what an answer needs of them."""
    return Membership.objects.filter(program=program).select_related("customer")


def named(references: set[str]) -> Q:
    """Return the condition for members named by card number or ``external_id:…``."""
    external = {name.removeprefix(EXTERNAL) for name in references if name.startswith(EXTERNAL)} - {""}
    cards = {card for name in references if not name.startswith(EXTERNAL) and (card := normal(name))}
    condition = Q(pk__in=[])
    if external:
        condition |= Q(external_id__in=sorted(external))
    if cards:
        condition |= Q(card__in=sorted(cards))
    return condition


def check_active(membership: Membership) -> None:
    """Raise MemberBlockedError or MemberClosedError unless the member may earn and spend."""
    if membership.status == Membership.Status.BLOCKED:
        raise MemberBlockedError
    if membership.status == Membership.Status.CLOSED:
        raise MemberClosedError


def find_member(*, program: Program, reference: str) -> Membership:
    """Return the member of this program by card number or ``external_id:…``; raise UnknownMemberError."""
    found = members_of(program).filter(named({reference})).first() if "\x00" not in reference else None
    if found is None:
        raise UnknownMemberError
    found.program = program
    return found


def enrol(*, program: Program, details: MemberDetails, by: ApiKey | None) -> Enrolment:
    """Return the member with this external_id or e-mail, empty fields filled; enrol them if there is none.

    Raises MemberConflictError where the two belong to different members, NoTermsError before the first version,
    ProgramPausedError and ProgramClosedError for who is new.
    """
    _check(program, details)
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _enrol(program, details)
        except IntegrityError:
            if attempt == TRIES - 1:
                raise
        except NoTermsInForceError:
            raise NoTermsError from None
    raise AssertionError(TRIES)


def correct(*, membership: Membership, changes: Mapping[str, str | date | None], by: ApiKey) -> Membership:
    """Set these fields of the member (those of ``MemberDetails`` but ``joined_at``; empty clears) and return it.

    Raises MemberConflictError where another member has the external_id or the e-mail address.
    """
    _check_email(str(changes.get("email") or ""))
    personal = {name: value for name, value in changes.items() if name in PERSONAL}
    customer = membership.customer
    try:
        with transaction.atomic():
            if personal:
                _set(customer, personal)
            if "external_id" in changes:
                _set(membership, {"external_id": changes["external_id"]})
    except IntegrityError:
        raise MemberConflictError from None
    log.info("member_corrected", member=str(membership.pk), fields=sorted(changes), key=by.prefix)
    return membership


def _set(row: Customer | Membership, fields: Mapping[str, str | date | None]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))


def _check_email(email: str) -> None:
    try:
        if email:
            validate_email(email)
    except ValidationError:
        raise invalid("/email", NOT_AN_EMAIL) from None


def _check(program: Program, details: MemberDetails) -> None:
    _check_email(details.email)
    has_own_clock = program.clock is not None
    if details.joined_at is not None and not has_own_clock and details.joined_at > program.now():
        raise invalid("/joined_at", JOINED_IN_FUTURE)


def _enrol(program: Program, details: MemberDetails) -> Enrolment:
    known = _known_by_external_id(program, details)
    customer = _customer_with_email(program, details)
    if known is not None and customer is not None and customer.pk != known.customer_id:
        raise MemberConflictError
    if known is None and customer is not None:
        known = members_of(program).filter(customer=customer).first()
    if known is not None:
        known.program = program
        _fill(known, details)
        return Enrolment(membership=known, is_new=False)
    check_may_join(program)
    if customer is None:
        customer = Customer.objects.create(
            business=program.business, **{name: getattr(details, name) for name in PERSONAL}
        )
    else:
        _fill_customer(customer, details)
    membership = Membership.objects.create(
        program=program,
        customer=customer,
        card=new_card(),
        external_id=details.external_id,
        joined_at=details.joined_at or program.now(),
    )
    open_books(memberships=[membership])
    return Enrolment(membership=membership, is_new=True)


def _known_by_external_id(program: Program, details: MemberDetails) -> Membership | None:
    if not details.external_id:
        return None
    return members_of(program).filter(external_id=details.external_id).first()


def _customer_with_email(program: Program, details: MemberDetails) -> Customer | None:
    if not details.email:
        return None
    # As the unique index has it: in lower case on both sides, by the database.
    lowered = Customer.objects.alias(lowered=Lower("email")).filter(lowered=Lower(Value(details.email)))
    return lowered.filter(business=program.business_id).first()


def _fill(membership: Membership, details: MemberDetails) -> None:
    _fill_customer(membership.customer, details)
    if details.external_id and not membership.external_id:
        _set(membership, {"external_id": details.external_id})


def _fill_customer(customer: Customer, details: MemberDetails) -> None:
    empty = {
        name: getattr(details, name) for name in PERSONAL if getattr(details, name) and not getattr(customer, name)
    }
    if empty:
        _set(customer, empty)
