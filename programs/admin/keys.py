"""Admin pages of till keys: made once with the secret shown, revoked for good."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import TenantAdmin, UnfoldAdminCheckboxSelectMultipleWidget, actor, display
from accounts.admin_history import RecordedRow
from accounts.history.recording import Part, Place
from accounts.roles import Permission
from programs.journal import OF_KEY, key_part, place_of
from programs.keys import DEFAULT_SCOPES, SCOPES, create_key, revoke_key
from programs.models import ApiKey


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new key may do."""

    scopes = forms.MultipleChoiceField(
        label=_("May do"),
        choices=[(scope, scope) for scope in SCOPES],
        initial=DEFAULT_SCOPES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Give a till no more than it needs."),
    )

    class Meta:
        model = ApiKey
        fields = ("program", "name", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(RecordedRow, TenantAdmin):
    """Keys that tills and web shops sign in with."""

    business_path = "program__business"
    view_permission = Permission.MANAGE_KEYS
    change_permission = Permission.MANAGE_KEYS
    add_permission = Permission.MANAGE_KEYS
    list_display = ("name", "program", "begins_with", "state", "last_use", "created")
    list_select_related = ("program",)
    list_filter = (("program", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name", "prefix")
    ordering = ("-created_at",)
    change_form_outer_before_template = "admin/programs/key_head.html"

    recorded_fields = OF_KEY
    records_additions = False

    def part_of(self, obj: ApiKey) -> Part:
        return key_part(obj)

    def place_of(self, obj: ApiKey) -> Place:
        return place_of(obj.program)

    def history_zone(self, obj: ApiKey) -> tzinfo:
        return obj.program.zone

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("program", "name", "scopes", "expires_at")
        return ("program", "name", "begins_with", "may_do", "expires_at", "state_shown", "last_use", "created")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        if obj is None:
            return []
        return ["program", "begins_with", "may_do", "state_shown", "last_use", "created"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewKeyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("program")

    @display(description=_("begins with"))
    def begins_with(self, key: ApiKey) -> str:
        return f"loy_{key.prefix}…"

    @display(description=_("may do"))
    def may_do(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "–"

    @display(description=_("state"), label={"usable": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, Any]:
        if key.revoked_at is not None:
            return "revoked", _("Revoked")
        return ("usable", _("Usable")) if key.is_usable else ("expired", _("Expired"))

    @display(description=_("state"))
    def state_shown(self, key: ApiKey) -> Any:
        return self.state(key)[1]

    @display(description=_("last used"), ordering="last_used_at")
    def last_use(self, key: ApiKey) -> str:
        return formats.moment(key.last_used_at, zone=key.program.zone) if key.last_used_at else str(_("Never"))

    @display(description=_("created"), ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return formats.moment(key.created_at, zone=key.program.zone)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "expires_at"])
            return
        key, secret = create_key(
            program=obj.program,
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            expires_at=obj.expires_at,
            by=actor(request),
        )
        obj.pk, obj.prefix, obj.scopes, obj.created_at = key.pk, key.prefix, key.scopes, key.created_at
        request._new_secret = secret  # type: ignore[attr-defined]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One way to save: what follows shows the secret."""
        once = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**once, **(extra_context or {})})  # type: ignore[no-any-return]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret on this one answer, which nothing keeps: neither a message nor a cache."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The key for %(name)s") % {"name": obj.name},
            "key": obj,
            "secret": request._new_secret,  # type: ignore[attr-defined]
        }
        response = TemplateResponse(request, "admin/programs/key_secret.html", context)
        add_never_cache_headers(response)
        return response

    def get_urls(self) -> list[URLPattern]:
        revoke = path("<uuid:pk>/revoke/", self.admin_site.admin_view(self.revoke), name="programs_apikey_revoke")
        return [revoke, *super().get_urls()]

    def revoke(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask. POST: close the key for good."""
        key = self.get_object(request, str(pk))
        if not isinstance(key, ApiKey):
            raise Http404
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Revoke the key %(name)s") % {"name": key.name},
                "key": key,
                "original": key,
            }
            return TemplateResponse(request, "admin/programs/key_revoke.html", context)
        if revoke_key(key=key, by=actor(request)):
            self.log_change(request, key, str(_("Revoked.")))
        messages.success(request, _("The key is revoked: whoever uses it is refused from now on."))
        return redirect("admin:programs_apikey_changelist")
