"""The staff's first page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import formats
from accounts.models import StaffRole, User
from accounts.roles import Permission, businesses_where
from loyalty.insights import chart, shown
from loyalty.insights.figures import Figures, Week, figures
from programs.models import Program
from programs.terms import schedule_of

PHONE_WEEKS = 8


@require_safe
@login_required
@never_cache
def staff(request: HttpRequest) -> HttpResponse:
    """The figures of one program for those who may see them; for other staff, what their role can do."""
    assert isinstance(request.user, User)
    programs = list(
        Program.objects.live()
        .filter(business__in=businesses_where(request.user, Permission.SEE_FIGURES))
        .select_related("business")
        .order_by("name", "slug")
    )
    chosen = request.GET.get("program")
    program = next((one for one in programs if chosen in (None, one.slug)), None)
    if program is not None:
        return render(request, "staff/figures.html", _figures(program, programs))
    if chosen is not None:
        raise Http404
    return _without_figures(request, request.user)


def _figures(program: Program, programs: list[Program]) -> dict[str, object]:
    at = program.now()
    found = figures(program=program, at=at)
    terms = schedule_of(program).at(at)
    full = [week for week in found.weeks if not week.is_running]
    return {
        "program": program,
        "business": program.business,
        "programs": programs,
        "at": at,
        "tiles": shown.tiles(found, program=program),
        "tiers": shown.tier_rows(found, tiers=terms.tiers if terms else ()),
        "tier_total": formats.number(sum(one.members for one in found.tiers)),
        "units": shown.unit_rows(found, program=program),
        "matters": shown.matters(found.attention, program=program),
        "chart": _chart(found.weeks, program, width=760),
        "chart_phone": _chart(found.weeks[-PHONE_WEEKS:], program, width=360, every=2),
        "weeks": [_week_row(week, program) for week in reversed(found.weeks)],
        "sentence": _sentence(full, program),
        "is_empty": _is_empty(found),
    }


def _without_figures(request: HttpRequest, user: User) -> HttpResponse:
    roles = list(StaffRole.objects.filter(user=user).select_related("business").order_by("business__name"))
    if not roles and not user.is_superuser:
        raise Http404
    may_see = businesses_where(user, Permission.SEE_FIGURES).exists()
    return render(request, "staff/no_figures.html", {"roles": roles, "may_see": may_see or user.is_superuser})


def _chart(weeks: list[Week], program: Program, *, width: int, every: int = 1) -> chart.Chart:
    def written(minor: int) -> str:
        return formats.money(minor, program.currency, drop_cents=True)

    step = 10 ** formats.minor_digits(program.currency)
    items = [
        chart.Item(
            label=_label(week) if (len(weeks) - 1 - place) % every == 0 else "",
            value=week.sales,
            written=written(week.sales),
            is_running=week.is_running,
        )
        for place, week in enumerate(weeks)
    ]
    return chart.bars(items, width=width, height=230, axis=written, step=step)


def _label(week: Week) -> str:
    return formats.short_day(week.monday) + ("*" if week.is_running else "")


def _week_row(week: Week, program: Program) -> dict[str, object]:
    return {
        "label": formats.day(week.monday),
        "is_running": week.is_running,
        "sales": formats.money(week.sales, program.currency),
        "purchases": formats.number(week.purchases),
    }


def _sentence(weeks: list[Week], program: Program) -> str:
    """Return what the chart shows, in words made from its numbers."""
    last, before = weeks[-1], weeks[-2]
    words = {
        "sales": formats.money(shown.whole(last.sales, program.currency), program.currency, drop_cents=True),
        "week": formats.day(last.monday, year=False),
    }
    if not before.sales:
        return _("%(sales)s in the week from %(week)s.") % words
    share = (last.sales - before.sales) / before.sales
    words["share"] = formats.percent(abs(share))
    if share >= 0:
        return _("%(sales)s in the week from %(week)s, %(share)s more than the week before.") % words
    return _("%(sales)s in the week from %(week)s, %(share)s less than the week before.") % words


def _is_empty(found: Figures) -> bool:
    return not found.members.now and not found.purchases.now
