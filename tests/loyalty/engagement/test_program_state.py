"""What a customer reads of a program that stands still or has ended."""

from datetime import UTC, date, datetime, timedelta

import pytest

from programs import lifecycle
from programs.models import Program
from tests.factories import make_member, make_shop, make_user
from tests.factories.activity import JOINED, drain, record

pytestmark = pytest.mark.django_db
CLOCK = datetime(2025, 3, 1, 12, tzinfo=UTC)
LAST_DAY = date(2025, 3, 31)


@pytest.fixture
def member():
    return make_member(program=make_shop(clock=CLOCK), user=make_user(), joined_at=JOINED)


def home(client, member):
    client.force_login(member.customer.user)
    return client.get("/")


def test_paused_program_says_so_and_that_what_was_bought_waits(client, member):
    lifecycle.pause(program=member.program, by=None)
    record(member, "r-1", 1_000)

    text = home(client, member).content.decode()

    assert "This program is paused." in text
    assert "counted when the program goes on" in text
    assert "shows up in a moment" not in text


def test_closed_program_says_until_when_units_can_be_spent_and_asks_for_no_more(client, member):
    record(member, "r-1", 10_000)
    drain()
    lifecycle.close(program=member.program, last_day=LAST_DAY, by=None)

    response = home(client, member)

    text = response.content.decode()
    assert "You can spend what you have until 31\u00a0March\u00a02025" in text
    assert "more to reach" not in text
    assert response.context["ticket"].balance == "100"


def test_program_that_is_over_keeps_its_history_readable(client, member):
    record(member, "r-1", 10_000)
    drain()
    lifecycle.close(program=member.program, last_day=LAST_DAY, by=None)
    Program.objects.update(clock=CLOCK + timedelta(days=60))

    response = home(client, member)

    assert (
        "This program has ended. You could spend what you had until 31\u00a0March\u00a02025"
        in response.content.decode()
    )
    assert response.context["ticket"].balance == "0"
    assert client.get("/history/").status_code == 200
