from datetime import UTC, datetime

import pytest
from django.contrib.auth import authenticate

from accounts.models import Business, StaffRole, User
from loyalty.demo.loading import DemoLoad
from loyalty.demo.people import CUSTOMER, HOUSEHOLD, PROGRAM, link_customer, prepare_demo
from loyalty.ledger.members import MemberDetails, enrol
from programs.models import Program, ProgramVersion

pytestmark = pytest.mark.django_db


def test_each_person_can_sign_in_with_what_is_printed(tmp_path):
    printed = prepare_demo(tmp_path)

    assert [sign_in.role for sign_in in printed] == ["customer", "owner", "cashier", "superuser"]
    for sign_in in printed:
        assert authenticate(email=sign_in.email, password=sign_in.password) is not None


def test_second_start_prints_the_same_and_makes_nothing(tmp_path):
    first = prepare_demo(tmp_path)

    assert prepare_demo(tmp_path) == first
    assert User.objects.count() == 4
    assert StaffRole.objects.count() == 4
    assert Business.objects.count() == 2
    assert ProgramVersion.objects.count() == 2


def test_passwords_are_kept_where_only_this_user_reads(tmp_path):
    prepare_demo(tmp_path)

    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


def test_customer_is_linked_when_the_household_is_a_member(tmp_path):
    prepare_demo(tmp_path)
    assert link_customer() is False
    details = MemberDetails(external_id=HOUSEHOLD, joined_at=datetime(2026, 1, 5, tzinfo=UTC))
    member = enrol(program=Program.objects.get(slug=PROGRAM), details=details, by=None).membership

    assert link_customer() is True
    member.customer.refresh_from_db()
    assert (member.customer.full_name, member.customer.user.email) == ("Ada Lindqvist", CUSTOMER)


def test_load_is_done_only_for_the_database_that_it_filled(tmp_path):
    prepare_demo(tmp_path)
    load = DemoLoad(tmp_path)
    assert load.is_done() is False

    load.finished.write_text(str(Program.objects.get(slug=PROGRAM).pk))
    assert load.is_done() is True

    load.finished.write_text("another database's")
    assert load.is_done() is False
