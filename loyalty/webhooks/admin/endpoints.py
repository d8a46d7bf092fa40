"""Admin pages of webhooks: added with the secret shown once, tried, rotated, switched off and on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Model, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import TenantAdmin, UnfoldAdminCheckboxSelectMultipleWidget, actor, display
from accounts.roles import Permission
from loyalty.webhooks import actions
from loyalty.webhooks.addresses import AddressError, check_url
from loyalty.webhooks.event_types import EVENT_TYPES
from loyalty.webhooks.models import Delivery, Endpoint

OVERLAPS = {
    "0": (timedelta(0), _("At once: only the new secret signs")),
    "1": (timedelta(hours=1), _("In an hour")),
    "24": (timedelta(days=1), _("In a day")),
    "168": (timedelta(days=7), _("In a week")),
}
USUAL_OVERLAP = "24"


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """Where news goes, and which."""

    event_types = forms.MultipleChoiceField(
        label=_("Is told"),
        choices=[(name, f"{name}: {text}") for name, text in EVENT_TYPES.items()],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Choose none to tell everything, also what is added later."),
    )

    class Meta:
        model = Endpoint
        fields = ("program", "url", "description", "event_types")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE)
        except AddressError as error:
            raise ValidationError(str(error.text), code="address") from None
        return url


@admin.register(Endpoint)
class EndpointAdmin(TenantAdmin):
    """Addresses of other systems that are told what happens."""

    business_path = "program__business"
    view_permission = Permission.MANAGE_KEYS
    change_permission = Permission.MANAGE_KEYS
    add_permission = Permission.MANAGE_KEYS
    form = EndpointForm
    list_display = ("address", "description", "program", "state", "lost", "hears_shown", "created")
    list_select_related = ("program",)
    list_filter = (("program", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("url", "description")
    ordering = ("-created_at",)
    change_form_outer_before_template = "admin/webhooks/endpoint_head.html"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("program", "url", "description", "event_types")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [] if obj is None else ["program"]

    def get_queryset(self, request: HttpRequest) -> Any:
        lost = Delivery.objects.given_up().filter(program_id=OuterRef("program_id"), endpoint_id=OuterRef("pk"))
        counted = lost.order_by().values("endpoint_id").annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).select_related("program").annotate(lost_count=Subquery(counted))

    @display(description=_("address"), ordering="url")
    def address(self, row: Endpoint) -> str:
        return row.url

    @display(description=_("state"), label={"on": "success", "failing": "warning", "off": "danger"})
    def state(self, row: Endpoint) -> tuple[str, Any]:
        if not row.is_on:
            return "off", _("Off")
        return ("failing", _("Failing")) if row.failures else ("on", _("On"))

    @display(description=_("given up"))
    def lost(self, row: Any) -> Any:
        if not row.lost_count:
            return "–"
        address = reverse("admin:webhooks_delivery_changelist")
        return format_html(
            '<a class="lo-link" href="{}?endpoint__id__exact={}&amp;status__exact=given_up">{}</a>',
            address,
            row.pk,
            formats.number(row.lost_count),
        )

    @display(description=_("is told"))
    def hears_shown(self, row: Endpoint) -> Any:
        return ", ".join(row.event_types) or _("Everything")

    @display(description=_("created"), ordering="created_at")
    def created(self, row: Endpoint) -> str:
        return formats.moment(row.created_at, zone=row.program.zone)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("url", "event_types", "description")}
        if change:
            actions.change_endpoint(endpoint=obj, **given, by=actor(request))
            return
        made = actions.add_endpoint(program=obj.program, **given, by=actor(request))
        obj.pk, obj.created_at = made.endpoint.pk, made.endpoint.created_at
        request._new_secret = made.secret  # type: ignore[attr-defined]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One way to save: what follows shows the secret."""
        once = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**once, **(extra_context or {})})  # type: ignore[no-any-return]

    def response_add(self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None) -> HttpResponse:
        return self._secret_once(request, obj, request._new_secret)  # type: ignore[attr-defined]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra = {"shown": _shown(cast("Endpoint", row))} if row is not None else {}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )

    # --- What can be done to one -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        verbs = {"rotate": self.rotate, "off": self.switch_off, "on": self.switch_on, "test": self.send_test}
        own = [
            path(f"<uuid:pk>/{verb}/", self.admin_site.admin_view(view), name=f"webhooks_endpoint_{verb}")
            for verb, view in verbs.items()
        ]
        return [*own, *super().get_urls()]

    def rotate(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask how long the present secret goes on signing. POST: show the new one, once."""
        row = self._one(request, pk)
        chosen = request.POST.get("overlap", USUAL_OVERLAP)
        if request.method != "POST" or chosen not in OVERLAPS:
            choices = [(value, words) for value, (_overlap, words) in OVERLAPS.items()]
            context = {"choices": choices, "usual": USUAL_OVERLAP}
            return self._page(request, row, "rotate", _("Renew the secret"), context)
        made = actions.rotate_secret(endpoint=row, at=datetime.now(UTC), overlap=OVERLAPS[chosen][0], by=actor(request))
        self.log_change(request, row, str(_("Secret renewed.")))
        return self._secret_once(request, made.endpoint, made.secret)

    def switch_off(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask. POST: send nothing more."""
        row = self._one(request, pk)
        if request.method != "POST":
            return self._page(request, row, "off", _("Switch the webhook off"), {})
        note = request.POST.get("note", "").replace("\x00", "")[:200]
        try:
            actions.switch_off(endpoint=row, note=note, at=datetime.now(UTC), by=actor(request))
        except actions.AlreadyOffError:
            messages.warning(request, _("The webhook is off already."))
        else:
            self.log_change(request, row, str(_("Switched off.")))
            messages.success(request, _("The webhook is off. What was on its way waits until it is on again."))
        return redirect("admin:webhooks_endpoint_change", row.pk)

    def switch_on(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: send again."""
        row = self._posted(request, pk)
        if isinstance(row, HttpResponse):
            return row
        try:
            actions.switch_on(endpoint=row, by=actor(request))
        except actions.AlreadyOnError:
            messages.warning(request, _("The webhook is on already."))
        else:
            self.log_change(request, row, str(_("Switched on.")))
            messages.success(request, _("The webhook is on: what waited is sent now."))
        return redirect("admin:webhooks_endpoint_change", row.pk)

    def send_test(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """POST: send a test and show its delivery."""
        row = self._posted(request, pk)
        if isinstance(row, HttpResponse):
            return row
        if not row.is_on:
            messages.warning(request, _("The webhook is off: switch it on to send a test."))
            return redirect("admin:webhooks_endpoint_change", row.pk)
        delivery = actions.send_test(endpoint=row, at=datetime.now(UTC), by=actor(request))
        messages.success(request, _("A test is on its way. Load this page again to see the answer."))
        return redirect("admin:webhooks_delivery_change", delivery.pk)

    def _posted(self, request: HttpRequest, pk: Any) -> Endpoint | HttpResponse:
        return self._one(request, pk) if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    def _one(self, request: HttpRequest, pk: Any) -> Endpoint:
        row = self.get_object(request, str(pk))
        if not isinstance(row, Endpoint):
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def _page(
        self, request: HttpRequest, row: Endpoint, name: str, title: Any, context: dict[str, Any]
    ) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        own = {"endpoint": row, "original": row, **context}
        return TemplateResponse(request, f"admin/webhooks/endpoint_{name}.html", {**common, **own})

    def _secret_once(self, request: HttpRequest, row: Endpoint, secret: str) -> HttpResponse:
        """Show the secret on this one answer, which nothing keeps: neither a message nor a cache."""
        response = self._page(request, row, "secret", _("The secret of the webhook"), {"secret": secret})
        add_never_cache_headers(response)
        return response


def _shown(row: Endpoint) -> dict[str, Any]:
    """Return what the head of the page tells."""
    zone = row.program.zone
    own = Delivery.objects.filter(program_id=row.program_id, endpoint=row)
    most = 1_000

    def told(count: int) -> str:
        return formats.number(count) if count < most else f"{formats.number(most)}+"

    is_rotating = row.former_until is not None and row.former_until > datetime.now(UTC)
    return {
        "waiting": told(own.pending()[:most].count()),
        "given_up": told(own.given_up()[:most].count()),
        "failing_since": formats.moment(row.failing_since, zone=zone) if row.failing_since else "",
        "off_since": formats.moment(row.disabled_at, zone=zone) if row.disabled_at else "",
        "former_until": formats.moment(row.former_until, zone=zone) if is_rotating else "",  # type: ignore[arg-type]
        "created": formats.moment(row.created_at, zone=zone),
    }
