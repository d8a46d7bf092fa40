"""Who is looking: the signed-in person's memberships, and the one they look at now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.roles import Permission, businesses_where
from loyalty.ledger.queries import MemberView, member_views
from loyalty.purchases.accrual import bring_up_to_date
from programs.models import Membership, Unit

CHOSEN = "program"


@dataclass(frozen=True, slots=True)
class Visit:
    """A member at one of their programs, and the other ones they could look at."""

    membership: Membership
    memberships: list[Membership]
    view: MemberView

    @property
    def at(self) -> datetime:
        """The member's present, in the program's zone."""
        return self.view.as_of.astimezone(self.membership.program.zone)

    @property
    def unit(self) -> Unit:
        """The unit that stands on the card: the first one that can be spent, if any can."""
        return next((unit for unit in self.units if unit.is_spendable), self.units[0])

    @property
    def units(self) -> list[Unit]:
        """The program's units."""
        return self.view.units


def memberships_of(user: User) -> list[Membership]:
    """Return the person's open memberships, in one query."""
    return list(
        Membership.objects.filter(customer__user=user)
        .exclude(status=Membership.Status.CLOSED)
        .select_related("program__business", "customer", "standing")
        .order_by("program__name", "id")
    )


def visit(user: User, *, chosen: str | None) -> Visit | None:
    """Return the member's present state in the chosen program, or in the first; None without any."""
    memberships = memberships_of(user)
    if not memberships:
        return None
    membership = next((one for one in memberships if one.program.slug == chosen), memberships[0])
    bring_up_to_date(memberships=[membership])
    view = member_views(memberships=[membership])[membership.pk]
    return Visit(membership=membership, memberships=memberships, view=view)


def for_members(page: Callable[[HttpRequest, Visit], HttpResponse]) -> Callable[..., HttpResponse]:
    """Show the page to members; staff without a card go to their own pages, others learn how to get one."""

    @login_required
    @never_cache
    @wraps(page)
    def shown(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        assert isinstance(request.user, User)
        found = visit(request.user, chosen=request.session.get(CHOSEN))
        if found is not None:
            return page(request, found)
        if businesses_where(request.user, Permission.SEE_MEMBERS).exists():
            return redirect("staff")
        return render(request, "customer/no_card.html")

    return shown
