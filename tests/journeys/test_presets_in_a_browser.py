"""A member of two units with long names, at a tier of two conditions: the widest that the customer's pages get."""

import pytest

from programs.models import Membership, Unit
from tests.factories import make_user
from tests.loyalty.presets.stage import Stage

TALL = 2_400  # The tab bar then covers nothing: else a row half below it counts as a target too small.
PAGES = ["/", "/history/", "/card/"]


@pytest.fixture
def guest(house):
    stage = Stage("hotel_nights", "2025-01-10 10:00")
    stay = {"category": "stay", "brand": "Grand Atlas", "quantity": "40", "amount": "7200.00"}
    units = Unit.objects.filter(program=stage.program)
    units.filter(code="points").update(name="Grand Reward point", name_plural="Grand Reward points")
    units.filter(code="nights").update(name="qualifying elite night", name_plural="qualifying elite nights")
    stage.buy_all([("2025-02-10", None, stay), ("2025-05-10", None, {**stay, "quantity": "38"})])
    ana = Membership.objects.select_related("customer").get(program=stage.program, external_id="ana")
    ana.customer.user = make_user()
    ana.customer.save(update_fields=["user"])
    return ana


@pytest.mark.parametrize("dark", [False, True])
def test_pages_of_two_units_and_two_conditions_are_accessible_and_fit(open_page, assert_accessible, guest, dark):
    page = open_page("/", user=guest.customer.user, size={"width": 390, "height": TALL}, dark=dark)
    widths = {}

    for path in PAGES:
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert_accessible(page)
        for width in (320, 390, 1280):
            page.set_viewport_size({"width": width, "height": TALL})
            widths[path, width] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size({"width": 390, "height": TALL})

    assert widths == {(path, width): width for path in PAGES for width in (320, 390, 1280)}


def test_bar_of_each_condition_is_named(open_page, guest):
    page = open_page("/", user=guest.customer.user)

    values = {
        name: page.get_by_role("progressbar", name=name).get_attribute("value") for name in ("Spend", "Qualifying")
    }

    assert values == {"Spend": "1440000", "Qualifying": "78"}


def test_long_names_leave_room_for_what_happened(open_page, guest):
    page = open_page("/history/", user=guest.customer.user)

    heights = {round(title.bounding_box()["height"] / 22) for title in page.locator(".row .title").all()}

    assert heights <= {1, 2}
