"""The workshop in a browser: a rule that says what it does while it is filled in, and a tier that says who moves."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from programs.actions import start_draft
from tests.factories import make_member, make_shop, make_staff
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db(transaction=True)
JOINED = datetime(2025, 1, 1, tzinfo=UTC)
DESK = {"width": 1280, "height": 900}


@pytest.fixture
def draft():
    """A draft of a shop whose members spent 100 and 360 in 2025, on a clock of its own in that year."""
    program = make_shop(currency="USD", clock=datetime(2025, 6, 1, 12, tzinfo=UTC))
    for name, spent in (("Ann", 10_000), ("Bob", 36_000)):
        record(make_member(program=program, external_id=name, first_name=name, joined_at=JOINED), f"r-{name}", spent)
    drain()
    draft = start_draft(program=program, by=None)
    draft.event_types.create(code="review", name="Review")
    return draft


def test_rule_says_what_it_does_while_it_is_filled_in(open_page, draft):
    rule = draft.rules.get()
    owner = make_staff(business=draft.program.business)

    page = open_page(f"/admin/programs/rule/{rule.pk}/change/", user=owner, size=DESK)
    sentence = page.locator("#says")
    expect(page.locator("#row-line_rates")).to_be_visible()
    expect(page.locator("select[name='event']")).to_be_hidden()
    page.locator("input[name='rate']").fill("3")
    expect(sentence).to_contain_text("a member gets 3\xa0points for each $1.00")
    expect(page.locator("#try-result")).to_contain_text("200 more than version 1 gives (100)")

    page.get_by_role("button", name="Add a condition").click()
    page.locator("select[name='clauses-0-kind']").select_option("weekday")
    page.get_by_label("Sat").check()
    expect(sentence).to_contain_text("but only on Saturday")
    expect(page.locator("#try-result")).to_contain_text("Only on Saturday")
    page.get_by_label("Take this row out").first.check()
    expect(sentence).not_to_contain_text("Saturday")

    page.get_by_label("An event").check()
    expect(page.locator("select[name='event']")).to_be_visible()
    expect(page.locator("select[name='effect']")).to_have_value("fixed")
    expect(page.locator("#row-line_rates")).to_be_hidden()
    page.locator("select[name='event']").select_option("review")
    expect(sentence).to_contain_text("For the event “Review” a member gets 3\xa0points")
    page.locator("select[name='try-what']").select_option("review")
    expect(page.locator("#try-result")).to_contain_text("Fixed award of 3\xa0points")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/programversion/**")
    rule.refresh_from_db()
    assert (rule.trigger, rule.event, rule.effect, rule.rate) == ("event", "review", "fixed", 3)


def test_tier_says_who_would_move_while_it_is_filled_in(open_page, draft):
    silver = draft.tiers.get(code="silver")
    owner = make_staff(business=draft.program.business)

    page = open_page(f"/admin/programs/tier/{silver.pk}/change/", user=owner, size=DESK)
    moves = page.locator("#tier-moves")
    page.locator("input[name='conditions-0-threshold']").fill("500")
    expect(moves).to_contain_text("The one who would move down")
    expect(moves.get_by_role("link", name="Bob")).to_be_visible()
    page.locator("input[name='conditions-0-threshold']").fill("50")
    expect(moves).not_to_contain_text("would move down Bob")
    expect(moves.get_by_role("link", name="Bob")).to_have_count(0)
    expect(page.locator("#ladder")).to_contain_text("$50.00")
    assert silver.conditions.get().threshold == 350


def test_rule_and_tier_can_be_looked_at_without_a_script(browser, house, draft):
    from tests.journeys.conftest import sign_in

    owner = make_staff(business=draft.program.business)
    context = browser.new_context(base_url=house.url, java_script_enabled=False)
    sign_in(context, user=owner, url=house.url)
    page = context.new_page()
    page.goto(f"/admin/programs/rule/{draft.rules.get().pk}/change/")
    page.locator("input[name='rate']").fill("4")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#says")).to_contain_text("a member gets 4\xa0points")
    expect(page.locator("#try-result")).to_contain_text("300 more than version 1 gives (100)")
    expect(page.locator("input[name='rate']")).to_have_value("4")

    page.goto(f"/admin/programs/tier/{draft.tiers.get(code='silver').pk}/change/")
    page.locator("input[name='conditions-0-threshold']").fill("50")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#tier-moves .lo-tile-good .lo-tile-figure")).to_have_text("1")
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_of_the_workshop_are_accessible_and_do_not_scroll_sideways(
    open_page, assert_accessible, draft, width, dark
):
    owner, rule = make_staff(business=draft.program.business), draft.rules.get()
    rule.clauses.create(kind="weekday", value="sat")
    rule.clauses.create(kind="dates", value="2025-01-01..2025-12-31")
    rule.caps.create(window="month", amount=100)
    silver = draft.tiers.get(code="silver")
    silver.conditions.update(threshold=500)
    published = draft.program.versions.get(number=1)
    pages = [
        f"/admin/programs/rule/{rule.pk}/change/",
        f"/admin/programs/tier/{silver.pk}/change/",
        f"/admin/programs/rule/try/{draft.pk}/",
        f"/admin/programs/tier/ladder/{draft.pk}/",
        f"/admin/programs/rule/{published.rules.get().pk}/change/",
    ]

    page = open_page(pages[0], user=owner, size={"width": width, "height": 900}, dark=dark)
    widths = []
    for address in pages:
        page.goto(address)
        assert_accessible(page)
        widths.append(page.evaluate("document.documentElement.scrollWidth"))

    assert widths == [width] * len(pages)
