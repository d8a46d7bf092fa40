from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from programs import actions, content
from programs.models import ProgramVersion, TierCondition
from programs.signals import version_published
from tests.factories import make_program, make_shop, make_user, make_version

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_start_draft_copies_every_part_of_the_terms_in_force():
    program = make_shop()
    base = program.versions.get()

    draft = actions.start_draft(program=program, by=None)

    assert (draft.number, draft.status, draft.in_force_from) == (2, "draft", None)
    assert content.read(draft) == content.read(base)
    assert content.read(draft).tiers[2].conditions[0].threshold == Decimal(1000)


def test_start_draft_of_a_program_without_terms_is_empty():
    draft = actions.start_draft(program=make_program(), by=None)

    assert (draft.number, content.read(draft).rules) == (1, ())


def test_start_draft_copies_what_is_to_come_rather_than_what_is_in_force():
    program = make_shop(clock=CLOCK)
    later = actions.start_draft(program=program, by=None)
    later.tiers.get(code="gold").conditions.update(threshold=2000)
    actions.publish(version=later, in_force_from=CLOCK + timedelta(days=9), by=None)

    draft = actions.start_draft(program=program, by=None)

    assert content.read(draft) == content.read(later)


def test_start_draft_beside_a_draft_is_refused():
    program = make_shop()
    actions.start_draft(program=program, by=None)

    with pytest.raises(actions.DraftExistsError):
        actions.start_draft(program=program, by=None)


def test_discard_draft_leaves_the_terms_in_force():
    program = make_shop()
    draft = actions.start_draft(program=program, by=None)

    actions.discard_draft(version=draft, by=None)

    assert list(program.versions.values_list("number", "status")) == [(1, "published")]


def test_discard_draft_of_a_published_version_is_refused():
    version = make_shop().versions.get()

    with pytest.raises(actions.NotADraftError):
        actions.discard_draft(version=version, by=None)


def test_publish_freezes_the_draft_from_the_programs_present():
    program = make_shop(clock=CLOCK)
    owner = make_user()
    draft = actions.start_draft(program=program, by=owner)

    published = actions.publish(version=draft, by=owner)

    assert (published.status, published.in_force_from, published.published_by) == ("published", CLOCK, owner)
    assert program.version_at(CLOCK) == published
    assert program.version_at(CLOCK - timedelta(microseconds=1)).number == 1


def test_publish_tells_who_listens_with_the_version():
    heard = []

    def listen(*, version: ProgramVersion, **_news: object) -> None:
        heard.append(version.number)

    version_published.connect(listen)
    try:
        actions.publish(version=actions.start_draft(program=make_shop(), by=None), by=None)
    finally:
        version_published.disconnect(listen)

    assert heard == [2]


def test_publish_of_the_first_version_may_reach_back():
    version = make_version(program=make_program(), is_published=False)
    since = datetime(1990, 1, 1, tzinfo=UTC)

    assert actions.publish(version=version, in_force_from=since, by=None).in_force_from == since


def test_publish_of_a_later_version_in_the_past_is_refused():
    program = make_shop(clock=CLOCK)
    draft = actions.start_draft(program=program, by=None)

    with pytest.raises(actions.MomentError):
        actions.publish(version=draft, in_force_from=CLOCK - timedelta(seconds=1), by=None)

    draft.refresh_from_db()
    assert draft.is_draft


def test_publish_before_a_version_that_is_to_come_is_refused():
    program = make_shop(clock=CLOCK)
    to_come = actions.start_draft(program=program, by=None)
    actions.publish(version=to_come, in_force_from=CLOCK + timedelta(days=9), by=None)
    draft = actions.start_draft(program=program, by=None)

    with pytest.raises(actions.MomentError):
        actions.publish(version=draft, by=None)


def test_publish_at_the_same_moment_takes_the_place_of_what_was_to_come():
    program = make_shop(clock=CLOCK)
    moment = CLOCK + timedelta(days=9)
    for _ in range(2):
        actions.publish(version=actions.start_draft(program=program, by=None), in_force_from=moment, by=None)

    assert program.version_at(moment).number == 3


def test_publish_with_faults_names_them_and_changes_nothing():
    program = make_shop()
    draft = actions.start_draft(program=program, by=None)
    TierCondition.objects.filter(tier__version=draft, tier__code="gold").update(threshold=350)

    with pytest.raises(actions.CannotPublishError) as refusal:
        actions.publish(version=draft, by=None)

    assert [fault.where for fault in refusal.value.faults] == ["tier:gold"]
    draft.refresh_from_db()
    assert draft.is_draft


def test_publish_twice_is_refused():
    program = make_shop()
    draft = actions.start_draft(program=program, by=None)
    actions.publish(version=draft, by=None)

    with pytest.raises(actions.NotADraftError):
        actions.publish(version=draft, by=None)
