"""Two tabs on one draft: what the second saves never silently takes the place of what the first did."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from programs import actions
from programs.models import Rule
from tests.factories import make_shop, make_staff
from tests.factories.admin_forms import form_of, with_row

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(currency="USD", clock=CLOCK)


@pytest.fixture
def rule(client, program):
    client.force_login(make_staff(business=program.business, email="ann@example.test"))
    return actions.start_draft(program=program, by=None).rules.get()


def page(part) -> str:
    return reverse(f"admin:programs_{part._meta.model_name}_change", args=[part.pk])


def opened(client, part) -> dict[str, str]:
    """Return the form of a tab as it was opened."""
    response = client.get(page(part))
    return {**form_of(response), "_seen": response.context["seen"]}


def test_second_tab_is_told_who_saved_and_keeps_what_was_typed(client, rule):
    first, second = opened(client, rule), opened(client, rule)
    client.post(page(rule), {**first, "rate": "2"})

    refused = client.post(page(rule), {**second, "rate": "3"})

    (fault,) = refused.context["adminform"].form.non_field_errors()
    assert fault.startswith("ann@example.test saved this at ")
    assert refused.context["adminform"].form["rate"].value() == "3"
    rule.refresh_from_db()
    assert rule.rate == Decimal(2)


def test_saving_again_after_that_puts_the_second_in_place(client, rule):
    first, second = opened(client, rule), opened(client, rule)
    client.post(page(rule), {**first, "rate": "2"})
    seen = client.post(page(rule), {**second, "rate": "3"}).context["seen"]

    assert client.post(page(rule), {**second, "rate": "3", "_seen": seen}).status_code == 302
    rule.refresh_from_db()
    assert rule.rate == Decimal(3)


def test_rows_added_in_another_tab_are_noticed(client, rule):
    second = opened(client, rule)
    rule.clauses.create(kind="channel", value="app")

    refused = client.post(page(rule), second)

    (fault,) = refused.context["adminform"].form.non_field_errors()
    assert fault.startswith("This was changed in another tab meanwhile. What you typed is still here")


def test_row_taken_out_in_another_tab_says_so_in_our_words(client, rule):
    clause = rule.clauses.create(kind="channel", value="app")
    second = opened(client, rule)
    clause.delete()

    refused = client.post(page(rule), second)

    assert refused.context["inline_admin_formsets"][0].formset.forms[0].errors["id"] == [
        "This row was taken out in another tab meanwhile. Take it out here too, or add it again as a new one."
    ]


def test_draft_page_notices_a_threshold_that_another_page_changed(client, rule):
    draft = rule.version
    second = opened(client, draft)
    draft.tiers.get(code="gold").conditions.update(threshold=2000)

    refused = client.post(page(draft), second)

    assert refused.status_code == 200
    assert draft.tiers.get(code="gold").conditions.get().threshold == Decimal(2000)


def test_look_saves_nothing_and_keeps_what_was_typed(client, rule):
    first = opened(client, rule)

    looked = client.post(page(rule), {**first, "rate": "7", "_look": "1"})

    assert (looked.status_code, looked.context["adminform"].form["rate"].value()) == (200, "7")
    assert looked.context["seen"] == first["_seen"]
    assert Rule.objects.get(pk=rule.pk).rate == Decimal(1)


def test_look_can_ask_for_one_more_row(client, rule):
    first = with_row(opened(client, rule), "clauses", kind="channel", value="app")

    looked = client.post(page(rule), {**first, "_look": "more:clauses"})

    assert [form["value"].value() for form in looked.context["rows"]["clauses"].formset.forms] == ["app", None]
