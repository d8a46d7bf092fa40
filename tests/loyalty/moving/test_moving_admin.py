"""The pages: the owner moves members in, and who may not meets none of it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from loyalty.moving import actions
from loyalty.moving.models import Moving
from programs.models import Membership
from tests.factories import make_member, make_shop, make_staff, make_user
from tests.loyalty.moving.sheets import check, csv_of

pytestmark = pytest.mark.django_db

UPLOAD = "admin:moving_moving_add"
BODY = csv_of("external_id,email,balance:points", "a,a@example.test,5", "b,wrong,5")


@pytest.fixture
def program():
    return make_shop()


@pytest.fixture
def owner(client, program):
    person = make_staff(business=program.business)
    client.force_login(person)
    return person


def upload(client, program, body=BODY, **more):
    file = SimpleUploadedFile("members.csv", body)
    return client.post(reverse(UPLOAD), {"program": str(program.pk), "kind": "members", "file": file, **more})


def test_owner_uploads_reads_the_dry_run_and_moves_the_good_rows_in(client, owner, program):
    uploaded = upload(client, program)
    moving = Moving.objects.get()
    read = client.get(uploaded.url)

    assert uploaded.url == reverse("admin:moving_moving_change", args=[moving.pk])
    assert (read.context["kinds"], Membership.objects.count()) == (
        [("new", 1), ("changed", 0), ("unchanged", 0), ("bad", 1)],
        0,
    )
    assert [(one.row, one.column, one.value) for one in read.context["faults"]] == [(3, "email", "wrong")]

    client.post(reverse("admin:moving_moving_confirm", args=[moving.pk]))

    moving.refresh_from_db()
    assert (moving.status, moving.made_by, Membership.objects.get().external_id) == ("done", owner, "a")
    assert client.get(uploaded.url).context["bad"] == 1


def test_discarded_file_leads_back_to_the_upload_with_its_program(client, owner, program):
    upload(client, program)
    moving = Moving.objects.get()

    response = client.post(reverse("admin:moving_moving_discard", args=[moving.pk]))

    assert response.url == f"{reverse(UPLOAD)}?program={program.pk}&kind=members"
    assert Moving.objects.count() == 0
    assert client.get(response.url).context["form"].initial["program"] == program


def test_confirming_twice_does_nothing_the_second_time(client, owner, program):
    upload(client, program)
    address = reverse("admin:moving_moving_confirm", args=[Moving.objects.get().pk])
    client.post(address)

    client.post(address)

    assert Membership.objects.count() == 1


def test_large_file_waits_for_a_worker(client, owner, program, broker, monkeypatch):
    monkeypatch.setattr(actions, "AT_ONCE", 10)

    page = client.get(upload(client, program).url)

    assert (Moving.objects.get().status, page.context["is_at_work"]) == ("checking", True)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": "codes"}, "pool"),
        ({"kind": "codes", "pool": "My pool"}, "pool"),
        ({"kind": "other"}, "kind"),
        ({"file": ""}, "file"),
    ],
)
def test_upload_that_lacks_something_is_refused_at_the_field(client, owner, program, more, field):
    response = upload(client, program, **more)

    assert (response.status_code, list(response.context["form"].errors)) == (200, [field])
    assert Moving.objects.count() == 0


def test_faults_are_sent_whole(client, owner, program):
    moving = check(program, BODY)

    response = client.get(reverse("admin:moving_moving_faults", args=[moving.pk]))

    assert b"".join(response.streaming_content).decode().splitlines()[1:] == [
        '3,email,wrong,"This is not an e-mail address. Correct it, or leave the cell empty."'
    ]


@pytest.mark.parametrize(("form", "start"), [("csv", b"\xef\xbb\xbfexternal_id,card"), ("xlsx", b"PK\x03\x04")])
def test_template_and_members_are_sent_as_files(client, owner, program, form, start):
    make_member(program=program)

    for address in (
        reverse("admin:moving_moving_template", args=[program.pk, "members", form]),
        reverse("admin:moving_moving_members", args=[program.pk, form]),
    ):
        response = client.get(address)
        assert b"".join(response.streaming_content).startswith(start)
        assert response.headers["Content-Disposition"].endswith(f'.{form}"')


def addresses(program, moving):
    return {
        "list": ("get", reverse("admin:moving_moving_changelist")),
        "upload": ("get", f"{reverse(UPLOAD)}?program={program.pk}"),
        "file": ("get", reverse("admin:moving_moving_change", args=[moving.pk])),
        "faults": ("get", reverse("admin:moving_moving_faults", args=[moving.pk])),
        "template": ("get", reverse("admin:moving_moving_template", args=[program.pk, "members", "csv"])),
        "members": ("get", reverse("admin:moving_moving_members", args=[program.pk, "csv"])),
        "confirm": ("post", reverse("admin:moving_moving_confirm", args=[moving.pk])),
        "discard": ("post", reverse("admin:moving_moving_discard", args=[moving.pk])),
    }


def statuses(client, program):
    moving = check(program, BODY)
    found = {name: getattr(client, method)(to).status_code for name, (method, to) in addresses(program, moving).items()}
    moving.refresh_from_db()
    assert (moving.status, Membership.objects.count()) == ("checked", 0)
    return found


def test_stranger_of_another_business_meets_nothing_of_this_one(client, program):
    client.force_login(make_staff(business=make_shop().business))
    found = statuses(client, program)

    assert found.pop("list") == 200
    assert set(found.values()) == {404}
    assert upload(client, program).status_code == 404
    assert list(client.get(reverse("admin:moving_moving_changelist")).context["cl"].result_list) == []


def test_colleague_at_the_till_may_not_move_anything(client, program):
    colleague = make_staff(business=program.business, role="cashier")
    client.force_login(colleague)

    assert set(statuses(client, program).values()) <= {302, 403, 404}
    assert upload(client, program).status_code in (302, 403)


def test_customer_and_who_is_not_signed_in_are_sent_away(client, program):
    anonymous = set(statuses(client, program).values())
    Moving.objects.all().delete()
    client.force_login(make_user())

    assert (anonymous, set(statuses(client, program).values()) <= {302, 403}) == ({302}, True)


def test_owner_finds_the_way_from_the_program_and_from_the_members(client, owner, program):
    members = client.get(reverse("admin:programs_membership_changelist")).content.decode()
    own = client.get(reverse("admin:programs_program_change", args=[program.pk])).content.decode()

    assert f'href="{reverse(UPLOAD)}"' in members
    assert f'href="{reverse(UPLOAD)}?program={program.pk}"' in own


def test_list_takes_as_many_queries_with_three_files_as_with_one(client, owner, program, django_assert_num_queries):
    for _nth in range(2):
        check(program, BODY)
        with django_assert_num_queries(16):
            client.get(reverse("admin:moving_moving_changelist"))
        check(program, BODY)
