import pytest

from loyalty.api.conditions import PreconditionFailedError, check_unchanged, etag_of, is_known


def test_etag_is_weak_and_names_the_state():
    assert etag_of({"a": 1}) == etag_of({"a": 1}) != etag_of({"a": 2})
    assert etag_of({"a": 1}).startswith('W/"')


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (None, False),
        ("", False),
        ("*", True),
        ('W/"a"', True),
        ('"a"', True),
        ('"b", W/"a"', True),
        ('"b"', False),
        ("a", False),
        ("nonsense", False),
    ],
)
def test_state_is_known_where_the_header_names_it(header, named):
    assert is_known(header, 'W/"a"') is named


@pytest.mark.parametrize("header", ["", "a", '"b"', 'W/"b"'])
def test_change_of_another_state_is_refused(header):
    with pytest.raises(PreconditionFailedError):
        check_unchanged(header, 'W/"a"')


@pytest.mark.parametrize("header", ["*", 'W/"a"', '"a"', '"b", "a"'])
def test_change_of_the_state_that_was_read_is_taken(header):
    check_unchanged(header, 'W/"a"')
