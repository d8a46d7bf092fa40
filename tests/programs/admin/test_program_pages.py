"""Comparing, copying, pausing and closing on the admin's pages, and who may."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import StaffRole
from accounts.roles import ALLOWED, Permission
from loyalty.ledger.models import Account
from programs import actions, lifecycle
from programs.models import Program
from tests.factories import make_business, make_member, make_program, make_shop, make_staff, make_version

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(currency="USD", timezone="America/New_York", clock=CLOCK)


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


def page(program, name):
    return reverse(f"admin:programs_program_{name}", args=[program.pk])


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


# --- Who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["state", "copy", "compare"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_page_of_a_program_is_for_its_owner_alone(client, program, name, method):
    def status():
        return getattr(client, method)(page(program, name)).status_code

    assert status() == 302
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))
    assert status() == 302  # The role opens no admin.
    client.force_login(make_staff(business=make_business()))
    assert status() == 404
    client.force_login(make_staff(business=program.business))
    assert status() == 200


@pytest.mark.parametrize(("name", "status"), [("state", 403), ("copy", 200), ("compare", 200), ("history", 200)])
def test_colleague_who_may_not_publish_neither_pauses_nor_closes(client, program, monkeypatch, name, status):
    may = frozenset({Permission.OPEN_ADMIN, Permission.EDIT_PROGRAM})
    monkeypatch.setitem(ALLOWED, StaffRole.Role.CASHIER, may)
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))

    assert client.get(page(program, name)).status_code == status
    assert "Pause or close" not in client.get(page(program, "change")).content.decode()


# --- Comparing ----------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared_in_sections(client, owner, program):
    make_version(program=program, tiers=(), in_force_from=CLOCK)
    draft = actions.start_draft(program=program, by=None)
    draft.rules.update(rate=3)

    found = client.get(page(program, "compare"), {"from": "1", "to": "3"}).context

    assert (found["old"].number, found["new"], found["count"]) == (1, draft, 6)
    assert [(section.title, len(section.changes)) for section in found["sections"]] == [
        ("Tiers", 3),
        ("Earning rules", 3),
    ]


def test_comparison_both_ways_changes_sides(client, owner, program):
    draft = actions.start_draft(program=program, by=None)
    draft.rules.update(rate=3)

    (section,) = client.get(page(program, "compare"), {"from": "2", "to": "1"}).context["sections"]

    assert [(one.before, one.after) for one in section.changes] == [
        ("3\u00a0points for each $1.00", "1\u00a0point for each $1.00")
    ]


def test_comparison_begins_with_the_version_in_force_and_the_newest(client, owner, program):
    make_version(program=program, in_force_from=CLOCK)
    actions.start_draft(program=program, by=None)

    response = client.get(page(program, "compare"))

    assert (response.context["old"].number, response.context["new"].number) == (2, 3)
    assert "Nothing differs" in response.content.decode()


def test_comparison_with_a_version_that_is_not_there_says_so(client, owner, program):
    make_version(program=program)

    response = client.get(page(program, "compare"), {"from": "1", "to": "9"})

    assert response.status_code == 200
    assert "There is no such version: choose one of these." in response.content.decode()


def test_comparison_of_a_single_version_has_nothing_to_compare(client, owner, program):
    response = client.get(page(program, "compare"), {"from": "1", "to": "1"})

    assert "fewer than two versions" in response.content.decode()


@pytest.mark.parametrize("more", [0, 3])
def test_comparison_costs_the_same_for_few_and_for_many_rules(client, owner, program, more, django_assert_num_queries):
    draft = actions.start_draft(program=program, by=None)
    for number in range(more):
        draft.rules.create(code=f"r-{number}", name=f"R {number}", unit=program.units.get(), rate=1, position=number)
    client.get(page(program, "compare"))

    with django_assert_num_queries(44):
        client.get(page(program, "compare"), {"from": "1", "to": "2"})


# --- Copying ------------------------------------------------------------------------------------------------------


def test_owner_copies_a_program_as_a_sandbox_with_its_own_clock(client, owner, program):
    shown = client.get(page(program, "copy"))
    assert shown.context["form"].initial == {"name": f"{program.name}, a copy", "slug": f"{program.slug}-copy"}

    done = client.post(
        page(program, "copy"), {"name": "Trial", "slug": "trial", "kind": "sandbox", "clock": "2025-01-01T00:00"}
    )

    made = Program.objects.get(slug="trial")
    assert (done.url, made.clock) == (page(made, "change"), datetime(2025, 1, 1, 5, tzinfo=UTC))
    assert (made.business, made.version_at(CLOCK).published_by) == (program.business, owner)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"slug": "taken"}, "slug"),
        ({"slug": "not a slug"}, "slug"),
        ({"name": ""}, "name"),
        ({"kind": "live", "clock": "2025-01-01T00:00"}, "clock"),
        ({"kind": "else"}, "kind"),
    ],
)
def test_copy_that_is_not_possible_says_why(client, owner, program, given, field):
    make_program(slug="taken")

    response = client.post(page(program, "copy"), {"name": "Trial", "slug": "trial", "kind": "sandbox", **given})

    assert list(response.context["form"].errors) == [field]
    assert Program.objects.count() == 2


# --- Pausing and closing --------------------------------------------------------------------------------------------


def test_page_says_first_what_members_have(client, owner, program):
    make_member(program=program)
    Account.objects.filter(kind="available", membership__isnull=False).update(balance=1234)

    shown = client.get(page(program, "state")).context

    assert shown["members"] == 1
    assert [(line.what, line.amount) for line in shown["outstanding"]] == [
        ("Points that can be spent", "1,234\u00a0points")
    ]


def test_owner_pauses_and_lets_go_on(client, owner, program):
    paused = client.post(page(program, "state"), {"step": "pause"})
    assert (paused.url, Program.objects.get().status) == (page(program, "state"), "paused")

    client.post(page(program, "state"), {"step": "resume"})

    assert (Program.objects.get().status, Program.objects.get().status_by) == ("active", owner)


def test_owner_closes_with_a_last_day_and_undoes_it(client, owner, program):
    closed = client.post(page(program, "state"), {"step": "close", "last_day": "2026-03-31", "is_sure": "on"})
    assert said(closed) == [f"“{program}” is closed. Units can be spent up to 31\u00a0March\u00a02026."]
    assert Program.objects.get().last_day == date(2026, 3, 31)

    client.post(page(program, "state"), {"step": "reopen"})

    assert Program.objects.get().status == "active"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"step": "close", "last_day": "2026-03-31"}, "is_sure"),
        ({"step": "close", "last_day": "", "is_sure": "on"}, "last_day"),
        ({"step": "close", "last_day": "2026-02-28", "is_sure": "on"}, "last_day"),
        ({"step": "explode"}, "step"),
    ],
)
def test_step_that_is_not_possible_says_why_and_changes_nothing(client, owner, program, given, field):
    response = client.post(page(program, "state"), given)

    assert list(response.context["form"].errors) == [field]
    assert Program.objects.get().status == "active"


def test_step_that_does_not_fit_the_state_says_why(client, owner, program):
    lifecycle.close(program=program, last_day=CLOCK.date(), by=None)

    response = client.post(page(program, "state"), {"step": "pause"})

    assert response.context["form"].non_field_errors() == ["A closed program cannot be paused: undo the close first."]


@pytest.mark.parametrize("step", ["pause", "close"])
def test_program_page_and_overview_tell_the_state(client, owner, program, step):
    if step == "pause":
        lifecycle.pause(program=program, by=None)
    else:
        lifecycle.close(program=program, last_day=CLOCK.date(), by=None)

    shown = client.get(page(program, "change")).content.decode()
    overview = client.get(reverse("admin:index")).content.decode()

    heading = {
        "pause": "Paused since 1\u00a0Mar\u00a02026, 07:00",
        "close": "units can be spent up to 1\u00a0March\u00a02026",
    }
    assert heading[step] in shown
    assert {"pause": "Paused", "close": "Closed"}[step] in overview
