"""What the worker does in one turn: a few seconds of a back-test or of a correction."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from loyalty.rehearsals import backtest, correcting, posting, running
from loyalty.rehearsals.models import BackTest, Correction, Mover


def back_test(pk: UUID) -> BackTest | None:
    """Work on a back-test that nobody is at; return it if something is left to do."""
    test = running.take(BackTest, pk)
    if test is None:
        return None
    return test if running.work(test, begin=_begin_test, step=_steps_of_test) else None


def _begin_test(test: BackTest) -> None:
    total, state = backtest.begin(test)
    running.save(test, total=total, state=state)


def _steps_of_test(test: BackTest) -> Callable[[], bool]:
    setting, state = backtest.setting_of(test), test.state

    def go_on() -> bool:
        """Go through members for about a second, and keep how far that was with what was found."""
        ends, done, movers = time.monotonic() + running.SAVES, test.done, list[Mover]()
        is_first = True
        while is_first or time.monotonic() < ends:
            is_first = False
            found = backtest.step(setting, state)
            if found is None:
                with transaction.atomic():
                    Mover.objects.bulk_create(movers)
                    running.finish(test, done=test.total, result=backtest.finished(setting, state), state={})
                return False
            done += found[0]
            movers += found[1]
        with transaction.atomic():
            Mover.objects.bulk_create(movers)
            running.save(test, done=done, state=state)
        return True

    return go_on


def correction(pk: UUID) -> Correction | None:
    """Work on a correction that nobody is at, what it shows or what it posts; return it if something is left to do."""
    run = running.take(Correction, pk)
    if run is None:
        return None
    steps = posting.steps_of if run.phase == Correction.Phase.POST else correcting.steps_of
    return run if running.work(run, begin=correcting.begin, step=steps) else None
