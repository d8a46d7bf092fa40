"""The admin's pages of webhooks: secrets shown once, deliveries with their answers, each business for itself."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.models import StaffRole
from loyalty.webhooks import delivering
from loyalty.webhooks.actions import add_endpoint
from loyalty.webhooks.models import Delivery, Endpoint
from loyalty.webhooks.signing import secrets_of
from programs.models import Program
from tests.factories import make_member, make_shop, make_staff, make_user
from tests.factories.activity import JOINED, drain, record

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def program(client):
    made = make_shop()
    client.force_login(make_staff(business=made.business))
    return made


@pytest.fixture
def made(program, receiver):
    return add_endpoint(program=program, url=receiver.url, description="Web shop", by=make_user())


@pytest.fixture
def delivery(program, made, receiver):
    """A purchase that the receiver did not take, and why."""
    receiver.status, receiver.body = 500, b"out of order <b>"
    program.refresh_from_db()
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r-1", 1_000)
    drain()
    delivering.deliver_due()
    return Delivery.objects.get(message__type="purchase.accrued")


def page(name, *arguments):
    return reverse(f"admin:webhooks_{name}", args=arguments)


def test_new_webhook_shows_its_secret_once(client, program, receiver):
    response = client.post(
        page("endpoint_add"), {"program": program.pk, "url": receiver.url, "description": "Shop", "event_types": []}
    )

    endpoint = Endpoint.objects.get()
    secret = SECRET.search(response.content.decode()).group()
    assert secrets_of(endpoint, at=datetime.now(UTC)) == [secret]
    assert "no-store" in response.headers["Cache-Control"]
    assert Program.objects.get(pk=program.pk).has_webhooks is True
    again = client.get(page("endpoint_change", endpoint.pk))
    assert (again.status_code, SECRET.search(again.content.decode())) == (200, None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://93.184.215.14/", "must begin with https"),
        ("https://127.0.0.1/", "not on the public internet"),
        ("https://169.254.169.254/latest/", "not on the public internet"),
        ("https://93.184.215.14:22/", "Only the ports"),
        ("https://me:pw@93.184.215.14/", "Leave user name and password out"),
    ],
)
def test_address_that_may_not_be_called_is_refused_with_the_reason(client, program, url, said):
    response = client.post(page("endpoint_add"), {"program": program.pk, "url": url, "event_types": []})

    assert said in response.content.decode()
    assert Endpoint.objects.count() == 0


def test_address_and_types_can_be_changed_but_not_the_program(client, program, made, receiver):
    other = make_shop(business=program.business)
    client.post(
        page("endpoint_change", made.endpoint.pk),
        {"program": other.pk, "url": f"{receiver.url}/2", "description": "", "event_types": ["voucher.redeemed"]},
    )

    endpoint = Endpoint.objects.get()
    assert (endpoint.program_id, endpoint.url, endpoint.event_types) == (
        program.pk, f"{receiver.url}/2", ["voucher.redeemed"]
    )  # fmt: skip


def test_secret_is_renewed_after_asking_and_both_sign(client, made):
    address = page("endpoint_rotate", made.endpoint.pk)
    assert client.get(address).status_code == 200
    assert len(secrets_of(Endpoint.objects.get(), at=datetime.now(UTC))) == 1

    response = client.post(address, {"overlap": "168"})

    secret = SECRET.search(response.content.decode()).group()
    assert secrets_of(Endpoint.objects.get(), at=datetime.now(UTC) + timedelta(days=6)) == [secret, made.secret]
    assert "The secret is being renewed" in client.get(page("endpoint_change", made.endpoint.pk)).content.decode()


def test_webhook_is_switched_off_with_a_note_and_on_again(client, made):
    off, shown = page("endpoint_off", made.endpoint.pk), page("endpoint_change", made.endpoint.pk)
    assert client.get(off).status_code == 200
    client.post(off, {"note": "They are moving"})
    client.post(off, {"note": "Again"})

    assert (Endpoint.objects.get().is_on, Endpoint.objects.get().disabled_note) == (False, "They are moving")
    assert "They are moving" in client.get(shown).content.decode()

    client.post(page("endpoint_on", made.endpoint.pk))
    client.post(page("endpoint_on", made.endpoint.pk))
    assert Endpoint.objects.get().is_on is True


def test_test_is_sent_and_its_delivery_shown(client, made, receiver):
    response = client.post(page("endpoint_test", made.endpoint.pk))
    delivering.deliver_due()

    assert response.url == page("delivery_change", Delivery.objects.get().pk)
    assert receiver.types() == ["endpoint.test"]
    assert "204" in client.get(response.url).content.decode()


def test_delivery_shows_each_answer_and_what_was_sent(client, delivery):
    text = client.get(page("delivery_change", delivery.pk)).content.decode()

    assert "out of order &lt;b&gt;" in text
    assert "&quot;type&quot;: &quot;purchase.accrued&quot;" in text
    assert "Retrying" in text


def test_one_delivery_is_sent_again(client, delivery, receiver):
    receiver.status = 200
    client.post(page("delivery_again", delivery.pk))
    delivering.deliver_due()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries) == ("delivered", 2)


def test_chosen_deliveries_are_sent_again(client, delivery, receiver):
    receiver.status = 200
    chosen = list(Delivery.objects.values_list("pk", flat=True))
    client.post(page("delivery_changelist"), {"action": "send_again", "_selected_action": chosen})
    delivering.deliver_due()

    assert list(Delivery.objects.values_list("status", "tries")) == [("delivered", 2)] * len(chosen)
    assert len(chosen) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_deliveries_asks_a_fixed_number_of_queries(
    client, program, made, receiver, django_assert_num_queries, count
):
    program.refresh_from_db()
    for number in range(count):
        record(make_member(program=program, external_id=f"m{number}", joined_at=JOINED), f"r-{number}", 1_000)
    drain()
    client.get(page("delivery_changelist"))

    with django_assert_num_queries(17):
        assert client.get(page("delivery_changelist")).status_code == 200


def test_list_of_webhooks_leads_to_what_was_given_up(client, made, delivery):
    Delivery.objects.filter(pk=delivery.pk).update(status="given_up", settled_at=datetime.now(UTC))

    text = client.get(page("endpoint_changelist")).content.decode()

    address = f"{page('delivery_changelist')}?endpoint__id__exact={made.endpoint.pk}&amp;status__exact=given_up"
    assert f'href="{address}">1</a>' in text
    assert client.get(address.replace("&amp;", "&")).status_code == 200


PAGES = [
    ("get", "endpoint_changelist", None), ("get", "endpoint_add", None), ("get", "endpoint_change", "endpoint"),
    ("get", "endpoint_rotate", "endpoint"), ("post", "endpoint_rotate", "endpoint"),
    ("get", "endpoint_off", "endpoint"), ("post", "endpoint_off", "endpoint"),
    ("post", "endpoint_on", "endpoint"), ("post", "endpoint_test", "endpoint"),
    ("get", "delivery_changelist", None), ("get", "delivery_change", "delivery"),
    ("post", "delivery_again", "delivery"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "name", "of"), PAGES)
def test_page_is_for_staff_who_manage_webhooks_of_this_business(client, program, made, delivery, method, name, of):
    arguments = {"endpoint": [made.endpoint.pk], "delivery": [delivery.pk], None: []}[of]
    before = list(Endpoint.objects.values()), list(Delivery.objects.values())
    answers = []
    cashier = make_staff(business=program.business, role=StaffRole.Role.CASHIER)
    stranger = make_staff(business=make_shop().business)
    for person in (cashier, stranger, make_user(), None):
        client.logout()
        if person is not None:
            client.force_login(person)
        response = getattr(client, method)(page(name, *arguments))
        answers.append((response.status_code, made.endpoint.url in response.content.decode()))

    shut = [(302, False)]
    assert answers[0] in [(302, False), (403, False)]
    assert answers[1] in [(302, False), (403, False), (404, False), (200, False)]
    assert (answers[1][0] == 200) is (of is None)
    assert answers[2:] == [(403, False), *shut] or answers[2:] == shut * 2
    assert (list(Endpoint.objects.values()), list(Delivery.objects.values())) == before


def test_stranger_cannot_add_a_webhook_to_this_program(client, program, receiver):
    client.force_login(make_staff(business=make_shop().business))

    client.post(page("endpoint_add"), {"program": program.pk, "url": receiver.url, "event_types": []})

    assert Endpoint.objects.count() == 0


def test_stranger_cannot_send_chosen_deliveries_again(client, delivery):
    client.force_login(make_staff(business=make_shop().business))

    client.post(page("delivery_changelist"), {"action": "send_again", "_selected_action": [delivery.pk]})

    delivery.refresh_from_db()
    assert (delivery.step, delivery.tries) == (1, 1)
