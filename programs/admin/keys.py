"""Admin pages of till keys: made once with the secret shown, rotated with an overlap, revoked for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.admin_base import (
    TenantAdmin,
    UnfoldAdminCheckboxSelectMultipleWidget,
    actor,
    businesses_of,
    display,
)
from accounts.admin_history import RecordedRow
from accounts.history.recording import Part, Place
from accounts.roles import Permission
from programs.journal import OF_KEY, key_part, place_of
from programs.keys import (
    DEFAULT_SCOPES,
    LONGEST_OVERLAP,
    OVERLAP,
    SCOPES,
    KeyClosedError,
    KeyRotatedError,
    create_key,
    revoke_key,
    rotate_key,
)
from programs.models import ApiKey, Store


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new key may do."""

    offered: ClassVar[Sequence[Store]] = ()  # The stores of the businesses that the person looks after.

    scopes = forms.MultipleChoiceField(
        label=_("May do"),
        choices=[(scope, scope) for scope in SCOPES],
        initial=DEFAULT_SCOPES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Give a till no more than it needs."),
    )
    stores = forms.MultipleChoiceField(
        label=_("Stores"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Purchases of other stores are refused; of a single one, a purchase need not name it. None: all."),
    )

    class Meta:
        model = ApiKey
        fields = ("program", "name", "scopes", "stores", "limit_per_minute", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {store.code: store.name for store in self.offered}
        self.fields["stores"].choices = [  # type: ignore[attr-defined]
            (code, f"{name} ({code})" if name else code) for code, name in names.items()
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        program = cleaned.get("program")
        if program is not None:
            theirs = {store.code for store in self.offered if store.business_id == program.business_id}
            if not set(cleaned.get("stores", ())) <= theirs:
                self.add_error("stores", _("Choose stores of the program's business."))
        return cleaned


class RotateForm(forms.Form):
    """For how long the old key works beside the new one."""

    days = forms.IntegerField(min_value=0, max_value=LONGEST_OVERLAP.days, initial=OVERLAP.days)


@admin.register(ApiKey)
class ApiKeyAdmin(RecordedRow, TenantAdmin):
    """Keys that tills and web shops sign in with."""

    business_path = "program__business"
    view_permission = Permission.MANAGE_KEYS
    change_permission = Permission.MANAGE_KEYS
    add_permission = Permission.MANAGE_KEYS
    list_display = ("name", "program", "begins_with", "state", "expires", "last_use", "created")
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
            return ("program", "name", "scopes", "stores", "limit_per_minute", "expires_at")
        return (
            *("program", "name", "begins_with", "may_do", "of_stores", "limit_per_minute", "expires_at"),
            *("state_shown", "last_use", "created"),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        if obj is None:
            return []
        return ["program", "begins_with", "may_do", "of_stores", "state_shown", "last_use", "created"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = type("OfferedKeyForm", (NewKeyForm,), {"offered": self._stores(request)})
        return super().get_form(request, obj, change, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        working = ApiKey.objects.usable(at=datetime.now(UTC)).filter(replaces=OuterRef("pk"))
        return super().get_queryset(request).select_related("program").annotate(is_replaced=Exists(working))

    def _stores(self, request: HttpRequest) -> list[Store]:
        stores = Store.objects.order_by("code")
        if not request.user.is_superuser:
            stores = stores.filter(business__in=businesses_of(request, Permission.MANAGE_KEYS))
        return list(stores)

    @display(description=_("begins with"))
    def begins_with(self, key: ApiKey) -> str:
        return f"loy_{key.prefix}…"

    @display(description=_("may do"))
    def may_do(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "–"

    @display(description=_("stores"))
    def of_stores(self, key: ApiKey) -> str:
        return ", ".join(key.stores) or str(_("All"))

    @display(
        description=_("state"), label={"usable": "success", "soon": "warning", "expired": "info", "revoked": "danger"}
    )
    def state(self, key: ApiKey) -> tuple[str, Any]:
        if key.revoked_at is not None:
            return "revoked", _("Revoked")
        if not key.is_usable:
            return "expired", _("Expired")
        if getattr(key, "is_replaced", False):
            return "soon", _("Replaced")
        return ("soon", _("Expires soon")) if key.expires_soon else ("usable", _("Usable"))

    @display(description=_("state"))
    def state_shown(self, key: ApiKey) -> Any:
        return self.state(key)[1]

    @display(description=_("expires"), ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return formats.moment(key.expires_at, zone=key.program.zone) if key.expires_at else str(_("Never"))

    @display(description=_("last used"), ordering="last_used_at")
    def last_use(self, key: ApiKey) -> str:
        return formats.moment(key.last_used_at, zone=key.program.zone) if key.last_used_at else str(_("Never"))

    @display(description=_("created"), ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return formats.moment(key.created_at, zone=key.program.zone)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "limit_per_minute", "expires_at"])
            return
        key, secret = create_key(
            program=obj.program,
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            stores=form.cleaned_data["stores"],
            limit_per_minute=obj.limit_per_minute,
            expires_at=obj.expires_at,
            by=actor(request),
        )
        obj.pk, obj.prefix, obj.created_at = key.pk, key.prefix, key.created_at
        obj.scopes, obj.stores = key.scopes, key.stores
        request._new_secret = secret  # type: ignore[attr-defined]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One way to save: what follows shows the secret."""
        once = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**once, **(extra_context or {})})  # type: ignore[no-any-return]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret on this one answer, which nothing keeps: neither a message nor a cache."""
        return self._shown_once(request, obj, request._new_secret)  # type: ignore[attr-defined]

    def _shown_once(self, request: HttpRequest, key: ApiKey, secret: str, old: ApiKey | None = None) -> HttpResponse:
        context = {
            **self._context(request, key, _("The key for %(name)s") % {"name": key.name}),
            "secret": secret,
            "old": old,
            "closes": self.expires(old) if old is not None else "",
        }
        response = TemplateResponse(request, "admin/programs/key_secret.html", context)
        add_never_cache_headers(response)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        extra = {"key": key, "successor": _successor(key), "closes": self.expires(key)} if key is not None else {}
        return super().change_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<uuid:pk>/revoke/", self.admin_site.admin_view(self.revoke), name="programs_apikey_revoke"),
            path("<uuid:pk>/rotate/", self.admin_site.admin_view(self.rotate), name="programs_apikey_rotate"),
        ]
        return [*own, *super().get_urls()]

    def rotate(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask for how long both work. POST: make the successor and show its secret once."""
        key = self._asked_for(request, pk)
        form = RotateForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                overlap = timedelta(days=form.cleaned_data["days"])
                successor, secret = rotate_key(key=key, overlap=overlap, by=actor(request))
            except KeyClosedError:
                form.add_error(None, _("This key opens nothing any more: make a new one."))
            except KeyRotatedError:
                form.add_error(
                    None, _("This key has a successor already. Revoke that one first if its secret is lost.")
                )
            else:
                self.log_change(request, key, str(_("Rotated.")))
                self.log_addition(request, successor, str(_("Made by rotation.")))
                return self._shown_once(request, successor, secret, old=key)
        context = self._context(request, key, _("Rotate the key %(name)s") % {"name": key.name})
        return TemplateResponse(request, "admin/programs/key_rotate.html", {**context, "form": form})

    def revoke(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET: ask. POST: close the key for good."""
        key = self._asked_for(request, pk)
        if request.method != "POST":
            context = self._context(request, key, _("Revoke the key %(name)s") % {"name": key.name})
            return TemplateResponse(request, "admin/programs/key_revoke.html", context)
        if revoke_key(key=key, by=actor(request)):
            self.log_change(request, key, str(_("Revoked.")))
        messages.success(request, _("The key is revoked: whoever uses it is refused from now on."))
        return redirect("admin:programs_apikey_changelist")

    def _asked_for(self, request: HttpRequest, pk: Any) -> ApiKey:
        key = self.get_object(request, str(pk))
        if not isinstance(key, ApiKey):
            raise Http404
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        return key

    def _context(self, request: HttpRequest, key: ApiKey, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "key": key,
            "original": key,
        }


def _successor(key: ApiKey) -> ApiKey | None:
    return key.successors.usable(at=datetime.now(UTC)).first()
