"""The owner moves members in, in a browser: a dry run that names the bad row, and the good ones moved in."""

import pytest
from playwright.sync_api import expect

from programs.models import Membership
from tests.factories import make_shop, make_staff
from tests.loyalty.moving.sheets import csv_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_owner_moves_members_in_and_is_told_which_row_is_bad(house, open_page, assert_accessible):
    program = make_shop()
    body = csv_of("external_id,email,tier,balance:points", "a,ann@example.test,gold,1250", "b,wrong,,5")

    page = open_page(f"/admin/moving/moving/add/?program={program.pk}", user=make_staff(business=program.business))
    expect(page.get_by_label("Pool")).to_be_hidden()
    assert_accessible(page)
    page.get_by_label("File, CSV or XLSX").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": body}
    )
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("row", name="3 email wrong")).to_contain_text("This is not an e-mail address.")
    assert_accessible(page)
    page.get_by_role("button", name="Move 1 row in").click()
    expect(page.get_by_role("heading", name="The file is moved in")).to_be_visible()

    assert Membership.objects.get().external_id == "a"
