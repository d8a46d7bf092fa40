"""An owner reviews and publishes, reads the history, copies a program and closes it, in a browser."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from programs.actions import start_draft
from tests.factories import make_member, make_shop, make_staff
from tests.factories.activity import drain, record
from tests.journeys.conftest import DESK

pytestmark = pytest.mark.django_db(transaction=True)


def test_owner_publishes_what_the_review_says_and_reads_it_in_the_history(house, open_page, assert_accessible):
    program = make_shop(currency="USD")
    owner = make_staff(business=program.business, email="ellen@example.test")
    draft = start_draft(program=program, by=owner)
    unit = program.units.create(code="stars", name="star", name_plural="stars")
    draft.unit_terms.create(unit=unit)

    page = open_page(f"/admin/programs/programversion/{draft.pk}/change/", user=owner, size=DESK)
    page.locator("input[name='tiers-1-threshold']").fill("300")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Review and publish").click()
    expect(page.get_by_text("No rule gives “stars”.")).to_be_visible()
    expect(page.get_by_role("row", name="Tier Silver")).to_contain_text("ellen@example.test")
    assert_accessible(page)
    page.get_by_role("link", name="Compare in words").click()
    expect(page.get_by_role("heading", name="Tiers")).to_be_visible()
    assert_accessible(page)
    page.go_back()
    page.get_by_label("Note for the history").fill("Easier Silver")
    page.get_by_role("button", name="Publish version 2").click()
    page.goto(f"{house.url}/admin/programs/program/{program.pk}/history/")
    expect(page.get_by_text("Easier Silver")).to_be_visible()
    assert_accessible(page)


def test_owner_closes_a_program_after_reading_what_becomes_of_the_balances(house, open_page, assert_accessible):
    program = make_shop(currency="USD")
    record(make_member(program=program, first_name="Ann"), "receipt-1", 30_000)
    drain()

    page = open_page(f"/admin/programs/program/{program.pk}/change/", user=make_staff(business=program.business))
    page.get_by_role("link", name="Copy the program").click()
    assert_accessible(page)
    page.get_by_role("link", name="Back to the program").click()
    page.get_by_role("link", name="Pause or close").click()
    expect(page.get_by_text("300 points")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Last day of spending").fill((datetime.now(UTC) + timedelta(days=30)).date().isoformat())
    page.get_by_label("I have read what becomes of the balances.").check()
    page.get_by_role("button", name="Close the program").click()
    expect(page.get_by_role("button", name="Undo the close")).to_be_visible()
    assert_accessible(page)
