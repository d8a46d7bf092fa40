import pytest

from accounts.actions import AlreadyStaffError, LastOwnerError, change_role, grant_role, revoke_role
from accounts.models import StaffRole, User
from tests.factories import make_business, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def business():
    return make_business()


def test_grant_role_to_a_new_person_makes_a_sign_in_without_password(business):
    staff = grant_role(business=business, email="Ann@Example.test", role="owner", by=None)

    assert (staff.user.email, staff.user.has_usable_password(), staff.user.is_staff) == (
        "ann@example.test",
        False,
        True,
    )


def test_grant_role_finds_a_person_whatever_the_case(business):
    person = make_user(email="ann@example.test")

    assert grant_role(business=business, email="ANN@example.test", role="cashier", by=None).user == person


def test_grant_role_to_a_cashier_opens_no_admin(business):
    assert grant_role(business=business, email="till@example.test", role="cashier", by=None).user.is_staff is False


def test_grant_role_twice_in_one_business_is_refused(business):
    grant_role(business=business, email="ann@example.test", role="owner", by=None)

    with pytest.raises(AlreadyStaffError):
        grant_role(business=business, email="ann@example.test", role="cashier", by=None)


def test_change_role_opens_and_closes_the_admin(business):
    grant_role(business=business, email="owner@example.test", role="owner", by=None)
    staff = grant_role(business=business, email="ann@example.test", role="cashier", by=None)

    change_role(staff=staff, role="owner", by=None)
    assert User.objects.get(email="ann@example.test").is_staff is True

    change_role(staff=staff, role="cashier", by=None)
    assert User.objects.get(email="ann@example.test").is_staff is False


def test_revoke_role_leaves_a_role_elsewhere_its_admin(business):
    grant_role(business=business, email="owner@example.test", role="owner", by=None)
    here = grant_role(business=business, email="ann@example.test", role="owner", by=None)
    grant_role(business=make_business(), email="ann@example.test", role="owner", by=None)

    revoke_role(staff=here, by=None)

    assert User.objects.get(email="ann@example.test").is_staff is True
    assert not StaffRole.objects.filter(business=business, user__email="ann@example.test").exists()


def test_revoke_role_of_a_superuser_leaves_the_admin_open(business):
    grant_role(business=business, email="owner@example.test", role="owner", by=None)
    root = make_user(email="root@example.test", is_superuser=True)
    staff = grant_role(business=business, email=root.email, role="cashier", by=None)

    revoke_role(staff=staff, by=None)

    root.refresh_from_db()
    assert root.is_staff is True


@pytest.mark.parametrize(
    "act",
    [lambda staff: revoke_role(staff=staff, by=None), lambda staff: change_role(staff=staff, role="cashier", by=None)],
)
def test_last_owner_cannot_lose_the_role(business, act):
    staff = grant_role(business=business, email="ann@example.test", role="owner", by=None)

    with pytest.raises(LastOwnerError):
        act(staff)

    assert StaffRole.objects.get().role == "owner"
