"""Staff edit one part of a draft on its own page: a rule, a tier, a group, a unit's terms."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import StaffRole
from programs import actions, content
from programs.content import BenefitContent, CapContent, ClauseContent, ConditionContent, LineRateContent
from programs.models import RuleGroup
from tests.factories import make_business, make_shop, make_staff
from tests.factories.admin_forms import form_of, with_row

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(currency="USD", clock=CLOCK)


@pytest.fixture
def draft(program):
    draft = actions.start_draft(program=program, by=None)
    draft.event_types.create(code="review", name="Review")
    RuleGroup.objects.create(version=draft, code="fun", name="Fun", mode="all")
    return draft


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


def page(part) -> str:
    return reverse(f"admin:programs_{part._meta.model_name}_change", args=[part.pk])


def parts(version):
    return [version.rules.get(), version.tiers.get(code="gold"), version.groups.get(), version.unit_terms.get()]


def saved(client, part, data) -> None:
    response = client.post(page(part), data)
    assert response.status_code == 302, (response.context["errors"], response.context["adminform"].form.errors)


@pytest.mark.parametrize("index", range(4), ids=["rule", "tier", "group", "unit"])
def test_part_saved_as_it_was_changes_nothing(client, owner, draft, index):
    part, before = parts(draft)[index], content.read(draft)

    saved(client, part, form_of(client.get(page(part))))

    assert content.read(draft) == before


@pytest.mark.parametrize("index", range(4), ids=["rule", "tier", "group", "unit"])
def test_part_of_a_published_version_is_only_shown(client, owner, draft, index):
    draft.rules.update(group=draft.groups.get())
    actions.publish(version=draft, by=None)
    part = parts(draft)[index]

    assert (client.get(page(part)).status_code, client.post(page(part), {}).status_code) == (200, 403)


@pytest.mark.parametrize("index", range(4), ids=["rule", "tier", "group", "unit"])
def test_part_is_for_owners_of_its_business(client, draft, program, index):
    address = page(parts(draft)[index])
    client.force_login(make_staff(business=make_business()))
    stranger = client.get(address)
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))

    assert (stranger.url, client.get(address).url) == ("/admin/", f"/admin/login/?next={address}")


def test_list_of_rules_shows_rates_as_short_as_they_can_be(client, owner, draft):
    shown = client.get(reverse("admin:programs_rule_changelist"))

    assert '<td class="field-rate_shown' in shown.text
    assert "1.0000" not in shown.text


def test_rule_takes_conditions_rates_of_lines_and_limits(client, owner, draft):
    rule = draft.rules.get()
    data = form_of(client.get(page(rule)))
    data = with_row(data, "clauses", kind="category", value="travel, rides", negated="on")
    data = with_row(data, "line_rates", position="0", kind="brand", value="Inn", rate="5")
    data = with_row(data, "caps", counts="units", amount="100", window="week", scope="program", per="", is_on="on")

    saved(client, rule, {**data, "group": draft.groups.get().pk})

    found = content.read(draft).rules[0]
    assert found.clauses == (ClauseContent("category", "travel, rides", True),)
    assert found.line_rates == (LineRateContent(ClauseContent("brand", "Inn"), Decimal(5)),)
    assert found.caps == (CapContent("week", Decimal(100), "units", "program"),)
    assert found.group == "fun"


def test_condition_that_cannot_be_read_is_refused_with_what_to_write(client, owner, draft):
    rule = draft.rules.get()
    data = with_row(form_of(client.get(page(rule))), "clauses", kind="hours", value="late")

    response = client.post(page(rule), data)

    assert response.context["inline_admin_formsets"][0].formset.forms[0].errors == {
        "value": ["“late” cannot be read. Write from when to when: 09:00-17:00."]
    }


def test_condition_shows_an_example_of_its_kind(client, owner, draft):
    rule = draft.rules.get()
    rule.clauses.create(kind="hours", value="09:00-17:00")

    shown = client.get(page(rule)).context["inline_admin_formsets"][0].formset

    fields = [*(form.fields["value"] for form in shown.forms), shown.empty_form.fields["value"]]
    assert [field.widget.attrs["placeholder"] for field in fields] == ["09:00-17:00", "A-100, A-101"]


def test_rule_of_an_event_chooses_from_the_versions_types(client, owner, draft):
    rule = draft.rules.get()
    data = form_of(client.get(page(rule)))

    saved(client, rule, {**data, "trigger": "event", "event": "review", "effect": "fixed", "rate": "50"})

    found = content.read(draft).rules[0]
    assert (found.trigger, found.event, found.effect, found.rate) == ("event", "review", "fixed", Decimal(50))


def test_rule_leaves_out_what_its_trigger_and_effect_do_not_need(client, owner, draft):
    rule = draft.rules.get()
    draft.rules.create(code="other", name="Other", unit=rule.unit, rate=1, position=1)
    left = {"event": "review", "of": "other", "of_tier_rate": "on", "pieces": "largest"}

    saved(client, rule, {**form_of(client.get(page(rule))), **left})

    found = content.read(draft).rules[0]
    assert (found.event, found.of, found.of_tier_rate, found.pieces) == ("", "", False, "sum")


def test_tier_takes_conditions_and_benefits(client, owner, draft):
    gold = draft.tiers.get(code="gold")
    data = form_of(client.get(page(gold)))
    points = draft.program.units.get().pk
    data = with_row(data, "conditions", measure="units", unit=points, threshold="250", window="lifetime", for_life="on")
    data = with_row(data, "conditions", measure="visits", unit=points, threshold="5", window="rolling", months="6")
    data = with_row(data, "benefits", position="0", kind="free_shipping", name="Delivery", detail="At home")

    saved(client, gold, data)

    found = content.read(draft).tiers[2]
    assert found.conditions == (
        ConditionContent("spend", "calendar_year", Decimal(1000)),
        ConditionContent("visits", "rolling", Decimal(5), months=6),
        ConditionContent("units", "lifetime", Decimal(250), unit="points", for_life=True),
    )
    assert found.benefits == (BenefitContent("free_shipping", "Delivery", "At home"),)


def test_tier_can_be_made_one_by_invitation(client, owner, draft):
    gold = draft.tiers.get(code="gold")

    saved(client, gold, {**form_of(client.get(page(gold))), "by_invitation": "on", "conditions-0-DELETE": "on"})

    assert (content.read(draft).tiers[2].by_invitation, content.read(draft).tiers[2].conditions) == (True, ())


def test_group_limits_units_or_times(client, owner, draft):
    group = draft.groups.get()
    shown = client.get(page(group))
    offered = shown.context["inline_admin_formsets"][0].formset.empty_form.fields["counts"].choices

    saved(
        client,
        group,
        with_row(form_of(shown), "caps", counts="units", amount="100", window="year", scope="member", is_on="on"),
    )

    assert [value for value, _label in offered] == ["units", "times"]
    assert content.read(draft).groups[0].caps == (CapContent("year", Decimal(100), "units"),)


def test_unit_ends_without_activity_but_in_some_tiers(client, owner, draft):
    terms = draft.unit_terms.get()
    data = form_of(client.get(page(terms)))
    gold = draft.tiers.get(code="gold").pk
    data = {**data, "expiry": "inactivity", "expiry_months": "6", "kept_alive_by": ["purchase", "review"]}

    saved(client, terms, with_row({**data, "fixed_days": "12-31"}, "tier_expiries", tier=gold, months=""))

    found = content.read(draft).units[0]
    assert (found.expiry, found.expiry_months, found.kept_alive_by) == ("inactivity", 6, "purchase, review")
    assert (found.fixed_days, [(row.tier, row.months) for row in found.tiers]) == ("", [("gold", None)])


def test_unit_that_never_expires_leaves_out_how_long_it_lives(client, owner, draft):
    terms = draft.unit_terms.get()

    saved(client, terms, {**form_of(client.get(page(terms))), "expiry_months": "6", "round_up": "month"})

    assert (content.read(draft).units[0].expiry_months, content.read(draft).units[0].round_up) == (None, "")
