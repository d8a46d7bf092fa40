import io
import zipfile

import pytest

from loyalty.moving import cells, reading
from loyalty.moving.faults import CellError, UnreadableFileError
from loyalty.moving.reading import read
from tests.loyalty.moving.sheets import csv_of, xlsx_of


def faults_of(body):
    with pytest.raises(UnreadableFileError) as refused:
        read(body)
    return [(one.row, one.column, one.code) for one in refused.value.faults]


@pytest.mark.parametrize(
    "body",
    [
        csv_of("External_ID,email", "1,a@example.test", "", "2,"),
        csv_of("external_id;email", "1;a@example.test", ";", "2;"),
        csv_of("external_id\temail", "1\ta@example.test", "\t", "2"),
        csv_of("external_id,email", "1,a@example.test", ",,,", '"2",', encoding="utf-8-sig"),
        xlsx_of(["external_id", " email "], ["1", "a@example.test"], [None, ""], ["2"]),
    ],
)
def test_rows_keep_the_numbers_that_a_spreadsheet_shows_and_blank_ones_are_passed_by(body):
    sheet = read(body)

    assert sheet.columns == ("external_id", "email")
    assert [(row.number, row.cells) for row in sheet.rows] == [
        (2, {"external_id": "1", "email": "a@example.test"}),
        (4, {"external_id": "2"}),
    ]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (b"", [(0, "", "empty")]),
        (csv_of("external_id,email"), [(0, "", "empty")]),
        (csv_of("email,name", "a@example.test,Žofie", encoding="windows-1250"), [(0, "", "not-utf-8")]),
        (csv_of("email", "a@example.test", encoding="utf-16"), [(0, "", "not-utf-8")]),
        (b"\x89PNG\r\n\x00\x00\xff", [(0, "", "not-a-kind")]),
        (b"PK\x03\x04 and no more", [(0, "", "broken-xlsx")]),
        (csv_of("email", 'a@example.test"', '"b'), [(0, "", "broken-csv")]),
        (csv_of("email,email,card", "a,b,c"), [(1, "B", "twice-column")]),
        (csv_of("email,,card", "a,b,c"), [(1, "B", "nameless-column")]),
    ],
)
def test_file_that_cannot_be_read_is_refused_in_words(body, faults):
    assert faults_of(body) == faults


def test_file_with_too_many_rows_or_bytes_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    assert faults_of(csv_of("email", "a", "b", "c")) == [(0, "", "too-many-rows")]

    monkeypatch.setattr(reading, "MOST_BYTES", 4)
    assert faults_of(csv_of("email", "a")) == [(0, "", "too-large")]


def test_workbook_that_would_unpack_to_too_much_is_not_opened(monkeypatch):
    monkeypatch.setattr(reading, "MOST_UNPACKED", 1000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", "0" * 1001)

    assert faults_of(packed.getvalue()) == [(0, "", "too-large")]


@pytest.mark.parametrize(
    ("cell", "has_decimal_commas", "number"),
    [("12.50", False, "12.50"), ("12,50", True, "12.50"), (0.1 + 0.2, False, "0.3"), (7, False, "7")],
)
def test_number_is_read_as_its_file_writes_it(cell, has_decimal_commas, number):
    assert f"{cells.number(cell, has_decimal_commas=has_decimal_commas):f}" == number


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("12,50", "not-a-number"),
        ("1 250", "not-a-number"),
        ("1.2E+5", "mangled"),
        (True, "not-a-number"),
        ("#REF!", "is-an-error"),
    ],
)
def test_number_that_could_mean_something_else_is_refused(cell, code):
    with pytest.raises(CellError) as refused:
        cells.number(cell, has_decimal_commas=False)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "text", ["=1+1", "@x", "-cmd", "+cmd|x", "'quoted", "''", "'=x", "+420 123 456", "plain", "-5", "'"]
)
def test_text_leaves_as_no_formula_and_comes_back_as_it_was(text):
    left = cells.escaped(text)

    assert not left.startswith(("=", "@", "-cmd", "+cmd"))
    assert cells.text(left, most=20) == text
