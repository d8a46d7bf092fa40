from datetime import UTC, date, datetime

import pytest

from accounts.models import Customer
from loyalty.ledger.models import Account, Lot, OpeningBalance, Standing, TierGrant, TierPeriod, Transaction
from loyalty.ledger.verify import verify
from loyalty.moving import actions
from loyalty.moving.models import MovingFile
from programs.models import Membership
from tests.factories import UnitSpec, make_member, make_program, make_shop, make_user, make_version
from tests.loyalty.moving.sheets import check, counts, csv_of, faults, move, xlsx_of

CLOCK = datetime(2026, 6, 1, 12, tzinfo=UTC)
HEADER = "external_id,email,first_name,joined_at,tier,tier_until,balance:points"
ANN = "ann,ann@example.test,Ann,2020-03-01,gold,2026-12-31,1250"
BOB = "bob,,Bob,,,,0"


@pytest.fixture
def program(db):
    program = make_program(clock=CLOCK)
    make_version(program=program, units=[UnitSpec(expiry="rolling", expiry_months=12)])
    return program


naive = datetime.fromisoformat  # A workbook knows no zones.


def balance(external_id):
    return Account.objects.get(membership__external_id=external_id, unit__code="points", kind="available").balance


def test_dry_run_counts_and_writes_nothing(program):
    moving = check(program, csv_of(HEADER, ANN, BOB))

    assert (moving.status, moving.rows, counts(moving)) == ("checked", 2, (2, 0, 0, 0))
    assert (Membership.objects.count(), Customer.objects.count(), Transaction.objects.count()) == (0, 0, 0)


def test_member_moves_in_with_balance_tier_and_the_day_of_joining(program):
    by = make_user()
    moving = move(program, csv_of(HEADER, ANN, BOB), by=by)

    member = Membership.objects.get(external_id="ann")
    standing = Standing.objects.get(pk=member.pk)
    lot = Lot.objects.get()
    opening = OpeningBalance.objects.get()
    assert (moving.status, counts(moving), MovingFile.objects.count()) == ("done", (2, 0, 0, 0), 0)
    assert (member.joined_at, member.customer.first_name) == (datetime(2020, 3, 1, tzinfo=UTC), "Ann")
    assert (standing.tier, standing.tier_until, standing.due_at) == (
        "gold",
        date(2026, 12, 31),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert (balance("ann"), balance("bob")) == (1250, 0)
    assert (lot.remaining, lot.earned_at, lot.expires_at) == (1250, CLOCK, datetime(2027, 6, 2, tzinfo=UTC))
    assert (opening.amount, opening.moved_by, Transaction.objects.get().pk) == (1250, by, opening.transaction_id)
    assert TierGrant.objects.values_list("tier", "kind", "reason", "granted_by").get() == (
        "gold",
        "hand",
        "Moved in",
        by.pk,
    )
    assert list(TierPeriod.objects.filter(membership=member).order_by("posted_at").values_list("tier", "reason")) == [
        ("basic", "joined"),
        ("gold", "granted"),
    ]
    assert verify(programs=[program]).faults == []


def test_same_file_again_changes_nothing(program):
    move(program, csv_of(HEADER, ANN, BOB))
    before = (Transaction.objects.count(), TierGrant.objects.count(), Membership.objects.count())

    moving = move(program, csv_of(HEADER, ANN, BOB))

    assert counts(moving) == (0, 0, 2, 0)
    assert (Transaction.objects.count(), TierGrant.objects.count(), Membership.objects.count()) == before


def test_other_balance_or_tier_than_was_moved_in_is_refused(program):
    move(program, csv_of(HEADER, ANN, BOB))

    moving = move(program, csv_of(HEADER, ANN.replace("1250", "1300").replace("gold", "silver")))

    assert faults(moving) == [(2, "balance:points", "1300", "other-balance"), (2, "tier", "silver", "other-tier")]
    assert balance("ann") == 1250


def test_balance_comes_on_top_of_what_a_known_member_earned_here(program):
    member = make_member(program=program, email="Ann@Example.test")

    moving = move(program, csv_of("external_id,email,phone,balance:points", "ann,ann@example.test,+420 123,10"))

    member.refresh_from_db()
    assert counts(moving) == (0, 1, 0, 0)
    assert (member.external_id, member.customer.phone, balance("ann")) == ("ann", "+420 123", 10)
    assert move(program, csv_of("email,balance:points", "ann@example.test,10")).counts["unchanged"] == 1


def test_balance_ends_as_given_or_counts_from_when_it_was_earned(program):
    header = "external_id,balance:points,balance_expires:points,earned_at:points"
    move(program, csv_of(header, "a,5,2026-08-31,", "b,5,,2026-01-15", "c,5,2026-08-31T10:00:00+02:00,2020-01-01"))

    ends = dict(Lot.objects.values_list("membership__external_id", "expires_at"))
    assert ends == {
        "a": datetime(2026, 9, 1, tzinfo=UTC),
        "b": datetime(2027, 1, 16, tzinfo=UTC),
        "c": datetime(2026, 8, 31, 8, tzinfo=UTC),
    }
    assert set(Standing.objects.values_list("due_at", flat=True)) == set(ends.values())


def test_good_rows_move_in_beside_bad_ones_which_are_all_named(program):
    header = f"{HEADER},balance_expires:points,earned_at:points,card,birth_date,language"
    moving = move(
        program,
        csv_of(
            header,
            "good,,,,,,7",
            "",
            "negative,not an address,,,,,-5",
            "precise,,,,,,1.5",
            "future,,,2026-06-02,,,",
            "tier,,,,platinum,,",
            "over,,,,gold,2026-05-31,",
            "until,,,,,2026-12-31,",
            "gone,,,,,,5,2026-05-31",
            "old,,,,,,5,,2024-01-01",
            "dateless,,,,,,,2026-12-31",
            ",,Nobody,,,,5",
            "card,,,,,,,,,123456789012",
            "born,,,,,,,,,,2026-06-02,xx-",
            "1.23E+11,,,,,,5",
            "good,,,,,,9",
            "many,,,,,,,,,,,,,x",
        ),
    )

    assert counts(moving) == (1, 0, 0, 15)
    assert faults(moving) == [
        (4, "email", "not an address", "not-an-email"),
        (4, "balance:points", "-5", "negative"),
        (5, "balance:points", "1.5", "too-precise"),
        (6, "joined_at", "2026-06-02", "joined-in-future"),
        (7, "tier", "platinum", "unknown-tier"),
        (8, "tier_until", "2026-05-31", "ended-in-past"),
        (9, "tier_until", "2026-12-31", "no-tier"),
        (10, "balance_expires:points", "2026-05-31", "ended-in-past"),
        (11, "earned_at:points", "2024-01-01", "expired-before"),
        (12, "balance_expires:points", "2026-12-31", "nothing-to-date"),
        (13, "", "", "nameless"),
        (14, "card", "123456789012", "not-a-card"),
        (15, "language", "xx-", "not-a-language"),
        (15, "birth_date", "2026-06-02", "born-in-future"),
        (16, "external_id", "1.23E+11", "mangled"),
        (17, "external_id", "good", "same-as-row"),
        (18, "", "", "too-many-cells"),
    ]
    assert balance("good") == 7


def test_rows_that_speak_of_two_members_are_refused(program):
    first = make_member(program=program, external_id="a", email="a@example.test")
    other = make_member(program=program, external_id="b", email="b@example.test")

    moving = check(
        program,
        csv_of(
            "external_id,email,card",
            "a,b@example.test,",
            "c,A@example.test,",
            f"d,,{other.card}",
            f"b,,{first.card}",
        ),
    )

    assert faults(moving) == [
        (2, "external_id", "a", "member-conflict"),
        (3, "external_id", "c", "other-external-id"),
        (4, "external_id", "d", "other-external-id"),
        (5, "card", first.card, "card-taken"),
    ]


def test_card_of_the_other_system_is_kept_by_a_new_member_and_not_by_one_who_has_a_card_here(program):
    make_member(program=program, external_id="old")

    moving = move(program, csv_of("external_id,card", "new,1234 5678 9015", "old,400000000002"))

    assert Membership.objects.get(external_id="new").card == "123456789015"
    assert (counts(moving), faults(moving)) == ((1, 0, 1, 0), [])
    assert faults(moving, remarks=True) == [(3, "card", "400000000002", "other-card")]


def test_customer_of_another_program_of_the_business_joins_with_what_is_known(program):
    other = make_shop(business=program.business)
    ann = make_member(program=other, email="ann@example.test", first_name="Ann")

    move(program, csv_of("email,first_name,last_name", "ANN@example.test,Anna,Hill"))

    member = Membership.objects.get(program=program)
    assert (member.customer_id, member.customer.first_name, member.customer.last_name) == (
        ann.customer_id,
        "Ann",
        "Hill",
    )


def test_late_repeat_of_a_file_whose_dates_have_passed_changes_nothing(program):
    body = csv_of(f"{HEADER},balance_expires:points", "a,,,,gold,2026-06-30,5,2026-06-30")
    move(program, body)
    program.clock = datetime(2027, 1, 1, tzinfo=UTC)
    program.save(update_fields=["clock"])

    assert (counts(move(program, body)), counts(move(program, body.replace(b"a,,,,", b"b,,,,")))) == (
        (0, 0, 1, 0),
        (0, 0, 0, 1),
    )


def test_workbook_says_the_same_as_text(program):
    body = xlsx_of(
        ["external_id", "birth_date", "joined_at", "balance:points"],
        [123, naive("1990-04-30"), naive("2026-05-01T14:30"), 12.0],
        [],
        ["x", 45000, None, 10**15],
        [naive("2026-01-01"), None, None, "=1+1"],
    )

    moving = move(program, body)

    member = Membership.objects.get()
    assert (member.external_id, member.customer.birth_date, member.joined_at, balance("123")) == (
        "123",
        date(1990, 4, 30),
        datetime(2026, 5, 1, 14, 30, tzinfo=UTC),
        12,
    )
    assert faults(moving) == [
        (4, "birth_date", "45000", "not-a-date"),
        (4, "balance:points", "1000000000000000", "too-much"),
        (5, "external_id", "2026-01-01 00:00:00", "is-a-date"),
    ]


def test_batch_takes_as_many_queries_with_many_rows_as_with_two(program, django_assert_num_queries):
    def body(letter, count):
        rows = [f"{letter}{n},{letter}{n}@example.test,A,2020-01-01,gold,,5" for n in range(count)]
        return csv_of(HEADER, *rows)

    move(program, body("first", 1))  # It opens the program's own accounts.
    for letter, count in (("a", 2), ("b", 40)):
        moving = actions.confirm(moving=check(program, body(letter, count)), by=None)
        with django_assert_num_queries(42):
            actions.go_on(moving_id=moving.pk, seconds=60)
