from datetime import UTC, datetime

import pytest

from accounts.history.models import Change
from programs import actions, content
from programs.copying import SlugTakenError, copy_program
from programs.models import ApiKey, Membership, Program
from tests.factories import EVER_SINCE, make_key, make_member, make_program, make_shop, make_user
from tests.factories.terms import EVERYTHING, make_draft_of

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


def copy(program, **given):
    wanted = {"name": "Twin", "slug": "twin", "is_sandbox": False, "by": None}
    return copy_program(program=program, **{**wanted, **given})


def test_copy_promises_the_same_to_nobody():
    program = make_shop(currency="USD", timezone="America/New_York")
    make_member(program=program)
    make_key(program=program)
    program.segments.create(code="press", name="Press")
    person = make_user()

    made = copy(program, by=person)

    (version,) = made.versions.all()
    assert content.read(version) == content.read(program.versions.get())
    assert (version.status, version.in_force_from) == ("published", EVER_SINCE)
    assert (made.business, made.currency, made.timezone, made.is_sandbox) == (
        program.business,
        "USD",
        "America/New_York",
        False,
    )
    assert list(made.segments.values_list("code", flat=True)) == ["press"]
    assert (Membership.objects.filter(program=made).count(), ApiKey.objects.filter(program=made).count()) == (0, 0)
    written = Change.objects.of_program(made.pk).order_by("at")
    assert [(one.action, one.by, one.lines[0][2]) for one in written] == [
        ("copied", person, program.name),
        ("published", person, "31\u00a0Dec\u00a01989, 19:00"),
    ]


def test_copy_of_everything_there_is_says_the_same():
    program = make_program()
    make_draft_of(EVERYTHING, program=program)

    made = copy(program)

    assert content.read(made.draft) == content.read(program.draft)
    assert [unit.precision for unit in made.units.order_by("code")] == [1, 0]


@pytest.mark.parametrize(("with_draft", "numbers"), [(False, [1]), (True, [1, 2])])
def test_copy_takes_the_draft_along_where_that_is_asked_for(with_draft, numbers):
    program = make_shop()
    draft = actions.start_draft(program=program, by=None)
    draft.tiers.filter(code="gold").update(name="Golden")

    made = copy(program, with_draft=with_draft)

    assert sorted(made.versions.values_list("number", flat=True)) == numbers
    assert made.draft is None or content.read(made.draft) == content.read(draft)


def test_copy_as_a_sandbox_has_a_clock_of_its_own():
    made = copy(make_shop(), is_sandbox=True, clock=CLOCK)

    assert (made.is_sandbox, made.clock, made.now()) == (True, CLOCK, CLOCK)


def test_copy_of_terms_that_could_not_be_published_today_is_a_draft():
    program = make_shop()
    broken = make_program(business=program.business)
    version = make_draft_of(content.read(program.versions.get()), program=broken)
    version.tiers.get(code="gold").conditions.update(threshold=1)  # Less than silver asks for.
    version.status, version.in_force_from, version.published_at = "published", EVER_SINCE, CLOCK
    version.save()

    made = copy(broken)

    assert [one.status for one in made.versions.all()] == ["draft"]


def test_copy_under_a_short_name_that_is_taken_is_refused_and_leaves_nothing():
    program = make_shop()

    with pytest.raises(SlugTakenError):
        copy(program, slug=make_program().slug)

    assert Program.objects.count() == 2
