"""Terms that use every part there is, and drafts that say what a test wants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from programs import content
from programs.content import (
    BenefitContent,
    CapContent,
    ClauseContent,
    ConditionContent,
    Content,
    EventContent,
    GroupContent,
    LineRateContent,
    RuleContent,
    TierContent,
    TierExpiryContent,
    TierRateContent,
    TrialContent,
    UnitContent,
)
from programs.models import Program, ProgramVersion, Unit
from programs.reward_content import RewardClauseContent, RewardContent, RewardLimitContent, RewardTierContent

EVERYTHING = Content(
    tax_earns=True,
    tier_validity="months",
    paid_part_earns=True,
    year_starts=2,
    tier_months=6,
    tier_grace_months=1,
    tier_fall="one_step",
    needs_notice=True,
    notice_days=14,
    redeemed_come_back=False,
    trial=TrialContent(tier="gold", measure="units", need=Decimal("1.5"), months=12, once_in_months=36, unit="nights"),
    units=(
        UnitContent("nights", "fixed", None, 0, fixed_days="12-31, 2026-06-30", pending_until=date(2026, 3, 1)),
        UnitContent(
            "points",
            "inactivity",
            6,
            14,
            round_up="quarter",
            fall_months=3,
            kept_alive_by="purchase, review",
            debt="remember",
            tiers=(TierExpiryContent("gold", None),),
        ),
    ),
    tiers=(
        TierContent("basic", "Basic", 0),
        TierContent(
            "silver", "Silver", 1, conditions=(ConditionContent("spend", "rolling", Decimal("350.50"), months=6),)
        ),
        TierContent(
            "gold",
            "Gold",
            2,
            conditions=(
                ConditionContent("spend", "calendar_year", Decimal(1000)),
                ConditionContent("units", "calendar_year", Decimal("10.5"), unit="nights"),
                ConditionContent("visits", "lifetime", Decimal(250), for_life=True),
                ConditionContent("years", "lifetime", Decimal(5), for_life=True),
            ),
            benefits=(
                BenefitContent("free_shipping", "Free shipping", "From 10.00"),
                BenefitContent("entitlement", "Lounge"),
            ),
        ),
        TierContent("summit", "Summit", 3, by_invitation=True),
    ),
    events=(EventContent("referral", "Referral", waits_for_friend=True), EventContent("review", "Review")),
    groups=(
        GroupContent("base", "Base", 0, "best"),
        GroupContent("deeds", "Deeds", 1, "all", caps=(CapContent("program_year", Decimal(100), counts="units"),)),
    ),
    rules=(
        RuleContent(
            "base",
            "Base",
            0,
            "points",
            "per_amount",
            Decimal("1.25"),
            group="base",
            tier_rates=(TierRateContent("gold", Decimal("1.5")),),
            caps=(
                CapContent("month", Decimal("3000.50"), scope="program"),
                CapContent("purchase", Decimal(500), is_on=False),
                CapContent("week", Decimal(20), counts="units"),
            ),
            clauses=(
                ClauseContent("amount", ">= 10.00"),
                ClauseContent("category", "Gift card", negated=True),
            ),
            line_rates=(
                LineRateContent(ClauseContent("sku", "b"), Decimal(5)),
                LineRateContent(ClauseContent("brand", "A"), Decimal("2.5")),
            ),
        ),
        RuleContent(
            "twice", "Twice", 1, "points", "multiplier", Decimal(2), group="base", of="base", of_tier_rate=True
        ),
        RuleContent("stay", "Stay", 2, "nights", "per_item", Decimal(1), pieces="largest"),
        RuleContent(
            "review",
            "Review",
            3,
            "points",
            "fixed",
            Decimal(25),
            group="deeds",
            trigger="event",
            event="review",
            caps=(CapContent("day", Decimal(1), counts="times", per="place"),),
        ),
        RuleContent("welcome", "Welcome", 4, "points", "fixed", Decimal(5), trigger="enrolment", is_on=False),
    ),
    rewards=(
        RewardContent(
            "cash",
            "Cash",
            0,
            "money_off",
            detail="10.00 off",
            unit="points",
            price=Decimal(500),
            value=Decimal("10.5"),
            several=True,
            most_share=Decimal("99.5"),
            least_basket=Decimal(5),
            from_tier="silver",
            stock=500,
            opens_at=datetime(2026, 4, 9, 13, tzinfo=UTC),
            closes_at=datetime(2026, 5, 1, 13, tzinfo=UTC),
            weekdays="tue, thu",
            opens_from=time(9),
            opens_until=time(17, 30),
            zone="America/Los_Angeles",
            tiers=(
                RewardTierContent(
                    "gold",
                    price=Decimal(400),
                    value=Decimal(12),
                    opens_at=datetime(2026, 4, 8, 13, tzinfo=UTC),
                ),
            ),
            limits=(RewardLimitContent("day", 2), RewardLimitContent("lifetime", 9)),
            clauses=(RewardClauseContent("age", ">= 3"), RewardClauseContent("category", "Gift card", negated=True)),
        ),
        RewardContent(
            "pay",
            "Pay with points",
            1,
            "money_off",
            unit="points",
            price=Decimal(10),
            value=Decimal(1),
            by_amount=True,
            step=Decimal(1),
        ),
        RewardContent(
            "gift",
            "Birthday gift",
            2,
            "product",
            value=Decimal(20),
            choice="birthday",
            limits=(RewardLimitContent("year", 1),),
            clauses=(RewardClauseContent("birthday", "month"),),
        ),
        RewardContent(
            "bonus",
            "Birthday points",
            3,
            "units",
            gives_unit="points",
            gives=Decimal(250),
            choice="birthday",
            limits=(RewardLimitContent("year", 1),),
        ),
        RewardContent(
            "sale",
            "Sale",
            4,
            "percent_off",
            is_on=False,
            percent=Decimal(10),
            tiers=(RewardTierContent("gold", percent=Decimal("12.5")),),
        ),
        RewardContent("cinema", "Cinema", 5, "pool", unit="points", price=Decimal(100), pool="cinema", lives_days=30),
        RewardContent(
            "ten",
            "Ten",
            6,
            "money_off",
            unit="points",
            price=Decimal(100),
            value=Decimal(10),
            conversion="dates",
            closes_on="05-31, 09-30",
            issue_day=15,
            most_at_once=5,
            most_a_year=15,
            is_withdrawn=True,
            lives_months=11,
        ),
    ),
)


def make_draft_of(terms: Content, *, program: Program) -> ProgramVersion:
    """Return a draft that says these terms; points are whole and spendable, nights have a decimal and are neither."""
    for unit in terms.units:
        is_night = unit.unit == "nights"
        Unit.objects.get_or_create(
            program=program,
            code=unit.unit,
            defaults={
                "name": unit.unit,
                "name_plural": unit.unit,
                "precision": int(is_night),
                "is_spendable": not is_night,
            },
        )
    version = ProgramVersion.objects.create(program=program, number=program.versions.count() + 1)
    content.write(terms, version=version)
    return version
