"""Admin pages of activity and of members as they stand."""

from loyalty.purchases.admin.activity import ActivityAdmin
from loyalty.purchases.admin.members import MemberAdmin

__all__ = ["ActivityAdmin", "MemberAdmin"]
