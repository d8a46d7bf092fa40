"""Staff write a reward in a browser: the sentence and the customer's card follow what they type."""

import pytest
from playwright.sync_api import expect

from programs.actions import start_draft
from programs.presets import get
from programs.presets.loading import load
from tests.factories import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def test_owner_writes_a_reward_and_sees_what_customers_will_see(house, open_page, assert_accessible):
    program = load(preset=get("beauty_insider"), slug="beauty", by=None).program
    owner = make_staff(business=program.business)
    draft = start_draft(program=program, by=owner)

    page = open_page(f"/admin/programs/reward/add/?version={draft.pk}", user=owner)
    page.get_by_label("Name", exact=True).fill("Mug")
    page.get_by_label("Code", exact=True).fill("mug")
    page.get_by_label("Kind").select_option("product")
    expect(page.locator("#id_percent")).to_be_hidden()
    page.locator("#id_price").fill("750")
    expect(page.locator("#says")).to_contain_text("Members pay 750 points for “Mug”.")
    expect(page.locator("#card")).to_contain_text("Get for 750 points")
    page.locator("[name='card_units']").fill("700")
    expect(page.locator("#card")).to_contain_text("50 points are missing.")
    page.get_by_label("From tier").select_option("rouge")
    page.locator("[name='card_tier']").select_option("vib")
    expect(page.locator("#card")).to_contain_text("This is for members from Rouge on.")
    assert_accessible(page)
    page.get_by_label("Once there are enough").check()
    expect(page.locator("#row-open")).to_be_hidden()
    expect(page.locator("#says")).to_contain_text("Each 750 points turn into “Mug” as soon as they are there.")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("link", name="Open Mug")).to_be_visible()
    assert draft.rewards.get(code="mug").from_tier == ""
