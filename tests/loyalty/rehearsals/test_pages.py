"""The pages of back-tests and corrections: who sees them, what they say, what they give to be saved."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import StaffRole
from loyalty.purchases.models import Activity
from loyalty.rehearsals import actions
from loyalty.rehearsals.models import BackTest, Correction
from programs.models import ProgramVersion
from tests.factories import make_business, make_member, make_shop, make_staff, make_user
from tests.factories.activity import JOINED, drain, record
from tests.factories.rehearsals import ask_for_test, back_test, make_draft, post, rate, supersede

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    program = make_shop()
    for number, name in enumerate(("Ann", "Bob", "Cid")):
        member = make_member(program=program, external_id=f"m{number}", first_name=name, joined_at=JOINED)
        record(member, f"a{number}", 30_000 + 100 * number, days=3)
        record(member, f"b{number}", 2_000, days=40)
    drain()
    return program


@pytest.fixture
def owner(client, shop):
    user = make_staff(business=shop.business)
    client.force_login(user)
    return user


@pytest.fixture
def draft(shop):
    return make_draft(
        shop, rate("base", "2"), lambda draft: draft.tiers.get(code="silver").conditions.update(threshold=321)
    )


def page(name, run, *more):
    return reverse(f"admin:rehearsals_{name}", args=[run.pk, *more])


def asked(**changes):
    return {
        "first_day": "2025-01-01",
        "last_day": "2025-03-31",
        "against": "in_force",
        "moves_dates": "on",
        "worth_points": "0.01",
        **changes,
    }


def test_draft_leads_to_the_start_which_offers_the_year_up_to_yesterday(client, owner, draft):
    start = page("backtest_start", draft)

    assert start in client.get(reverse("admin:programs_programversion_change", args=[draft.pk])).content.decode()
    form = client.get(start).context["form"]
    assert next(field for _unit, field in form.worth_fields).html_name == "worth_points"
    assert (form["against"].value(), form["moves_dates"].value()) == ("in_force", True)


def test_start_asks_the_worker_for_what_was_said(client, owner, draft):
    response = client.post(page("backtest_start", draft), asked())

    test = BackTest.objects.get()
    assert response.url == page("backtest_change", test)
    assert (str(test.first_day), str(test.last_day), test.moves_dates, test.worth) == (
        "2025-01-01", "2025-03-31", True, {"points": "0.01"},
    )  # fmt: skip
    assert (test.against.number, test.requested_by, test.status) == (1, owner, "queued")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"last_day": "2024-01-01"}, "last_day"),
        ({"last_day": "2999-01-01"}, "last_day"),
        ({"first_day": "?"}, "first_day"),
    ],
)
def test_start_says_at_the_field_what_cannot_be(client, owner, draft, changes, field):
    response = client.post(page("backtest_start", draft), asked(**changes))

    assert list(response.context["form"].errors) == [field]
    assert BackTest.objects.count() == 0


def test_running_page_shows_progress_also_without_script_and_stops(client, owner, draft):
    test = ask_for_test(draft, by=owner)

    text = client.get(page("backtest_change", test)).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in text
    assert client.get(page("backtest_progress", test)).json() == {
        "at_work": True,
        "percent": 0,
        "text": "Waiting for the worker",
    }
    assert client.post(page("backtest_cancel", test)).url == page("backtest_change", test)
    assert client.get(page("backtest_progress", test)).json()["at_work"] is False
    assert "The back-test was stopped" in client.get(page("backtest_change", test)).content.decode()


def test_result_says_what_it_costs_who_moves_and_sums(client, owner, draft, django_assert_num_queries):
    test = back_test(draft, "2025-01-01", "2025-03-31", worth={"points": Decimal("0.01")})

    response = client.get(page("backtest_change", test))

    shown = response.context["shown"]
    assert [(tile.name, tile.value) for tile in shown.tiles] == [
        ("Points issued", "+100.0%"),
        ("Liability at the end", "+€9.63"),
        ("Members who move", "2"),
        ("Members who earn more", "3"),
        ("Cost for each €100 sold", "+€1.00"),
    ]
    (points,) = shown.units
    assert [(row.name, *row.written) for row in [*points.rules.rows, points.rules.total]] == [
        ("Base", "963", "1,926", "+963"),
        ("All", "963", "1,926", "+963"),
    ]
    assert points.tiers.total.written == points.rules.total.written
    assert [one["name"] for one in response.context["movers"]] == ["Bob", "Cid"]
    assert [row["total"] for row in shown.matrix["rows"]] == ["0", "0", "3"]
    assert response.context["has_changed"] is False
    with django_assert_num_queries(31):
        client.get(page("backtest_change", test))


def test_result_says_that_the_draft_has_changed_since(client, owner, draft):
    test = back_test(draft)
    rate("base", "7")(draft)

    assert "The draft has changed since" in client.get(page("backtest_change", test)).content.decode()


def test_result_stays_when_the_draft_is_discarded(client, owner, draft):
    test = back_test(draft)
    ProgramVersion.objects.get(pk=draft.pk).delete()

    assert client.get(page("backtest_change", test)).status_code == 200


@pytest.mark.parametrize(
    ("what", "first"),
    [
        ("rules", "Base,points,963,1926,963"),
        ("tiers", "Basic,points,963,1926,963"),
        ("months", "2025-01,points,903,1806,0.01"),
    ],
)
def test_tables_are_given_to_be_saved(client, owner, draft, what, first):
    test = back_test(draft, "2025-01-01", "2025-03-31", worth={"points": Decimal("0.01")})

    answer = client.get(page("backtest_csv", test, what))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.decode().splitlines()[1] == first
    assert client.get(page("backtest_csv", test, "other")).status_code == 404


def test_members_who_move_are_listed_page_by_page(client, owner, draft, monkeypatch):
    monkeypatch.setattr("loyalty.rehearsals.admin.backtests.PAGE", 1)
    test = back_test(draft)

    first = client.get(page("backtest_members", test))
    second = client.get(page("backtest_members", test), {"after": first.context["following"]})

    assert [one["name"] for answer in (first, second) for one in answer.context["movers"]] == ["Bob", "Cid"]
    assert second.context["following"] is None


def test_list_shows_back_tests_and_corrections(client, owner, draft):
    test = back_test(draft)

    assert list(client.get(reverse("admin:rehearsals_backtest_changelist")).context["cl"].result_list) == [test]
    assert client.get(reverse("admin:rehearsals_correction_changelist")).status_code == 200


# --- Corrections ---------------------------------------------------------------------------------------------------


def test_wrong_version_is_superseded_from_its_page(client, owner, shop, draft):
    wrong = shop.versions.get(number=1)
    start = page("correction_start", wrong)
    assert start in client.get(reverse("admin:programs_programversion_change", args=[wrong.pk])).content.decode()

    response = client.post(start, {"right": draft.pk, "reason": "Half the points"})

    run = Correction.objects.get()
    assert response.url == page("correction_change", run)
    assert (run.wrong, run.right, run.right.status, run.reason) == (wrong, draft, "published", "Half the points")


def test_effect_is_shown_and_posted_by_one_button(client, owner, shop, draft):
    run = supersede(shop.versions.get(number=1), draft)

    response = client.get(page("correction_change", run))
    effects = response.context["effects"]
    assert (effects.members, effects.receipts, effects.posted) == (3, 6, 0)
    assert [(one.getting, one.given, one.losing, one.taken) for one in effects.units] == [(3, "+963", 0, "0")]
    assert "Post for 3 members" in response.content.decode()
    assert client.post(page("correction_post", run)).url == page("correction_change", run)
    run.refresh_from_db()
    assert (run.phase, run.status, run.posted_by) == ("post", "queued", owner)


def test_posted_correction_tells_what_was_posted(client, owner, shop, draft):
    run = post(supersede(shop.versions.get(number=1), draft))

    response = client.get(page("correction_change", run))
    assert response.context["effects"].posted == 3
    assert "Nothing is posted yet" not in response.content.decode()
    assert len(client.get(page("correction_members", run)).context["rows"]) == 3
    lines = client.get(page("correction_csv", run, "members")).content.decode().splitlines()
    assert lines[0] == "card,external_id,shown_points,posted_points,tier_before,tier_after"
    assert min(line.split(",", 1)[1] for line in lines[1:]) == "m0,320,320,basic,basic"


def test_nothing_to_choose_asks_for_a_draft(client, owner, shop):
    response = client.get(page("correction_start", shop.versions.get()))

    assert "There are no later terms yet" in response.content.decode()


# --- Who ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def everything(shop, draft):
    test = back_test(draft)
    run = supersede(shop.versions.get(number=1), draft)
    second = make_draft(shop, rate("base", "3"))
    return {
        "get": [
            page("backtest_start", second), page("backtest_change", test), page("backtest_progress", test),
            page("backtest_members", test), page("backtest_csv", test, "rules"), page("correction_change", run),
            page("correction_start", shop.versions.get(number=1)), page("correction_progress", run),
            page("correction_members", run), page("correction_csv", run, "members"),
        ],
        "post": [
            page("backtest_start", second), page("backtest_cancel", test), page("correction_cancel", run),
            page("correction_post", run), page("correction_start", shop.versions.get(number=1)),
        ],
    }  # fmt: skip


@pytest.mark.parametrize("who", ["cashier", "stranger", "customer", "anonymous"])
def test_pages_refuse_who_may_not_edit_the_terms(client, shop, everything, who):
    people = {
        "cashier": lambda: make_staff(business=shop.business, role=StaffRole.Role.CASHIER),
        "stranger": lambda: make_staff(business=make_business()),
        "customer": make_user,
    }
    if who in people:
        client.force_login(people[who]())

    for method, addresses in everything.items():
        for address in addresses:
            response = getattr(client, method)(address)
            refused = 404 if who == "stranger" else 302
            assert (address, response.status_code) == (address, refused) or response.status_code in (403, 404)
    assert (Correction.objects.get().phase, BackTest.objects.count()) == ("preview", 1)


def test_owner_gets_every_page(client, owner, everything):
    assert [client.get(address).status_code for address in everything["get"]] == [200] * len(everything["get"])


@pytest.mark.parametrize("name", ["backtest_cancel", "correction_post", "correction_cancel"])
def test_pages_that_change_something_refuse_to_be_got(client, owner, shop, draft, name):
    run = back_test(draft) if name.startswith("backtest") else supersede(shop.versions.get(number=1), draft)

    assert client.get(page(name, run)).status_code == 405


def test_second_posting_is_refused_in_words(client, owner, shop, draft):
    run = post(supersede(shop.versions.get(number=1), draft))

    response = client.post(page("correction_post", run), follow=True)

    assert [str(one) for one in response.context["messages"]] == [str(actions.NotShownError.text)]


def test_receipt_tells_what_a_correction_made_of_it(client, owner, shop, draft):
    post(supersede(shop.versions.get(number=1), draft))
    receipt = Activity.objects.get(external_id="a0")

    judged = client.get(reverse("admin:purchases_activity_change", args=[receipt.pk])).context["judged"]

    assert (judged["version"].number, judged["corrected"]["version"].number) == (1, 2)
    assert judged["corrected"]["awards"] == [{"amount": "+600\u00a0points", "rule": "base"}]
