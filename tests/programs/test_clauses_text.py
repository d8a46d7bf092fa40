"""Conditions as staff write them: what each text means, and what to write instead of one that means nothing."""

from datetime import date

import pytest

from programs.clauses import ClauseError, parsed
from programs.engine.clauses import CHANGEABLE_KINDS, LINE_KINDS, STANDING
from programs.engine.terms import Clause
from programs.models import RuleClause

FIRST, LAST = date(2026, 11, 1).toordinal(), date(2026, 11, 30).toordinal()


@pytest.mark.parametrize(
    ("kind", "text", "clause"),
    [
        ("category", "Travel,  rides", Clause("category", values=("travel", "rides"))),
        ("brand", 'Residence Inn, "Smith, Inc."', Clause("brand", values=("residence inn", "smith, inc."))),
        ("tier", "gold, gold", Clause("tier", values=("gold",))),
        ("first_lines", "Stay: 3", Clause("first_lines", values=("stay",), most=3)),
        ("amount", ">= 50.00", Clause("amount", least=5_000)),
        ("amount", "<=20", Clause("amount", most=2_000)),
        ("amount", "10.5..20", Clause("amount", least=1_050, most=2_000)),
        ("amount", "10..", Clause("amount", least=1_000)),
        ("amount", ".. 20", Clause("amount", most=2_000)),
        ("quantity", ">= 1.5", Clause("quantity", least=1_500)),
        ("age", "3..12", Clause("age", least=3, most=12)),
        ("weekday", "mon, wed", Clause("weekday", values=("1", "3"))),
        ("weekday", "Friday-mon", Clause("weekday", values=("1", "5", "6", "7"))),
        ("hours", "09:00-17:30", Clause("hours", least=540, most=1_050)),
        ("hours", "22:00 – 2:00", Clause("hours", least=1_320, most=120)),
        ("hours", "20:00-24:00", Clause("hours", least=1_200, most=1_440)),
        ("dates", "2026-11-01..2026-11-30", Clause("dates", least=FIRST, most=LAST)),
        ("dates", "2026-11-01 ..", Clause("dates", least=FIRST)),
        ("dates", "..2026-11-30", Clause("dates", most=LAST)),
        ("dates", "2026-11-01", Clause("dates", least=FIRST, most=FIRST)),
        ("nth", "1, 02", Clause("nth", values=("1", "2"))),
        ("nth", "Every 10", Clause("every_nth", least=10)),
        ("birthday", "Month", Clause("birthday", values=("month",))),
        ("birthday", "-7..7", Clause("birthday", least=-7, most=7)),
        ("attribute", "Place=Prague, Brno", Clause("attribute", values=("place", "prague", "brno"))),
        ("attribute", "place", Clause("attribute", values=("place",))),
    ],
)
def test_text_is_read_as_the_engines_clause(kind, text, clause):
    assert parsed(kind, text) == clause


@pytest.mark.parametrize(("digits", "least"), [(0, 50), (2, 5_000), (3, 50_000)])
def test_amount_is_read_in_minor_units_of_the_currency(digits, least):
    assert parsed("amount", ">= 50", digits=digits).least == least


def test_not_is_kept():
    assert parsed("category", "travel", negated=True) == Clause("category", negated=True, values=("travel",))


@pytest.mark.parametrize(
    ("kind", "text", "instead"),
    [
        ("category", " , ", "Write one or more, with commas between them: travel, rides."),
        ("amount", "50", "Write for example >= 50, <= 20 or 10..20."),
        ("amount", ">= 50.001", "Write for example >= 50, <= 20 or 10..20."),
        ("amount", ">= -1", "Write for example >= 50, <= 20 or 10..20."),
        ("amount", ">= much", "Write for example >= 50, <= 20 or 10..20."),
        ("amount", "..", "Write for example >= 50, <= 20 or 10..20."),
        ("quantity", ">= 1.0001", "Write for example >= 2, <= 5 or 2..5."),
        ("age", ">= 1.5", "Write whole months, for example >= 12, <= 3 or 3..12."),
        ("weekday", "mo", "Write days of the week: mon, wed, or mon-fri."),
        ("weekday", "mon-", "Write days of the week: mon, wed, or mon-fri."),
        ("weekday", "mon-wed-fri", "Write days of the week: mon, wed, or mon-fri."),
        ("hours", "9-17", "Write from when to when: 09:00-17:00."),
        ("hours", "09:60-17:00", "Write from when to when: 09:00-17:00."),
        ("hours", "24:00-25:00", "Write from when to when: 09:00-17:00."),
        ("dates", "2026-02-30", "Write the first and the last day: 2026-11-01..2026-11-30."),
        ("dates", "..", "Write the first and the last day: 2026-11-01..2026-11-30."),
        ("nth", "first", "Write which purchase: 1, or 1, 2, 3, or every 10."),
        ("birthday", "week", "Write month, or the days around the birthday: -7..7."),
        ("birthday", ">= 7", "Write month, or the days around the birthday: -7..7."),
        ("attribute", "=Prague", "Write the attribute and what it may be: place=Prague, Brno."),
        ("attribute", "place=", "Write the attribute and what it may be: place=Prague, Brno."),
        ("first_lines", "stay", "Write the category, and how many of its lines count: stay: 3."),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_what_to_write(kind, text, instead):
    with pytest.raises(ClauseError) as refused:
        parsed(kind, text)

    assert str(refused.value) == f"“{' '.join(text.split())}” cannot be read. {instead}"


def test_kind_that_does_not_exist_is_refused():
    with pytest.raises(ClauseError, match="“weather” is no kind of condition"):
        parsed("weather", "rain")


def test_staff_can_write_every_kind_that_the_engine_knows():
    assert {*RuleClause.Kind.values, "every_nth"} == {*LINE_KINDS, *CHANGEABLE_KINDS, *STANDING}
