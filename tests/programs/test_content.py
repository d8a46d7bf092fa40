"""What a version says survives the database, part by part."""

import pytest

from programs import content
from programs.faults import find
from programs.models import ProgramVersion
from tests.factories import make_program, make_shop
from tests.factories.terms import EVERYTHING, make_draft_of

pytestmark = pytest.mark.django_db


def read_anew(version):
    return content.read(ProgramVersion.objects.select_related("program").get(pk=version.pk))


def test_read_says_what_was_written_of_every_part():
    assert read_anew(make_draft_of(EVERYTHING, program=make_program())) == EVERYTHING


def test_everything_has_no_fault():
    assert [fault.message for fault in find(EVERYTHING)] == []


def test_read_makes_a_query_for_each_kind_of_part_and_one_for_the_trials_unit(django_assert_num_queries):
    version = make_draft_of(EVERYTHING, program=make_program())
    version.refresh_from_db()

    with django_assert_num_queries(17 + 1):
        content.read(version)


def test_read_of_few_parts_makes_fewer_queries(django_assert_num_queries):
    version = make_shop().versions.get()

    with django_assert_num_queries(13):  # Without groups nobody asks for their limits, without rewards for their parts.
        content.read(version)
