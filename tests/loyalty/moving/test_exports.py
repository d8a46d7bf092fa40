import io

import pytest

from accounts.models import Customer
from loyalty.ledger.models import Transaction
from loyalty.moving import exports
from loyalty.moving.columns import frame_of
from loyalty.moving.models import Moving
from programs.models import Membership
from tests.factories import UnitSpec, make_member, make_program, make_shop, make_version
from tests.factories.activity import drain, record
from tests.loyalty.moving.sheets import check, counts, csv_of, faults, move


@pytest.fixture
def program(db):
    program = make_program(timezone="Europe/Prague")
    make_version(program=program, units=[UnitSpec(expiry="rolling", expiry_months=12), UnitSpec("cash", 2)])
    return program


def exported(program, form):
    table = exports.members_table(frame_of(program))
    if form == "csv":
        return "".join(exports.as_csv(table)).encode()
    return exports.as_workbook(table).read()


def test_export_has_the_columns_of_the_template_and_who_it_is_from(program):
    frame = frame_of(program)
    template = exports.template_table(frame, kind=Moving.Kind.MEMBERS)[0]
    header = next(iter(exports.members_table(frame)))

    assert header[-1] == "exported_from"
    assert set(header[:-1]) == set(template) - {"tier_reason", "earned_at:points", "earned_at:cash"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_export_that_is_moved_in_again_changes_nothing(program, form):
    move(
        program,
        csv_of(
            "external_id,email,first_name,birth_date,tier,balance:points,balance:cash",
            "007,ann@example.test,'=HYPERLINK(1),1990-04-30,gold,1250,12.50",
        ),
    )
    earner = make_member(program=program, first_name="Žofie", external_id="+1|calc")
    record(earner, "r-1", 50_000)
    drain()
    before = (Transaction.objects.count(), list(Customer.objects.order_by("pk").values()))

    moving = move(program, exported(program, form))

    assert (counts(moving), faults(moving), faults(moving, remarks=True)) == ((0, 0, 2, 0), [], [])
    assert (Transaction.objects.count(), list(Customer.objects.order_by("pk").values())) == before
    assert Customer.objects.get(email="ann@example.test").first_name == "=HYPERLINK(1)"


def test_export_of_another_program_brings_balances_and_tiers(program):
    move(program, csv_of("external_id,tier,balance:points", "a,gold,1250"))
    other = make_shop()

    body = exported(program, "csv").replace(b"balance:cash,balance_expires:cash,", b"").replace(b",0.00,,", b",")
    moving = check(other, body)

    assert (counts(moving), faults(moving)) == ((1, 0, 0, 0), [])


def test_closed_members_stay_out_of_the_export(program):
    member = make_member(program=program)
    Membership.objects.filter(pk=member.pk).update(status="closed")

    assert len(list(exports.members_table(frame_of(program)))) == 1


def test_export_takes_as_many_queries_with_three_members_as_with_one(program, django_assert_num_queries):
    for _nth in range(2):
        make_member(program=program)
        frame = frame_of(program)
        with django_assert_num_queries(6):
            list(exports.members_table(frame))
        make_member(program=program)


def test_workbook_keeps_card_numbers_as_text(program):
    import openpyxl

    member = make_member(program=program)

    sheet = openpyxl.load_workbook(io.BytesIO(exported(program, "xlsx"))).active

    assert [cell.value for cell in sheet[2]][1:2] == [member.card]
