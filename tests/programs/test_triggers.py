"""Each trigger refuses what it is for, by its name; drafts stay free."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from programs import actions, triggers
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
    Tier,
    TierBenefit,
    TierCondition,
    TierExpiry,
    TierRate,
    UnitTerms,
)
from tests.factories import RuleSpec, UnitSpec, make_program, make_unit, make_user, make_version

pytestmark = pytest.mark.django_db
CAPPED = RuleSpec(tier_rates={"silver": "1.25"}, caps={"month": "3000"})
STARS = UnitSpec(code="stars")
ROLLING = UnitSpec(expiry=UnitTerms.Expiry.ROLLING, expiry_months=12)


def add_other_parts(version):
    """Add one row of each kind that the factory does not make."""
    terms, tier, rule = version.unit_terms.get(), version.tiers.last(), version.rules.get()
    group = RuleGroup.objects.create(version=version, code="group", name="Group")
    version.rules.update(group=group)
    RuleCap.objects.create(group=group, window="year", counts="times", amount=5)
    EventType.objects.create(version=version, code="review", name="Review")
    TierExpiry.objects.create(unit_terms=terms, tier=tier, months=3)
    TierBenefit.objects.create(tier=tier, kind="free_shipping", name="Free shipping")
    RuleClause.objects.create(rule=rule, kind="category", value="travel")
    RuleLineRate.objects.create(rule=rule, kind="brand", value="Acme", rate=2)
    reward = Reward.objects.create(version=version, code="mug", name="Mug", kind="product")
    RewardTier.objects.create(reward=reward, tier=tier, value=5)
    RewardLimit.objects.create(reward=reward, window="year", times=1)
    RewardClause.objects.create(reward=reward, kind="sku", value="mug")


@pytest.fixture
def draft():
    version = make_version(program=make_program(), units=(ROLLING,), rules=(CAPPED,), is_published=False)
    add_other_parts(version)
    return version


@pytest.fixture
def version(draft):
    return actions.publish(version=draft, by=None)


def new_row(model, version):
    """Return an unsaved row of this version."""
    rule, tier = version.rules.first(), version.tiers.first()
    return {
        UnitTerms: lambda: UnitTerms(version=version, unit=make_unit(program=version.program, spec=STARS)),
        Tier: lambda: Tier(version=version, code="new", name="New", rank=9),
        Rule: lambda: Rule(version=version, code="new", name="New", unit=rule.unit, rate=1),
        TierCondition: lambda: TierCondition(tier=tier, threshold=5),
        TierRate: lambda: TierRate(rule=rule, tier=tier, rate=2),
        RuleCap: lambda: RuleCap(rule=rule, window="year", amount=5),
        EventType: lambda: EventType(version=version, code="new", name="New"),
        RuleGroup: lambda: RuleGroup(version=version, code="new", name="New"),
        TierExpiry: lambda: TierExpiry(unit_terms=version.unit_terms.first(), tier=tier),
        TierBenefit: lambda: TierBenefit(tier=tier, kind="entitlement", name="New"),
        RuleClause: lambda: RuleClause(rule=rule, kind="category", value="rides"),
        RuleLineRate: lambda: RuleLineRate(rule=rule, kind="brand", value="Other", rate=3),
        Reward: lambda: Reward(version=version, code="new", name="New", kind="product"),
        RewardTier: lambda: RewardTier(reward=version.rewards.first(), tier=tier, value=3),
        RewardLimit: lambda: RewardLimit(reward=version.rewards.first(), window="day", times=1),
        RewardClause: lambda: RewardClause(reward=version.rewards.first(), kind="sku", value="other"),
    }[model]()


MODELS = tuple(triggers.PARTS)
CHANGE = {
    EventType: {"name": "Else"},
    RuleGroup: {"mode": "best"},
    TierExpiry: {"months": 9},
    TierBenefit: {"detail": "Else"},
    RuleClause: {"negated": True},
    RuleLineRate: {"rate": 9},
    UnitTerms: {"pending_days": 3},
    Tier: {"name": "Else"},
    Rule: {"rate": 9},
    TierCondition: {"threshold": 9},
    TierRate: {"rate": 9},
    RuleCap: {"amount": 9},
    Reward: {"name": "Else"},
    RewardTier: {"value": 9},
    RewardLimit: {"times": 9},
    RewardClause: {"negated": True},
}


def refusal(act) -> str:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        act()
    return str(refused.value).partition(":")[0]


@pytest.mark.parametrize("model", MODELS)
def test_part_of_a_published_version_refuses_insert(version, model):
    row = new_row(model, version)

    assert refusal(row.save) == f"{model._meta.db_table}_frozen_insert"


@pytest.mark.parametrize("model", MODELS)
def test_part_of_a_published_version_refuses_update(version, model):
    assert refusal(lambda: model.objects.update(**CHANGE[model])) == f"{model._meta.db_table}_frozen_update"


@pytest.mark.parametrize("model", MODELS)
def test_part_of_a_published_version_refuses_delete(version, model):
    rows = model.objects.all()

    assert refusal(lambda: rows._raw_delete(rows.db)) == f"{model._meta.db_table}_frozen_delete"


@pytest.mark.parametrize("model", MODELS)
def test_part_of_a_draft_can_be_added_changed_and_taken_out(model, draft):
    new_row(model, draft).save()
    model.objects.update(**CHANGE[model])
    model.objects.all().delete()

    assert model.objects.count() == 0


def test_limit_of_a_published_group_refuses_update(version):
    of_group = RuleCap.objects.filter(group__isnull=False)

    assert refusal(lambda: of_group.update(amount=9)) == "programs_rulecap_frozen_update"


def test_part_of_a_draft_cannot_move_into_a_published_version(version):
    draft = actions.start_draft(program=version.program, by=None)
    Tier.objects.create(version=draft, code="new", name="New", rank=9)

    moved = Tier.objects.filter(code="new")
    assert refusal(lambda: moved.update(version=version)) == "programs_tier_frozen_update"


@pytest.mark.parametrize(
    "change",
    [
        {"note": "else"},
        {"status": "draft"},
        {"in_force_from": datetime(2020, 1, 1, tzinfo=UTC)},
        {"tax_earns": True},
        {"number": 7},
    ],
)
def test_published_version_refuses_update(version, change):
    rows = ProgramVersion.objects.all()

    assert refusal(lambda: rows.update(**change)) == "programs_programversion_frozen_update"


def test_published_version_refuses_another_publisher(version):
    rows, someone = ProgramVersion.objects.all(), make_user()

    assert refusal(lambda: rows.update(published_by=someone)) == "programs_programversion_frozen_update"


def test_published_version_refuses_delete(version):
    rows = ProgramVersion.objects.all()

    assert refusal(lambda: rows._raw_delete(rows.db)) == "programs_programversion_frozen_delete"


def test_published_version_outlives_the_person_who_published_it():
    owner = make_user()
    program = make_program()
    actions.publish(version=make_version(program=program, is_published=False), by=owner)

    owner.delete()

    assert program.versions.get().published_by is None


def test_triggers_are_all_there_after_migrate_and_missing_names_those_that_are_not(db):
    assert triggers.missing(connection) == []
    names = [trigger.name for trigger in triggers.triggers(connection)]

    triggers.remove(connection)
    assert triggers.missing(connection) == names

    triggers.install(connection)
    triggers.install(connection)
    assert triggers.missing(connection) == []
