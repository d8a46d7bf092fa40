"""Admin pages of activity and of members as they stand."""

from loyalty.purchases.admin.activity import ActivityAdmin
from loyalty.purchases.admin.members import MemberAdmin
from loyalty.purchases.admin.moving import moves_panel, spread_panel
from loyalty.purchases.admin.trying import try_panel

__all__ = ["ActivityAdmin", "MemberAdmin", "moves_panel", "spread_panel", "try_panel"]
