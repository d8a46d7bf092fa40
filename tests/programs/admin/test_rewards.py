"""Staff write a reward on its own page: what does not fit is left out, and what stands in the form is told at once."""

from datetime import UTC, datetime, time
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import StaffRole
from programs import actions, content
from programs.models import Reward
from programs.reward_content import RewardClauseContent, RewardContent, RewardLimitContent, RewardTierContent
from tests.factories import make_business, make_shop, make_staff
from tests.factories.admin_forms import form_of, with_row

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 3, 18, tzinfo=UTC)  # A Tuesday; 13:00 in New York.
LOOK = {"_look": "1"}


@pytest.fixture
def program():
    return make_shop(currency="USD", timezone="America/New_York", clock=CLOCK)


@pytest.fixture
def draft(program):
    return actions.start_draft(program=program, by=None)


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


@pytest.fixture
def cash(draft):
    return Reward.objects.create(
        version=draft,
        code="cash",
        name="Cash",
        kind="money_off",
        unit=draft.program.units.get(),
        price=500,
        value=10,
    )


def page(reward) -> str:
    return reverse("admin:programs_reward_change", args=[reward.pk])


def new_page(draft) -> str:
    return f"{reverse('admin:programs_reward_add')}?version={draft.pk}"


def saved(client, address, data) -> None:
    response = client.post(address, data)
    assert response.status_code == 302, (
        response.context["errors"],
        response.context["adminform"].form.errors,
    )


def rewards(draft) -> tuple[RewardContent, ...]:
    return content.read(type(draft).objects.get(pk=draft.pk)).rewards


def spaced(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_reward_saved_as_it_was_changes_nothing(client, owner, draft, cash):
    cash.tiers.create(tier=draft.tiers.get(code="gold"), price=400, opens_at=CLOCK)
    cash.limits.create(window="year", times=2)
    cash.clauses.create(kind="birthday", value="month")
    Reward.objects.filter(pk=cash.pk).update(
        weekdays="tue, thu", opens_from=time(9), zone="America/Los_Angeles", closes_at=CLOCK, most_share=30
    )
    before = rewards(draft)

    with timezone.override(draft.program.zone):
        data = form_of(client.get(page(cash)))
    saved(client, page(cash), data)

    assert rewards(draft) == before


def test_reward_is_added_with_its_rows_in_the_programs_time(client, owner, draft):
    data = form_of(client.get(new_page(draft)))
    data |= {
        "code": "rouge",
        "name": "Rouge",
        "price": "2500",
        "value": "100.00",
        "from_tier": "silver",
        "stock": "500",
        "opens_at": "2026-04-09T09:00",
        "opens_from": "09:00",
        "weekdays": ["tue", "thu"],
        "zone": "America/Los_Angeles",
    }
    gold = draft.tiers.get(code="gold")
    data = with_row(data, "tiers", tier=str(gold.pk), price="2000", opens_at="2026-04-08T09:00")
    data = with_row(data, "limits", window="month", times="1")
    data = with_row(data, "clauses", kind="age", negated="False", least="3")

    saved(client, new_page(draft), data)

    assert rewards(draft) == (
        RewardContent(
            "rouge",
            "Rouge",
            0,
            "money_off",
            unit="points",
            price=Decimal(2500),
            value=Decimal(100),
            from_tier="silver",
            stock=500,
            opens_at=datetime(2026, 4, 9, 13, tzinfo=UTC),
            weekdays="tue, thu",
            opens_from=time(9),
            zone="America/Los_Angeles",
            tiers=(RewardTierContent("gold", price=Decimal(2000), opens_at=datetime(2026, 4, 8, 13, tzinfo=UTC)),),
            limits=(RewardLimitContent("month", 1),),
            clauses=(RewardClauseContent("age", ">= 3"),),
        ),
    )


def test_what_does_not_fit_a_reward_that_comes_by_itself_is_left_out(client, owner, draft, cash):
    cash.tiers.create(tier=draft.tiers.get(code="gold"), price=400, value=12)
    cash.limits.create(window="year", times=2)
    data = form_of(client.get(page(cash)))
    filled = {
        "from_tier": "gold",
        "stock": "5",
        "several": "on",
        "weekdays": ["mon"],
        "opens_from": "09:00",
        "zone": "Europe/Prague",
        "choice": "any",
        "by_amount": "on",
        "step": "1",
        "pool": "x",
        "percent": "5",
        "conversion": "dates",
        "closes_on": "05-31,09-30",
        "issue_day": "15",
        "most_a_year": "15",
        "is_withdrawn": "on",
        "lives_months": "11",
    }

    saved(client, page(cash), {**data, **filled})

    assert rewards(draft) == (
        RewardContent(
            "cash",
            "Cash",
            0,
            "money_off",
            unit="points",
            price=Decimal(500),
            value=Decimal(10),
            conversion="dates",
            closes_on="05-31, 09-30",
            issue_day=15,
            most_a_year=15,
            is_withdrawn=True,
            lives_months=11,
            tiers=(RewardTierContent("gold", value=Decimal(12)),),
        ),
    )


def test_condition_on_the_member_is_refused_where_units_turn_into_it(client, owner, cash):
    data = form_of(client.get(page(cash))) | {"conversion": "at_once"}

    response = client.post(page(cash), with_row(data, "clauses", kind="birthday", negated="False", value="month"))

    assert response.context["errors"] == [
        ["Units turn into it for everyone who has them: choose what it is good for, or take this out."]
    ]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"conversion": "dates"}, "Say at the end of which days units are counted, and on which day it is given."),
        (
            {"conversion": "dates", "closes_on": "31.5.", "issue_day": "1"},
            "“31.5.” is no day of the year. Write month and day, for example 05-31.",
        ),
        ({"unit": ""}, "Say in which unit the price is."),
        ({"kind": "pool", "lives_months": "1", "lives_days": "1"}, "A voucher lives months or days, not both."),
    ],
)
def test_form_says_what_is_wrong(client, owner, cash, given, refusal):
    response = client.post(page(cash), form_of(client.get(page(cash))) | given)

    assert [str(one) for group in response.context["errors"] for one in group] == [refusal]


def test_code_of_another_reward_is_refused(client, owner, draft, cash):
    data = form_of(client.get(new_page(draft))) | {"code": "cash", "name": "Again", "price": "1", "value": "1"}

    response = client.post(new_page(draft), data)

    assert response.context["adminform"].form.errors == {"code": ["“Cash” has this code."]}


def test_look_tells_the_sentence_and_the_faults_of_what_is_typed_and_saves_nothing(client, owner, draft, cash):
    before = rewards(draft)
    typed = form_of(client.get(page(cash))) | {"price": "600", "from_tier": "gold", "value": ""}

    response = client.post(page(cash), {**typed, **LOOK}, headers={"X-Look": "1"})

    told = "".join(piece.text for piece in response.context["sentence"])
    assert spaced(told) == "Members from Gold on pay 600 points for … off."
    assert response.context["faults"] == [
        "Reward “Cash” takes money off, but not said how much: fill in what it is worth."
    ]
    assert "Mend what stands above in the sentence; then the card is shown here." in response.content.decode()
    assert rewards(draft) == before


def test_rows_can_be_added_without_a_script(client, owner, cash):
    data = form_of(client.get(page(cash))) | {"name": "Typed"}

    response = client.post(page(cash), {**data, "_look": "more:limits"})

    formsets = {inline.formset.prefix: inline.formset for inline in response.context["inline_admin_formsets"]}
    assert len(formsets["limits"].forms) == 1
    assert response.context["adminform"].form["name"].value() == "Typed"


def test_reward_of_a_published_version_is_only_shown(client, owner, draft, cash):
    actions.publish(version=draft, by=None)

    response = client.get(page(cash))

    assert (response.status_code, client.post(page(cash), {}).status_code) == (200, 403)
    assert spaced(response.context["lines"]["Price"]) == "500 points"
    assert "Get for 500" in response.content.decode()


def test_reward_is_for_owners_of_its_business(client, draft, program, cash):
    client.force_login(make_staff(business=make_business()))
    stranger, added = client.get(page(cash)), client.get(new_page(draft))
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))

    assert (stranger.url, added.url) == ("/admin/", "/admin/programs/programversion/")
    assert client.get(page(cash)).url == f"/admin/login/?next={page(cash)}"


def test_pickers_offer_what_there_is(client, owner, draft, cash):
    Reward.objects.create(version=draft, code="film", name="Film", kind="pool", pool="cinema", choice="treat")
    program = draft.program
    program.units.create(code="nights", name="night", name_plural="nights", is_spendable=False)

    form = client.get(page(cash)).context["adminform"].form

    assert [unit.code for unit in form.fields["unit"].queryset] == ["points"]
    assert [unit.code for unit in form.fields["gives_unit"].queryset] == ["points", "nights"]
    assert (form.known_pools, form.known_choices) == (["cinema"], ["treat"])
    assert [code for code, _name in form.fields["from_tier"].choices] == ["", "basic", "silver", "gold"]


def test_page_costs_the_same_for_one_reward_and_for_four(client, owner, draft, cash, django_assert_num_queries):
    client.get(page(cash))
    for number in range(3):
        Reward.objects.create(version=draft, code=f"more-{number}", name="More", kind="product")

    with django_assert_num_queries(62):
        client.get(page(cash))


def test_rewards_stand_on_the_page_of_the_version_in_words(client, owner, draft, cash):
    response = client.get(reverse("admin:programs_programversion_change", args=[draft.pk]))

    assert "Price: 500\u00a0points" in response.content.decode()
