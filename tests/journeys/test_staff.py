"""The staff's first page in a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import StaffRole
from loyalty.purchases.models import Activity
from tests.factories import make_member, make_shop, make_staff
from tests.factories.activity import drain, record


@pytest.fixture
def owner(house):
    """An owner whose program has members with purchases, and one purchase that failed."""
    program = make_shop(currency="USD")
    for place in range(6):
        member = make_member(
            program=program, external_id=f"m{place}", joined_at=datetime.now(UTC) - timedelta(days=200)
        )
        for number in range(4):
            activity = record(member, f"r-{place}-{number}", 9_000 * (place + 1))
            Activity.objects.filter(pk=activity.pk).update(
                occurred_at=datetime.now(UTC) - timedelta(days=1 + number * 20 + place)
            )
    drain()
    Activity.objects.filter(pk=record(member, "bad", 100).pk).update(status=Activity.Status.FAILED)
    return make_staff(business=program.business)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_figures_are_accessible(open_page, assert_accessible, owner, width, dark):
    page = open_page("/staff/", user=owner, size={"width": width, "height": 2_400}, dark=dark)

    assert_accessible(page)


def test_figures_do_not_scroll_sideways(open_page, owner):
    page = open_page("/staff/", user=owner)
    widths = (320, 390, 768, 1280, 1600)

    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        found.append(page.evaluate("document.documentElement.scrollWidth"))

    assert found == list(widths)


def test_chart_can_be_read_as_a_table(open_page, assert_accessible, owner):
    page = open_page("/staff/", user=owner, size={"width": 1280, "height": 2_400})

    page.get_by_text("View as table").click()

    assert page.get_by_role("table", name="Sales by week").get_by_role("row").count() == 14
    assert_accessible(page)


def test_what_failed_leads_to_the_shelf_in_the_admin(open_page, owner):
    page = open_page("/staff/", user=owner, size={"width": 1280, "height": 900})

    page.get_by_role("link", name="Open: 1 activity failed").click()

    page.wait_for_url("**/admin/purchases/activity/?status__exact=failed")
    assert "bad" in page.locator("body").inner_text()


def test_cashier_s_page_is_accessible(open_page, assert_accessible, owner):
    business = StaffRole.objects.get(user=owner).business
    page = open_page("/staff/", user=make_staff(business=business, role=StaffRole.Role.CASHIER))

    assert "Cashier" in page.locator("main").inner_text()
    assert_accessible(page)
