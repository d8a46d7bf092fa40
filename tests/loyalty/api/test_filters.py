from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from loyalty.api.filters import check_parameters, choice, period, text, within
from loyalty.api.problems import InvalidError

ZAGREB = ZoneInfo("Europe/Zagreb")


def asked(**parameters):
    return Request(APIRequestFactory().get("/", parameters))


def refusal(act):
    with pytest.raises(InvalidError) as refused:
        act()
    return [(fault.pointer, fault.code) for fault in refused.value.errors]


def test_parameters_that_a_list_does_not_know_are_refused_each_with_its_name():
    check_parameters(asked(cursor="x", page_size="1", tier="gold"), ["tier"])

    assert refusal(lambda: check_parameters(asked(emai="x", **{"a/b": "1"}), ["tier"])) == [
        ("/a~1b", "unknown-parameter"),
        ("/emai", "unknown-parameter"),
    ]


def test_text_that_no_column_could_hold_is_refused():
    assert (text(asked(store="s1"), "store"), text(asked(), "store")) == ("s1", "")
    assert refusal(lambda: text(asked(store="\x00"), "store")) == [("/store", "nul-character")]
    assert refusal(lambda: text(asked(store="x" * 255), "store")) == [("/store", "too-long")]


def test_choice_beside_the_known_ones_is_refused():
    assert choice(asked(status="a"), "status", known=["a"], code="unknown-status") == "a"
    assert refusal(lambda: choice(asked(status="b"), "status", known=["a"], code="unknown-status")) == [
        ("/status", "unknown-status")
    ]


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-03-29T10:15:00+02:00", datetime(2026, 3, 29, 8, 15, tzinfo=UTC)),
        ("2026-03-29T10:15:00 02:00", datetime(2026, 3, 29, 8, 15, tzinfo=UTC)),
        ("2026-03-29T10:15:00Z", datetime(2026, 3, 29, 10, 15, tzinfo=UTC)),
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("", None),
    ],
)
def test_period_begins_at_a_moment_or_with_a_day_of_the_program(given, moment):
    assert period(asked(**{"from": given}), "from", "to", zone=ZAGREB) == (moment, None)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"from": "soon"}, ("/from", "not-a-moment")),
        ({"to": "2026-03-29T10:15:00"}, ("/to", "offset-missing")),
        ({"to": "0001-01-01"}, ("/to", "date-out-of-range")),
        ({"from": "9999-12-31"}, ("/from", "date-out-of-range")),
        ({"from": "\x00"}, ("/from", "nul-character")),
        ({"from": "2026-03-02", "to": "2026-03-01"}, ("/to", "ends-before-start")),
    ],
)
def test_period_that_makes_no_sense_is_refused(parameters, fault):
    assert refusal(lambda: period(asked(**parameters), "from", "to", zone=ZAGREB)) == [fault]


def test_within_bounds_only_what_is_given():
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert within("x", at, None) == {"x__gte": at}
    assert within("x", None, at) == {"x__lt": at}
