"""A tier's page says who would move before anything is saved."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains

from accounts.models import StaffRole
from loyalty.purchases.admin import moving
from programs import actions
from tests.factories import make_business, make_member, make_shop, make_staff
from tests.factories.activity import drain, record
from tests.factories.admin_forms import form_of

pytestmark = pytest.mark.django_db
CLOCK = datetime(2025, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    """Three members, who spent 100, 360 and 1,100 this year: basic, silver (from 350), gold (from 1,000)."""
    program = make_shop(currency="USD", clock=CLOCK)
    for name, spent in (("Ann", 10_000), ("Bob", 36_000), ("Cid", 110_000)):
        member = make_member(
            program=program, external_id=name, first_name=name, joined_at=datetime(2025, 1, 1, tzinfo=UTC)
        )
        record(member, f"r-{name}", spent)
    drain()
    return program


@pytest.fixture
def draft(client, program):
    client.force_login(make_staff(business=program.business))
    return actions.start_draft(program=program, by=None)


def page(tier) -> str:
    return reverse("admin:programs_tier_change", args=[tier.pk])


def ladder(draft) -> str:
    return reverse("admin:programs_tier_ladder", args=[draft.pk])


def test_preview_counts_by_the_posted_form_and_saves_nothing(client, draft):
    gold = draft.tiers.get(code="gold")
    data = form_of(client.get(page(gold)))

    looked = client.post(page(gold), {**data, "conditions-0-threshold": "1200", "_look": "1"})

    assert (looked.context["up"], looked.context["down"]) == ("0", "1")
    assert [(one["name"], one["move"], one["have"]) for one in looked.context["falling"]] == [
        ("Cid", "Gold to Silver", "$1,100")
    ]
    assert looked.context["rows"]["conditions"].formset.forms[0]["threshold"].value() == "1200"
    assert gold.conditions.get().threshold == 1000


def test_script_gets_the_ladder_and_the_panels_alone(client, draft):
    silver = draft.tiers.get(code="silver")
    data = form_of(client.get(page(silver)))

    looked = client.post(page(silver), {**data, "conditions-0-threshold": "50", "_look": "1"}, headers={"X-Look": "1"})

    assert looked.templates[0].name == "admin/programs/tier_look.html"
    assert looked.context["up"] == "1"
    assert 'id="tier-moves"' in looked.text
    assert 'id="tier-spread"' in looked.text
    assert "<form" not in looked.text


def test_changed_condition_says_what_is_in_force(client, draft):
    gold = draft.tiers.get(code="gold")
    gold.conditions.update(threshold=1200)

    shown = client.get(page(gold))

    assert shown.context["rows"]["conditions"].formset.forms[0].in_force == "$1,000.00"


def test_form_with_a_fault_is_previewed_without_what_is_wrong(client, draft):
    gold = draft.tiers.get(code="gold")
    data = form_of(client.get(page(gold)))

    looked = client.post(page(gold), {**data, "conditions-0-threshold": "much", "_look": "1"})

    assert looked.status_code == 200
    assert looked.context["rows"]["conditions"].formset.forms[0].errors == {"threshold": ["Enter a number."]}


def test_ladder_of_a_draft_shows_all_moves_and_the_spread(client, draft):
    draft.tiers.get(code="silver").conditions.update(threshold=50)

    shown = client.get(ladder(draft))

    assert (shown.context["up"], shown.context["down"]) == ("1", "0")
    assert shown.context["sentence"] == "1 of 3 members has the $1,000 that Gold asks for."
    assert [(one.span, one.count) for one in shown.context["chart"].bins if one.count] == [
        ("$100 – $199.99", 1),
        ("$350 – $499.99", 1),
        ("$1,000 +", 1),
    ]


def test_ladder_of_a_published_version_moves_nobody(client, draft, program):
    shown = client.get(ladder(program.versions.get(number=1)))

    assert 'id="tier-moves"' not in shown.text


def test_many_members_are_counted_when_asked_for(client, draft, monkeypatch):
    monkeypatch.setattr("loyalty.purchases.admin.moving.AT_SIGHT", 2)

    assert "The program has 3 members; counting them takes some seconds." in client.get(ladder(draft)).text
    assert client.get(ladder(draft), {"count": "1"}).context["up"] == "0"


def test_too_many_members_are_refused_in_favour_of_the_back_test(client, draft, monkeypatch):
    monkeypatch.setattr("loyalty.purchases.admin.moving.AT_SIGHT", 2)
    monkeypatch.setattr("loyalty.purchases.admin.moving.MOST_MEMBERS", 2)

    assert "take the back-test for them" in client.get(ladder(draft), {"count": "1"}).text


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"rank": "2"}, {"rank": ["“Gold” has this place. On the draft's page tiers can change places."]}),
        ({"rank": "1000"}, {"rank": ["Ensure this value is less than or equal to 999."]}),
        ({"code": "gold"}, {"code": ["“Gold” has this code."]}),
    ],
)
def test_place_and_code_are_checked_on_the_tiers_own_page(client, draft, changed, fault):
    silver = draft.tiers.get(code="silver")

    response = client.post(page(silver), {**form_of(client.get(page(silver))), **changed})

    assert response.context["adminform"].form.errors == fault


def test_ladder_is_for_owners_of_the_business(client, draft, program):
    client.force_login(make_staff(business=make_business()))
    stranger = client.get(ladder(draft))
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))
    cashier = client.get(ladder(draft))
    client.logout()

    assert (stranger.status_code, cashier.status_code, client.get(ladder(draft)).status_code) == (404, 302, 302)


def test_ladder_costs_the_same_with_more_members(client, draft, program, django_assert_num_queries):
    client.get(ladder(draft))
    with django_assert_num_queries(QUERIES):
        client.get(ladder(draft))
    for number in range(3):
        make_member(program=program, external_id=f"m{number}")
    with django_assert_num_queries(QUERIES):
        client.get(ladder(draft))


QUERIES = 55


def review(draft) -> str:
    return reverse("admin:programs_programversion_publish", args=[draft.pk])


def test_review_before_publishing_says_how_many_would_move(client, draft):
    draft.tiers.get(code="silver").conditions.update(threshold=50)

    shown = client.get(review(draft))

    assertContains(shown, "If it were published now, 1 member would move up, 0 down.")
    assertContains(shown, ladder(draft))


def test_review_of_more_members_than_are_counted_names_the_back_test(client, draft, monkeypatch):
    monkeypatch.setattr(moving, "MOST_MEMBERS", 2)
    monkeypatch.setattr(moving, "AT_SIGHT", 1)

    shown = client.get(review(draft))

    assertContains(shown, "3 members are too many to count here who would move: take the back-test for them.")
    assertContains(shown, reverse("admin:rehearsals_backtest_start", args=[draft.pk]))


def test_review_counts_many_members_when_asked_for(client, draft, monkeypatch):
    monkeypatch.setattr(moving, "AT_SIGHT", 1)

    assertContains(client.get(review(draft)), "How many of 3 members would move is counted when asked for")
    assertContains(client.get(review(draft), {"count": "1"}), "If it were published now, nobody would move")
