"""The database itself keeps terms sensible: each constraint, broken by name."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from programs.models import (
    EventType,
    ProgramVersion,
    Reward,
    RewardClause,
    RewardLimit,
    RewardTier,
    Rule,
    RuleCap,
    RuleClause,
    RuleGroup,
    RuleLineRate,
    Segment,
    SegmentMember,
    Tier,
    TierBenefit,
    TierCondition,
    TierExpiry,
    UnitTerms,
)
from tests.factories import make_member, make_program, make_shop
from tests.factories.terms import EVERYTHING, make_draft_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft():
    return make_draft_of(EVERYTHING, program=make_program())


def broken(name, *, is_unique=False):
    """Expect the constraint's refusal; for what is unique SQLite names the columns alone."""
    nameless = is_unique and connection.vendor == "sqlite"
    return pytest.raises(IntegrityError, match="UNIQUE constraint failed" if nameless else name)


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("year_starts_in_a_month", {"year_starts": 13}),
        ("tier_months_positive", {"tier_months": 0}),
        ("notice_days_positive", {"notice_days": 0}),
        ("trial_is_whole", {"trial_months": None}),
        ("trial_is_whole", {"trial_need": None}),
        ("trial_is_whole", {"trial_tier": ""}),
        ("trial_unit_for_units", {"trial_unit": None}),
        ("trial_unit_for_units", {"trial_measure": "visits"}),
    ],
)
def test_version_is_refused(draft, constraint, change):
    with broken(f"programs_version_{constraint}"), transaction.atomic():
        ProgramVersion.objects.update(**change)


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("expiry_has_its_end", {"expiry_months": None}),
        ("expiry_has_its_end", {"expiry_days": 5}),
        ("expiry_has_its_end", {"expiry": "none", "round_up": ""}),
        ("expiry_has_its_end", {"expiry": "fixed", "round_up": "", "expiry_months": None}),
        ("expiry_has_its_end", {"fixed_days": "12-31"}),
        ("round_up_needs_a_time", {"expiry": "none", "expiry_months": None}),
        ("inactivity_says_activity", {"kept_alive_by": ""}),
        ("fall_months_positive", {"fall_months": 0}),
        ("pending_one_way", {"pending_until": date(2026, 1, 1)}),
    ],
)
def test_terms_of_a_unit_are_refused(draft, constraint, change):
    with broken(f"programs_unitterms_{constraint}"), transaction.atomic():
        UnitTerms.objects.filter(unit__code="points").update(**change)


def test_lowest_tier_by_invitation_is_refused(draft):
    with broken("programs_tier_lowest_needs_no_invitation"), transaction.atomic():
        Tier.objects.filter(rank=0).update(by_invitation=True)


@pytest.mark.parametrize(
    ("constraint", "measure", "change"),
    [
        ("unit_for_units", "units", {"unit": None}),
        ("unit_for_units", "units", {"measure": "visits"}),
        ("months_for_rolling", "spend", {"window": "rolling", "months": None}),
        ("months_for_rolling", "spend", {"window": "lifetime", "months": 6}),
        ("years_in_a_lifetime", "years", {"window": "anniversary"}),
    ],
)
def test_condition_of_a_tier_is_refused(draft, constraint, measure, change):
    with broken(f"programs_tiercondition_{constraint}"), transaction.atomic():
        TierCondition.objects.filter(measure=measure).update(**change)


def test_tier_expiry_after_no_month_is_refused(draft):
    with broken("programs_tierexpiry_months_positive"), transaction.atomic():
        TierExpiry.objects.update(months=0)


@pytest.mark.parametrize(
    ("constraint", "code", "change"),
    [
        ("event_for_events", "review", {"event": ""}),
        ("event_for_events", "base", {"event": "review"}),
        ("without_purchase_gives_units", "review", {"effect": "stamp"}),
        ("of_another_rule", "twice", {"of": ""}),
        ("of_another_rule", "twice", {"of": "twice"}),
        ("of_another_rule", "base", {"of": "twice"}),
        ("tier_rate_for_multiplier", "base", {"of_tier_rate": True}),
        ("pieces_for_per_item", "base", {"pieces": "largest"}),
    ],
)
def test_rule_is_refused(draft, constraint, code, change):
    with broken(f"programs_rule_{constraint}"), transaction.atomic():
        Rule.objects.filter(code=code).update(**change)


@pytest.mark.parametrize(
    ("constraint", "window", "change"),
    [
        ("positive", "week", {"amount": 0}),
        ("of_a_rule_or_a_group", "week", {"rule": None}),
        ("group_counts_what_is_given", "program_year", {"counts": "amount"}),
        ("purchase_is_one_members", "purchase", {"scope": "program"}),
        ("purchase_is_one_members", "purchase", {"per": "place"}),
        ("purchase_is_one_members", "purchase", {"counts": "times"}),
    ],
)
def test_limit_is_refused(draft, constraint, window, change):
    with broken(f"programs_rulecap_{constraint}"), transaction.atomic():
        RuleCap.objects.filter(window=window).update(**change)


def test_limit_of_both_a_rule_and_a_group_is_refused(draft):
    group = draft.groups.get(code="deeds")

    with broken("programs_rulecap_of_a_rule_or_a_group"), transaction.atomic():
        RuleCap.objects.filter(rule__isnull=False, counts="units").update(group=group)


@pytest.mark.parametrize(
    ("constraint", "model", "change"),
    [
        ("programs_ruleclause_says_something", RuleClause, {"value": ""}),
        ("programs_rulelinerate_says_something", RuleLineRate, {"value": ""}),
        ("programs_rulelinerate_by_line", RuleLineRate, {"kind": "store"}),
        ("programs_rulelinerate_not_negative", RuleLineRate, {"rate": -1}),
    ],
)
def test_condition_of_a_rule_is_refused(draft, constraint, model, change):
    row = model.objects.first()

    with broken(constraint), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**change)


@pytest.mark.parametrize(
    ("constraint", "model", "lookup"),
    [
        ("programs_eventtype_code_unique", EventType, {"code": "review"}),
        ("programs_rulegroup_code_unique", RuleGroup, {"code": "base"}),
        ("programs_rulecap_rule_unique", RuleCap, {"window": "week"}),
        ("programs_rulecap_group_unique", RuleCap, {"window": "program_year"}),
        ("programs_ruleclause_unique", RuleClause, {"kind": "amount"}),
        ("programs_rulelinerate_unique", RuleLineRate, {"kind": "sku"}),
        ("programs_tierexpiry_unique", TierExpiry, {}),
        ("programs_tierbenefit_unique", TierBenefit, {"kind": "entitlement"}),
        ("programs_tiercondition_measure_unique", TierCondition, {"measure": "visits"}),
        ("programs_tiercondition_unit_unique", TierCondition, {"measure": "units"}),
    ],
)
def test_part_that_is_there_already_is_refused(draft, constraint, model, lookup):
    twin = model.objects.get(**lookup)
    twin.pk = model._meta.pk.get_default()
    twin._state.adding = True

    with broken(constraint, is_unique=True), transaction.atomic():
        twin.save(force_insert=True)


def test_limits_of_one_rule_in_one_window_may_count_different_things(draft):
    week = RuleCap.objects.get(window="week")

    RuleCap.objects.create(rule=week.rule, window="week", counts="times", amount=2)

    assert RuleCap.objects.filter(window="week").count() == 2


def test_segment_of_a_known_code_and_member_who_is_in_it_are_refused():
    program = make_shop()
    member = make_member(program=program)
    segment = Segment.objects.create(program=program, code="press", name="Press")
    SegmentMember.objects.create(program=program, segment=segment, membership=member)

    with broken("programs_segment_code_unique", is_unique=True), transaction.atomic():
        Segment.objects.create(program=program, code="press", name="Press again")
    with broken("programs_segmentmember_unique", is_unique=True), transaction.atomic():
        SegmentMember.objects.create(program=program, segment=segment, membership=member)


@pytest.mark.parametrize(
    "row",
    [RuleClause(kind="amount", value="50"), RuleLineRate(kind="brand", value=" , ", rate=1)],
    ids=["condition", "line rate"],
)
def test_condition_that_cannot_be_read_is_refused_at_its_text(draft, row):
    row.rule = draft.rules.get(code="base")

    with pytest.raises(ValidationError) as refused:
        row.full_clean()

    assert list(refused.value.message_dict) == ["value"]


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("amounts_not_negative", {"price": -1}),
        ("amounts_not_negative", {"value": -1}),
        ("amounts_not_negative", {"step": 0}),
        ("amounts_not_negative", {"gives": 0}),
        ("price_has_unit", {"unit": None}),
        ("shares_within_a_whole", {"percent": 0}),
        ("shares_within_a_whole", {"percent": 101}),
        ("shares_within_a_whole", {"most_share": 101}),
        ("gives_units_whole", {"gives": 5}),
        ("dates_are_whole", {"closes_on": "05-31"}),
        ("dates_are_whole", {"conversion": "dates"}),
        ("voucher_lives_one_way", {"lives_months": 1, "lives_days": 1}),
    ],
)
def test_reward_is_refused(draft, constraint, change):
    with broken(f"programs_reward_{constraint}"), transaction.atomic():
        Reward.objects.filter(code="cash").update(**change)


def test_reward_of_a_code_stands_once_in_a_version(draft):
    with broken("programs_reward_code_unique", is_unique=True), transaction.atomic():
        Reward.objects.create(version=draft, code="cash", name="Again", kind="product")


@pytest.mark.parametrize("change", [{"price": -1}, {"value": -1}, {"percent": 0}, {"percent": 101}])
def test_amounts_of_a_reward_for_a_tier_fit(draft, change):
    with broken("programs_rewardtier_amounts_fit"), transaction.atomic():
        RewardTier.objects.update(**change)


def test_reward_has_a_tier_a_window_and_a_condition_once(draft):
    reward, tier = draft.rewards.get(code="cash"), draft.tiers.get(code="gold")

    for constraint, again in (
        ("programs_rewardtier_tier_unique", lambda: RewardTier.objects.create(reward=reward, tier=tier)),
        ("programs_rewardlimit_window_unique", lambda: reward.limits.create(window="day", times=1)),
        ("programs_rewardclause_unique", lambda: reward.clauses.create(kind="age", value=">= 3")),
    ):
        with broken(constraint, is_unique=True), transaction.atomic():
            again()


@pytest.mark.parametrize(
    ("constraint", "model", "change"),
    [
        ("programs_rewardlimit_positive", RewardLimit, {"times": 0}),
        ("programs_rewardclause_says_something", RewardClause, {"value": ""}),
        ("programs_rewardclause_of_a_kind", RewardClause, {"kind": "weekday"}),
    ],
)
def test_row_of_a_reward_is_refused(draft, constraint, model, change):
    row = model.objects.order_by("pk").first()

    with broken(constraint), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**change)
