"""Staff: who may do what in a business."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.history.models import Change
from accounts.history.recording import Line, Part, Place, record
from accounts.models import Business, StaffRole, User
from accounts.roles import ALLOWED, Permission

log = structlog.get_logger(__name__)


class LastOwnerError(Exception):
    """The only owner of a business was to lose the role: nobody could open the admin any more."""


class AlreadyStaffError(Exception):
    """The person has a role in this business already; change that one."""


@transaction.atomic
def grant_role(*, business: Business, email: str, role: str, by: User | None) -> StaffRole:
    """Give the person with this e-mail a role; a new person signs in by a mailed code.

    Raises ``AlreadyStaffError``.
    """
    business = Business.objects.select_for_update().get(pk=business.pk)
    user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
    if business.staff.filter(user=user).exists():
        raise AlreadyStaffError
    granted = StaffRole.objects.create(business=business, user=user, role=role)
    _open_or_close_admin(user)
    _write_down(granted, Change.Action.ADDED, by=by, lines=[(_("Role"), "", str(granted.get_role_display()))])
    log.info("role_granted", business=business.slug, role=role, by=str(by) if by else None)
    return granted


@transaction.atomic
def change_role(*, staff: StaffRole, role: str, by: User | None) -> StaffRole:
    """Give the person another role in the same business. Raises ``LastOwnerError``."""
    staff = _locked(staff)
    if role != StaffRole.Role.OWNER:
        _check_owner_remains(staff)
    before, staff.role = str(staff.get_role_display()), role
    staff.save(update_fields=["role"])
    after = str(staff.get_role_display())
    if after != before:
        _write_down(staff, Change.Action.CHANGED, by=by, lines=[(_("Role"), before, after)])
    _open_or_close_admin(staff.user)
    log.info("role_changed", business=staff.business.slug, role=role, by=str(by) if by else None)
    return staff


@transaction.atomic
def revoke_role(*, staff: StaffRole, by: User | None) -> None:
    """Take the role away; the person may still be a customer. Raises ``LastOwnerError``."""
    staff = _locked(staff)
    _check_owner_remains(staff)
    user, business = staff.user, staff.business
    _write_down(staff, Change.Action.REMOVED, by=by, lines=[(_("Role"), str(staff.get_role_display()), "")])
    staff.delete()
    _open_or_close_admin(user)
    log.info("role_revoked", business=business.slug, by=str(by) if by else None)


def _write_down(staff: StaffRole, action: str, *, by: User | None, lines: Iterable[Line]) -> None:
    record(place=Place(staff.business), part=staff_part(staff), action=action, by=by, lines=lines)


def staff_part(staff: StaffRole) -> Part:
    """Return a person's role as a part of the settings."""
    return Part("staff", str(staff.pk), _("Staff: %(person)s") % {"person": staff.user.get_full_name()})


def _locked(staff: StaffRole) -> StaffRole:
    Business.objects.select_for_update().get(pk=staff.business_id)
    return StaffRole.objects.select_related("business", "user").get(pk=staff.pk)


def _check_owner_remains(staff: StaffRole) -> None:
    owners = StaffRole.objects.filter(business=staff.business_id, role=StaffRole.Role.OWNER)
    if staff.role == StaffRole.Role.OWNER and not owners.exclude(pk=staff.pk).exists():
        raise LastOwnerError


def _open_or_close_admin(user: User) -> None:
    """Keep ``is_staff`` in step with the roles; a superuser keeps it."""
    opening = [role for role, allowed in ALLOWED.items() if Permission.OPEN_ADMIN in allowed]
    user.is_staff = user.is_superuser or user.roles.filter(role__in=opening).exists()
    user.save(update_fields=["is_staff"])
