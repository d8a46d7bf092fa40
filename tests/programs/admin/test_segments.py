"""Staff put members into segments, by what they have at hand."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import StaffRole
from programs.models import Segment
from tests.factories import make_business, make_member, make_shop, make_staff
from tests.factories.admin_forms import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_shop()


@pytest.fixture
def segment(program):
    return Segment.objects.create(program=program, code="press", name="Press")


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


def page(segment: Segment) -> str:
    return reverse("admin:programs_segment_change", args=[segment.pk])


def put_in(client, segment: Segment, *names: str) -> list[str]:
    """Put members in and return what the page says then."""
    response = client.post(page(segment), {**form_of(client.get(page(segment))), "add": "\n".join(names)})
    assert response.status_code == 302, response.context["errors"]
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_owner_makes_a_segment_and_puts_members_in_at_once(client, owner, program):
    ann = make_member(program=program, email="ann@example.test")

    client.post(
        reverse("admin:programs_segment_add"),
        {"program": program.pk, "code": "press", "name": "Press", "add": "ANN@example.test"},
    )

    assert [row.membership for row in Segment.objects.get(code="press").members.all()] == [ann]


def test_members_come_in_by_card_number_address_or_own_number_and_each_once(client, owner, program, segment):
    ann, bob = (make_member(program=program, email=f"{name}@example.test") for name in ("ann", "bob"))
    cy = make_member(program=program)
    type(cy).objects.filter(pk=cy.pk).update(external_id="C-7")

    said = put_in(client, segment, ann.card_shown, "bob@example.test", " C-7 ", "", ann.card, "C-7")
    again = put_in(client, segment, ann.card)

    assert {row.membership for row in segment.members.all()} == {ann, bob, cy}
    assert (said[0], again[-2]) == ("3 members came in.", "0 members came in.")


def test_names_of_nobody_in_the_program_are_said(client, owner, program, segment):
    elsewhere = make_member(program=make_shop(business=program.business), email="dan@example.test")

    said = put_in(client, segment, "dan@example.test", elsewhere.card, "a", "b", "c", "d", "e")

    assert segment.members.count() == 0
    assert said[1] == (f"No member of the program is named: dan@example.test, {elsewhere.card}, a, b, c and 2 more.")


def test_member_is_taken_out(client, owner, program, segment):
    member = make_member(program=program)
    put_in(client, segment, member.card)

    client.post(page(segment), {**form_of(client.get(page(segment))), "members-0-DELETE": "on"})

    assert segment.members.count() == 0


def test_segment_is_for_owners_of_its_business(client, program, segment):
    client.force_login(make_staff(business=make_business()))
    stranger = client.get(page(segment))
    listed = client.get(reverse("admin:programs_segment_changelist")).context["cl"].result_count
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))

    assert (stranger.url, listed) == ("/admin/", 0)
    assert client.get(page(segment)).url == f"/admin/login/?next={page(segment)}"


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_segments_costs_the_same_for_any_number(client, owner, program, count, django_assert_num_queries):
    for number in range(count):
        Segment.objects.create(program=program, code=f"s{number}", name="S")
    client.get(reverse("admin:programs_segment_changelist"))

    with django_assert_num_queries(16):
        client.get(reverse("admin:programs_segment_changelist"))
