"""How often a key may call: exactly so often, in all processes together, and never at the price of the call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from loyalty.api import limits
from programs.keys import DEFAULT_SCOPES
from tests.factories import make_key, make_shop
from tests.loyalty.api.client import Till, a_purchase


@pytest.fixture(autouse=True)
def _fresh_counter():
    limits._counter.cache_clear()
    yield
    limits._counter.cache_clear()


def _headers(answer):
    return {name: answer.headers.get(name) for name in ("RateLimit-Policy", "RateLimit", "Retry-After")}


def test_fifty_of_two_hundred_parallel_calls_pass(house):
    program = make_shop()
    _key, secret = make_key(program=program, limit_per_minute=50)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _n: house.request("GET", "/api/v1/purchases/", key=secret), range(200)))

    assert sorted(answer.status for answer in answers) == [200] * 50 + [429] * 150
    left = sorted(int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in answers)
    assert left == sorted([*range(50), *[0] * 150])
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.json["code"] == "too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_counter_is_exact_for_threads_that_count_at_once(broker):
    key = uuid4()

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(lambda _n: limits._counter().spend(key)[0], range(200)))

    assert sorted(counts) == list(range(1, 201))


def test_window_ends_a_minute_after_its_first_call(broker):
    key = uuid4()
    _used, left = limits._counter().spend(key)

    assert 59 < left <= 60
    assert broker.pttl(f"loyalty:calls:{key.hex}") <= 60_000


def test_every_answer_tells_what_is_left(db, broker):
    program = make_shop()
    till = Till(program, limit_per_minute=5, scopes=[one for one in DEFAULT_SCOPES if one != "quotes"])
    calls = [
        (200, lambda: till.get("purchases/")),
        (404, lambda: till.get("purchases/r-1/")),
        (400, lambda: till.post("purchases/", raw=b"{")),
        (403, lambda: till.post("quotes/", {})),
        (405, lambda: till.send("PUT", "purchases/")),
        (429, lambda: till.post("purchases/", a_purchase())),
    ]

    answers = [(status, call()) for status, call in calls]

    assert [answer.status_code for _status, answer in answers] == [status for status, _call in calls]
    assert [_headers(answer)["RateLimit-Policy"] for _status, answer in answers] == ['"default";q=5;w=60'] * 6
    left = [answer.headers["RateLimit"].partition(";t=")[0] for _status, answer in answers]
    assert left == [f'"default";r={rest}' for rest in (4, 3, 2, 1, 0, 0)]
    assert int(answers[-1][1].headers["Retry-After"]) == int(answers[-1][1].headers["RateLimit"].partition(";t=")[2])


def test_limit_of_one_key_is_not_anothers_and_strangers_have_none(db, broker):
    program = make_shop()
    first, second = Till(program, limit_per_minute=1), Till(program, limit_per_minute=1)

    assert [first.get("purchases/").status_code for _ in range(2)] == [200, 429]
    assert second.get("purchases/").status_code == 200
    assert _headers(Till(program, secret="").get("purchases/")) == {
        "RateLimit-Policy": None,
        "RateLimit": None,
        "Retry-After": None,
    }


def test_key_without_a_limit_of_its_own_has_that_of_the_settings(db, broker, settings):
    settings.API_LIMIT_PER_MINUTE = 7

    assert Till(make_shop()).get("purchases/").headers["RateLimit-Policy"] == '"default";q=7;w=60'


def test_while_redis_is_away_this_process_counts_and_the_api_answers(house):
    program = make_shop()
    _key, secret = make_key(program=program, limit_per_minute=5)
    house.kill("broker")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _n: house.request("GET", "/api/v1/purchases/", key=secret), range(20)))

    assert sorted(answer.status for answer in answers) == [200] * 5 + [429] * 15


def test_stand_in_opens_a_new_window_after_a_minute_and_forgets_what_has_ended(monkeypatch):
    monkeypatch.setattr(limits, "MOST_STANDING_IN", 2)
    stand_in, keys = limits.StandIn(), [uuid4() for _ in range(3)]

    assert [stand_in.spend(keys[0], now=at) for at in (0.0, 59.0, 60.0)] == [(1, 60.0), (2, 1.0), (1, 60.0)]
    stand_in.spend(keys[1], now=61.0)
    stand_in.spend(keys[2], now=200.0)
    assert list(stand_in._windows) == [keys[2]]


def test_counting_asks_the_database_nothing_and_redis_once(db, broker, django_assert_num_queries):
    key, _secret = make_key(program=make_shop())
    limits.spend(key)  # The script is loaded.
    before = broker.info("commandstats")["cmdstat_evalsha"]["calls"]

    with django_assert_num_queries(0):
        limits.spend(key)

    assert broker.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 1
