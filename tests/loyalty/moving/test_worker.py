"""A real worker goes through a large file, is killed in the middle, and another goes on."""

import pytest

from loyalty.ledger.models import OpeningBalance
from loyalty.ledger.verify import verify
from loyalty.moving import actions
from loyalty.moving.models import Moving
from loyalty.moving.tasks import ask_to_go_on
from tests.factories import make_shop
from tests.loyalty.moving.sheets import check, counts, csv_of
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 2_500


def test_file_goes_on_after_its_worker_was_killed(worker):
    program = make_shop()
    body = csv_of("external_id,balance:points", *(f"m{n},1" for n in range(ROWS)))
    moving = actions.confirm(moving=check(program, body), by=None)

    ask_to_go_on(moving.pk)
    wait_until(lambda: Moving.objects.get(pk=moving.pk).place > 0, what="the first batch")
    worker.kill("worker")
    worker.start("worker")
    ask_to_go_on(moving.pk)  # As the sweep does, once nobody has touched it for a minute.

    wait_until(lambda: Moving.objects.get(pk=moving.pk).status == "done", seconds=60, what="the end of the file")
    moving.refresh_from_db()
    assert (counts(moving), OpeningBalance.objects.count()) == ((ROWS, 0, 0, 0), ROWS)
    assert verify(programs=[program]).faults == []
