"""From an address that a shop was given to a sign-in: nobody signs up, a card is found by its e-mail address."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower

from accounts.models import Customer, User


def admit(*, email: str) -> None:
    """Give the customers with this address a sign-in; whoever can read its mail gets in, nobody else.

    Does nothing for an address that no customer has. Safe to repeat and to run twice at once.
    """
    waiting = _with_address(email).filter(user__isnull=True)
    if not waiting.exists():
        return
    try:
        with transaction.atomic():
            user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
            taken = Customer.objects.filter(user=user).values("business")
            waiting.exclude(business__in=taken).update(user=user)
    except IntegrityError:
        # A twin was faster. What it linked is linked; the next sign-in links what may be left.
        return


def _with_address(email: str) -> QuerySet[Customer]:
    # As the unique index has it: in lower case on both sides, by the database.
    return Customer.objects.alias(lowered=Lower("email")).filter(lowered=Lower(Value(email))).exclude(email="")
