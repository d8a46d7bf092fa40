"""What each staff role may do: the one table that pages, admin and tests read."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser

from accounts.models import Business, StaffRole, User

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Permission(StrEnum):
    """One thing that staff may do in their business."""

    OPEN_ADMIN = "open_admin"
    SEE_FIGURES = "see_figures"
    SEE_MEMBERS = "see_members"
    SEE_LEDGER = "see_ledger"
    EDIT_PROGRAM = "edit_program"
    PUBLISH_PROGRAM = "publish_program"
    RETRY_ACTIVITY = "retry_activity"
    GRANT_TIERS = "grant_tiers"
    MOVE_MEMBERS = "move_members"
    TELL_MEMBERS = "tell_members"
    RELEASE_REWARDS = "release_rewards"
    STOCK_REWARDS = "stock_rewards"
    MANAGE_KEYS = "manage_keys"
    MANAGE_STAFF = "manage_staff"
    OPEN_TILL = "open_till"


ALLOWED: dict[str, frozenset[Permission]] = {
    StaffRole.Role.OWNER: frozenset(Permission),
    StaffRole.Role.CASHIER: frozenset({Permission.SEE_MEMBERS, Permission.OPEN_TILL}),
}


def businesses_where(user: User | AnonymousUser, permission: Permission) -> QuerySet[Business]:
    """Return the businesses in which the user has the permission; all of them for a superuser."""
    if not user.is_authenticated or not user.is_active:
        return Business.objects.none()
    if user.is_superuser:
        return Business.objects.all()
    roles = [role for role, allowed in ALLOWED.items() if permission in allowed]
    return Business.objects.filter(staff__user=user, staff__role__in=roles).distinct()


def may(user: User | AnonymousUser, permission: Permission, *, business: Business) -> bool:
    """Return whether the user has the permission in this business."""
    return businesses_where(user, permission).filter(pk=business.pk).exists()
