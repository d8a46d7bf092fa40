"""The review before publishing."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.history.models import Change
from programs import actions, lifecycle
from tests.factories import admin_forms, make_member, make_shop, make_staff

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(currency="USD", timezone="America/New_York", clock=CLOCK)


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business, email="ellen@example.test")
    client.force_login(person)
    return person


@pytest.fixture
def draft(program):
    return actions.start_draft(program=program, by=None)


def page(version, name="publish"):
    return reverse(f"admin:programs_programversion_{name}", args=[version.pk])


def edit(client, version, **changes):
    client.post(page(version, "change"), {**admin_forms.form_of(client.get(page(version, "change"))), **changes})


def reviewed(client, version):
    rows = client.get(page(version)).context["reviewed"]
    return [(row.change.what, row.change.before, row.change.after, row.by) for row in rows]


def test_review_names_who_made_each_change_and_leads_to_its_place(client, owner, draft, program):
    edit(client, draft, **{"tiers-1-threshold": "300"})
    colleague = make_staff(business=program.business, email="marko@example.test")
    client.force_login(colleague)
    edit(client, draft, **{"rules-0-rate": "2"})
    draft.tiers.filter(code="gold").update(name="Golden")  # By no page of the admin.

    assert reviewed(client, draft) == [
        ("Tier Silver", "$350.00", "$300.00", "ellen@example.test"),
        ("Tier Golden", "Gold", "Golden", ""),
        ("Rule Base", "1\u00a0point for each $1.00", "2\u00a0points for each $1.00", "marko@example.test"),
    ]
    first = client.get(page(draft)).context["reviewed"][0]
    assert first.address == reverse("admin:programs_tier_change", args=[draft.tiers.get(code="silver").pk])
    assert first.at != ""


def test_review_of_a_value_changed_twice_names_the_last_who_did(client, owner, draft, program):
    edit(client, draft, **{"tiers-1-threshold": "300"})
    client.force_login(make_staff(business=program.business, email="marko@example.test"))
    edit(client, draft, **{"tiers-1-threshold": "250", "tiers-1-name": "Argent"})
    client.force_login(owner)
    edit(client, draft, **{"tiers-1-name": "Silver Two"})

    assert [row[3] for row in reviewed(client, draft)] == ["ellen@example.test", "marko@example.test"]


def test_review_forgets_an_earlier_draft_of_the_same_number(client, owner, draft, program):
    edit(client, draft, **{"tiers-1-threshold": "300"})
    actions.discard_draft(version=draft, by=owner)
    anew = actions.start_draft(program=program, by=None)
    anew.tiers.get(code="silver").conditions.update(threshold=200)

    assert reviewed(client, anew) == [("Tier Silver", "$350.00", "$200.00", "")]


def test_remarks_do_not_hold_the_button(client, owner, draft):
    unit = draft.program.units.create(code="stars", name="star", name_plural="stars")
    draft.unit_terms.create(unit=unit)

    response = client.get(page(draft))

    assert [remark.message for remark in response.context["remarks"]] == ["No rule gives “stars”."]
    assert "Waits until" not in response.content.decode()
    assert client.post(page(draft), {"when": "now"}).status_code == 302


def test_button_waits_while_there_are_faults_and_says_for_what(client, owner, draft):
    draft.rules.all().delete()

    shown = client.get(page(draft)).content.decode()

    assert "disabled" in shown
    assert "Waits until the fault is mended." in shown


def test_note_given_at_publishing_takes_the_place_of_the_drafts(client, owner, draft):
    draft.note = "First thought"
    draft.save()
    assert client.get(page(draft)).context["form"].initial == {"note": "First thought"}

    client.post(page(draft), {"when": "now", "note": "Easier Silver"})

    draft.refresh_from_db()
    assert draft.note == "Easier Silver"
    assert ["What changes", "", "Easier Silver"] in Change.objects.get(action="published").lines


def test_review_says_how_many_members_are_reviewed_and_when_in_a_pause(client, owner, draft, program):
    make_member(program=program)
    lifecycle.pause(program=program, by=None)

    response = client.get(page(draft))

    assert response.context["members"] == 1
    assert "members are reviewed when it goes on" in response.content.decode()


def test_draft_of_a_closed_program_is_not_published(client, owner, draft, program):
    lifecycle.close(program=program, last_day=CLOCK.date(), by=None)

    response = client.post(page(draft), {"when": "now"})

    assert response.context["form"].non_field_errors() == ["The program is closed: no terms take effect any more."]


@pytest.mark.parametrize("more", [0, 3])
def test_review_costs_the_same_for_few_and_for_many_changes(client, owner, draft, more, django_assert_num_queries):
    for number in range(more):
        tier = draft.tiers.create(code=f"t-{number}", name=f"T {number}", rank=5 + number)
        tier.conditions.create(threshold=5_000 + number)
    edit(client, draft, **{"tiers-1-threshold": "300"})
    client.get(page(draft))

    with django_assert_num_queries(75):
        client.get(page(draft))


def test_comparison_is_linked_from_the_list_of_versions_and_from_the_draft(client, owner, draft, program):
    address = reverse("admin:programs_program_compare", args=[program.pk])

    in_list = client.get(reverse("admin:programs_programversion_changelist")).content.decode()
    on_page = client.get(page(draft, "change")).content.decode()

    assert [f"{address}?from=1&amp;to=2" in text for text in (in_list, on_page)] == [True, True]
