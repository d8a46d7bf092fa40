"""Who sees which page: a member their own, staff theirs, strangers none."""

import re
from datetime import UTC, datetime

import pytest

from accounts.models import StaffRole
from programs.models import Membership
from tests.factories import make_member, make_shop, make_staff, make_user
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db
PAGES = ["/", "/history/", "/card/"]
JOINED = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def member():
    return make_member(
        program=make_shop(), user=make_user(), joined_at=JOINED, first_name="Elena", last_name="Park", external_id="e"
    )


@pytest.fixture
def at_home(client, member):
    client.force_login(member.customer.user)
    return client


def bought(member, number, *, since=0):
    for place in range(since, number):
        record(member, f"r-{place}", 1_000 + place, days=place)
    drain()


@pytest.mark.parametrize("path", [*PAGES, "/profile/"])
def test_page_asks_who_is_not_signed_in_to_sign_in(client, path):
    response = client.get(path)

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/code/")


@pytest.mark.parametrize("path", [*PAGES, "/profile/"])
def test_page_shows_a_member_their_own_card(at_home, member, path):
    response = at_home.get(path)

    assert response.status_code == 200
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert member.card_shown in response.content.decode() or path == "/history/"


@pytest.mark.parametrize("path", PAGES)
def test_page_tells_who_has_no_card_how_to_get_one(client, path):
    client.force_login(make_user(email="nobody@example.test"))

    body = client.get(path).content.decode()

    assert "No card yet" in body
    assert "nobody@example.test" in body


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", StaffRole.Role.values)
def test_page_leads_staff_without_a_card_to_their_own(client, path, role):
    client.force_login(make_staff(business=make_shop().business, role=role))

    response = client.get(path)

    assert (response.status_code, response.url) == (302, "/staff/")


def test_member_of_another_business_sees_nothing_of_this_one(client, member):
    record(member, "r-1", 123_456)
    drain()
    stranger = make_member(program=make_shop(), user=make_user(), external_id="s")
    client.force_login(stranger.customer.user)

    bodies = [client.get(path).content.decode() for path in PAGES]

    assert not any(member.card_shown in body or "1,234" in body for body in bodies)


def test_closed_membership_is_no_card(at_home, member):
    member.status = Membership.Status.CLOSED
    member.save(update_fields=["status"])

    assert "No card yet" in at_home.get("/").content.decode()


def test_blocked_membership_says_so(at_home, member):
    member.status = Membership.Status.BLOCKED
    member.save(update_fields=["status"])

    assert "This card is blocked" in at_home.get("/").content.decode()


def test_several_programs_can_be_switched(at_home, member):
    other = make_member(program=make_shop(), user=member.customer.user, external_id="o")

    at_home.post("/program/", {"program": other.program.slug})

    assert other.card_shown in at_home.get("/card/").content.decode()


def test_switching_to_somebody_else_s_program_is_not_found(at_home):
    stranger = make_member(program=make_shop(), user=make_user(), external_id="s")

    response = at_home.post("/program/", {"program": stranger.program.slug})

    assert response.status_code == 404


def test_home_takes_as_many_queries_with_three_rows_as_with_forty(at_home, member, django_assert_num_queries):
    bought(member, 3)
    at_home.get("/")

    with django_assert_num_queries(14):
        at_home.get("/")
    bought(member, 40, since=3)
    with django_assert_num_queries(14):
        at_home.get("/")


def test_history_takes_as_many_queries_with_three_rows_as_with_a_full_page(at_home, member, django_assert_num_queries):
    bought(member, 3)
    at_home.get("/history/")

    with django_assert_num_queries(15):
        at_home.get("/history/")
    bought(member, 40, since=3)
    with django_assert_num_queries(15):
        at_home.get("/history/")


def test_card_takes_nine_queries(at_home, member, django_assert_num_queries):
    bought(member, 3)
    at_home.get("/card/")

    with django_assert_num_queries(9):
        at_home.get("/card/")


def test_older_pages_list_every_row_once(at_home, member):
    bought(member, 45)

    path, seen = "/history/", []
    while path:
        body = at_home.get(path).content.decode()
        seen += re.findall(r"Purchase, €([\d.]+)", body)
        older = re.search(r'href="(\?before=[^"]+)"', body)
        path = f"/history/{older.group(1)}" if older else ""

    assert seen == [f"{(1_000 + place) / 100:.2f}" for place in reversed(range(45))]


def test_filter_shows_its_kind_alone(at_home, member):
    record(member, "r-1", 5_000)
    record(member, "back", 5_000, days=1, kind="refund", purchase="r-1")
    drain()

    shown = {
        choice: re.findall(r"(Purchase|Return), €", at_home.get(f"/history/?show={choice}").content.decode())
        for choice in ("all", "earned", "spent", "returned", "expired")
    }

    assert shown == {
        "all": ["Return", "Purchase"],
        "earned": ["Purchase"],
        "spent": [],
        "returned": ["Return"],
        "expired": [],
    }


def test_unknown_filter_is_not_found(at_home):
    assert at_home.get("/history/?show=everything").status_code == 404


@pytest.mark.parametrize("before", ["", "x", "bnVsbA", "W10", "WzEsMiwzXQ", "%00"])
def test_place_that_is_none_shows_the_newest(at_home, member, before):
    bought(member, 2)

    response = at_home.get(f"/history/?before={before}")

    assert response.status_code == 200
    assert "Purchase, €10.01" in response.content.decode()


def test_purchase_that_waits_is_said_to_be_counted(at_home, member):
    record(member, "r-1", 5_000)

    assert "1 purchase is being counted" in at_home.get("/").content.decode()


def test_home_of_a_new_member_says_what_to_do(at_home):
    body = at_home.get("/").content.decode()

    assert "Show this code with your first purchase" in body
    assert "Nothing yet." in body


def test_what_fell_due_is_done_before_anything_is_shown(client):
    program = make_shop(clock=datetime(2025, 6, 1, tzinfo=UTC))
    member = make_member(program=program, user=make_user(), joined_at=JOINED, external_id="e")
    record(member, "r-1", 40_000)
    drain()
    client.force_login(member.customer.user)
    before = client.get("/card/").content.decode()

    program.clock = datetime(2027, 1, 1, tzinfo=UTC)
    program.save(update_fields=["clock"])
    after = client.get("/card/").content.decode()

    assert [re.search(r"· (\w+)\s*</p>", body).group(1) for body in (before, after)] == ["Silver", "Basic"]
