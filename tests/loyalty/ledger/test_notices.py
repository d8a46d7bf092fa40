from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from accounts.ids import new_id
from loyalty.ledger.models import Notice, TierGrant
from loyalty.ledger.notices import mark_sent
from programs.models import Program
from tests.factories import UnitSpec, make_member, make_program, make_user, make_version
from tests.factories.activity import drain
from tests.factories.events import publish
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture
def till(db):
    program = make_program(clock=datetime(2026, 1, 1, tzinfo=UTC))
    version = make_version(
        program=program, units=[UnitSpec(expiry="rolling", expiry_months=6)], tiers=[], is_published=False
    )
    publish(version, needs_notice=True, notice_days=30)
    make_member(program=program, external_id="42", joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    till = Till(program)
    till.post("purchases/", a_purchase(member="external_id:42", occurred_at="2026-01-10T12:00:00Z"))
    drain()
    return till


def available(till, now):
    till.post("sandbox/clock/", {"now": now})
    return till.get("members/external_id:42/").json()["balances"]["points"]["available"]


def test_notice_is_written_ahead_of_the_loss_once(till):
    available(till, "2026-06-10T00:00:00Z")
    available(till, "2026-06-12T00:00:00Z")
    available(till, "2026-06-13T00:00:00Z")

    notice = Notice.objects.get()
    assert (notice.kind, notice.what, notice.ends_at) == ("expiry", "points", datetime(2026, 7, 11, tzinfo=UTC))
    assert notice.sent_at is None


def test_nothing_is_lost_before_its_notice_was_sent(till):
    assert available(till, "2026-09-01T00:00:00Z") == "10"

    mark_sent(notice=Notice.objects.get(), at=datetime(2026, 9, 1, tzinfo=UTC))

    assert available(till, "2026-09-01T00:00:01Z") == "0"


def test_notice_sent_in_time_lets_the_loss_happen_on_its_day(till):
    available(till, "2026-06-20T00:00:00Z")
    mark_sent(notice=Notice.objects.get(), at=datetime(2026, 6, 20, tzinfo=UTC))

    assert (available(till, "2026-07-10T23:59:59Z"), available(till, "2026-07-11T00:00:00Z")) == ("10", "0")


def test_notice_is_sent_once(till):
    available(till, "2026-06-20T00:00:00Z")
    notice = Notice.objects.get()

    assert mark_sent(notice=notice, at=datetime(2026, 6, 20, tzinfo=UTC)) is True
    assert mark_sent(notice=notice, at=datetime(2026, 6, 25, tzinfo=UTC)) is False
    assert Notice.objects.get().sent_at == datetime(2026, 6, 20, tzinfo=UTC)


def test_database_refuses_a_second_notice_of_one_loss(till):
    available(till, "2026-06-20T00:00:00Z")
    notice = Notice.objects.get()
    notice.pk = new_id()

    with pytest.raises(IntegrityError, match=r"ledger_notice_once|ledger_notice.program_id"), transaction.atomic():
        notice.save(force_insert=True)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"reason": ""}, "ledger_tiergrant_has_reason"),
        ({"ended_at": datetime(2025, 12, 31, tzinfo=UTC)}, "ledger_tiergrant_ends_after_start"),
        ({"kind": "trial"}, "ledger_tiergrant_trial_has_end"),
    ],
)
def test_database_refuses_a_grant_that_makes_no_sense(till, fields, name):
    program = Program.objects.get()
    whole = {
        "program": program,
        "membership": program.memberships.get(),
        "tier": "gold",
        "kind": "hand",
        "reason": "Because",
        "starts_at": datetime(2026, 1, 1, tzinfo=UTC),
        "granted_by": make_user(),
    }

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        TierGrant.objects.create(**{**whole, **fields})
