"""What can be wrong with a row or a file, in words: what is wrong, and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from loyalty.api.problems import Text

HEADER = 1
VALUE_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One cell that cannot be moved in, or a remark about one that can. ``row`` as a spreadsheet shows it."""

    row: int
    column: str
    value: str
    code: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What is wrong and what mends it, in the active language."""
        return str(WORDS[self.code]) % self.more


class UnreadableFileError(Exception):
    """The file as a whole cannot be moved in; ``faults`` say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = list(faults)


class CellError(ValueError):
    """A cell cannot be read."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def fault(row: int, column: str, value: object, code: str, **more: str) -> Fault:
    """Return a fault that shows no more of the value than fits a line, and nothing that a text cannot hold."""
    text = "" if value is None else "".join(char if char.isprintable() else "\ufffd" for char in str(value))
    return Fault(row, shortened(column), shortened(text), code, more)


def shortened(text: str) -> str:
    """Return a text as far as it fits."""
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 1]}…"


def unreadable(code: str, **more: str) -> UnreadableFileError:
    """Return the error of a file that cannot be read at all."""
    return UnreadableFileError(Fault(0, "", "", code, more))


WORDS: dict[str, Text] = {
    # --- The file ---
    "not-a-kind": _("This is neither a CSV nor an XLSX file. Save the sheet as “CSV UTF-8” or as “Excel workbook”."),
    "too-large": _("The file has more than %(most)s MB. Split it into several files."),
    "too-many-rows": _("The file has more than %(most)s rows. Split it into several files."),
    "empty": _("The file has no rows below its header. Fill it in, beginning with row 2."),
    "not-utf-8": _("The text is not in UTF-8, so letters with accents would be spoilt. Save it as “CSV UTF-8”."),
    "broken-csv": _("The rows cannot be told apart: a quotation mark is missing in or after row %(row)s."),
    "broken-xlsx": _("The workbook cannot be opened. Open it in your spreadsheet program and save it again as XLSX."),
    # --- The header ---
    "unknown-column": _("There is no such column. Rename it as in the template, or delete it."),
    "twice-column": _("The column stands there twice. Delete one of them."),
    "nameless-column": _("The column has values but no name. Name it in row 1, or delete it."),
    "unknown-unit": _("The program's terms have no unit of that code. They have: %(known)s."),
    "no-key-column": _("No column tells who the member is. Add external_id, card or email."),
    "lone-column": _("The column says something about %(needs)s, which is missing. Add it, or delete this one."),
    "no-code-column": _("The column code is missing. Add it."),
    # --- Cells ---
    "too-many-cells": _("The row has more cells than the header has columns. Put a value with commas into quotes."),
    "too-long": _("This is longer than %(most)s characters. Shorten it."),
    "bad-character": _("There is a character that cannot be stored. Type the text anew."),
    "line-break": _("There is a line break within the text. Remove it."),
    "mangled": _(
        "The spreadsheet program has turned a long number into a rounded one. "
        "Format the column as text and fill it in anew."
    ),
    "is-a-date": _("The spreadsheet program has turned this into a date. Format the column as text and type it anew."),
    "is-an-error": _("The spreadsheet shows an error in this cell. Mend the formula, or type the value."),
    "not-a-date": _("This is not a date. Write it as 2026-01-31."),
    "not-a-moment": _("This is not a date or time. Write it as 2026-01-31 or 2026-01-31T10:15:00+01:00."),
    "date-out-of-range": _("The date is out of range. Write one between the years 1900 and 2999."),
    "not-a-number": _("This is not a number. Write it as 1250 or 12.50, without blanks and thousands separators."),
    "too-precise": _("There are too many decimals: %(unit)s are counted with %(digits)s. Round the number."),
    "too-much": _("The number is too large. Write a smaller one."),
    "negative": _("A balance cannot begin below zero. Write 0, or leave the cell empty."),
    "not-positive": _("The value must be more than zero. Write what the code is worth, or leave the cell empty."),
    "not-an-email": _("This is not an e-mail address. Correct it, or leave the cell empty."),
    "not-a-language": _("This is not the code of a language. Write such as en or cs, or leave the cell empty."),
    "not-a-card": _("This is not a card number: 12 digits, the last a check digit. Correct it, or leave it empty."),
    "born-in-future": _("The birth date lies in the future. Correct it, or leave the cell empty."),
    "joined-in-future": _("Nobody has joined in the future. Correct the date, or leave the cell empty."),
    "earned-in-future": _("Nothing was earned in the future. Correct the date, or leave the cell empty."),
    "ended-in-past": _("The last day has passed, so nothing would be left. Write a later one, or leave the row out."),
    "expired-before": _(
        "Earned then, it has expired on %(day)s by the terms. Give balance_expires, or leave earned_at empty."
    ),
    "nothing-to-date": _("There is no balance that this could be about. Fill it in, or leave this cell empty."),
    "unknown-tier": _("The terms in force have no tier of that code. They have: %(known)s."),
    "no-tier": _("There is no tier that this could be about. Fill in the tier, or leave this cell empty."),
    # --- Members ---
    "nameless": _("Nothing tells who this is. Fill in external_id, card or email, so that a repeat finds the member."),
    "same-as-row": _("Row %(first)s is the same member. Keep one of the two rows."),
    "member-conflict": _("%(columns)s belong to different members. Correct one of them, or leave it empty."),
    "other-external-id": _("The member with this %(by)s has the number %(known)s here. Correct one of the two."),
    "member-closed": _("The member has left the program. Leave the row out."),
    "not-in-this-program": _(
        "The row was exported from this program, which has no such member any more. Leave it out."
    ),
    "other-balance": _(
        "The member's opening balance was moved in before, as %(known)s. Correct it on the member's page, not here."
    ),
    "other-tier": _(
        "The member's tier was moved in before, as %(known)s. Give or end tiers on the member's page, not here."
    ),
    "other-card": _("The member has the card %(known)s here and keeps it."),
    "card-taken": _("Another member has this card. Correct it, or leave the cell empty for a new card."),
    # --- Codes ---
    "no-code": _("The code is missing. Fill it in, or delete the row."),
    "same-code": _("Row %(first)s has the same code. Keep one of the two rows."),
    # --- What happened meanwhile ---
    "not-written": _("The row could not be written: %(why)s. Nothing of it was moved in; upload it again."),
}
