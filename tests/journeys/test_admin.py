"""Staff change what a tier asks for, in a browser, and the worker reviews the members."""

import pytest
from playwright.sync_api import expect

from programs.actions import start_draft
from tests.factories import make_member, make_shop, make_staff
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db(transaction=True)


def test_owner_eases_a_tier_and_members_move_up(house, open_page, assert_accessible):
    program = make_shop(currency="USD")
    member = make_member(program=program, email="ann@example.test", first_name="Ann")
    record(member, "receipt-1", 30_000)
    drain()
    owner = make_staff(business=program.business)

    page = open_page(f"/admin/programs/program/{program.pk}/change/", user=owner)
    page.get_by_role("button", name="Start a draft").click()
    assert_accessible(page)
    page.locator("input[name='tiers-1-threshold']").fill("300")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Review and publish").click()
    expect(page.get_by_role("row", name="Tier Silver")).to_contain_text("$350.00")
    expect(page.get_by_role("row", name="Tier Silver")).to_contain_text("$300.00")
    assert_accessible(page)
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("1 member is being reviewed")).to_be_visible()

    page.goto(f"{house.url}/admin/programs/membership/{member.pk}/change/")
    expect(page.get_by_text("Silver since")).to_be_visible()
    assert_accessible(page)


def test_owner_is_led_from_a_fault_to_the_rule_and_shown_how_to_write_a_condition(house, open_page, assert_accessible):
    program = make_shop(currency="USD")
    draft = start_draft(program=program, by=None)
    base = draft.rules.get()
    draft.rules.create(code="friday", name="Friday", unit=base.unit, rate=2, position=1)

    page = open_page(f"/admin/programs/programversion/{draft.pk}/publish/", user=make_staff(business=program.business))
    expect(page.get_by_role("button", name="Publish version 2")).to_be_disabled()
    page.get_by_role("link", name="Mend it").click()
    page.get_by_role("button", name="Add a condition").click()
    written = page.locator("input[name='clauses-0-value']")
    page.locator("select[name='clauses-0-kind']").select_option("channel")
    expect(written).to_have_attribute("placeholder", "app, web")
    page.locator("select[name='clauses-0-kind']").select_option("weekday")
    expect(written).to_be_hidden()
    page.get_by_label("Fri").check()
    assert_accessible(page)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_label("Fri")).to_be_checked()
