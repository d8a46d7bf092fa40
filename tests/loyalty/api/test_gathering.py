"""Calls at the same moment are done together, each once, and each gets its own answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.api.gathering import Gatherer


def test_lone_call_is_done_at_once():
    rounds = []
    gatherer = Gatherer(lambda items: rounds.append(list(items)) or [item * 2 for item in items], most=8)

    assert [gatherer.call(number) for number in (1, 2)] == [2, 4]
    assert rounds == [[1], [2]]


def test_calls_that_come_while_others_are_done_make_the_next_round():
    rounds, begun, go_on = [], threading.Event(), threading.Event()

    def work(items):
        rounds.append(len(items))
        begun.set()
        assert go_on.wait(10)
        return [-item for item in items]

    gatherer = Gatherer(work, most=8)
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(gatherer.call, 0)
        assert begun.wait(10)
        others = [pool.submit(gatherer.call, number) for number in range(1, 12)]
        while len(gatherer._waiting) < 11:
            pass
        go_on.set()

    assert [one.result() for one in (first, *others)] == [-number for number in range(12)]
    assert rounds == [1, 8, 3]


@pytest.mark.parametrize("threads", [2, 16])
def test_each_of_many_calls_is_done_once_and_gets_its_own_result(threads):
    seen = []
    gatherer = Gatherer(lambda items: seen.extend(items) or [str(item) for item in items], most=5)

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(gatherer.call, range(2_000)))

    assert results == [str(number) for number in range(2_000)]
    assert sorted(seen) == list(range(2_000))


def test_error_of_a_round_reaches_its_callers_and_the_next_round_goes_on():
    def work(items):
        if 3 in items:
            raise ZeroDivisionError
        return items

    gatherer = Gatherer(work, most=1)

    assert gatherer.call(2) == 2
    with pytest.raises(ZeroDivisionError):
        gatherer.call(3)
    assert gatherer.call(4) == 4


def test_too_few_results_are_an_error_for_all_and_nobody_waits_for_ever():
    gatherer = Gatherer(lambda _items: [], most=4)

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(gatherer.call, number) for number in range(8)]

    assert [type(call.exception()) for call in calls] == [ValueError] * 8
