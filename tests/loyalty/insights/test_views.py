"""The staff's first page: who sees what, and what it costs."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import StaffRole
from loyalty.purchases.models import Activity
from programs.models import Unit
from tests.factories import (
    UnitSpec,
    make_business,
    make_member,
    make_program,
    make_shop,
    make_staff,
    make_user,
    make_version,
)
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_shop()


@pytest.fixture
def owner(program):
    return make_staff(business=program.business)


def text_of(client, path="/staff/"):
    return client.get(path).content.decode()


def test_owner_sees_the_figures_of_their_program(client, program, owner):
    client.force_login(owner)

    body = text_of(client)

    assert f"<title>Figures · {program.name}</title>" in body
    assert "Active members" in body
    assert "Queue is clear" in body


def test_who_is_not_signed_in_is_asked_to(client):
    response = client.get("/staff/")

    assert (response.status_code, response.url) == (302, "/accounts/login/code/?next=/staff/")


def test_customer_finds_no_such_page(client, program):
    client.force_login(make_member(program=program, user=make_user(), external_id="e").customer.user)

    assert client.get("/staff/").status_code == 404


def test_cashier_reads_what_they_can_do_and_no_figure(client, program):
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))

    body = text_of(client)

    assert f"{program.business.name}: Cashier" in body
    assert "Active members" not in body


def test_owner_of_another_business_finds_no_such_program(client, program):
    client.force_login(make_staff(business=make_shop().business))

    assert client.get(f"/staff/?program={program.slug}").status_code == 404
    assert program.name not in text_of(client)


def test_owner_of_several_programs_chooses(client, program, owner):
    second = make_shop(business=program.business)
    client.force_login(owner)

    body = text_of(client, f"/staff/?program={second.slug}")

    assert f"<title>Figures · {second.name}</title>" in body
    assert f"?program={program.slug}" in body


def test_sandbox_is_in_no_figure(client, program, owner):
    sandbox = make_program(business=program.business, is_sandbox=True)
    client.force_login(owner)

    assert client.get(f"/staff/?program={sandbox.slug}").status_code == 404


def test_owner_without_a_program_reads_how_to_begin(client):
    client.force_login(make_staff(business=make_business()))

    assert "No program yet" in text_of(client)


def test_program_without_terms_shows_its_empty_page(client):
    program = make_program()
    client.force_login(make_staff(business=program.business))

    assert "No members yet" in text_of(client)


def test_unit_that_cannot_be_spent_says_so_and_is_nothing_outstanding(client, program, owner):
    make_version(program=program, units=[UnitSpec(), UnitSpec("nights")])
    Unit.objects.filter(program=program, code="nights").update(is_spendable=False)
    client.force_login(owner)

    context = client.get("/staff/").context

    assert [(unit.name, unit.note) for unit in context["units"]] == [("nights", "cannot be spent"), ("points", "")]
    names = [tile.name for tile in context["tiles"]]
    assert [name for name in names if name.split()[0] in {"Nights", "Points"}] == [
        "Nights issued",
        "Points issued",
        "Points outstanding",
    ]


def test_what_failed_is_named_with_the_page_that_mends_it(client, program, owner):
    member = make_member(program=program, external_id="e")
    Activity.objects.filter(pk=record(member, "r-1", 100).pk).update(status=Activity.Status.FAILED)
    client.force_login(owner)

    body = text_of(client)

    assert "1 activity failed" in body
    assert "/admin/purchases/activity/?status__exact=failed" in body


def test_page_takes_as_many_queries_with_one_member_as_with_many(client, program, owner, django_assert_num_queries):
    def fill(first, last):
        for place in range(first, last):
            member = make_member(program=program, external_id=f"m{place}")
            activity = record(member, f"r-{place}", 1_000)
            recent = datetime.now(UTC) - timedelta(days=place % 50, hours=1)
            Activity.objects.filter(pk=activity.pk).update(occurred_at=recent)
        drain()

    client.force_login(owner)
    fill(0, 1)
    client.get("/staff/")

    with django_assert_num_queries(13):
        client.get("/staff/")
    fill(1, 25)
    with django_assert_num_queries(13):
        client.get("/staff/")
