import pytest
from django.urls import reverse

from loyalty.purchases.models import Activity
from tests.factories import make_member, make_shop, make_staff, make_user
from tests.factories.activity import drain, record

pytestmark = pytest.mark.django_db
LIST = "admin:purchases_activity_changelist"


@pytest.fixture
def program():
    return make_shop(currency="USD")


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


@pytest.fixture
def failed(program) -> Activity:
    return record(make_member(program=program), "receipt-1", 5000, status="failed")


def statuses() -> list[str]:
    return list(Activity.objects.order_by("external_id").values_list("status", flat=True))


def test_shelf_shows_only_what_failed(client, owner, program, failed):
    record(make_member(program=program), "receipt-2", 100)

    response = client.get(reverse(LIST), {"status__exact": "failed"})

    assert list(response.context["cl"].result_list) == [failed]


def test_try_again_from_the_shelf_lets_it_be_judged(client, owner, failed):
    client.post(reverse(LIST), {"action": "try_again", "_selected_action": [failed.pk]})
    assert statuses() == ["recorded"]

    drain()
    assert statuses() == ["accrued"]


def test_try_again_from_its_own_page_lets_it_be_judged(client, owner, failed):
    client.post(reverse("admin:purchases_activity_retry", args=[failed.pk]))

    assert statuses() == ["recorded"]


def test_try_again_leaves_what_did_not_fail(client, owner, program):
    accrued = record(make_member(program=program), "receipt-1", 5000)
    drain()

    client.post(reverse(LIST), {"action": "try_again", "_selected_action": [accrued.pk]})

    assert statuses() == ["accrued"]


def test_try_again_by_a_stranger_leaves_the_shelf(client, failed):
    client.force_login(make_staff(business=make_shop().business))

    client.post(reverse(LIST), {"action": "try_again", "_selected_action": [failed.pk]})
    client.post(reverse(LIST), {"action": "try_again", "_selected_action": [failed.pk], "select_across": "1"})

    assert statuses() == ["failed"]


def test_activity_page_says_in_words_how_it_was_judged(client, owner, program):
    row = record(make_member(program=program), "receipt-1", 1099)
    Activity.objects.update(lines=[{"amount": 1099, "name": "Lipstick", "quantity": 1500}])
    drain()

    judged = client.get(reverse("admin:purchases_activity_change", args=[row.pk])).context["judged"]

    assert [(award["amount"], award["reason"]) for award in judged["awards"]] == [
        ("+10\u00a0points", "$10.99 × 1 = 10.99, rounded down")
    ]
    assert [(line["line"].name, line["quantity"], line["amount"]) for line in judged["lines"]] == [
        ("Lipstick", "1.5", "$10.99")
    ]
    assert (judged["version"].number, judged["tier"], judged["credit"]) == (1, "Basic", "$10.99")


def test_badge_counts_the_shelf_of_ones_own_business(client, owner, failed):
    record(make_member(program=make_shop()), "receipt-9", 5000, status="failed")

    response = client.get(reverse("admin:index"))

    badges = [
        str(item["badge_callback"])
        for group in response.context["sidebar_navigation"]
        for item in group["items"]
        if "badge_callback" in item
    ]
    assert badges == ["1"]


def test_superuser_may_try_again_anywhere(client, failed):
    client.force_login(make_user(is_superuser=True))

    client.post(reverse(LIST), {"action": "try_again", "_selected_action": [failed.pk]})

    assert statuses() == ["recorded"]


def test_badge_is_not_drawn_while_the_shelf_is_empty(client, owner):
    client.force_login(owner)

    assert b"min-w-[18px]" not in client.get("/admin/").content


def test_badge_is_drawn_with_its_count(client, owner, failed):
    client.force_login(owner)

    assert b'dark:text-red-400">1</span>' in client.get("/admin/").content
