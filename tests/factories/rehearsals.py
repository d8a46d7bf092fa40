"""Back-tests and corrections, run in this process as the worker would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from loyalty.rehearsals import actions, working
from loyalty.rehearsals.models import BackTest, Correction
from programs.actions import start_draft
from programs.models import Program, ProgramVersion
from tests.factories import make_user


def make_draft(program: Program, *edits: Callable[[ProgramVersion], Any]) -> ProgramVersion:
    """Return a draft of the program's terms, edited."""
    program.refresh_from_db()
    draft = program.draft or start_draft(program=program, by=None)
    for edit in edits:
        edit(draft)
    return draft


def rate(code: str, value: str) -> Callable[[ProgramVersion], Any]:
    """Return an edit that gives a rule another rate, in all tiers."""

    def edit(draft: ProgramVersion) -> None:
        rule = draft.rules.get(code=code)
        rule.tier_rates.all().delete()
        rule.rate = Decimal(value)
        rule.save(update_fields=["rate"])

    return edit


def ask_for_test(draft: ProgramVersion, first: str = "2025-01-01", last: str = "2025-12-31", **asked: Any) -> BackTest:
    """Return a back-test of a period that waits for the worker."""
    given = {"against": draft.program.version_at(draft.program.now()), "by": make_user(), **asked}
    return actions.request_back_test(
        version=draft, first_day=date.fromisoformat(first), last_day=date.fromisoformat(last), **given
    )


def back_test(draft: ProgramVersion, first: str = "2025-01-01", last: str = "2025-12-31", **asked: Any) -> BackTest:
    """Return a back-test of a period, done."""
    test = ask_for_test(draft, first, last, **asked)
    while working.back_test(test.pk):
        pass
    test.refresh_from_db()
    assert test.status == BackTest.Status.DONE, test.detail
    return test


def work_on(run: Correction) -> Correction:
    """Return a correction once the worker has done what there is to do."""
    while working.correction(run.pk):
        pass
    run.refresh_from_db()
    assert run.status == Correction.Status.DONE, run.detail
    return run


def supersede(wrong: ProgramVersion, right: ProgramVersion, reason: str = "The rate was wrong") -> Correction:
    """Return a correction whose effect is shown."""
    return work_on(actions.supersede(wrong=wrong, right=right, reason=reason, by=make_user()))


def post(run: Correction) -> Correction:
    """Return a correction once it is posted."""
    return work_on(actions.post(correction=run, by=make_user()))
