"""Staff try an example purchase against a draft, and read what it would get and how much more that is than now."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import StaffRole
from loyalty.ledger.models import Standing, Transaction
from loyalty.purchases.models import Activity
from programs import actions
from tests.factories import make_business, make_member, make_shop, make_staff
from tests.factories.activity import drain, record
from tests.factories.admin_forms import form_of

pytestmark = pytest.mark.django_db
CLOCK = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return make_shop(currency="USD", timezone="America/New_York", clock=CLOCK)


@pytest.fixture
def draft(client, program):
    client.force_login(make_staff(business=program.business))
    draft = actions.start_draft(program=program, by=None)
    rule = draft.rules.get()
    rule.tier_rates.filter(tier__code="gold").update(rate=3)
    return draft


def page(draft) -> str:
    return reverse("admin:programs_rule_try", args=[draft.pk])


def example(*lines, **given) -> dict[str, str]:
    data = {"when": "2026-03-01T12:00", "tier": "gold", "what": "", **given}
    rows = {f"try-lines-{n}-{name}": value for n, line in enumerate(lines) for name, value in line.items()}
    return {
        **{f"try-{name}": value for name, value in data.items()},
        "try-lines-TOTAL_FORMS": str(len(lines)),
        "try-lines-INITIAL_FORMS": "0",
        **rows,
    }


def tried(client, draft, *lines, **given):
    """Return what the page shows of an example."""
    response = client.get(page(draft), example(*lines, **given))
    assert response.status_code == 200
    return response


def told(response) -> list[str]:
    return [f"{one.figure} {one.name}: {one.difference}" for one in response.context["sums"]]


def test_purchase_is_tried_against_the_draft_and_what_is_in_force(client, draft):
    shown = tried(client, draft, {"amount": "10.99"}, {"amount": "4.00", "quantity": "2"})

    assert told(shown) == ["44 points: 22 more than version 1 gives (22)"]
    (reason,) = shown.context["reasons"]
    assert (reason["reason"].name, reason["reason"].text) == ("Base", "$14.99 × 3 = 44.97, rounded down")


def test_total_is_tried_without_lines(client, draft):
    assert told(tried(client, draft, total="20", tier="basic")) == ["20 points: as much as version 1 gives"]


def test_lines_are_told_apart(client, draft):
    draft.rules.get().clauses.create(kind="category", value="books")

    shown = tried(client, draft, {"amount": "10", "category": "Books"}, {"amount": "5", "category": "Toys"})

    assert told(shown) == ["30 points: 8 more than version 1 gives (22)"]


def test_rule_of_an_event_is_tried_with_that_event(client, program, draft):
    draft.event_types.create(code="review", name="Review")
    draft.rules.create(
        code="review", name="Review", unit=program.units.get(), trigger="event", event="review", effect="fixed", rate=50
    )

    assert told(tried(client, draft, what="review")) == ["50 points: 50 more than version 1 gives (0)"]


def test_member_is_tried_after_all_that_is_recorded_and_nothing_is_written(client, program, draft):
    member = make_member(program=program, external_id="ann", first_name="Ann")
    record(member, "r-1", 200_000, days=400)
    drain()
    before = (Activity.objects.count(), Transaction.objects.count(), list(Standing.objects.values()))

    by_number = tried(client, draft, total="10", member="ann", tier="basic")
    by_card = tried(client, draft, total="10", member=member.card_shown, tier="basic")

    assert told(by_number) == told(by_card) == ["30 points: 15 more than version 1 gives (15)"]
    assert (Activity.objects.count(), Transaction.objects.count(), list(Standing.objects.values())) == before


def test_member_of_another_program_is_not_found(client, draft):
    make_member(program=make_shop(), external_id="stranger")

    shown = tried(client, draft, total="10", member="stranger")

    assert shown.context["form"].errors == {"member": ["No member of the program is named like that."]}


def test_rule_with_a_fault_is_left_out_and_named(client, program, draft):
    draft.rules.create(code="bad", name="Bad", unit=program.units.get(), effect="bonus", of="gone", rate=1)
    draft.rules.create(code="more", name="More", unit=program.units.get(), effect="bonus", of="bad", rate=1)

    shown = tried(client, draft, total="10")

    assert told(shown) == ["30 points: 15 more than version 1 gives (15)"]
    assert any("Bad" in message for message in shown.context["left_out"])
    assert [one["reason"].rule for one in shown.context["reasons"]] == ["base"]


def test_condition_that_cannot_be_read_is_no_stack_trace(client, draft):
    draft.rules.get().clauses.create(kind="hours", value="late")

    shown = tried(client, draft, total="10")

    assert told(shown) == ["0 points: 15 less than version 1 gives (15)"]
    assert "“late” cannot be read" in shown.context["left_out"][0]


@pytest.mark.parametrize(
    "given", [{"when": "soon"}, {"when": "9999-12-31T10:00"}, {"total": "ten"}, {"total": "1.999"}, {"tier": "none"}]
)
def test_example_that_cannot_be_read_says_so(client, draft, given):
    shown = tried(client, draft, **{"total": "10", **given})

    assert shown.context["refusal"] == "Mend the example above to try it."


def test_member_before_the_first_terms_is_refused(client, program, draft):
    make_member(program=program, external_id="ann")

    assert tried(client, draft, total="10", member="ann", when="1980-01-01T10:00").context["refusal"] != ""


def test_panel_beside_a_rule_tries_it_as_it_is_typed(client, draft):
    rule = draft.rules.get()
    address = reverse("admin:programs_rule_change", args=[rule.pk])
    data = {**form_of(client.get(address)), **example(total="10", tier="basic"), "rate": "7", "_look": "1"}

    looked = client.post(address, data, headers={"X-Look": "1"})

    assert told(looked) == ["70 points: 60 more than version 1 gives (10)"]
    assert draft.rules.get().rate == 1


def test_example_fits_the_rule_that_it_stands_beside(client, draft):
    rule = draft.rules.get()
    for kind, value in (("weekday", "sat"), ("tier", "silver"), ("category", "Home, more"), ("amount", ">= 250")):
        rule.clauses.create(kind=kind, value=value)

    shown = client.get(reverse("admin:programs_rule_change", args=[rule.pk]))

    made_up = next(one for one in shown.context if "is_own" in one)["form"].data
    assert (made_up["try-when"], made_up["try-tier"]) == ("2026-03-07T07:00", "silver")
    line = next(one for one in shown.context if "is_own" in one)["lines"].forms[0]
    assert (line["category"].value(), line["amount"].value()) == ("Home", "250.00")
    assert [one.is_more for one in shown.context["sums"]] == [False]


def test_page_is_for_owners_of_the_business(client, draft, program):
    client.force_login(make_staff(business=make_business()))
    stranger = client.get(page(draft))
    client.force_login(make_staff(business=program.business, role=StaffRole.Role.CASHIER))
    cashier = client.get(page(draft))
    client.logout()

    assert (stranger.status_code, cashier.status_code, client.get(page(draft)).status_code) == (404, 302, 302)


def test_trying_costs_the_same_with_more_rules(client, program, draft, django_assert_num_queries):
    tried(client, draft, total="10")
    with django_assert_num_queries(QUERIES):
        tried(client, draft, total="10")
    for number in range(3):
        draft.rules.create(code=f"r{number}", name="R", unit=program.units.get(), rate=1, position=number)
    with django_assert_num_queries(QUERIES):
        tried(client, draft, total="10")


QUERIES = 35
