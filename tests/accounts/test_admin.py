import pytest
from django.urls import reverse

from accounts.models import StaffRole, User
from tests.factories import make_business, make_shop, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def business(client):
    made = make_shop().business
    client.force_login(make_staff(business=made, email="owner@example.test"))
    return made


def page(staff: StaffRole, name: str = "change") -> str:
    return reverse(f"admin:accounts_staffrole_{name}", args=[staff.pk])


def test_owner_invites_a_cashier_by_e_mail(client, business):
    client.post(
        reverse("admin:accounts_staffrole_add"),
        {"business": business.pk, "email": "till@example.test", "role": "cashier"},
    )

    staff = StaffRole.objects.get(user__email="till@example.test")
    assert (staff.business, staff.role, staff.user.is_staff) == (business, "cashier", False)


def test_owner_inviting_someone_twice_is_told(client, business):
    response = client.post(
        reverse("admin:accounts_staffrole_add"),
        {"business": business.pk, "email": "Owner@example.test", "role": "cashier"},
    )

    assert list(response.context["adminform"].form.errors) == ["email"]


def test_owner_promotes_a_colleague(client, business):
    make_staff(business=business, role=StaffRole.Role.CASHIER, email="ann@example.test")
    staff = StaffRole.objects.get(user__email="ann@example.test")

    client.post(page(staff), {"role": "owner"})

    assert User.objects.get(email="ann@example.test").is_staff is True


def test_owner_takes_a_role_away(client, business):
    make_staff(business=business, role=StaffRole.Role.CASHIER, email="ann@example.test")
    staff = StaffRole.objects.get(user__email="ann@example.test")

    client.post(page(staff, "delete"), {"post": "yes"})

    assert not StaffRole.objects.filter(pk=staff.pk).exists()
    assert User.objects.filter(email="ann@example.test").exists()


def test_last_owner_can_be_neither_demoted_nor_removed(client, business):
    staff = StaffRole.objects.get(business=business)

    client.post(page(staff), {"role": "cashier"})
    refused = client.post(page(staff, "delete"), {"post": "yes"})

    assert refused.status_code == 403
    assert StaffRole.objects.get(business=business).role == "owner"


def test_owner_recolours_the_business_but_keeps_its_slug(client, business):
    slug = business.slug

    client.post(
        reverse("admin:accounts_business_change", args=[business.pk]),
        {"name": "New name", "brand": "#123456", "slug": "other"},
    )

    business.refresh_from_db()
    assert (business.name, business.brand, business.slug) == ("New name", "#123456", slug)


def test_only_a_superuser_adds_a_business_or_meets_people(client, business):
    assert client.get(reverse("admin:accounts_business_add")).status_code == 403
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 403

    client.force_login(make_user(is_superuser=True))
    client.post(reverse("admin:accounts_business_add"), {"name": "New", "slug": "new", "brand": "#123456"})
    client.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "ann@example.test",
            "name": "",
            "usable_password": "true",
            "password1": "a-long-passphrase-1",
            "password2": "a-long-passphrase-1",
        },
    )

    assert type(business).objects.filter(slug="new").exists()
    assert User.objects.get(email="ann@example.test").check_password("a-long-passphrase-1")


def test_owner_of_two_businesses_meets_both(client, business):
    second = make_business()
    StaffRole.objects.create(business=second, user=User.objects.get(email="owner@example.test"), role="owner")

    response = client.get(reverse("admin:accounts_business_changelist"))

    assert set(response.context["cl"].result_list) == {business, second}
