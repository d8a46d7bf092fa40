import pytest

from accounts.admission import admit
from accounts.models import Customer, User
from tests.factories import make_business, make_user

pytestmark = pytest.mark.django_db


def test_customer_s_address_gets_a_sign_in():
    customer = Customer.objects.create(business=make_business(), email="Elena@Example.test")

    admit(email="elena@example.test")

    customer.refresh_from_db()
    assert customer.user is not None
    assert customer.user.email == "elena@example.test"
    assert not customer.user.has_usable_password()


def test_customer_of_two_businesses_gets_one_sign_in():
    customers = [Customer.objects.create(business=make_business(), email="e@example.test") for _ in range(2)]

    admit(email="e@example.test")

    assert {Customer.objects.get(pk=one.pk).user for one in customers} == {User.objects.get()}


def test_admission_twice_changes_nothing():
    Customer.objects.create(business=make_business(), email="e@example.test")

    admit(email="e@example.test")
    admit(email="e@example.test")

    assert User.objects.count() == 1


def test_address_of_no_customer_makes_nobody():
    admit(email="stranger@example.test")

    assert User.objects.count() == 0


def test_member_of_staff_with_that_address_keeps_their_sign_in():
    user = make_user(email="e@example.test", password="keeps-this-one")
    customer = Customer.objects.create(business=make_business(), email="e@example.test")

    admit(email="E@example.test")

    customer.refresh_from_db()
    assert customer.user == user


def test_customer_linked_to_someone_else_stays_so():
    other = make_user()
    customer = Customer.objects.create(business=make_business(), email="e@example.test", user=other)

    admit(email="e@example.test")

    customer.refresh_from_db()
    assert customer.user == other
