"""Staff change a tier's threshold in a draft and publish it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from programs import actions, content
from programs.models import Program, ProgramVersion, TierCondition
from tests.factories import admin_forms, make_member, make_program, make_shop, make_staff, make_unit, make_version

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


@pytest.fixture
def draft(program):
    return actions.start_draft(program=program, by=None)


def page(version: ProgramVersion, name: str = "change") -> str:
    return reverse(f"admin:programs_programversion_{name}", args=[version.pk])


def form_of(client, version: ProgramVersion) -> dict[str, str]:
    """Return what a browser would send back from the version's page."""
    return admin_forms.form_of(client.get(page(version)))


def shown_messages(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_owner_changes_a_threshold_in_a_draft_and_publishes_it(client, owner, program):
    make_member(program=program)
    started = client.post(reverse("admin:programs_program_start_draft", args=[program.pk]))
    draft = program.draft
    assert started.url == page(draft)

    data = form_of(client, draft)
    assert data["tiers-1-threshold"] == "350.00"
    saved = client.post(page(draft), {**data, "tiers-1-threshold": "300"})
    assert saved.status_code == 302, saved.context["errors"]

    review = client.get(page(draft, "publish"))
    assert [(change.what, change.before, change.after) for change in review.context["changes"]] == [
        ("Tier Silver", "$350.00", "$300.00")
    ]
    published = client.post(page(draft, "publish"), {"when": "now", "moment": ""})

    assert published.url == page(draft)
    assert shown_messages(published)[-1] == (
        "Version 2 is published, in force from 1\u00a0Mar\u00a02026, 07:00. 1 member is being reviewed."
    )
    draft.refresh_from_db()
    assert (draft.in_force_from, draft.published_by) == (CLOCK, owner)
    assert program.version_at(CLOCK).tiers.get(code="silver").conditions.get().threshold == Decimal(300)


def test_draft_saved_as_it_was_changes_nothing(client, owner, draft):
    before = content.read(draft)

    response = client.post(page(draft), form_of(client, draft))

    assert response.status_code == 302, response.context["errors"]
    assert content.read(draft) == before


def test_draft_with_an_emptied_threshold_loses_the_condition(client, owner, draft):
    client.post(page(draft), {**form_of(client, draft), "tiers-2-threshold": ""})

    assert not TierCondition.objects.filter(tier__version=draft, tier__code="gold").exists()


def test_draft_takes_a_new_tier_with_its_threshold(client, owner, draft):
    data = form_of(client, draft)
    added = {"tiers-TOTAL_FORMS": "4", "tiers-3-rank": "3", "tiers-3-code": "top", "tiers-3-name": "Top"}

    client.post(page(draft), {**data, **added, "tiers-3-threshold": "5000.50"})

    assert draft.tiers.get(code="top").conditions.get().threshold == Decimal("5000.50")


def test_draft_takes_a_new_tier_between_two_others(client, owner, draft):
    data = form_of(client, draft)
    added = {"tiers-TOTAL_FORMS": "4", "tiers-3-rank": "2", "tiers-3-code": "new", "tiers-3-name": "New"}

    response = client.post(page(draft), {**data, **added, "tiers-3-threshold": "700", "tiers-2-rank": "3"})

    assert response.status_code == 302, response.context["errors"]
    assert list(draft.tiers.order_by("rank").values_list("code", "rank")) == [
        ("basic", 0),
        ("silver", 1),
        ("new", 2),
        ("gold", 3),
    ]


def test_draft_lets_tiers_change_places(client, owner, draft):
    client.post(page(draft), {**form_of(client, draft), "tiers-1-rank": "2", "tiers-2-rank": "1"})

    assert list(draft.tiers.order_by("rank").values_list("code", flat=True)) == ["basic", "gold", "silver"]


def test_draft_takes_a_tier_out_and_moves_another_to_its_place(client, owner, draft):
    client.post(page(draft), {**form_of(client, draft), "tiers-1-rank": "2", "tiers-2-DELETE": "on"})

    assert list(draft.tiers.order_by("rank").values_list("code", "rank")) == [("basic", 0), ("silver", 2)]


def test_draft_with_two_tiers_in_one_place_is_not_saved(client, owner, draft):
    response = client.post(page(draft), {**form_of(client, draft), "tiers-1-rank": "2"})

    assert response.context["inline_admin_formsets"][0].formset.non_form_errors() == ["2 tiers have the place 2."]
    assert list(draft.tiers.order_by("rank").values_list("rank", flat=True)) == [0, 1, 2]


def test_draft_offers_only_units_of_its_own_program(client, owner, draft):
    make_shop(business=draft.program.business)

    response = client.get(page(draft))

    units = [
        form.fields["unit"].queryset
        for inline in response.context["inline_admin_formsets"]
        for form in inline.formset.forms
        if "unit" in form.fields
    ]
    assert [list(offered) for offered in units] == [list(draft.program.units.all())] * 2


def test_published_version_is_only_shown(client, owner, program):
    version = program.versions.get()

    shown = client.get(page(version))
    changed = client.post(page(version), {"note": "else"})

    assert (shown.status_code, changed.status_code) == (200, 403)
    assert shown.context["has_change_permission"] is False
    assert [inline.has_change_permission for inline in shown.context["inline_admin_formsets"]] == [False] * 6


@pytest.mark.parametrize("name", ["publish", "discard"])
def test_published_version_can_be_neither_published_nor_discarded(client, owner, program, name):
    address = page(program.versions.get(), name)

    assert (client.get(address).status_code, client.post(address, {"when": "now"}).status_code) == (404, 404)


def test_review_with_faults_names_them_and_does_not_publish(client, owner, draft):
    TierCondition.objects.filter(tier__version=draft, tier__code="gold").update(threshold=300)

    review = client.get(page(draft, "publish"))
    refused = client.post(page(draft, "publish"), {"when": "now"})

    gold = reverse("admin:programs_tier_change", args=[draft.tiers.get(code="gold").pk])
    assert [(fault.where, fault.address) for fault in review.context["faults"]] == [("tier:gold", gold)]
    assert refused.context["form"].non_field_errors() == ["Nothing was published: mend the faults first."]
    draft.refresh_from_db()
    assert draft.is_draft


def test_publish_at_a_moment_reads_it_in_the_programs_zone(client, owner, draft):
    client.post(page(draft, "publish"), {"when": "later", "moment": "2026-06-01T00:00"})

    draft.refresh_from_db()
    assert draft.in_force_from == datetime(2026, 6, 1, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"when": "later", "moment": ""}, "moment"),
        ({"when": "later", "moment": "soon"}, "moment"),
        ({"when": "later", "moment": "2020-01-01T00:00"}, "__all__"),
        ({"when": "now", "moment": "2026-06-01T00:00"}, "when"),
        ({}, "when"),
    ],
)
def test_publish_at_an_impossible_moment_says_why(client, owner, draft, given, field):
    response = client.post(page(draft, "publish"), given)

    assert list(response.context["form"].errors) == [field]
    draft.refresh_from_db()
    assert draft.is_draft


def test_discard_asks_first(client, owner, draft, program):
    asked = client.get(page(draft, "discard"))
    assert (asked.status_code, program.draft) == (200, draft)

    done = client.post(page(draft, "discard"))

    assert done.url == reverse("admin:programs_program_change", args=[program.pk])
    assert program.draft is None


def test_start_draft_beside_a_draft_opens_it(client, owner, draft, program):
    response = client.post(reverse("admin:programs_program_start_draft", args=[program.pk]))

    assert response.url == page(draft)
    assert program.versions.count() == 2


def test_start_draft_by_a_link_is_refused(client, owner, program):
    assert client.get(reverse("admin:programs_program_start_draft", args=[program.pk])).status_code == 405


def test_rule_of_a_draft_takes_rates_of_its_own_tiers_only(client, owner, draft, program):
    rule = draft.rules.get()
    response = client.get(reverse("admin:programs_rule_change", args=[rule.pk]))

    rates = response.context["inline_admin_formsets"][1].formset.forms
    assert [list(form.fields["tier"].queryset) for form in rates] == [list(draft.tiers.order_by("rank"))] * 2
    assert list(response.context["adminform"].form.fields["unit"].queryset) == list(program.units.all())


def test_program_page_leads_to_what_is_in_force_and_to_the_draft(client, owner, draft, program):
    terms = client.get(reverse("admin:programs_program_change", args=[program.pk])).context["terms"]

    assert (terms["in_force"].number, terms["draft"], terms["to_come"]) == (1, draft, [])


def test_program_with_terms_keeps_what_purchases_were_judged_by(client, owner, program):
    form = client.get(reverse("admin:programs_program_change", args=[program.pk])).context["adminform"].form

    assert sorted(form.fields) == ["language", "name"]


def test_program_can_be_made_by_hand_and_published(client, owner, program):
    business = program.business
    data = {
        "business": business.pk,
        "name": "New",
        "slug": "new",
        "currency": "EUR",
        "timezone": "UTC",
        "language": "en",
    }
    unit = {"units-TOTAL_FORMS": "1", "units-INITIAL_FORMS": "0", "units-0-code": "points", "units-0-name": "point"}
    added = client.post(
        reverse("admin:programs_program_add"),
        {**data, **unit, "units-0-name_plural": "points", "units-0-precision": "0"},
    )
    assert added.status_code == 302, added.context["errors"]
    made = Program.objects.get(slug="new")

    make_version(program=made, is_published=False)
    client.post(page(made.draft, "publish"), {"when": "later", "moment": "1990-01-01T00:00"})

    assert made.version_at(CLOCK - timedelta(days=9000)).number == 1


def test_unit_cannot_change_once_there_are_terms(client, owner, program):
    response = client.get(reverse("admin:programs_program_change", args=[program.pk]))

    assert response.context["inline_admin_formsets"][0].has_change_permission is False


def test_draft_page_shows_how_many_changes_wait(client, owner, draft):
    draft.tiers.filter(code="gold").update(name="Golden")

    assert len(client.get(page(draft)).context["changes"]) == 1


def test_publish_by_staff_of_a_program_without_terms_says_it_is_the_first(client):
    program = make_program()
    client.force_login(make_staff(business=program.business))
    draft = actions.start_draft(program=program, by=None)

    response = client.get(page(draft, "publish"))

    rows = [f"{page(draft)}#{prefix}-group" for prefix in ("unit_terms", "rules")]
    assert (response.context["base"], [fault.address for fault in response.context["faults"]]) == (None, rows)


def test_first_draft_of_a_program_needs_a_notice_before_a_loss(client):
    program = make_program()
    client.force_login(make_staff(business=program.business))

    client.post(reverse("admin:programs_program_start_draft", args=[program.pk]))

    assert program.draft.needs_notice is True


@pytest.mark.parametrize("more", [0, 3])
def test_draft_page_tells_its_parts_in_words_at_the_same_cost(client, owner, draft, more, django_assert_num_queries):
    for number in range(more):
        draft.rules.create(code=f"more-{number}", name="More", unit=draft.program.units.get(), rate=1, position=9)
    client.get(page(draft))

    with django_assert_num_queries(77):
        response = client.get(page(draft))

    assert "By tier: Silver 1.25, Gold 1.5" in response.content.decode()


def test_switches_of_a_draft_are_saved_with_a_trial(client, owner, draft):
    data = {**form_of(client, draft), "tier_validity": "months", "tier_months": "18", "tier_fall": "one_step"}
    trial = {"trial_tier": "gold", "trial_measure": "visits", "trial_need": "15", "trial_months": "12"}

    saved = client.post(page(draft), {**data, **trial, "paid_part_earns": "on", "needs_notice": "on"})

    assert saved.status_code == 302, saved.context["errors"]
    terms = content.read(ProgramVersion.objects.get(pk=draft.pk))
    assert terms.trial == content.TrialContent("gold", "visits", Decimal(15), 12)
    assert (terms.tier_months, terms.tier_fall, terms.paid_part_earns, terms.needs_notice) == (
        18,
        "one_step",
        True,
        True,
    )


def test_trial_without_a_tier_is_left_out(client, owner, draft):
    left = {"trial_tier": "", "trial_measure": "visits", "trial_need": "15", "trial_months": "12"}

    client.post(page(draft), {**form_of(client, draft), **left})

    assert content.read(ProgramVersion.objects.get(pk=draft.pk)).trial is None


def test_new_tier_asks_for_what_the_ladder_counts(client, owner, draft):
    TierCondition.objects.filter(tier__version=draft).update(measure="visits", window="rolling", months=6)
    added = {"rank": "3", "code": "top", "name": "Top", "threshold": "5000"}

    client.post(page(draft), admin_forms.with_row(form_of(client, draft), "tiers", **added))

    condition = draft.tiers.get(code="top").conditions.get()
    assert (condition.measure, condition.window, condition.months, condition.threshold) == (
        "visits",
        "rolling",
        6,
        Decimal(5000),
    )


def test_tier_that_asks_for_two_things_is_not_edited_in_its_row(client, owner, draft):
    gold = draft.tiers.get(code="gold")
    TierCondition.objects.create(tier=gold, measure="visits", window="lifetime", threshold=5)

    client.post(page(draft), {**form_of(client, draft), "tiers-2-threshold": "7"})

    assert sorted(gold.conditions.values_list("threshold", flat=True)) == [Decimal(5), Decimal(1000)]


def test_draft_takes_groups_events_and_a_unit(client, owner, draft):
    stars = draft.program.units.create(code="stars", name="star", name_plural="stars")
    data = form_of(client, draft)
    data = admin_forms.with_row(data, "groups", position="0", code="best", name="Best", mode="best")
    data = admin_forms.with_row(data, "event_types", code="review", name="Review")
    data = admin_forms.with_row(data, "unit_terms", unit=stars.pk)

    saved = client.post(page(draft), data)

    assert saved.status_code == 302, saved.context["errors"]
    terms = content.read(draft)
    assert [(group.code, group.mode) for group in terms.groups] == [("best", "best")]
    assert [event.code for event in terms.events] == ["review"]
    assert [unit.unit for unit in terms.units] == ["points", "stars"]


def test_row_of_a_rule_offers_only_effects_that_need_nothing_else(client, owner, draft):
    rule = draft.rules.get()
    draft.rules.create(code="bonus", name="Bonus", unit=rule.unit, effect="bonus", of=rule.code, rate=5, position=1)
    draft.rules.create(code="hello", name="Hello", unit=rule.unit, effect="fixed", trigger="enrolment", rate=5)

    rows = client.get(page(draft)).context["inline_admin_formsets"][1].formset.forms

    assert {row.instance.code: [value for value, _label in row.fields["effect"].choices] for row in rows} == {
        "base": ["per_amount", "percent", "fixed", "per_item", "stamp"],
        "bonus": ["bonus"],
        "hello": ["fixed"],
    }


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_first_version_cannot_take_effect_outside_of_what_is_counted_with(client, year):
    program = make_program(timezone="Europe/Prague")
    unit = make_unit(program=program)
    draft = actions.start_draft(program=program, by=None)
    draft.unit_terms.create(unit=unit)
    draft.tiers.create(code="basic", name="Basic", rank=0)
    draft.rules.create(code="base", name="Base", unit=unit, rate=1)
    client.force_login(make_staff(business=program.business))
    address = reverse("admin:programs_programversion_publish", args=[draft.pk])

    response = client.post(address, {"when": "later", "moment": f"{year}-01-01T00:00"})

    assert response.context["form"].non_field_errors() == ["Terms take effect between the years 1900 and 2999."]


def test_place_beyond_any_ladder_is_refused(client, owner, program):
    draft = actions.start_draft(program=program, by=None)
    address = reverse("admin:programs_programversion_change", args=[draft.pk])
    data = admin_forms.form_of(client.get(address))

    response = client.post(address, {**data, "tiers-2-rank": "9" * 26})

    assert response.status_code == 200
    assert response.context["inline_admin_formsets"][0].formset.errors[2]["rank"]
