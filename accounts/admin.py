"""Admin pages of businesses, their staff, and the people who sign in."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import actions
from accounts.admin_base import (
    AdminPasswordChangeForm,
    ModelAdmin,
    TenantAdmin,
    UnfoldAdminEmailInputWidget,
    UserChangeForm,
    UserCreationForm,
    actor,
)
from accounts.admin_history import RecordedRow
from accounts.history.models import Change, ChangeQuerySet
from accounts.history.recording import Part, Place
from accounts.models import Business, StaffRole, User
from accounts.roles import Permission

# Roles decide who may do what, so groups would only mislead; a sign-in's addresses are the person's own.
for unused in (Group, EmailAddress):
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)


@admin.register(Business)
class BusinessAdmin(RecordedRow, TenantAdmin):
    """Businesses; an operator makes them, owners look after their name and colour."""

    business_path = ""
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    list_display = ("name", "slug", "brand", "created_at")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "brand")
    readonly_after_creation = ("slug",)
    recorded_fields = ("name", "slug", "brand")

    def part_of(self, obj: Business) -> Part:
        return Part("business", obj.slug, obj.name)

    def place_of(self, obj: Business) -> Place:
        return Place(obj)

    def history_of(self, obj: Business) -> ChangeQuerySet:
        """Return what was changed of the business, its staff, stores and programs."""
        return Change.objects.filter(business=obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """Asks for an e-mail address, so that nobody can look through other businesses' people."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("Whoever has no sign-in yet gets one and signs in with a code sent there."),
    )

    class Meta:
        model = StaffRole
        fields = ("business", "role")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        business, email = cleaned.get("business"), cleaned.get("email")
        if business and email and business.staff.filter(user__email__iexact=email).exists():
            self.add_error("email", _("This person has a role in the business already: change that one."))
        return cleaned


@admin.register(StaffRole)
class StaffRoleAdmin(RecordedRow, TenantAdmin):
    """Who works in a business, and as what."""

    business_path = "business"
    view_permission = Permission.MANAGE_STAFF
    change_permission = Permission.MANAGE_STAFF
    add_permission = Permission.MANAGE_STAFF
    delete_permission = Permission.MANAGE_STAFF
    list_display = ("user", "role", "business", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "business")
    search_fields = ("user__email", "user__name")
    ordering = ("business__name", "user__email")
    recorded_fields = ()  # The actions write down who got which role.
    records_additions = False

    def part_of(self, obj: StaffRole) -> Part:
        return actions.staff_part(obj)

    def place_of(self, obj: StaffRole) -> Place:
        return Place(obj.business)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("business", "email", "role") if obj is None else ("business", "user", "role", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [] if obj is None else ["business", "user", "created_at"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = StaffForm
            kwargs["fields"] = ("business", "role")
        return super().get_form(request, obj, change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Offer it, but never for the last owner: nobody could give the role back."""
        if isinstance(obj, StaffRole) and obj.role == StaffRole.Role.OWNER:
            others = obj.business.staff.filter(role=StaffRole.Role.OWNER).exclude(pk=obj.pk)
            if not others.exists():
                return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deleting in bulk: each leaver is looked at."""
        return {}

    def save_model(self, request: HttpRequest, obj: StaffRole, form: forms.ModelForm[StaffRole], change: bool) -> None:
        if change:
            try:
                actions.change_role(staff=obj, role=obj.role, by=actor(request))
            except actions.LastOwnerError:
                self.message_user(request, _("Nothing was changed: a business needs an owner."), level=messages.ERROR)
            return
        granted = actions.grant_role(
            business=obj.business, email=form.cleaned_data["email"], role=obj.role, by=actor(request)
        )
        obj.pk, obj.user = granted.pk, granted.user

    def delete_model(self, request: HttpRequest, obj: StaffRole) -> None:
        actions.revoke_role(staff=obj, by=actor(request))


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People who sign in. Only superusers come here: one person may belong to several businesses."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    show_full_result_count = False
    list_display = ("email", "name", "is_staff", "is_superuser", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "language", "password")}),
        (_("May do"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
