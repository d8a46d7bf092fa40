import pytest
from django.urls import reverse

from programs import actions
from programs.models import Membership
from tests.factories import make_member, make_shop, make_staff
from tests.factories.activity import drain, record
from tests.loyalty.presets.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(client):
    made = make_shop()
    client.force_login(make_staff(business=made.business))
    return made


@pytest.fixture
def ann(program) -> Membership:
    make_member(program=program, external_id="b-2", email="bob@example.test", first_name="Bob", last_name="Bee")
    member = make_member(
        program=program, external_id="a-1", email="ann@example.test", first_name="Ann", last_name="Hill"
    )
    Membership.objects.filter(pk=member.pk).update(card="123456789015")
    return member


@pytest.mark.parametrize(
    "asked",
    ["1234 5678 9015", "1234-5678-9015", "123456789015", "a-1", "ann@example.test", "ANN@", "Ann", "hill", "ann hill"],
)
def test_member_is_found_by_whatever_they_can_say(client, ann, asked):
    response = client.get(reverse("admin:programs_membership_changelist"), {"q": asked})

    assert list(response.context["cl"].result_list) == [ann]


def test_member_page_says_where_they_stand(client, program, ann):
    record(ann, "receipt-1", 10_000)
    drain()

    standing = client.get(reverse("admin:programs_membership_change", args=[ann.pk])).context["standing"]

    assert standing["tier"].name == "Basic"
    assert [(row["unit"].code, row["available"], row["held"]) for row in standing["balances"]] == [
        ("points", "100", "0")
    ]
    assert standing["next"]["name"] == "Silver"


def test_list_shows_the_tiers_of_terms_published_just_now(client, program, ann):
    record(ann, "receipt-1", 30_000)
    drain()
    draft = actions.start_draft(program=program, by=None)
    draft.tiers.get(code="silver").conditions.update(threshold=300)
    actions.publish(version=draft, by=None)

    response = client.get(reverse("admin:programs_membership_changelist"))

    shown = {row.external_id: row.standing.tier for row in response.context["cl"].result_list}
    assert shown == {"a-1": "silver", "b-2": "basic"}


@pytest.mark.parametrize("page", ["purchases_activity", "ledger_transaction", "ledger_lot"])
def test_member_page_leads_to_what_is_only_theirs(client, program, ann, page):
    record(ann, "receipt-1", 10_000)
    record(Membership.objects.exclude(pk=ann.pk).get(), "receipt-2", 10_000)
    drain()

    response = client.get(reverse(f"admin:{page}_changelist"), {"membership__id__exact": ann.pk})

    assert [row.membership for row in response.context["cl"].result_list] == [ann]


def test_member_page_tells_each_tier_with_its_reason_and_offers_to_give_one(client, program, ann):
    record(ann, "receipt-1", 40_000)
    drain()

    response = client.get(reverse("admin:programs_membership_change", args=[ann.pk]))

    assert [(row["tier"], row["reason"]) for row in response.context["standing"]["tiers"]][::-1][:2] == [
        ("Basic", "Joined"),
        ("Silver", "Reached"),
    ]
    address = reverse("admin:ledger_tiergrant_add") + "?member=123456789015"
    assert address in response.content.decode()
    assert client.get(address).context["adminform"].form["member"].value() == "123456789015"


def test_member_page_says_in_its_own_measure_what_a_tier_asks_and_which_units_only_count(client):
    stage = Stage("hotel_nights")
    stay = {"category": "stay", "brand": "Grand Atlas", "quantity": "12", "amount": "200.00"}
    stage.buy_all([("2025-05-01", None, stay), ("2026-02-10", None, {**stay, "quantity": "3"})])
    stage.at("2026-06-01")
    client.force_login(make_staff(business=stage.program.business))
    guest = Membership.objects.get(program=stage.program, external_id="ana")

    response = client.get(reverse("admin:programs_membership_change", args=[guest.pk]))

    standing, text = response.context["standing"], " ".join(response.content.decode().replace("\u00a0", " ").split())
    asked = [standing["next"]["missing"], standing["keep"]]
    assert [[(one["missing"], one["have"], one["need"]) for one in of] for of in asked] == [
        [("22\u00a0nights", "3", "25")],
        [("7\u00a0nights", "3", "10")],
    ]
    assert "To keep Silver Elite: 7 nights more (3 of 10), by 31 December 2026" in text
    assert text.count("cannot be spent") == 1


def test_member_page_says_by_what_a_tier_is_held_that_was_given(client):
    stage = Stage("vipeak")
    stage.give_tier("summit", "invitation", "2025-03-01", "2026-02-28")
    client.force_login(make_staff(business=stage.program.business))
    guest = Membership.objects.get(program=stage.program, external_id="ana")

    standing = client.get(reverse("admin:programs_membership_change", args=[guest.pk])).context["standing"]

    assert (standing["given"], standing["next"], standing["keep"], standing["is_kept"]) == (
        "By invitation",
        None,
        [],
        False,
    )


@pytest.mark.parametrize(("preset", "says"), [("vipeak", True), ("beauty_insider", False)])
def test_member_page_says_that_a_tier_is_kept_only_where_this_time_decides(client, preset, says):
    stage = Stage(preset)
    stage.buy_all([("2025-02-01", "3500.00"), ("2025-03-01", "3500.00"), ("2025-04-01", "7000.00")])
    client.force_login(make_staff(business=stage.program.business))

    page = client.get(reverse("admin:programs_membership_change", args=[Membership.objects.get().pk]))

    assert ("Enough is done to keep it after that." in page.content.decode()) is says
