from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from loyalty.purchases.models import Activity
from programs.keys import create_key
from programs.models import ApiKey, Membership
from tests.acceptance.loads import House
from tests.factories import make_program

HEADER = "external_id,member,occurred_at,total,currency,store,sku,category,brand,quantity,amount\n"


@pytest.fixture
def shop(house) -> House:
    return House.with_preset(house, "beauty_insider")


@pytest.fixture
def replay(shop, tmp_path):
    """Replay these rows; return the exit status, the counts and what was said on standard error."""

    def run(rows: str, *options: object) -> tuple[int, list[str], list[str]]:
        file = tmp_path / "purchases.csv"
        file.write_text(HEADER + rows)
        command = shop.start_replay(file, *options)
        out, err = command.communicate(timeout=60)
        said = [line for line in err.splitlines() if line.startswith(("row", "CommandError"))]
        return command.returncode, out.splitlines(), said

    return run


def test_replay_loads_members_guests_and_odd_amounts(shop, replay):
    code, counts, said = replay(
        "a,ann,2026-01-02T10:00:00+01:00,,,north,1,FOOD,X,2,10.99\n"
        "a,ann,2026-01-02T10:00:00+01:00,,,north,2,FOOD,X,0,-0.99\n"
        "b,,2026-01-03T10:00:00Z,5,,,,,,,\n"
        "c,bob,2026-01-01T10:00:00Z,,,,,FUEL,,41833.5,20\n"
        "d,bob,2026-01-01T11:00:00Z,0,,,,,,,\n"
    )

    assert (code, said) == (0, [])
    assert counts == ["accrued 4", "failed 0", "refused 0"]
    members = shop.members()
    assert {name: member["balances"]["points"]["available"] for name, member in members.items()} == {
        "ann": "10",
        "bob": "20",
    }
    assert members["ann"]["joined_at"] == "2026-01-02T04:00:00-05:00"
    assert members["bob"]["joined_at"] == "2026-01-01T05:00:00-05:00"
    assert Activity.objects.get(external_id="b").membership is None


def test_replay_names_bad_content_goes_on_and_succeeds(replay):
    code, counts, said = replay(
        "good,ann,2026-01-02T10:00:00Z,,,,,,,,10\n"
        "naive,ann,2026-01-02T10:00:00,,,,,,,,10\n"
        "wordy,ann,2026-01-02T10:00:00Z,,,,,,,,ten\n"
        "back,ann,2026-01-02T10:00:00Z,,,,,,,,-10\n"
        "sums,ann,2026-01-02T10:00:00Z,11,,,,,,,10\n"
        "few,ann,2026-01-02T10:00:00Z,,,,,,,-1,10\n"
        "euro,ann,2026-01-02T10:00:00Z,,EUR,,,,,,10\n"
    )

    assert code == 0
    assert counts == ["accrued 1", "failed 0", "refused 6"]
    assert [line.partition(": ")[0] + " " + line.split(": ")[1] for line in said] == [
        "row 3, purchase naive unreadable",
        "row 4, purchase wordy unreadable",
        "row 5, purchase back negative-total",
        "row 6, purchase sums total-mismatch",
        "row 7, purchase few negative-quantity",
        "row 8, purchase euro currency-mismatch",
    ]


def test_replay_of_a_used_number_with_other_content_fails(replay):
    replay("a,ann,2026-01-02T10:00:00Z,,,,,,,,10\n")

    code, counts, said = replay("a,ann,2026-01-02T10:00:00Z,,,,,,,,11\nb,ann,2026-01-03T10:00:00Z,,,,,,,,11\n")

    assert code == 1
    assert counts == ["accrued 1", "failed 0", "refused 1"]
    assert said[0].startswith("row 2, purchase a: external-id-reuse: ")


def test_replay_does_not_wait_for_what_lies_ahead(replay):
    soon = (datetime.now(UTC) + timedelta(hours=24)).isoformat()

    assert replay(f"a,ann,2026-01-02T10:00:00Z,,,,,,,,10\nb,ann,{soon},,,,,,,,10\nc,bob,{soon},,,,,,,,10\n") == (
        0,
        ["accrued 1", "failed 0", "refused 0", "recorded 2"],
        [],
    )


def test_replay_takes_the_first_purchases_up_to_the_limit(shop, replay):
    rows = "b,ann,2026-01-03T10:00:00Z,,,,,,,,10\na,ann,2026-01-02T10:00:00Z,,,,,,,,10\n"

    assert replay(rows, "--limit", 1)[1][0] == "accrued 1"
    assert Activity.objects.get().external_id == "a"


def test_replay_moves_by_days_of_24_hours(shop, replay):
    replay("a,ann,2026-01-02T10:00:00Z,,,,,,,,10\n", "--shift-days", -365)

    assert Activity.objects.get().occurred_at == datetime(2025, 1, 2, 10, tzinfo=UTC)


def test_replay_leaves_no_key_and_no_backfill_behind(shop, replay):
    replay("a,ann,2026-01-02T10:00:00Z,,,,,,,,10\n")

    shop.program.refresh_from_db()
    assert not shop.program.is_in_backfill
    assert list(ApiKey.objects.usable(at=datetime.now(UTC)).values_list("name", flat=True)) == ["Proof"]


def test_replay_with_a_key_that_opens_nothing_says_so(shop, replay):
    code, counts, said = replay("a,ann,2026-01-02T10:00:00Z,,,,,,,,10\n", "--key", "loy_wrong")

    assert code == 1
    assert counts == ["accrued 0", "failed 0", "refused 0", "unposted 1"]
    assert said == [f"CommandError: {shop.servers.url} refuses the key: This key opens nothing"]
    assert not Membership.objects.exists()


def test_replay_refuses_a_key_of_another_program(shop, replay):
    other = make_program(slug="other")
    _key, secret = create_key(program=other, name="Till", by=None)

    code, counts, said = replay("a,ann,2026-01-02T10:00:00Z,,,,,,,,10\n", "--key", secret)

    assert (code, counts) == (1, [])
    assert said == [f"CommandError: The key opens “other”, not “{shop.program.slug}”."]
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("absent.csv", "--program", "nowhere"), "There is no program “nowhere”."),
        (("absent.csv",), "Error: the following arguments are required: --program"),
    ],
)
def test_replay_refuses_what_it_cannot_begin(db, arguments, why):
    with pytest.raises(CommandError) as caught:
        call_command("replay", *arguments, stdout=io.StringIO(), stderr=io.StringIO())

    assert str(caught.value) == why
