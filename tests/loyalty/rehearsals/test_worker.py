"""Runs in the real worker: handed on from slice to slice, and found again when the message was lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from loyalty.ledger.models import Account
from loyalty.ledger.verify import verify
from loyalty.rehearsals import actions
from loyalty.rehearsals.models import BackTest, Correction
from loyalty.rehearsals.tasks import sweep_task
from tests.factories import make_member, make_shop, make_user
from tests.factories.activity import JOINED, drain, record
from tests.factories.rehearsals import ask_for_test, make_draft, rate
from tests.servers import wait_until


def is_done(model):
    return lambda: model.objects.filter(status="done").exists()


def test_worker_runs_a_test_and_a_correction_and_the_sweep_finds_what_was_lost(worker):
    program = make_shop()
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r1", 10_000)
    drain()
    draft = make_draft(program, rate("base", "3"))

    test = ask_for_test(draft)
    wait_until(is_done(BackTest), what="the back-test")
    test.refresh_from_db()
    assert [side["units"]["points"]["issued"] for side in test.result["sides"]] == [100, 300]

    worker.stop("worker")
    lost = ask_for_test(draft)
    worker.settle()  # Its message is gone.
    worker.start("worker")
    BackTest.objects.filter(pk=lost.pk).update(beat_at=datetime.now(UTC) - timedelta(minutes=5))
    assert sweep_task() == 1
    wait_until(lambda: BackTest.objects.filter(status="done").count() == 2, what="the lost back-test")

    user = make_user()
    run = actions.supersede(wrong=program.versions.get(number=1), right=draft, reason="Too little", by=user)
    wait_until(is_done(Correction), what="the effect")
    run.refresh_from_db()
    actions.post(correction=run, by=user)
    wait_until(lambda: Correction.objects.filter(phase="post", status="done").exists(), what="the posting")
    assert Account.objects.get(membership=member, kind="available").balance == 300
    assert verify(programs=[program]).faults == []
