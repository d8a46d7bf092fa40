"""Admin pages of programs, their versions, stores and till keys."""

from programs.admin.keys import ApiKeyAdmin
from programs.admin.parts import RuleAdmin, TierAdmin
from programs.admin.program import ProgramAdmin
from programs.admin.stores import StoreAdmin
from programs.admin.versions import VersionAdmin

__all__ = ["ApiKeyAdmin", "ProgramAdmin", "RuleAdmin", "StoreAdmin", "TierAdmin", "VersionAdmin"]
