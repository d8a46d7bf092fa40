"""The page of a rule: what fits, what can be picked, what the rule does in a sentence, and a new one."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.history.models import Change
from accounts.models import StaffRole
from programs import actions, content
from programs.changes.sentence import plain
from programs.content import ClauseContent
from programs.models import Store
from tests.factories import make_business, make_shop, make_staff
from tests.factories.admin_forms import form_of, with_row

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADD = reverse("admin:programs_rule_add")


@pytest.fixture
def program():
    return make_shop(currency="USD", clock=CLOCK)


@pytest.fixture
def draft(client, program):
    client.force_login(make_staff(business=program.business))
    draft = actions.start_draft(program=program, by=None)
    draft.event_types.create(code="review", name="Review")
    return draft


@pytest.fixture
def rule(draft):
    return draft.rules.get()


def page(rule) -> str:
    return reverse("admin:programs_rule_change", args=[rule.pk])


def clauses(draft) -> tuple[ClauseContent, ...]:
    return content.read(draft).rules[0].clauses


# --- What fits -------------------------------------------------------------------------------------------------------


def test_effect_that_does_not_fit_the_trigger_is_refused_at_the_effect(client, rule):
    data = {**form_of(client.get(page(rule))), "trigger": "enrolment", "effect": "percent"}

    response = client.post(page(rule), data)

    assert response.context["adminform"].form.errors == {
        "effect": ["Without a purchase there is no amount and no line: give units, or percent."]
    }


def test_condition_that_only_purchases_have_is_refused_for_an_event(client, rule):
    data = {**form_of(client.get(page(rule))), "trigger": "event", "event": "review", "effect": "fixed"}

    response = client.post(page(rule), with_row(data, "clauses", kind="category", value="travel"))

    assert response.context["rows"]["clauses"].formset.forms[0].errors == {
        "kind": ["Only purchases have this. Choose something else, or take the row out."]
    }


def test_limit_on_the_amount_is_refused_for_an_event(client, rule):
    data = {**form_of(client.get(page(rule))), "trigger": "event", "event": "review", "effect": "fixed"}
    cap = {"counts": "amount", "amount": "10", "window": "day", "scope": "member", "is_on": "on"}

    response = client.post(page(rule), with_row(data, "caps", **cap))

    assert response.context["rows"]["caps"].formset.forms[0].errors == {
        "counts": ["Only purchases have an amount. Limit the units or the times."]
    }


def test_rates_of_lines_go_where_the_effect_does_not_go_by_line(client, draft, rule):
    rule.line_rates.create(kind="brand", value="Inn", rate=5)
    data = form_of(client.get(page(rule)))

    client.post(page(rule), {**data, "effect": "fixed"})

    assert content.read(draft).rules[0].line_rates == ()


def test_code_of_another_rule_is_refused_in_words(client, draft, rule):
    draft.rules.create(code="other", name="Other", unit=rule.unit, rate=1, position=1)

    response = client.post(page(rule), {**form_of(client.get(page(rule))), "code": "other"})

    assert response.context["adminform"].form.errors == {"code": ["“Other” has this code."]}


# --- What is picked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "picked", "written"),
    [
        ("weekday", {"picked": ["weekday:sat", "weekday:sun"]}, "sat, sun"),
        ("tier", {"picked": ["tier:silver", "weekday:mon"]}, "silver"),
        ("store", {"picked": ["store:Old, Town"]}, '"Old, Town"'),
        ("dates", {"first_day": "2026-11-01", "last_day": ""}, "2026-11-01.."),
        ("hours", {"begins": "22:00", "ends": "00:00"}, "22:00-24:00"),
        ("amount", {"least": "50.00", "most": ""}, ">= 50.00"),
        ("quantity", {"least": "2", "most": "5"}, "2..5"),
        ("channel", {"value": "app, web"}, "app, web"),
        ("weekday", {"value": "mon-fri"}, "mon-fri"),
    ],
)
def test_condition_is_picked_or_typed(client, program, draft, rule, kind, picked, written):
    Store.objects.create(business=program.business, code="Old, Town")
    data = with_row(form_of(client.get(page(rule))), "clauses", kind=kind, **picked)

    response = client.post(page(rule), data)

    assert response.status_code == 302, response.context["rows"]["clauses"].formset.errors
    assert clauses(draft) == (ClauseContent(kind, written),)


def test_what_is_written_is_shown_as_it_is_picked(client, rule):
    for kind, value in (("weekday", "mon-tue"), ("tier", "Gold, lead"), ("dates", "..2026-12-31"), ("amount", ">= 50")):
        rule.clauses.create(kind=kind, value=value)

    forms = client.get(page(rule)).context["rows"]["clauses"].formset.forms

    shown = {form.kind_shown: form.initial for form in forms}
    assert shown["weekday"]["picked"] == ["weekday:mon", "weekday:tue"]
    assert shown["tier"]["picked"] == ["tier:gold", "tier:lead"]
    assert (shown["dates"]["first_day"], str(shown["dates"]["last_day"])) == (None, "2026-12-31")
    assert (shown["amount"]["least"], shown["amount"]["most"], shown["amount"]["value"]) == ("50", None, "")


def test_condition_without_anything_said_is_refused(client, rule):
    response = client.post(page(rule), with_row(form_of(client.get(page(rule))), "clauses", kind="weekday"))

    assert response.context["rows"]["clauses"].formset.forms[0].errors == {"value": ["Say what it must be."]}


def test_rule_page_costs_the_same_with_more_conditions(client, rule, django_assert_num_queries):
    rule.clauses.create(kind="tier", value="gold")
    client.get(page(rule))
    with django_assert_num_queries(QUERIES):
        client.get(page(rule))
    for kind, value in (("tier", "silver"), ("store", "a"), ("weekday", "mon"), ("segment", "staff")):
        rule.clauses.create(kind=kind, value=value)
    with django_assert_num_queries(QUERIES):
        client.get(page(rule))


QUERIES = 59


# --- The sentence ----------------------------------------------------------------------------------------------------


def test_sentence_follows_what_is_typed(client, rule):
    data = with_row(form_of(client.get(page(rule))), "clauses", kind="weekday", picked=["weekday:sat"])

    looked = client.post(page(rule), {**data, "rate": "3", "_look": "1"}, headers={"X-Look": "1"})

    assert plain(looked.context["sentence"]) == (
        "For a purchase a member gets 3\xa0points for each $1.00, but only on Saturday. "
        "It is 1.25 in the tier Silver and 1.5 in the tier Gold."
    )
    assert looked.templates[0].name == "admin/programs/rule_look.html"
    assert rule.clauses.count() == 0


def test_sentence_leaves_out_what_cannot_be_read(client, rule):
    data = with_row(form_of(client.get(page(rule))), "clauses", kind="hours", value="late")

    looked = client.post(page(rule), {**data, "_look": "1"})

    assert plain(looked.context["sentence"]).startswith("For a purchase a member gets 1\xa0point for each $1.00. ")


def test_faults_of_the_rule_stand_under_the_sentence(client, rule):
    looked = client.post(page(rule), {**form_of(client.get(page(rule))), "rate": "0", "_look": "1"})

    assert looked.context["faults"] == []  # Its tiers still give something.
    rule.tier_rates.all().delete()
    looked = client.post(page(rule), {**form_of(client.get(page(rule))), "rate": "0", "_look": "1"})
    assert looked.context["faults"] == ["Rule “Base” has the rate 0: it gives nothing."]


def test_published_rule_is_read_in_words_without_raw_rates(client, draft, rule):
    actions.publish(version=draft, by=None)

    shown = client.get(page(rule))

    assert "1.25 points for each $1.00" in shown.text.replace("\xa0", " ")
    assert "1.2500" not in shown.text


# --- A new one -------------------------------------------------------------------------------------------------------


def test_rule_is_added_to_the_draft_with_its_conditions(client, draft):
    data = form_of(client.get(ADD, {"version": draft.pk}))
    data = with_row({**data, "name": "Weekend", "code": "weekend", "rate": "2"}, "clauses", kind="weekday", value="sat")
    data = with_row(data, "tier_rates", tier=draft.tiers.get(code="gold").pk, rate="4")

    response = client.post(f"{ADD}?version={draft.pk}", data)

    assert response.status_code == 302, (response.context["errors"], response.context["adminform"].form.errors)
    added = draft.rules.get(code="weekend")
    assert (added.position, added.rate) == (1, Decimal(2))
    assert (added.clauses.get().value, added.tier_rates.get().rate) == ("sat", Decimal(4))
    told = Change.objects.of_program(draft.program_id).latest("at")
    assert (told.action, told.by_id is not None, "Weekend" in str(told.__dict__)) == ("added", True, True)


def test_new_rule_without_code_and_place_is_refused_in_words(client, draft):
    data = {**form_of(client.get(ADD, {"version": draft.pk})), "name": "X", "code": "", "position": "abc", "rate": "2"}

    assert client.post(f"{ADD}?version={draft.pk}", data).status_code == 200
    assert draft.rules.count() == 1


def test_new_rule_offers_only_tiers_of_its_draft(client, draft):
    shown = client.get(ADD, {"version": draft.pk})

    offered = shown.context["rows"]["tier_rates"].formset.empty_form.fields["tier"].queryset
    assert set(offered) == set(draft.tiers.all())


def test_new_rule_without_a_draft_leads_to_the_versions(client, program):
    client.force_login(make_staff(business=program.business))

    assert client.get(ADD).url == reverse("admin:programs_programversion_changelist")


def test_nobody_adds_a_rule_to_the_draft_of_another_business(client, draft):
    address = f"{ADD}?version={draft.pk}"
    client.force_login(make_staff(business=make_business()))
    stranger = client.get(address)
    client.force_login(make_staff(business=draft.program.business, role=StaffRole.Role.CASHIER))
    cashier = client.get(address)
    client.logout()

    assert stranger.url == reverse("admin:programs_programversion_changelist")
    assert (cashier.status_code, client.get(address).status_code) == (302, 302)
    assert client.post(address, {}).status_code == 302
    assert draft.rules.count() == 1
