"""Owner, colleague and stranger try every page and every action of the admin; the pages are read from its registry."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Business, StaffRole, User
from loyalty.ledger.grants import grant_tier
from loyalty.ledger.models import Lot, Notice, TierGrant, Transaction
from loyalty.moving.models import Moving
from loyalty.purchases.models import Activity
from loyalty.rehearsals import snapshots
from loyalty.rehearsals.models import BackTest, Correction
from loyalty.rewards.models import PoolCode, Redemption, RewardStock, Voucher
from loyalty.webhooks.actions import add_endpoint, send_test
from loyalty.webhooks.models import Delivery, Endpoint
from programs import codes, content
from programs.actions import start_draft
from programs.models import (
    ApiKey,
    Membership,
    Program,
    ProgramVersion,
    Reward,
    Rule,
    RuleGroup,
    Segment,
    Store,
    Tier,
    UnitTerms,
)
from tests.factories import make_key, make_member, make_shop, make_staff, make_user
from tests.factories.activity import drain, record
from tests.loyalty.moving.sheets import check, csv_of

pytestmark = pytest.mark.django_db

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label)
OPERATORS_ONLY = {User}
# Addresses beside the usual ones, each tried with GET and POST.
OWN_PAGES: dict[type, list[str]] = {
    Program: ["start_draft"],
    ProgramVersion: ["publish", "discard"],
    ApiKey: ["revoke", "rotate"],
    TierGrant: ["end"],
    Activity: ["retry"],
    Redemption: ["release"],
    RewardStock: ["restock"],
    Moving: ["confirm", "discard", "faults"],
    Endpoint: ["rotate", "off", "on", "test"],
    Delivery: ["again"],
}


@dataclass
class Shop:
    """A business with one row of everything that the admin shows."""

    program: Program
    rows: dict[type, Any]
    owner: User
    cashier: User


@pytest.fixture
def shop() -> Shop:
    return make_full_shop()


@pytest.fixture
def other() -> Shop:
    return make_full_shop()


def make_full_shop() -> Shop:
    program = make_shop()
    business = program.business
    owner, cashier = make_staff(business=business), make_staff(business=business, role=StaffRole.Role.CASHIER)
    member = make_member(program=program, email="ann@example.test", first_name="Ann")
    record(member, "receipt-1", 5000)
    drain()
    failed = record(member, "receipt-2", 700, status="failed")
    key, _secret = make_key(program=program)
    version, now = program.versions.get(), datetime.now(UTC)
    draft = start_draft(program=program, by=owner)
    rows = {
        Business: business,
        User: owner,
        StaffRole: StaffRole.objects.get(user=cashier),
        Program: program,
        ProgramVersion: version,
        Tier: version.tiers.first(),
        Rule: version.rules.first(),
        UnitTerms: version.unit_terms.first(),
        RuleGroup: RuleGroup.objects.create(version=draft, code="rates", name="Rates", mode="best"),
        Segment: Segment.objects.create(program=program, code="friends", name="Friends"),
        Store: Store.objects.create(business=business, code="s1"),
        ApiKey: key,
        Membership: member,
        Activity: failed,
        Transaction: Transaction.objects.get(membership=member),
        Lot: Lot.objects.get(membership=member),
        TierGrant: grant_tier(membership=member, tier="gold", kind="hand", reason="A guest", until=None, by=owner),
        Moving: check(program, csv_of("external_id", "a"), by=owner),
        **rehearsals_of(draft, version=version, by=owner),
        Notice: Notice.objects.create(
            program=program, membership=member, kind="expiry", what="points", ends_at=now, created_at=now
        ),
    }
    rows |= rewards_of(member, version=version, draft=draft, now=now)
    endpoint = add_endpoint(program=program, url="https://93.184.215.14/hooks", by=owner).endpoint
    rows |= {Endpoint: endpoint, Delivery: send_test(endpoint=endpoint, at=now, by=owner)}
    return Shop(program=program, rows=rows, owner=owner, cashier=cashier)


def rewards_of(member: Membership, *, version: ProgramVersion, draft: ProgramVersion, now: datetime) -> dict[type, Any]:
    """Return a reward, and a row of all that comes of rewards."""
    of_member = {"program": member.program, "membership": member, "version": version, "reward": "mug", "name": "Mug"}
    code = codes.new_code()
    return {
        Reward: Reward.objects.create(version=draft, code="mug", name="Mug", kind="product"),
        Redemption: Redemption.objects.create(
            **of_member, code=codes.new_code(), created_at=now, posted_at=now, expires_at=now
        ),
        Voucher: Voucher.objects.create(
            **of_member, code=code, lookup=code, reason="converted", issued_at=now, posted_at=now
        ),
        RewardStock: RewardStock.objects.create(program=member.program, reward="mug"),
        PoolCode: PoolCode.objects.create(program=member.program, pool="cinema", code="SEAT-1"),
    }


def rehearsals_of(draft: ProgramVersion, *, version: ProgramVersion, by: User) -> dict[type, Any]:
    """Return a back-test and a corrective run."""
    run = {"program": draft.program, "requested_by": by}
    return {
        BackTest: BackTest.objects.create(
            **run,
            version=draft,
            number=draft.number,
            terms=snapshots.kept(content.read(draft)),
            first_day=date(2025, 1, 1),
            last_day=date(2025, 12, 31),
            until=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        Correction: Correction.objects.create(**run, wrong=version, right=draft, reason="A slip"),
    }


def name(model: type, page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def pages_of(model: type, row: Any) -> list[str]:
    """Return every address about this row."""
    own = [reverse(name(model, page), args=[row.pk]) for page in OWN_PAGES.get(model, [])]
    return [reverse(name(model, page), args=[row.pk]) for page in ("change", "history", "delete")] + own


def test_every_page_has_a_row_in_this_test(shop):
    assert set(shop.rows) == set(PAGES)


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_owner_reads_list_and_row(client, shop, model):
    client.force_login(shop.owner if model not in OPERATORS_ONLY else make_user(is_superuser=True))

    listed = client.get(reverse(name(model, "changelist")))
    shown = client.get(reverse(name(model, "change"), args=[shop.rows[model].pk]))

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert shop.rows[model].pk in [row.pk for row in listed.context["cl"].result_list]


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_superuser_reads_list_and_row(client, shop, model):
    client.force_login(make_user(is_superuser=True))

    listed = client.get(reverse(name(model, "changelist")))
    shown = client.get(reverse(name(model, "change"), args=[shop.rows[model].pk]))

    assert (listed.status_code, shown.status_code) == (200, 200)


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_stranger_finds_no_row_of_another_business(client, shop, other, model):
    client.force_login(other.owner)
    before = everything()

    listed = client.get(reverse(name(model, "changelist")))
    answers = [
        (method, address, getattr(client, method)(address, {"post": "yes", "when": "now"}).status_code)
        for address in pages_of(model, shop.rows[model])
        for method in ("get", "post")
    ]

    if model in OPERATORS_ONLY:
        assert listed.status_code == 403
    else:
        assert shop.rows[model].pk not in [row.pk for row in listed.context["cl"].result_list]
    # Django's own pages send whoever asks for an unknown row back to the start; 405 is for addresses that only post.
    assert [answer for answer in answers if answer[2] not in (302, 403, 404, 405)] == []
    assert everything() == before


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_colleague_without_the_admin_is_refused_everywhere(client, shop, model):
    client.force_login(shop.cashier)
    before = everything()

    addresses = [reverse(name(model, "changelist")), reverse(name(model, "add")), *pages_of(model, shop.rows[model])]
    for address in addresses:
        for method in ("get", "post"):
            response = getattr(client, method)(address, {"post": "yes", "when": "now"}, follow=True)
            assert (address, response.status_code) == (address, 403)

    assert everything() == before


def test_colleague_without_the_admin_is_refused_its_first_page(client, shop):
    client.force_login(shop.cashier)

    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_admin_sends_whoever_is_not_signed_in_to_the_one_sign_in(client):
    response = client.get(reverse("admin:index"))
    signing_in = client.get(response.url)

    assert signing_in.url == f"{reverse('account_login')}?next=%2Fadmin%2F"


def test_first_page_shows_a_stranger_only_their_own_programs(client, shop, other):
    client.force_login(other.owner)

    response = client.get(reverse("admin:index"))

    assert [card.program for card in response.context["cards"]] == [other.program]


@pytest.mark.parametrize("model", [model for model in PAGES if model is not StaffRole], ids=lambda m: m._meta.label)
def test_rows_of_value_and_terms_cannot_be_deleted_even_by_a_superuser(client, shop, model):
    client.force_login(make_user(is_superuser=True))

    response = client.post(reverse(name(model, "delete"), args=[shop.rows[model].pk]), {"post": "yes"})

    assert response.status_code == 403


@pytest.mark.parametrize(
    "model",
    [Membership, Activity, Transaction, Lot, Redemption, Voucher, RewardStock, PoolCode],
    ids=lambda model: model._meta.label,
)
def test_what_happened_can_be_neither_added_nor_changed(client, shop, model):
    client.force_login(shop.owner)
    before = everything()

    added = client.post(reverse(name(model, "add")), {})
    changed = client.post(reverse(name(model, "change"), args=[shop.rows[model].pk]), {"status": "closed"})

    assert (added.status_code, changed.status_code) == (403, 403)
    assert everything() == before


@pytest.mark.parametrize(
    ("model", "field"), [(Store, "business"), (StaffRole, "business"), (Program, "business"), (ApiKey, "program")]
)
def test_owner_is_offered_only_their_own_business(client, shop, other, model, field):
    client.force_login(shop.owner)

    form = client.get(reverse(name(model, "add"))).context["adminform"].form

    mine = shop.program if field == "program" else shop.program.business
    assert list(form.fields[field].queryset) == [mine]


def test_owner_cannot_add_to_another_business_by_naming_it(client, shop, other):
    client.force_login(shop.owner)

    stranger = other.program
    client.post(reverse("admin:programs_store_add"), {"business": stranger.business_id, "code": "mine"})
    client.post(reverse("admin:programs_apikey_add"), {"program": stranger.pk, "name": "mine", "scopes": ["quotes"]})
    client.post(
        reverse("admin:accounts_staffrole_add"),
        {"business": stranger.business_id, "email": shop.owner.email, "role": "owner"},
    )

    assert not Store.objects.filter(code="mine").exists()
    assert not ApiKey.objects.filter(name="mine").exists()
    assert shop.owner.roles.count() == 1


@pytest.mark.parametrize(
    "model",
    [
        *(Membership, Activity, Transaction, Lot, TierGrant, Notice, ApiKey, Store, ProgramVersion),
        *(Reward, Redemption, Voucher, RewardStock, PoolCode, Endpoint, Delivery),
    ],
    ids=lambda model: model._meta.label,
)
def test_list_asks_as_many_questions_for_one_row_as_for_three(client, shop, model, django_assert_num_queries):
    client.force_login(make_user(is_superuser=True))
    address = reverse(name(model, "changelist"))
    client.get(address)
    few = count_queries(lambda: client.get(address))

    make_full_shop()
    make_full_shop()

    with django_assert_num_queries(few):
        client.get(address)


def count_queries(act) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as seen:
        act()
    return len(seen)


def everything() -> dict[str, list[Any]]:
    """Return the state of all rows that the admin could change."""
    return {
        model._meta.label: list(
            model.objects.order_by("pk").values(
                *(f.attname for f in model._meta.concrete_fields if f.name != "last_login")
            )
        )
        for model in PAGES
    }
