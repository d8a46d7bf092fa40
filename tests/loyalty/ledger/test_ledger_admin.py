from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from accounts.models import StaffRole
from loyalty.ledger.grants import grant_tier
from loyalty.ledger.models import Notice, Standing, TierGrant
from loyalty.ledger.openings import Arrival, Held, Opening, move_in
from tests.factories import make_member, make_shop, make_staff, make_user

pytestmark = pytest.mark.django_db
ADD = "admin:ledger_tiergrant_add"


@pytest.fixture
def program():
    return make_shop(clock=datetime(2026, 6, 1, 12, tzinfo=UTC))


@pytest.fixture
def member(program):
    return make_member(program=program, external_id="42", email="Ann@example.test")


@pytest.fixture
def owner(client, program):
    user = make_staff(business=program.business)
    client.force_login(user)
    return user


def filled(program, **fields):
    said = {"place": f"{program.pk}:gold", "kind": "hand", "reason": "A guest of the owner", "until": "2026-12-31"}
    return {**said, **fields}


def tier():
    return Standing.objects.get().tier


@pytest.mark.parametrize("named", ["card", "external_id", "email"])
def test_owner_gives_a_tier_to_a_member_however_named(client, owner, program, member, named):
    name = {"card": member.card_shown, "external_id": "42", "email": "ann@EXAMPLE.test"}[named]

    answer = client.post(reverse(ADD), filled(program, member=name))

    row = TierGrant.objects.get()
    assert answer.status_code == 302
    assert (row.membership, row.tier, row.until, row.granted_by) == (member, "gold", date(2026, 12, 31), owner)
    assert tier() == "gold"


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"member": "43"}, "member"),
        ({"reason": ""}, "reason"),
        ({"until": "2026-05-31"}, "until"),
        ({"kind": "trial"}, "place"),
        ({"place": "nonsense"}, "place"),
    ],
)
def test_tier_that_cannot_be_given_is_refused_at_the_field(client, owner, program, member, fields, at):
    answer = client.post(reverse(ADD), {**filled(program, member="42"), **fields})

    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [at]
    assert TierGrant.objects.count() == 0


def test_owner_is_offered_only_tiers_of_their_own_programs(client, owner, program):
    make_shop()

    choices = client.get(reverse(ADD)).context["adminform"].form.fields["place"].choices

    assert choices == [(program.name, [(f"{program.pk}:silver", "Silver"), (f"{program.pk}:gold", "Gold")])]


def test_stranger_cannot_give_a_tier_of_another_business(client, program, member):
    client.force_login(make_staff(business=make_shop().business))

    client.post(reverse(ADD), filled(program, member="42"))

    assert TierGrant.objects.count() == 0


def test_owner_ends_a_given_tier_and_nobody_ends_it_twice(client, owner, program, member):
    row = grant_tier(membership=member, tier="gold", kind="hand", reason="A guest", until=None, by=owner)
    address = reverse("admin:ledger_tiergrant_end", args=[row.pk])

    client.post(address)
    first = TierGrant.objects.get()
    client.post(address)

    assert (first.ended_by, tier()) == (owner, "basic")
    assert TierGrant.objects.get().ended_at == first.ended_at


def test_list_of_given_tiers_calls_them_by_their_names(client, owner, program, member):
    grant_tier(membership=member, tier="gold", kind="hand", reason="A guest", until=None, by=owner)

    shown = client.get(reverse("admin:ledger_tiergrant_changelist"))

    assert [row.called for row in shown.context["cl"].result_list] == ["Gold"]


def mark(client, notice):
    chosen = {"action": "mark_as_sent", "_selected_action": [str(notice.pk)]}
    return client.post(reverse("admin:ledger_notice_changelist"), chosen)


@pytest.fixture
def notice(program, member):
    due = datetime(2026, 6, 20, tzinfo=UTC)
    return Notice.objects.create(
        program=program, membership=member, kind="expiry", what="points", ends_at=due, created_at=due
    )


def test_owner_says_that_a_member_was_told(client, owner, program, notice):
    mark(client, notice)

    assert Notice.objects.get().sent_at == program.clock
    assert Standing.objects.get().memory["notices"] == {
        "expiry|points|2026-06-20T00:00:00+00:00": "2026-06-01T12:00:00+00:00"
    }


@pytest.mark.parametrize("role", [StaffRole.Role.CASHIER, "stranger", "customer"])
def test_nobody_else_says_so(client, program, notice, role):
    business = make_shop().business if role == "stranger" else program.business
    user = (
        make_user()
        if role == "customer"
        else make_staff(business=business, role="owner" if role == "stranger" else role)
    )
    client.force_login(user)

    mark(client, notice)

    assert Notice.objects.get().sent_at is None


def test_opening_balance_and_a_tier_of_an_operator_are_named_as_such(client, owner, program, member):
    arrival = Arrival(member.pk, [Opening("points", 5)], Held("gold", None, "hand", "Moved in"))
    move_in(program=program, arrivals=[arrival], by=None)

    ledger = client.get(reverse("admin:ledger_transaction_changelist")).context["cl"]
    given = client.get(reverse("admin:ledger_tiergrant_changelist")).context["cl"]

    assert [str(ledger.model_admin.what(row)) for row in ledger.result_list] == ["Opening balance"]
    assert [str(given.model_admin.giver(row)) for row in given.result_list] == ["an operator"]
