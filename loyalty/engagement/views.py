"""The customer's pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Customer, User
from accounts.roles import Permission, businesses_where
from loyalty.engagement import history
from loyalty.engagement.home import ticket, tier_panel
from loyalty.engagement.keyset import Place
from loyalty.engagement.members import CHOSEN, Visit, for_members, memberships_of
from loyalty.engagement.qr import code
from loyalty.engagement.rows import Row

LATEST = 5

CHOICES = [
    (history.Choice.ALL, gettext_lazy("All")),
    (history.Choice.EARNED, gettext_lazy("Earned")),
    (history.Choice.SPENT, gettext_lazy("Spent")),
    (history.Choice.RETURNED, gettext_lazy("Returned")),
    (history.Choice.EXPIRED, gettext_lazy("Expired")),
]


def _frame(visit: Visit, *, here: str) -> dict[str, object]:
    """Return what the frame of each page shows."""
    return {
        "here": here,
        "memberships": visit.memberships,
        "membership": visit.membership,
        "program": visit.membership.program,
        "business": visit.membership.program.business,
        "customer": visit.membership.customer,
        "initials": _initials(visit.membership.customer),
    }


def _initials(customer: Customer) -> str:
    return (customer.first_name[:1] + customer.last_name[:1]).upper()


def _on_the_way(visit: Visit, *, limit: int) -> list[Row]:
    if not visit.view.arriving:
        return []
    return history.on_the_way(membership=visit.membership, units=visit.units, limit=limit)


def _qr(visit: Visit) -> str:
    label = _("Code of your card %(number)s") % {"number": visit.membership.card_shown}
    return code(visit.membership.card, label=label)


@require_safe
@for_members
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Balance, code, facts, tier and the latest activity."""
    pending = _on_the_way(visit, limit=2)
    rows = history.page(membership=visit.membership, units=visit.units, size=LATEST, explained=False).rows
    context = _frame(visit, here="home") | {
        "ticket": ticket(visit),
        "tier": tier_panel(visit),
        "pending": pending,
        "rows": rows[: LATEST - len(pending)],
        "counting": history.being_counted(membership=visit.membership),
        "qr": _qr(visit),
    }
    return render(request, "customer/home.html", context)


@require_safe
@for_members
def history_page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What happened, by month, each with its reason."""
    try:
        choice = history.Choice(request.GET.get("show", history.Choice.ALL))
    except ValueError:
        raise Http404 from None
    before = Place.read(request.GET["before"]) if "before" in request.GET else None
    found = history.page(membership=visit.membership, units=visit.units, choice=choice, before=before)
    is_start = before is None and choice in (history.Choice.ALL, history.Choice.EARNED)
    context = _frame(visit, here="history") | {
        "choices": CHOICES,
        "choice": choice,
        "months": history.by_month(found.rows),
        "older": found.older,
        "is_first": before is None,
        "pending": _on_the_way(visit, limit=20) if is_start else [],
        "counting": history.being_counted(membership=visit.membership) if is_start else None,
    }
    return render(request, "customer/history.html", context)


@require_safe
@for_members
def card(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The card alone, to be held out at a till."""
    context = _frame(visit, here="card") | {"ticket": ticket(visit), "tier": tier_panel(visit), "qr": _qr(visit)}
    return render(request, "customer/card.html", context)


@require_safe
@login_required
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    """What is known of the person who is signed in, and the way out."""
    assert isinstance(request.user, User)
    memberships = memberships_of(request.user)
    chosen = request.session.get(CHOSEN)
    membership = next((one for one in memberships if one.program.slug == chosen), next(iter(memberships), None))
    context = {
        "here": "profile",
        "membership": membership,
        "memberships": memberships,
        "customer": membership.customer if membership else None,
        "business": membership.program.business if membership else None,
        "program": membership.program if membership else None,
        "full_name": (membership.customer.full_name if membership else "") or request.user.name,
        "initials": _initials(membership.customer) if membership else "",
        "joined": membership.joined_at.astimezone(membership.program.zone).date() if membership else None,
        "language_name": get_language_info(get_language() or "en")["name_translated"],
        "is_staff": businesses_where(request.user, Permission.SEE_MEMBERS).exists(),
    }
    return render(request, "customer/profile.html", context)


@require_POST
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Look at another of one's own programs."""
    assert isinstance(request.user, User)
    wanted = request.POST.get("program", "")
    if wanted not in {one.program.slug for one in memberships_of(request.user)}:
        raise Http404
    request.session[CHOSEN] = wanted
    return redirect("home")
