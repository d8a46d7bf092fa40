"""Many members at once, with open books."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Customer
from loyalty.ledger.actions import open_books
from programs.cards import new_card
from programs.models import Membership, Program


def make_members(count: int, *, program: Program, joined_at: datetime) -> list[Membership]:
    """Return new members m0, m1, … of the program, in a few statements."""
    customers = Customer.objects.bulk_create([Customer(business=program.business) for _ in range(count)])
    members = [
        Membership(program=program, customer=customer, card=new_card(), external_id=f"m{number}", joined_at=joined_at)
        for number, customer in enumerate(customers)
    ]
    Membership.objects.bulk_create(members)
    open_books(memberships=members)
    return members
