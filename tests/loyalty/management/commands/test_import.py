from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from loyalty.moving.models import Moving
from loyalty.rewards.models import PoolCode
from programs.models import Membership
from tests.factories import make_program, make_shop
from tests.loyalty.moving.sheets import csv_of, xlsx_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_shop()


def run(command, file, *arguments):
    out, err = StringIO(), StringIO()
    error = None
    try:
        call_command(command, str(file), *arguments, stdout=out, stderr=err)
    except CommandError as raised:
        error = str(raised)
    return out.getvalue().split("\n")[:-1], err.getvalue().splitlines(), error


def test_members_move_in_and_a_repeat_changes_nothing(program, tmp_path):
    file = tmp_path / "members.xlsx"
    file.write_bytes(xlsx_of(["external_id", "balance:points"], ["a", 5], ["b", 6]))

    assert run("import_members", file, "--program", program.slug) == (
        ["new 2", "changed 0", "unchanged 0", "bad 0"],
        [],
        None,
    )
    assert run("import_members", file, "--program", program.slug)[0][2] == "unchanged 2"


def test_bad_rows_are_named_and_the_good_ones_move_in(program, tmp_path):
    file = tmp_path / "members.csv"
    file.write_bytes(csv_of("external_id,email", "a,wrong", "b,"))

    out, err, error = run("import_members", file, "--program", program.slug)

    assert (out, error) == (["new 1", "changed 0", "unchanged 0", "bad 1"], "1 row(s) are bad; what is above says why.")
    assert err == ["row 2, column email “wrong”: This is not an e-mail address. Correct it, or leave the cell empty."]
    assert list(Membership.objects.values_list("external_id", flat=True)) == ["b"]


def test_dry_run_writes_nothing_and_keeps_nothing(program, tmp_path):
    file = tmp_path / "codes.csv"
    file.write_bytes(csv_of("code", "A", "B"))

    given = ("--program", program.slug, "--pool", "cinema")
    dry, real = run("import_codes", file, *given, "--dry-run"), run("import_codes", file, *given)

    assert (dry, real) == ((["new 2", "changed 0", "unchanged 0", "bad 0"], [], None),) * 2
    assert (PoolCode.objects.count(), Moving.objects.count()) == (2, 1)


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("import_members", ["--program", "none"], "There is no program “none”."),
        ("import_members", ["--program", "bare"], "“bare” has no terms in force yet: publish them."),
        (
            "import_codes",
            ["--program", "bare", "--pool", "My pool"],
            "A pool is named by small letters, digits, hyphens and underscores.",
        ),
    ],
)
def test_command_that_cannot_begin_says_why(command, arguments, error, tmp_path):
    make_program(slug="bare")
    file = tmp_path / "file.csv"
    file.write_bytes(csv_of("code", "A"))

    assert run(command, file, *arguments) == ([], [], error)


def test_unreadable_file_is_named_with_its_columns(program, tmp_path):
    file = tmp_path / "members.csv"
    file.write_bytes(csv_of("email,colour", "a@example.test,red"))

    out, err, error = run("import_members", file, "--program", program.slug)

    assert (out, error) == ([], "Nothing was moved in: the file cannot be read.")
    assert err == [
        "row 1, column colour “colour”: There is no such column. Rename it as in the template, or delete it."
    ]
    assert run("import_members", tmp_path / "none.csv", "--program", program.slug)[2].endswith(
        "No such file or directory"
    )
