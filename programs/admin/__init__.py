"""Admin pages of programs, their versions, segments, stores and till keys."""

from programs.admin.groups import RuleGroupAdmin
from programs.admin.keys import ApiKeyAdmin
from programs.admin.program import ProgramAdmin
from programs.admin.rewards import RewardAdmin
from programs.admin.rules import RuleAdmin
from programs.admin.segments import SegmentAdmin
from programs.admin.stores import StoreAdmin
from programs.admin.tiers import TierAdmin
from programs.admin.units import UnitTermsAdmin
from programs.admin.versions import VersionAdmin

__all__ = [
    "ApiKeyAdmin",
    "ProgramAdmin",
    "RewardAdmin",
    "RuleAdmin",
    "RuleGroupAdmin",
    "SegmentAdmin",
    "StoreAdmin",
    "TierAdmin",
    "UnitTermsAdmin",
    "VersionAdmin",
]
