from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from programs.models import Program, ProgramVersion

pytestmark = pytest.mark.django_db


def test_load_preset_prints_the_slug_alone(capsys):
    call_command("load_preset", "beauty_insider")

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("beauty_insider\n", "")


def test_load_preset_again_says_nothing_more_and_changes_nothing(capsys):
    for _ in range(2):
        call_command("load_preset", "cashback", "--slug", "card")

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("card\ncard\n", "")
    assert ProgramVersion.objects.count() == 1


def test_load_preset_whose_terms_changed_says_so_beside_the_slug(capsys):
    call_command("load_preset", "beauty_insider")
    ahead = ProgramVersion.objects.create(program=Program.objects.get(), number=2, preset="beauty_insider")
    ahead.status, ahead.in_force_from, ahead.published_at = (
        "published",
        datetime(2020, 1, 1, tzinfo=UTC),
        ahead.created_at,
    )
    ahead.save()
    capsys.readouterr()

    call_command("load_preset", "beauty_insider")

    printed = capsys.readouterr()
    assert printed.out == "beauty_insider\n"
    assert printed.err.startswith("The preset has changed: version 3 is published, in force from ")


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2025-06-01", datetime(2025, 5, 31, 22, tzinfo=UTC)),
        ("2025-06-01T10:00:00", datetime(2025, 6, 1, 8, tzinfo=UTC)),
        ("2025-06-01T10:00:00Z", datetime(2025, 6, 1, 10, tzinfo=UTC)),
    ],
)
def test_load_preset_with_a_clock_reads_it_in_the_programs_zone(given, moment):
    call_command("load_preset", "cashback", "--clock", given)

    program = Program.objects.get()
    assert (program.is_sandbox, program.clock) == (True, moment)


def test_load_preset_that_does_not_exist_names_those_that_do():
    with pytest.raises(CommandError, match="There are: beauty_insider, cashback"):
        call_command("load_preset", "vip")


def test_load_preset_with_a_clock_that_is_none_is_refused():
    with pytest.raises(CommandError, match="not an ISO 8601 moment"):
        call_command("load_preset", "cashback", "--clock", "soon")


def test_load_preset_over_another_program_is_refused():
    call_command("load_preset", "cashback")

    with pytest.raises(CommandError, match="another --slug"):
        call_command("load_preset", "beauty_insider", "--slug", "cashback")
