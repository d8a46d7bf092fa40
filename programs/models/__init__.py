"""What is promised: programs, their terms, their stores, members and till keys."""

from programs.models.keys import ApiKey
from programs.models.membership import Membership, Store
from programs.models.program import Program, Unit
from programs.models.terms import Rule, RuleCap, Tier, TierCondition, TierRate, UnitTerms
from programs.models.version import ProgramVersion

__all__ = [
    "ApiKey",
    "Membership",
    "Program",
    "ProgramVersion",
    "Rule",
    "RuleCap",
    "Store",
    "Tier",
    "TierCondition",
    "TierRate",
    "Unit",
    "UnitTerms",
]
