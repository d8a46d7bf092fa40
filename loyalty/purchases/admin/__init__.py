"""Admin pages of activity and of members as they stand."""

from loyalty.purchases.admin.activity import ActivityAdmin
from loyalty.purchases.admin.members import MemberAdmin
from loyalty.purchases.admin.trying import try_panel

__all__ = ["ActivityAdmin", "MemberAdmin", "try_panel"]
