"""What is told of what happens, in the order in which it happened, and what it costs where nobody listens."""

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.purchases import accrual
from loyalty.purchases.models import Activity
from loyalty.rewards import pools
from loyalty.webhooks import foresight
from loyalty.webhooks.actions import add_endpoint
from loyalty.webhooks.models import Delivery, Message
from programs.models import Program
from tests.factories import make_member, make_shop, make_user
from tests.factories.activity import JOINED, drain, record
from tests.factories.members import make_members
from tests.loyalty.api.client import Till
from tests.loyalty.presets.stage import Stage, reward, terms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_allowed")]
URL = "http://127.0.0.1:9/hooks"
TEN_COFFEES = [{"category": "coffee", "amount": "3.00"}] * 10


def listen(program, *event_types, url=URL):
    """Have an endpoint told these types, or all; return it."""
    endpoint = add_endpoint(program=program, url=url, event_types=event_types, by=make_user()).endpoint
    program.refresh_from_db()
    return endpoint


def told(*event_types):
    """Return the messages (of these types) in the order in which they were written."""
    rows = Message.objects.order_by("created_at")
    return list(rows.filter(type__in=event_types) if event_types else rows)


def types():
    return [message.type for message in told()]


@pytest.fixture
def stage():
    """Ana is at Gold with 500 Stars since noon of 10 March 2026, and somebody listens."""
    stage = Stage("coffee_stars", "2026-01-01 00:00")
    stage.buy("2026-03-10", "500.00")
    listen(stage.program)
    return stage


def test_purchase_is_told_as_the_api_shows_it():
    program = make_shop(timezone="Europe/Zagreb")
    listen(program)
    member = make_member(program=program, external_id="ana", joined_at=JOINED, email="ana@example.test")
    record(member, "r-1", 40_000)
    drain()

    enrolled, accrued, changed = told()

    about = {
        "program": program.slug,
        "sandbox": False,
        "member": {"id": str(member.pk), "card": member.card, "external_id": "ana"},
    }
    assert enrolled.type == "member.enrolled"
    assert enrolled.data == about | {
        "sequence": 1,
        "occurred_at": "2025-01-01T13:00:00+01:00",
        "joined_at": "2025-01-01T13:00:00+01:00",
        "tier": {"code": "basic", "name": "Basic"},
    }
    row = Activity.objects.get()
    reason = accrued.data["purchase"]["awards"][0]["reason"]
    assert accrued.type == "purchase.accrued"
    assert accrued.data == about | {
        "sequence": 2,
        "occurred_at": "2025-01-01T13:00:00+01:00",
        "purchase": {
            "id": str(row.pk),
            "external_id": "r-1",
            "status": "accrued",
            "occurred_at": "2025-01-01T13:00:00+01:00",
            "posted_at": row.posted_at.astimezone(program.zone).isoformat(),
            "currency": "EUR",
            "total": "400.00",
            "tax": None,
            "lines": [],
            "store": None,
            "channel": None,
            "terminal": None,
            "purchase": None,
            "paid": "0.00",
            "redemptions": [],
            "vouchers": [],
            "attributes": {},
            "awards": [
                {
                    "unit": "points",
                    "amount": "400",
                    "rule": "base",
                    "reason": accrued.data["purchase"]["awards"][0]["reason"],
                }
            ],
            "detail": "",
        },
        "balances": {"points": {"available": "400", "pending": "0", "held": "0"}},
    }
    assert reason != ""
    assert changed.type == "member.tier_changed"
    assert changed.data == about | {
        "sequence": 3,
        "occurred_at": changed.data["occurred_at"],
        "tier": {"code": "silver", "name": "Silver"},
        "previous": {"code": "basic", "name": "Basic"},
        "until": "2026-12-31",
        "reason": "reached",
    }
    assert [delivery.sequence for delivery in Delivery.objects.order_by("sequence")] == [1, 2, 3]


def test_nothing_personal_is_told():
    program = make_shop()
    listen(program)
    member = make_member(
        program=program, email="ana@example.test", first_name="Anastazija", last_name="Kovač", joined_at=JOINED
    )
    record(member, "r-1", 1_000)
    drain()

    said = str([message.data for message in told()])
    assert [word for word in ("ana@example.test", "Anastazija", "Kovač") if word in said] == []


def test_return_is_told_with_what_it_took_back():
    program = make_shop()
    listen(program, "refund.accrued")
    member = make_member(program=program, joined_at=JOINED)
    Till(program).post("purchases/", body("p-1", member, total="30.00"))
    Till(program).post("refunds/", {"external_id": "g-1", "purchase": "p-1", "occurred_at": "2026-01-03T10:00:00Z"})
    drain()

    (message,) = told()
    refund = message.data["refund"]
    assert (refund["external_id"], refund["purchase"], refund["total"]) == ("g-1", "p-1", "30.00")
    assert [(award["unit"], award["amount"]) for award in refund["awards"]] == [("points", "-30")]
    assert message.data["balances"] == {"points": {"available": "0", "pending": "0", "held": "0"}}


def body(external_id, member, *, total):
    return {
        "external_id": external_id,
        "member": member.card,
        "occurred_at": "2026-01-02T10:00:00Z",
        "currency": "EUR",
        "total": total,
    }


def test_purchase_that_terms_refuse_is_told_with_its_code():
    program = make_shop()
    listen(program, "purchase.failed")
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r-1", 1_000, days=-20_000)
    drain()

    (message,) = told()
    assert (message.type, message.data["purchase"]["status"], message.data["code"]) == (
        "purchase.failed", "failed", "no-terms-in-force"
    )  # fmt: skip


def test_purchase_whose_fold_breaks_is_told_once_and_the_good_one_beside_it_too():
    program = make_shop()
    listen(program, "purchase.failed", "purchase.accrued")
    member = make_member(program=program, joined_at=JOINED)
    bad, _good = record(member, "r-bad", 1_000), record(member, "r-good", 1_000, days=1)
    Activity.objects.filter(pk=bad.pk).update(lines=[{"what": "no line"}])
    drain()

    assert [(message.type, message.sequence, message.data["purchase"]["external_id"]) for message in told()] == [
        ("purchase.failed", 1, "r-bad"),
        ("purchase.accrued", 2, "r-good"),
    ]


def test_fold_that_is_rolled_back_tells_nothing_and_its_repetition_tells_once():
    program = make_shop()
    listen(program, "purchase.accrued")
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r-1", 1_000)

    class LostError(Exception):
        pass

    def lose_it():
        with transaction.atomic():
            accrual.accrue_batch()
            assert len(told()) == 1
            raise LostError

    with pytest.raises(LostError):
        lose_it()
    assert told() == []

    drain()
    drain()
    assert [message.sequence for message in told()] == [1]


def test_redemption_is_told_at_each_step(stage):
    held = stage.reserve("stars_100")
    stage.till.post(f"redemptions/{held['id']}/capture/")
    stage.till.post(f"redemptions/{held['id']}/capture/")
    given_up = stage.reserve("stars_100")
    stage.till.post(f"redemptions/{given_up['id']}/release/")
    stage.reserve("stars_100")
    stage.at("2026-03-10 12:15")

    assert [(one.type, one.data["redemption"]["status"], one.data["sequence"]) for one in told()] == [
        ("redemption.reserved", "reserved", 1),
        ("redemption.captured", "captured", 2),
        ("redemption.reserved", "reserved", 3),
        ("redemption.released", "released", 4),
        ("redemption.reserved", "reserved", 5),
        ("redemption.released", "released", 6),
    ]
    assert told()[0].data["redemption"] == held
    assert told()[5].data["redemption"]["reason"] == "The time was up, so the units are free again."
    assert {one.data["sandbox"] for one in told()} == {True}


@pytest.mark.parametrize(("preset", "code"), [("coffee_stars", "stars"), ("vipeak", "points")])
def test_units_that_will_expire_are_told_once_and_then_that_they_have(preset, code):
    stage = Stage(preset, "2026-01-01 00:00")
    stage.buy("2026-03-10", "20.00")
    listen(stage.program, "units.expiring", "units.expired")
    end = stage.member()["balances"][code]["next_expiry"]
    at = datetime.fromisoformat(end["at"])

    counts = [
        foresight.tell_of_expiry(program=stage.program, now=at - timedelta(days=days)) for days in (31, 30, 29, 29)
    ]
    stage.at(at.astimezone(stage.zone).strftime("%Y-%m-%d %H:%M"))

    assert counts == [0, 1, 0, 0]
    assert [(one.type, one.data["unit"], one.data["amount"], one.data["at"]) for one in told()] == [
        ("units.expiring", code, end["amount"], end["at"]),
        ("units.expired", code, end["amount"], end["at"]),
    ]
    assert told()[1].data["balances"][code] == {"available": "0", "pending": "0", "held": "0"}


def test_notice_that_the_terms_ask_for_is_the_same_news_and_told_once():
    stage = Stage("coffee_stars", "2026-01-01 00:00")
    stage.revise(terms(needs_notice=True, notice_days=14))
    stage.buy("2026-03-10", "20.00")
    listen(stage.program)
    at = datetime.fromisoformat(stage.member()["balances"]["stars"]["next_expiry"]["at"])
    stage.at((at.astimezone(stage.zone) - timedelta(days=13)).strftime("%Y-%m-%d %H:%M"))

    (soon,) = told()
    assert (soon.type, soon.data["unit"], soon.data["at"]) == ("units.expiring", "stars", at.isoformat())
    assert foresight.tell_of_expiry(program=stage.program, now=at - timedelta(days=12)) == 0


def test_voucher_is_told_when_units_turn_into_it_and_when_it_is_used():
    stage = Stage("punch_card")
    listen(stage.program)
    stage.buy("2025-03-01", None, *TEN_COFFEES)
    (voucher,) = stage.vouchers()

    uses = [stage.use(voucher["code"], basket_total="50.00").status_code for _ in range(2)]

    assert uses == [200, 200]
    issued, used = told("reward.issued", "voucher.redeemed")
    assert issued.data["voucher"] == voucher
    assert (used.data["voucher"]["code"], used.data["voucher"]["status"]) == (voucher["code"], "redeemed")
    assert types().index("purchase.accrued") < types().index("reward.issued")


def test_code_of_a_pool_is_told_when_it_is_captured(stage):
    stage.revise(reward("stars_100", kind="pool", pool="cinema", lives_months=3))
    pools.add_codes(program=stage.program, pool="cinema", codes=[pools.PoolRow("Kino-77 x")], by=None)

    stage.redeem("stars_100")

    assert types() == ["redemption.reserved", "redemption.captured", "reward.issued"]
    assert [told()[1].data["redemption"]["voucher"], told()[2].data["voucher"]["code"]] == ["Kino-77 x", "Kino-77 x"]


def test_only_what_somebody_asked_for_is_written():
    program = make_shop()
    listen(program, "member.tier_changed")
    listen(program, "purchase.accrued", "member.tier_changed", url="http://127.0.0.1:9/other")
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r-1", 40_000)
    drain()

    assert types() == ["purchase.accrued", "member.tier_changed"]
    assert sorted(Delivery.objects.values_list("endpoint__url", "message__type")) == [
        ("http://127.0.0.1:9/hooks", "member.tier_changed"),
        ("http://127.0.0.1:9/other", "member.tier_changed"),
        ("http://127.0.0.1:9/other", "purchase.accrued"),
    ]


def test_another_program_of_the_business_is_not_told():
    program = make_shop()
    listen(program)
    other = make_shop(business=program.business)
    record(make_member(program=other, joined_at=JOINED), "r-1", 1_000)
    drain()

    assert types() == []


# --- What it costs -------------------------------------------------------------------------------------------------


def queries_of(work):
    with CaptureQueriesContext(connection) as context:
        work()
    return context.captured_queries


def asks_for_webhooks(queries):
    return [query["sql"] for query in queries if "webhooks_" in query["sql"].replace("has_webhooks", "")]


def test_program_that_nobody_listens_to_costs_no_query():
    program = make_shop()
    members = make_members(3, program=program, joined_at=JOINED)
    for member in members:
        record(member, f"r-{member.external_id}", 40_000)

    assert asks_for_webhooks(queries_of(drain)) == []


@pytest.mark.parametrize("count", [1, 20])
def test_batch_costs_nine_queries_more_however_many_purchases_it_has(count):
    program = make_shop()
    members = make_members(count, program=program, joined_at=JOINED)
    for member in members:
        record(member, f"r-{member.external_id}", 1_000)
    silent = queries_of(accrual.accrue_batch)
    listen(program)
    for member in members:
        record(member, f"s-{member.external_id}", 1_000, days=1)
    loud = queries_of(accrual.accrue_batch)

    # Endpoints, members, activity, awards, units of awards, number, messages, deliveries, numbers.
    assert len(loud) - len(silent) == 9
    assert Message.objects.count() == count


def test_member_of_a_silent_program_has_no_counter_and_a_late_listener_begins_with_one():
    program = make_shop()
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r-1", 1_000)
    drain()
    listen(program)
    record(member, "r-2", 1_000, days=1)
    drain()

    assert [message.sequence for message in told()] == [1]
    assert Program.objects.get(pk=program.pk).has_webhooks
