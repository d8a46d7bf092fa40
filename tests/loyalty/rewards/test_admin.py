"""Staff see what members redeemed, their vouchers and what is left; they give free and restock with a reason."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from loyalty.rewards import pools, stocks
from loyalty.rewards.models import Redemption, RewardStock, Voucher
from programs.actions import start_draft
from tests.factories import make_staff
from tests.factories.admin_forms import form_of
from tests.loyalty.presets.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    """Ana has 500 Stars at Gold, and it is noon of 10 March 2026."""
    stage = Stage("coffee_stars", "2026-01-01 00:00")
    stage.buy("2026-03-10", "500.00")
    return stage


@pytest.fixture
def program(stage):
    return stage.program


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


@pytest.fixture
def held(stage):
    """Return Ana's redemption of 100 Stars, set aside."""
    return Redemption.objects.get(pk=stage.reserve("stars_100")["id"])


def page(row) -> str:
    return reverse(f"admin:rewards_{row._meta.model_name}_change", args=[row.pk])


def listed(client, model, **asked):
    address = reverse(f"admin:rewards_{model._meta.model_name}_changelist")
    return list(client.get(address, asked).context["cl"].result_list)


def said(client) -> list[str]:
    response = client.get(reverse("admin:index"))
    return [str(one) for one in response.context["messages"]]


# --- Redemptions -----------------------------------------------------------------------------------------------------


def test_redemption_is_found_by_its_code_however_it_is_typed_and_by_the_card(client, owner, stage, held):
    for typed in (held.code, held.code_shown.lower(), held.membership.card):
        assert listed(client, Redemption, q=typed) == [held]
    assert listed(client, Redemption, q="0000-0000-0000") == []
    assert listed(client, Redemption, reward="stars_100") == [held]
    assert listed(client, Redemption, reward="stars_25") == []


def test_page_of_a_redemption_tells_its_lots_and_what_it_did_in_the_ledger(client, owner, held):
    context = client.get(page(held)).context

    assert [lot["amount"] for lot in context["lots"]] == ["100"]
    assert [move["what"] for move in context["moves"]] == ["Set aside"]
    assert (context["told"], context["can_release"]) == ("The units are set aside until it is redeemed.", True)


def test_staff_give_free_what_is_set_aside_and_say_why(client, owner, stage, held):
    client.post(f"{page(held).removesuffix('change/')}release/", {"reason": "The customer left"})

    held.refresh_from_db()
    assert (held.status, held.is_timed_out) == ("released", False)
    assert stage.member()["balances"]["stars"]["available"] == "500"
    assert stage.books() == []
    assert LogEntry.objects.get().get_change_message() == "Given free: The customer left"
    assert said(client) == ["Given free; the member has the units again."]


def test_nothing_is_given_free_without_a_reason(client, owner, held):
    client.post(f"{page(held).removesuffix('change/')}release/", {"reason": " "})

    held.refresh_from_db()
    assert (held.status, said(client)) == ("reserved", ["Nothing was given free: say why."])


def test_what_was_redeemed_meanwhile_is_not_given_free(client, owner, stage, held):
    stage.till.post(f"redemptions/{held.pk}/capture/", {})

    client.post(f"{page(held).removesuffix('change/')}release/", {"reason": "A try"})

    held.refresh_from_db()
    assert held.status == "captured"
    assert client.get(page(held)).context["can_release"] is False
    assert LogEntry.objects.count() == 0


# --- Vouchers and pools ----------------------------------------------------------------------------------------------


@pytest.fixture
def voucher():
    """Return a voucher that 9 stamps turned into."""
    stage = Stage("punch_card", "2026-01-01 00:00")
    for day in range(1, 10):
        stage.buy(f"2026-03-{day:02}", None, {"category": "coffee", "amount": "75.00"})
    return Voucher.objects.select_related("program__business").get()


def test_page_of_a_voucher_tells_its_story(client, voucher):
    client.force_login(make_staff(business=voucher.program.business))

    issued = client.get(page(voucher)).context
    Voucher.objects.update(status="redeemed", redeemed_at=datetime(2026, 3, 9, 14, tzinfo=UTC), redemption_ref="r-9")
    used = client.get(page(voucher)).context

    assert [str(step["what"]).replace("\u00a0", " ") for step in issued["steps"]] == ["9 stamps turned into it."]
    assert [move["what"] for move in issued["moves"]] == ["Spent"]
    assert [str(step["what"]) for step in used["steps"]][1:] == ["Used for r-9."]
    assert listed(client, Voucher, q=voucher.code_shown.lower()) == [voucher]


def test_voucher_whose_time_is_over_is_shown_as_expired(client, voucher):
    client.force_login(make_staff(business=voucher.program.business))
    Voucher.objects.update(expires_at=datetime(2026, 1, 2, tzinfo=UTC))

    assert [str(step["what"]) for step in client.get(page(voucher)).context["steps"]][1:] == ["Expired unused."]


def test_pools_are_counted_by_state(client, owner, program):
    codes = [pools.PoolRow(code=f"SEAT-{number}") for number in range(3)]
    pools.add_codes(program=program, pool="cinema", codes=codes, by=None)

    context = client.get(reverse("admin:rewards_poolcode_changelist")).context

    assert context["pools"] == [
        {"program": program.name, "pool": "cinema", "is_empty": False, "free": "3", "held": "0", "issued": "0"}
    ]


# --- Stocks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rouge(client):
    """Return the stock of the Rouge Reward, of which nothing was given out yet, as its owner sees it."""
    program = Stage("beauty_insider", "2026-01-01 00:00").program
    client.force_login(make_staff(business=program.business))
    (row,) = listed(client, RewardStock)
    return row


def test_stock_of_which_nothing_was_given_out_is_listed_once(client, rouge):
    assert (rouge.reward, rouge.claimed, rouge.added) == ("rouge_reward", 0, 0)
    assert listed(client, RewardStock) == [rouge]
    assert client.get(page(rouge)).context["left"] == "500"


def test_staff_restock_with_a_reason(client, rouge):
    client.post(f"{page(rouge).removesuffix('change/')}restock/", {"count": "40", "reason": "A new delivery"})

    rouge.refresh_from_db()
    assert (rouge.added, said(client)) == (40, ["Stock +40."])
    assert LogEntry.objects.get().get_change_message() == "Stock +40: A new delivery"
    assert client.get(page(rouge)).context["left"] == "540"


@pytest.mark.parametrize("given", [{"count": "0", "reason": "x"}, {"count": "5"}, {"count": "many", "reason": "x"}])
def test_restocking_needs_a_number_and_a_reason(client, rouge, given):
    client.post(f"{page(rouge).removesuffix('change/')}restock/", given)

    rouge.refresh_from_db()
    assert rouge.added == 0


def test_list_of_stocks_costs_the_same_for_one_row_and_for_three(client, rouge, django_assert_num_queries):
    for number in range(2):
        RewardStock.objects.create(program=rouge.program, reward=f"old-{number}")

    with django_assert_num_queries(20):
        rows = listed(client, RewardStock)

    assert len(rows) == 3


# --- The member's page, the card beside the form ---------------------------------------------------------------------


def test_page_of_a_member_lists_vouchers_and_redemptions(client, owner, held):
    context = client.get(reverse("admin:programs_membership_change", args=[held.membership_id])).context

    assert [(row["name"], row["status"]) for row in context["rewards"]["redemptions"]] == [(held.name, "reserved")]
    assert context["rewards"]["vouchers"] == []


@pytest.fixture
def form(client, rouge):
    """Return the page of the Rouge Reward in a draft, and what its form says."""
    draft = start_draft(program=rouge.program, by=None)
    address = reverse("admin:programs_reward_change", args=[draft.rewards.get(code="rouge_reward").pk])
    return address, form_of(client.get(address))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"card_tier": "rouge", "card_at": "2026-03-03T13:00"}, "Get for 2,500 points"),
        ({"card_tier": "rouge", "card_at": "2026-03-03T13:00", "card_units": "2400"}, "100 points are missing."),
        ({"card_tier": "vib", "card_at": "2026-03-03T13:00"}, "This is for members from Rouge on."),
        (
            {"card_tier": "rouge", "card_at": "2026-03-04T13:00"},
            "It is closed now; it opens on 5 Mar 2026, 12:00.",
        ),
        ({"card_tier": "nobody", "card_at": "soon", "card_units": "NaN"}, "This is for members from Rouge on."),
    ],
)
def test_card_shows_the_reward_as_a_member_would_see_it(client, form, asked, told):
    address, data = form

    response = client.post(address, {**data, **asked, "_look": "1"}, headers={"X-Look": "1"})

    assert told in response.content.decode().replace("\u00a0", " ")


def test_card_shows_what_is_left_of_the_stock(client, form, rouge):
    stocks.add_stock(
        program=rouge.program, reward="rouge_reward", count=-500, by=make_staff(business=rouge.program.business)
    )
    address, data = form
    asked = {"card_tier": "rouge", "card_at": "2026-03-03T13:00"}

    response = client.post(address, {**data, **asked, "_look": "1"}, headers={"X-Look": "1"})

    assert "All of them are gone." in response.content.decode()
