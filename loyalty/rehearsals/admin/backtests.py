"""Admin pages of back-tests: ask for one, watch it, read what it says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import formats
from accounts.admin_base import actor, display
from accounts.roles import Permission
from loyalty.ledger.models import Entry
from loyalty.rehearsals import actions, csvs, snapshots
from loyalty.rehearsals.admin.pages import PAGE, RunAdmin, named, progress_text
from loyalty.rehearsals.forms import BackTestForm
from loyalty.rehearsals.models import BackTest, Mover
from loyalty.rehearsals.shown import Shown
from programs.models import Unit

NAMED = 5  # Movers on the result's own page.


@admin.register(BackTest)
class BackTestAdmin(RunAdmin):
    """Drafts tried on the past."""

    prefix = "rehearsals_backtest"
    list_display = ("what", "program", "period", "condition", "asked")
    list_display_links = ("what",)
    list_select_related = ("program", "requested_by")

    @display(description=gettext_lazy("back-test"), ordering="number")
    def what(self, test: BackTest) -> str:
        return str(test)

    @display(description=gettext_lazy("period"), ordering="last_day")
    def period(self, test: BackTest) -> str:
        return period(test)

    def get_urls(self) -> list[URLPattern]:
        start = path("start/<uuid:pk>/", self.admin_site.admin_view(self.start), name="rehearsals_backtest_start")
        return [start, *super().get_urls()]

    def start(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """GET: over which period, against what. POST: have it tested."""
        version = self.version_of(request, pk, Permission.EDIT_PROGRAM)
        if not version.is_draft:
            raise Http404
        form = BackTestForm(version, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                test = actions.request_back_test(version=version, by=actor(request), **form.asked())
            except actions.RehearsalError as error:
                form.add_error(error.field or None, str(error))
            else:
                return redirect("admin:rehearsals_backtest_change", test.pk)
        earlier = self.get_queryset(request).filter(version=version).order_by("-requested_at")[:5]
        return TemplateResponse(
            request,
            "admin/rehearsals/backtest_start.html",
            self.context(
                request,
                title=_("Back-test the draft of version %(number)d") % {"number": version.number},
                version=version,
                program=version.program,
                form=form,
                earlier=[{"test": one, "period": period(one)} for one in earlier],
                sign=formats.currency_sign(version.program.currency),
            ),
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far it is, or what it says."""
        try:
            test: BackTest = self.run_of(request, UUID(object_id))
        except ValueError:
            raise Http404 from None
        context = self.context(
            request,
            title=str(test),
            run=test,
            program=test.program,
            period=period(test),
            version=test.version,
            has_changed=test.version is not None and snapshots.has_changed(test.version, test.terms),
            progress=progress_text(test),
        )
        if test.result is not None:
            context |= self._said(test)
        return TemplateResponse(request, "admin/rehearsals/backtest.html", context)

    def _said(self, test: BackTest) -> dict[str, Any]:
        shown = shown_of(test)
        movers = list(test.movers.select_related("membership__customer").order_by("is_up", "pk")[:NAMED])
        names = named([UUID(pk) for pk, _amount, _tiers in shown.largest], test.program)
        spent = Entry.objects.filter(program=test.program, account__kind="redeemed").exists()
        return {
            "shown": shown,
            "movers": [_mover(one, shown) for one in movers],
            "more_movers": shown.result["up"] + shown.result["down"] - len(movers),
            "largest": [
                {"pk": pk, "name": names.get(UUID(pk), "–"), "amount": amount, "tiers": tiers}
                for pk, amount, tiers in shown.largest
            ],
            "has_spent": spent,
            "took": _took(test),
        }

    def cancelled_words(self, run: BackTest) -> str:
        return _("The back-test is stopped. Nothing was written.")

    def members(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """List the members who would move, page by page."""
        test: BackTest = self.run_of(request, pk)
        if test.result is None:
            raise Http404
        movers = test.movers.select_related("membership__customer").order_by("pk")
        after = _uuid(request.GET.get("after"))
        rows = list((movers if after is None else movers.filter(pk__gt=after))[: PAGE + 1])
        shown = shown_of(test)
        return TemplateResponse(
            request,
            "admin/rehearsals/backtest_members.html",
            self.context(
                request,
                title=_("Members who would move"),
                run=test,
                period=period(test),
                movers=[_mover(one, shown) for one in rows[:PAGE]],
                units=[one.unit for one in shown.units],
                following=rows[PAGE - 1].pk if len(rows) > PAGE else None,
            ),
        )

    def csv(self, request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
        """Give one of the tables: rules, tiers, months or members."""
        test: BackTest = self.run_of(request, pk)
        if test.result is None or what not in TABLES:
            raise Http404
        return TABLES[what](test, shown_of(test))


def shown_of(test: BackTest) -> Shown:
    """Return a finished back-test as it is read."""
    return Shown(test, {unit.code: unit for unit in Unit.objects.filter(program=test.program)})


def period(test: BackTest) -> str:
    """Return the period in words."""
    first, last = (formats.short_day(day, year=True) for day in (test.first_day, test.last_day))
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def _took(test: BackTest) -> str:
    if test.started_at is None or test.finished_at is None:
        return ""
    seconds = max(1, round((test.finished_at - test.started_at).total_seconds()))
    return _("%(count)s s") % {"count": formats.number(seconds)}


def _mover(row: Mover, shown: Shown) -> dict[str, Any]:
    names, program = shown.result["names"]["tiers"], shown.program
    return {
        "pk": row.membership_id,
        "name": row.membership.customer.full_name or _("No name"),
        "card": row.membership.card_shown,
        "before": names.get(row.before, row.before) or "–",
        "after": names.get(row.after, row.after) or "–",
        "is_up": row.is_up,
        "differences": [
            formats.signed(formats.figure(one.unit, amount, currency=program.currency), amount) if amount else "0"
            for one in shown.units
            for amount in [row.differences.get(one.unit.code, 0)]
        ],
    }


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None


# --- Tables to be saved: codes and plain numbers, for other programs to read -----------------------------------------


def _plain(unit: Unit, steps: int) -> Decimal:
    return formats.steps(unit, steps)


def _compared(test: BackTest, shown: Shown, what: str) -> HttpResponse:
    head = (what, "unit", "before", "draft", "difference")
    rows = []
    for one in shown.units:
        table = one.rules if what == "rule" else one.tiers
        for row in [*table.rows, table.total]:
            amounts = (_plain(one.unit, amount) for amount in (row.before, row.after, row.difference))
            rows.append((row.name, one.unit.code, *amounts))
    return csvs.answer(f"back-test-{what}s", head, rows)


def _months(test: BackTest, shown: Shown) -> HttpResponse:
    rows = []
    before, after = (side["months"] for side in shown.result["sides"])
    for month in sorted({**before, **after}):
        for one in shown.units:
            pair = [side.get(month, {}).get(one.unit.code, 0) for side in (before, after)]
            rows.append(
                (
                    month,
                    one.unit.code,
                    *(_plain(one.unit, amount) for amount in pair),
                    shown.test.worth.get(one.unit.code, ""),
                )
            )
    return csvs.answer("back-test-months", ("month", "unit", "outstanding_before", "outstanding_draft", "worth"), rows)


def _members(test: BackTest, shown: Shown) -> HttpResponse:
    units = [one.unit for one in shown.units]
    head = ("card", "external_id", "tier_before", "tier_draft", *(f"difference_{unit.code}" for unit in units))
    movers = test.movers.select_related("membership").order_by("pk")
    rows = (
        (
            row.membership.card,
            row.membership.external_id,
            row.before,
            row.after,
            *(_plain(unit, row.differences.get(unit.code, 0)) for unit in units),
        )
        for row in movers.iterator(chunk_size=1_000)
    )
    return csvs.answer("back-test-members", head, rows)


TABLES = {
    "rules": lambda test, shown: _compared(test, shown, "rule"),
    "tiers": lambda test, shown: _compared(test, shown, "tier"),
    "months": _months,
    "members": _members,
}
