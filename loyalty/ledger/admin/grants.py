"""Admin pages of tiers that staff give: give one with a reason, end one, see who gave what."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import formats
from accounts.admin_base import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, actor, businesses_of, display
from accounts.roles import Permission
from loyalty.ledger.admin.books import ReadOnlyAdmin
from loyalty.ledger.grants import GrantEndedError, GrantError, check_grant, end_grant, grant_tier
from loyalty.ledger.models import TierGrant
from programs import cards
from programs.models import Membership, Program, Tier
from programs.terms import schedules_of


class TierGrantForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who gets which tier, why, and until when."""

    member = forms.CharField(
        label=_("member"),
        max_length=254,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("A card number, a number in your system or an e-mail address."),
    )
    place = forms.ChoiceField(label=_("tier"), widget=UnfoldAdminSelectWidget())

    programs: ClassVar[QuerySet[Program]]

    class Meta:
        model = TierGrant
        fields = ("kind", "reason", "until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)
        place.choices = _tiers_of(self.programs)

    def clean(self) -> dict[str, Any]:
        """Find the member in the program whose tier was chosen, and see whether it can be given."""
        given: dict[str, Any] = super().clean() or {}
        if not {"member", "place", "kind", "reason"} <= given.keys():
            return given
        program_id, _colon, tier = given["place"].partition(":")
        member = _member_of(UUID(program_id), given["member"])
        if member is None:
            self.add_error("member", _("No member of that program is named like that."))
            return given
        given["membership"], given["tier"] = member, tier
        try:
            check_grant(
                membership=member, tier=tier, kind=given["kind"], reason=given["reason"], until=given.get("until")
            )
        except GrantError as error:
            self.add_error("place" if error.field == "tier" else error.field, str(error))
        return given


@admin.register(TierGrant)
class TierGrantAdmin(ReadOnlyAdmin):
    """Tiers given by hand, by invitation and on trial. What was given is never edited, only ended."""

    view_permission = Permission.SEE_MEMBERS
    add_permission = Permission.GRANT_TIERS
    form = TierGrantForm
    list_display = ("member", "tier_name", "kind", "reason", "begins", "last_day", "giver", "state")
    list_display_links = ("member",)
    list_select_related = ("program", "membership__customer", "granted_by")
    list_filter = ("kind", ("program", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=membership__card", "=membership__external_id")
    search_help_text = _("A card number or a member's number in your system.")
    actions = ("end_now",)
    change_form_outer_before_template = "admin/ledger/grant_end.html"
    readonly_fields = ("member", "tier_name", "begins", "last_day", "giver", "ended", "state")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        rows = rows.select_related("program", "membership__customer", "granted_by", "ended_by")
        named = Tier.objects.filter(
            version__program=OuterRef("program"), code=OuterRef("tier"), version__status="published"
        )
        return rows.annotate(called=Subquery(named.order_by("-version__number").values("name")[:1]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.add_permission, None)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ("member", "place", "kind", "reason", "until")
        return (
            ("member", "tier_name"),
            ("kind", "state"),
            "reason",
            ("begins", "last_day"),
            ("giver", "ended"),
            "program",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return super().get_readonly_fields(request, obj) if obj is not None else []

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **{**kwargs, "form": forms.ModelForm})
        programs = Program.objects.select_related("business")
        if not request.user.is_superuser:
            programs = programs.filter(business__in=businesses_of(request, Permission.GRANT_TIERS))
        form = super().get_form(request, obj, change, **kwargs)
        form.programs = programs
        return form

    def save_model(self, request: HttpRequest, obj: TierGrant, form: Any, change: bool) -> None:
        """Give the tier; the row that the form made is filled with what was written."""
        given = form.cleaned_data
        row = grant_tier(
            membership=given["membership"],
            tier=given["tier"],
            kind=given["kind"],
            reason=given["reason"],
            until=given["until"],
            by=actor(request),
        )
        obj.__dict__.update(row.__dict__)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)  # type: ignore[no-any-return]
        except GrantError as error:  # What the form found possible, another grant has just made impossible.
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:ledger_tiergrant_add")

    @display(description=_("member"))
    def member(self, row: TierGrant) -> str:
        return f"{row.membership.card_shown} · {row.membership.customer}"

    @display(description=_("tier"), ordering="tier")
    def tier_name(self, row: TierGrant) -> str:
        """The tier as the newest terms that know it call it."""
        return getattr(row, "called", None) or row.tier

    @display(description=_("from"), ordering="starts_at")
    def begins(self, row: TierGrant) -> str:
        return formats.moment(row.starts_at, zone=row.program.zone)

    @display(description=_("last day"), ordering="until")
    def last_day(self, row: TierGrant) -> Any:
        return formats.day(row.until) if row.until else _("no end")

    @display(description=_("given by"))
    def giver(self, row: TierGrant) -> Any:
        return str(row.granted_by) if row.granted_by is not None else _("an operator")

    @display(description=_("ended"))
    def ended(self, row: TierGrant) -> str:
        if row.ended_at is None:
            return "–"
        return f"{formats.moment(row.ended_at, zone=row.program.zone)} · {row.ended_by}"

    @display(description=_("state"), label={"open": "success", "ended": "info"})
    def state(self, row: TierGrant) -> tuple[str, Any]:
        return ("open", _("not ended")) if row.ended_at is None else ("ended", _("ended by staff"))

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whether the person may give and end tiers in any business."""
        return bool(request.user.is_superuser or businesses_of(request, Permission.GRANT_TIERS))

    @admin.action(description=_("End now"), permissions=["end"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[TierGrant]) -> None:
        """End the chosen ones that are not ended yet."""
        if not request.user.is_superuser:
            queryset = queryset.filter(program__business__in=businesses_of(request, Permission.GRANT_TIERS))
        count = sum(self._end(request, row) for row in queryset.select_related("membership__program"))
        text = ngettext("%(count)d tier was ended.", "%(count)d tiers were ended.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def _end(self, request: HttpRequest, row: TierGrant) -> bool:
        try:
            end_grant(grant=row, by=actor(request))
        except GrantEndedError:
            return False
        return True

    def get_urls(self) -> list[URLPattern]:
        one = path("<uuid:pk>/end/", self.admin_site.admin_view(self.end_one), name="ledger_tiergrant_end")
        return [one, *super().get_urls()]

    def end_one(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: end this one now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self._may(request, Permission.GRANT_TIERS, row):
            raise PermissionDenied
        self.end_now(request, TierGrant.objects.filter(pk=row.pk))
        return redirect("admin:ledger_tiergrant_change", row.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"can_end": self.has_end_permission(request)}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def _tiers_of(programs: QuerySet[Program]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the tiers in force as choices, by program; the lowest needs nobody to give it."""
    known = {program.pk: program for program in programs}
    choices = []
    for pk, schedule in schedules_of(known.values()).items():
        terms = schedule.at(known[pk].now())
        if terms is not None and terms.tiers[1:]:
            choices.append((known[pk].name, [(f"{pk}:{tier.code}", tier.name) for tier in terms.tiers[1:]]))
    return choices


def _member_of(program_id: UUID, text: str) -> Membership | None:
    text = text.strip()
    rows = Membership.objects.filter(program_id=program_id).select_related("program", "customer")
    rows = rows.annotate(lowered=Lower("customer__email"))
    named = Q(external_id=text) | Q(lowered=text.lower())
    if card := cards.normal(text):
        named |= Q(card=card)
    return rows.filter(named).first() if text else None
