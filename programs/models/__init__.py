"""What is promised: programs, their terms, their stores, members and till keys."""

from programs.models.keys import ApiKey
from programs.models.membership import Membership, Store
from programs.models.program import Program, Unit
from programs.models.rewards import Reward, RewardClause, RewardLimit, RewardTier
from programs.models.rules import (
    ClauseKind,
    EventType,
    Rule,
    RuleCap,
    RuleClause,
    RuleGroup,
    RuleLineRate,
    TierRate,
)
from programs.models.segments import Segment, SegmentMember
from programs.models.terms import Tier, TierBenefit, TierCondition, TierExpiry, UnitTerms
from programs.models.version import ProgramVersion

__all__ = [
    "ApiKey",
    "ClauseKind",
    "EventType",
    "Membership",
    "Program",
    "ProgramVersion",
    "Reward",
    "RewardClause",
    "RewardLimit",
    "RewardTier",
    "Rule",
    "RuleCap",
    "RuleClause",
    "RuleGroup",
    "RuleLineRate",
    "Segment",
    "SegmentMember",
    "Store",
    "Tier",
    "TierBenefit",
    "TierCondition",
    "TierExpiry",
    "TierRate",
    "Unit",
    "UnitTerms",
]
