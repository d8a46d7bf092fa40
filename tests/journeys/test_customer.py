"""The customer's pages in a browser: both sizes, both schemes, the narrowest phone, without script."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.purchases.models import Activity
from programs.models import Store
from tests.factories import RuleSpec, UnitSpec, make_member, make_program, make_shop, make_user, make_version
from tests.factories.activity import drain, record

PHONE = {"width": 390, "height": 844}
TALL = 2_400  # The tab bar then covers nothing: else a row half below it counts as a target too small.
PAGES = ["/", "/history/", "/card/", "/profile/"]
DAYS = [400, 200, 120, 90, 60, 31, 20, 3]


@pytest.fixture
def member(house):
    """A member with a year of purchases, one return and one purchase that gave nothing."""
    program = make_shop(currency="USD")
    member = make_member(
        program=program,
        user=make_user(),
        first_name="Elena",
        last_name="Park",
        external_id="e",
        joined_at=datetime.now(UTC) - timedelta(days=500),
    )
    store = Store.objects.create(business=program.business, code="1", name="SoHo, New York")
    for place, days in enumerate(DAYS):
        activity = record(member, f"r-{place}", 6_840 + 1_000 * place)
        Activity.objects.filter(pk=activity.pk).update(
            occurred_at=datetime.now(UTC) - timedelta(days=days), store=store
        )
    nothing = record(member, "zero", 0)
    back = record(member, "back", 7_840, kind="refund", purchase="r-1")
    for activity, days in ((nothing, 2), (back, 1)):
        Activity.objects.filter(pk=activity.pk).update(occurred_at=datetime.now(UTC) - timedelta(days=days))
    drain()
    return member


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_are_accessible(open_page, assert_accessible, member, width, dark):
    page = open_page("/", user=member.customer.user, size={"width": width, "height": TALL}, dark=dark)

    for path in PAGES:
        page.goto(path)
        assert_accessible(page)


def test_pages_do_not_scroll_sideways(open_page, member):
    page = open_page("/", user=member.customer.user)
    widths = {}

    for path in PAGES:
        page.goto(path)
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            widths[path, width] = page.evaluate("document.documentElement.scrollWidth")

    assert widths == {(path, width): width for path in PAGES for width in (320, 390, 768, 1280)}


def test_first_screen_of_a_phone_holds_balance_code_and_tier(open_page, member):
    page = open_page("/", user=member.customer.user, size=PHONE)

    bottoms = [
        page.locator(one).bounding_box()["y"] + page.locator(one).bounding_box()["height"]
        for one in (".balance", ".ticket-code", ".tier .action", ".rungs")
    ]
    assert max(bottoms) < page.locator(".tabs").bounding_box()["y"]


def test_reason_opens_in_place(open_page, assert_accessible, member):
    page = open_page("/history/", user=member.customer.user, size={"width": 390, "height": TALL})

    page.locator("summary").filter(has_text="+").first.click()

    why = page.locator(".why:visible")
    assert why.get_by_role("heading").inner_text().startswith("Why ")
    assert "counted towards your level" in why.inner_text()
    assert_accessible(page)


def test_customer_goes_from_page_to_page(open_page, member):
    page = open_page("/", user=member.customer.user)
    tabs = page.get_by_role("navigation", name="Pages, below")

    tabs.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Returned").click()
    returned = page.locator(".row .title").all_inner_texts()
    tabs.get_by_role("link", name="Card").click()

    assert returned == ["Return, $78.40"]
    assert page.locator(".card-number").inner_text() == member.card_shown
    page.get_by_role("link", name="Close").click()
    assert page.locator(".balance").is_visible()


def test_code_on_the_card_is_as_large_as_scanners_want(open_page, member):
    page = open_page("/card/", user=member.customer.user)

    box = page.locator(".card-face .qr").bounding_box()

    assert (round(box["width"]), round(box["height"])) == (252, 252)


def test_everything_works_without_script(browser, house, member):
    from tests.journeys.conftest import sign_in

    context = browser.new_context(base_url=house.url, viewport=PHONE, java_script_enabled=False)
    sign_in(context, user=member.customer.user, url=house.url)
    page = context.new_page()
    page.goto("/history/")

    page.locator("summary").filter(has_text="+").first.click()

    assert page.locator(".why:visible").count() == 1
    context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_new_member_s_first_page_is_accessible(open_page, assert_accessible, house, dark):
    member = make_member(program=make_shop(), user=make_user(), external_id="new")
    page = open_page("/", user=member.customer.user, size={"width": 390, "height": TALL}, dark=dark)

    assert page.get_by_role("heading", name="Show this code with your first purchase").is_visible()
    assert_accessible(page)


def test_pending_money_and_the_choice_of_programs_are_accessible(open_page, assert_accessible, member):
    program = make_program(currency="EUR")
    cash = UnitSpec("cash", precision=2, is_money=True, pending_days=14)
    make_version(program=program, units=[cash], tiers=(), rules=[RuleSpec(unit="cash", effect="percent")])
    other = make_member(program=program, user=member.customer.user, external_id="c")
    activity = record(other, "r-1", 50_000)
    Activity.objects.filter(pk=activity.pk).update(occurred_at=datetime.now(UTC) - timedelta(days=1))
    drain()
    page = open_page("/", user=member.customer.user, size={"width": 390, "height": TALL})

    page.locator(".switch summary").click()
    assert_accessible(page)
    page.get_by_role("button", name=program.name).click()
    page.get_by_role("navigation", name="Pages, below").get_by_role("link", name="History").click()

    assert page.get_by_role("heading", name="On the way").is_visible()
    assert "+€5.00" in page.locator(".waiting").inner_text()
    assert_accessible(page)
