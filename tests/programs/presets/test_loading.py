from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Business
from programs import actions, content, presets
from programs.models import Program, ProgramVersion, Tier
from programs.presets.loading import CannotLoadError, load
from tests.factories import make_business, make_program, make_shop

pytestmark = pytest.mark.django_db
CLOCK = datetime(2025, 6, 1, 8, tzinfo=UTC)
BEAUTY = presets.get("beauty_insider")
CASHBACK = presets.get("cashback")
GENEROUS = replace(BEAUTY, content=replace(BEAUTY.content, tax_earns=True))


def counts():
    return (Business.objects.count(), Program.objects.count(), ProgramVersion.objects.count(), Tier.objects.count())


def test_load_makes_business_and_program_with_terms_in_force_since_1990():
    loaded = load(preset=BEAUTY, slug="beauty", by=None)

    program = loaded.program
    version = program.versions.get()
    assert (program.slug, program.business.slug, program.is_sandbox, program.clock) == ("beauty", "beauty", False, None)
    assert (version.number, version.status) == (1, "published")
    assert version.in_force_from == datetime(1990, 1, 1, tzinfo=ZoneInfo("America/New_York"))
    assert content.read(version) == BEAUTY.content


def test_load_again_changes_nothing():
    load(preset=BEAUTY, slug="beauty", by=None)
    before = counts()

    again = load(preset=BEAUTY, slug="beauty", by=None)

    assert (again.published, again.is_new) == (None, False)
    assert counts() == before


def test_load_again_keeps_what_staff_published_since():
    program = load(preset=BEAUTY, slug="beauty", by=None).program
    draft = actions.start_draft(program=program, by=None)
    draft.tiers.get(code="vib").conditions.update(threshold=300)
    actions.publish(version=draft, by=None)

    assert load(preset=BEAUTY, slug="beauty", by=None).published is None
    assert program.versions.count() == 2


def test_load_of_a_changed_preset_publishes_a_next_version_from_now():
    program = load(preset=BEAUTY, slug="beauty", clock=CLOCK, by=None).program

    published = load(preset=GENEROUS, slug="beauty", by=None).published

    assert (published.number, published.in_force_from) == (2, CLOCK)
    assert content.read(program.version_at(CLOCK)) == GENEROUS.content
    assert load(preset=GENEROUS, slug="beauty", by=None).published is None


def test_load_of_a_changed_preset_beside_a_draft_is_refused():
    program = load(preset=BEAUTY, slug="beauty", by=None).program
    actions.start_draft(program=program, by=None)

    with pytest.raises(CannotLoadError, match="draft"):
        load(preset=GENEROUS, slug="beauty", by=None)


def test_load_with_a_clock_makes_a_sandbox_whose_clock_repeating_never_moves():
    load(preset=CASHBACK, slug="test", clock=CLOCK, by=None)

    load(preset=CASHBACK, slug="test", clock=datetime(2026, 1, 1, tzinfo=UTC), by=None)
    program = load(preset=CASHBACK, slug="test", by=None).program

    assert (program.is_sandbox, program.clock) == (True, CLOCK)


def test_load_with_a_clock_over_a_live_program_is_refused():
    load(preset=CASHBACK, slug="live", by=None)

    with pytest.raises(CannotLoadError, match="real clock"):
        load(preset=CASHBACK, slug="live", clock=CLOCK, by=None)


@pytest.mark.parametrize("make", [make_shop, make_program])
def test_load_over_a_program_made_by_hand_is_refused(make):
    program = make()

    with pytest.raises(CannotLoadError, match="by hand"):
        load(preset=BEAUTY, slug=program.slug, by=None)


def test_load_over_another_presets_program_is_refused():
    load(preset=CASHBACK, slug="shop", by=None)

    with pytest.raises(CannotLoadError, match="“cashback”"):
        load(preset=BEAUTY, slug="shop", by=None)


def test_load_uses_a_business_that_is_there_and_leaves_its_name():
    business = make_business(slug="shop", name="My Shop")

    program = load(preset=BEAUTY, slug="shop", by=None).program

    assert program.business == business
    assert Business.objects.get().name == "My Shop"


@pytest.mark.parametrize("slug", ["a b", "", "ü", "a" * 65, "a/b"])
def test_load_under_what_is_no_slug_is_refused(slug):
    with pytest.raises(CannotLoadError, match="short name"):
        load(preset=BEAUTY, slug=slug, by=None)

    assert counts() == (0, 0, 0, 0)
