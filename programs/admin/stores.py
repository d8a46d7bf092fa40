"""Admin pages of stores: tills make them, staff give them names."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import TenantAdmin
from accounts.admin_history import RecordedRow
from accounts.history.recording import Part, Place
from accounts.roles import Permission
from programs.journal import store_part
from programs.models import Store


@admin.register(Store)
class StoreAdmin(RecordedRow, TenantAdmin):
    """Stores by the code that tills send."""

    business_path = "business"
    view_permission = Permission.EDIT_PROGRAM
    change_permission = Permission.EDIT_PROGRAM
    add_permission = Permission.EDIT_PROGRAM
    list_display = ("code", "name", "business")
    list_select_related = ("business",)
    search_fields = ("code", "name")
    fields = ("business", "code", "name")
    readonly_after_creation = ("business", "code")
    recorded_fields = ("name",)

    def part_of(self, obj: Store) -> Part:
        return store_part(obj)

    def place_of(self, obj: Store) -> Place:
        return Place(obj.business)
