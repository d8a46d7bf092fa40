"""What every admin page here is built from: the theme's classes, and the wall between businesses.

Only this module imports the theme, so that going back to stock admin stays a change of one file. What a person may see
and do comes from ``accounts.roles``, never from Django's own model permissions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display as theme_display
from unfold.forms import AdminPasswordChangeForm, PaginationInlineFormSet, UserChangeForm, UserCreationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Business, User
from accounts.roles import Permission, businesses_where

if TYPE_CHECKING:
    from django.forms import Field, ModelChoiceField

Shown = TypeVar("Shown", bound=Callable[..., Any])

__all__ = [
    "AdminPasswordChangeForm",
    "BoundedPaginator",
    "ModelAdmin",
    "PaginationInlineFormSet",
    "RoleAdminSite",
    "StackedInline",
    "TabularInline",
    "TenantAdmin",
    "TenantInline",
    "UnfoldAdminCheckboxSelectMultipleWidget",
    "UnfoldAdminDecimalFieldWidget",
    "UnfoldAdminEmailInputWidget",
    "UnfoldAdminSelectWidget",
    "UnfoldAdminSplitDateTimeWidget",
    "UnfoldAdminTextInputWidget",
    "UnfoldAdminTextareaWidget",
    "UserChangeForm",
    "UserCreationForm",
    "actor",
    "businesses_of",
    "display",
    "has_role",
    "name_for_screen_readers",
]


def display(
    *, description: Any, ordering: str | None = None, label: dict[str, str] | None = None
) -> Callable[[Shown], Shown]:
    """Name a column; with ``label`` its method returns (key, words) and the key picks the chip's colour."""

    def decorate(method: Shown) -> Shown:
        return theme_display(method, description=description, ordering=ordering, label=label)  # type: ignore[no-any-return]

    return decorate


def businesses_of(request: HttpRequest, permission: Permission) -> frozenset[UUID]:
    """Return the businesses in which the person may open the admin and has the permission; asked once a request."""
    known: dict[Permission, frozenset[UUID]] | None = getattr(request, "_businesses_by_permission", None)
    if known is None:
        known = {}
        request._businesses_by_permission = known  # type: ignore[attr-defined]
    if permission not in known:
        open_to = businesses_where(request.user, Permission.OPEN_ADMIN)
        known[permission] = frozenset(
            businesses_where(request.user, permission).filter(pk__in=open_to.values("pk")).values_list("pk", flat=True)
        )
    return known[permission]


def actor(request: HttpRequest) -> User:
    """Return who asks; admin pages are only for people who are signed in."""
    assert isinstance(request.user, User), request.user
    return request.user


def has_role(user: User | AnonymousUser) -> bool:
    """Return whether the person's role in any business opens the admin."""
    return businesses_where(user, Permission.OPEN_ADMIN).exists()


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than ``MOST`` rows, so that a list costs the same however long its table grows."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows[: self.MOST].count()


class RoleAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """The admin site: for superusers, and for staff whose role in some business opens it."""

    index_title = _("Overview")

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not (user.is_active and user.is_staff):
            return False
        return user.is_superuser or has_role(user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the one sign-in, with its limits on guessing; refuse those whose role opens no admin."""
        if request.user.is_authenticated:
            if not self.has_permission(request):
                raise PermissionDenied
            return redirect(f"{self.name}:index")
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse(f"{self.name}:index")
        return redirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")


class _Tenancy:
    """Permissions by role in the business that a row belongs to."""

    business_path: ClassVar[str]  # From the model to its business, as in a query; empty on the business itself.
    view_permission: ClassVar[Permission]
    change_permission: ClassVar[Permission | None] = None  # None: nobody, not even a superuser.
    add_permission: ClassVar[Permission | None] = None
    delete_permission: ClassVar[Permission | None] = None

    def is_editable(self, obj: Model | None) -> bool:
        """Return whether the row's state lets it be edited at all, whoever asks."""
        return True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.view_permission, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.change_permission, obj) and self.is_editable(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.delete_permission, obj) and self.is_editable(obj)

    def _may(self, request: HttpRequest, permission: Permission | None, obj: Model | None) -> bool:
        if permission is None:
            return False
        if request.user.is_superuser:
            return True
        businesses = businesses_of(request, permission)
        if obj is None or obj.pk is None or obj._state.adding:
            return bool(businesses)
        return self.business_id_of(obj) in businesses

    def business_id_of(self, obj: Model) -> UUID:
        """Return the business that a row belongs to."""
        if not self.business_path:
            return obj.pk  # type: ignore[no-any-return]
        *way, last = self.business_path.split("__")
        for step in way:
            obj = getattr(obj, step)
        return getattr(obj, f"{last}_id")  # type: ignore[no-any-return]


class TenantAdmin(_Tenancy, ModelAdmin):  # type: ignore[misc]
    """A page about rows of one model: a person meets only rows of the businesses where the role allows it."""

    show_full_result_count = False
    list_per_page = 50
    list_filter_sheet = False
    compressed_fields = True
    readonly_after_creation: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        path = f"{self.business_path}__in" if self.business_path else "pk__in"
        return rows.filter(**{path: businesses_of(request, self.view_permission)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.add_permission, None)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        given = list(super().get_readonly_fields(request, obj))
        return given + list(self.readonly_after_creation) if obj is not None else given

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> ModelChoiceField[Any]:
        limited = choices_for(db_field, request, self.add_permission or self.change_permission or self.view_permission)
        if limited is not None:
            kwargs.setdefault("queryset", limited)
            few = list(limited[:2])
            if len(few) == 1:
                kwargs.setdefault("initial", few[0].pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[no-any-return]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        if self.delete_permission is None:
            found.pop("delete_selected", None)
        return found


class TenantInline(_Tenancy):
    """Rows shown on the page of the row they belong to; ``obj`` is always that row, the page's own."""

    extra = 0
    parent: Model | None = None  # The page's own row.

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        self.parent = obj
        return super().get_formset(request, obj, **kwargs)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest, obj: Model | None) -> bool:
        return self._may(request, self.add_permission, obj) and self.is_editable(obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name each field for screen readers: in a table only the column's head says it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:
            name_for_screen_readers(field)
        return field


def name_for_screen_readers(field: Field) -> None:
    """Give a field's own widget its label as a name."""
    widget: Any = getattr(field.widget, "widget", field.widget)
    widget.attrs.setdefault("aria-label", str(field.label))


WAYS_TO_BUSINESS = ("business", "program__business", "version__program__business")


def choices_for(field: ForeignKey[Any, Any], request: HttpRequest, permission: Permission) -> QuerySet[Any] | None:
    """Return the rows that a field may point at: those of businesses where the person has the permission."""
    if request.user.is_superuser:
        return None
    target = field.remote_field.model
    businesses = businesses_of(request, permission)
    if target is Business:
        return Business.objects.filter(pk__in=businesses)
    path = next((way for way in WAYS_TO_BUSINESS if _leads(target, way)), None)
    if path is None:
        return target._default_manager.none()
    return target._default_manager.filter(**{f"{path}__in": businesses})


def _leads(model: type[Model], path: str) -> bool:
    return path.partition("__")[0] in {field.name for field in model._meta.get_fields()}
