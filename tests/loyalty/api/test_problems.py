"""What nobody foresaw is told as a problem too, and logged."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from loyalty.api import problems


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(ZeroDivisionError(), 500, "server-error"), (OperationalError("down"), 503, "unavailable")],
)
def test_unforeseen_fault_is_a_problem_without_its_text(db, error, status, code, caplog):
    answer = problems.handle(error, {})

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert code in answer.content.decode()
    assert "down" not in answer.content.decode()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_unavailable_says_when_to_come_again(db):
    assert problems.handle(OperationalError(), {}).headers["Retry-After"] == "2"


def test_every_code_has_a_title_and_a_cure():
    assert [code for code, meaning in problems.CATALOGUE.items() if not (meaning.title and meaning.cure)] == []
