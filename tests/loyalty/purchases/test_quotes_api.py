from datetime import UTC, datetime

import pytest
from django.apps import apps

from loyalty.ledger.models import Standing
from programs import presets
from programs.models import Membership, Program
from programs.presets.loading import load
from tests.factories import BASE_RULE, RuleSpec, UnitSpec, make_member, make_program, make_shop, make_version
from tests.factories.activity import drain
from tests.loyalty.api.client import Till, a_purchase

CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
TERMS = {
    "tiers": {"rules": [BASE_RULE]},
    "limits": {"rules": [RuleSpec(caps={"purchase": "50", "month": "80"}), RuleSpec("extra", rate="0.5")]},
    "cashback": {
        "units": [UnitSpec("cash", precision=2, is_money=True, pending_days=14)],
        "rules": [RuleSpec(unit="cash", rate="1.5", effect="percent")],
    },
    "tax": {"rules": [RuleSpec()], "tax_earns": True},
}


def a_quote(**fields):
    body = {**a_purchase(occurred_at="2026-05-20T10:00:00Z", member="external_id:42"), **fields}
    return {name: value for name, value in body.items() if name != "external_id"}


def rows_of_all_tables():
    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models() if model._meta.managed}


@pytest.fixture
def till(db):
    program = make_shop(clock=CLOCK)
    make_member(program=program, external_id="42", joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    return Till(program)


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
@pytest.mark.parametrize("before", [[], ["30.00"], ["400.00", "70.10"]], ids=["first", "one before", "two before"])
def test_purchase_then_gets_what_the_quote_said(db, terms, before):
    program = make_program(clock=CLOCK)
    make_version(program=program, **terms)
    make_member(program=program, external_id="42", joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    till = Till(program)
    for number, total in enumerate(before):
        moment = f"2026-05-{number + 1:02}T10:00:00Z"
        till.post("purchases/", a_purchase(f"b-{number}", total=total, member="external_id:42", occurred_at=moment))
    body = a_quote(total="99.99", tax="16.66", lines=[{"amount": "60.00"}, {"amount": "39.99", "quantity": "3"}])

    quoted = till.post("quotes/", body).json()  # What is recorded, and not judged yet, counts as it will.
    drain()
    quoted_again = till.post("quotes/", body).json()
    till.post("purchases/", {**body, "external_id": "r-1"})
    drain()
    got = till.get("purchases/r-1/").json()

    assert quoted["awards"] == quoted_again["awards"] == got["awards"] != []
    assert quoted["explanation"] == quoted_again["explanation"] == got["explanation"]


@pytest.mark.parametrize("preset", ["cashback", "coffee_stars", "hotel_nights", "punch_card"])
def test_purchase_under_a_preset_then_gets_what_the_quote_said(db, preset):
    program = load(preset=presets.get(preset), slug=preset, clock=CLOCK, by=None).program
    make_member(program=program, external_id="42", joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    till = Till(program)
    lines = [
        {"amount": "300.00", "category": "travel"},
        {"amount": "90.00", "category": "stay", "brand": "Residence Inn", "quantity": "3"},
        {"amount": "9.90", "category": "coffee", "quantity": "2"},
    ]
    body = a_quote(currency=program.currency, total="399.90", lines=lines)
    till.post("purchases/", {**body, "external_id": "r-0", "occurred_at": "2026-05-02T10:00:00Z"})
    drain()

    quoted = till.post("quotes/", body).json()
    till.post("purchases/", {**body, "external_id": "r-1"})
    drain()
    got = till.get("purchases/r-1/").json()

    assert quoted["awards"] == got["awards"] != []
    assert quoted["explanation"] == got["explanation"]


def test_quote_writes_nothing(till):
    till.post("purchases/", a_purchase(member="external_id:42", occurred_at="2025-02-01T00:00:00Z", total="400.00"))
    drain()
    Program.objects.update(clock=datetime(2027, 2, 1, tzinfo=UTC))
    before, standing = rows_of_all_tables(), Standing.objects.values().get()

    answer = till.post("quotes/", a_quote(store="new", occurred_at=None))

    assert answer.status_code == 200
    assert rows_of_all_tables() == before
    assert Standing.objects.values().get() == standing


def test_quote_shows_the_member_at_their_present_though_no_task_ran(till):
    till.post("purchases/", a_purchase(member="external_id:42", occurred_at="2026-02-01T00:00:00Z", total="400.00"))
    drain()
    Program.objects.update(clock=datetime(2028, 1, 1, tzinfo=UTC))

    body = till.post("quotes/", a_quote(total="10.00", occurred_at=None)).json()

    assert (body["member"]["as_of"], body["member"]["tier"]["code"]) == ("2028-01-01T00:00:00+00:00", "basic")
    assert body["member"]["balances"] == {"points": {"available": "400", "pending": "0", "held": "0"}}
    assert [award["amount"] for award in body["awards"]] == ["10"]
    shown = till.get("members/external_id:42/").json()
    assert body["member"]["tier"] == shown["tier"]


def test_quote_says_what_earns_and_how_it_is_rounded(till):
    answer = till.post("quotes/", a_quote(total="12.10", tax="2.10")).json()

    assert answer["arithmetic"] == {
        "total": "12.10",
        "tax": "2.10",
        "paid": "0.00",
        "earns": "10.00",
        "rounding": "Each rule's award is rounded down once, on the sum of the lines that it counts. "
        "What is cut is not carried over.",
    }
    assert [award["amount"] for award in answer["awards"]] == ["10"]


def test_guest_is_quoted_the_arithmetic_alone(till):
    answer = till.post("quotes/", a_quote(member=None))

    body = answer.json()
    assert (answer.status_code, body["member"], body["awards"], body["explanation"]) == (200, None, [], [])
    assert body["arithmetic"]["earns"] == "10.99"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"member": "external_id:43"}, 404, "unknown-member"),
        ({"external_id": "r-1"}, 400, "unknown-field"),
        ({"total": "-1"}, 400, "negative-total"),
        ({"lines": [{"amount": "1.00"}]}, 400, "total-mismatch"),
        ({"currency": "USD"}, 400, "currency-mismatch"),
        ({"occurred_at": "1989-01-01T00:00:00Z"}, 400, "no-terms-in-force"),
        ({"vouchers": ["x"]}, 404, "unknown-voucher"),
    ],
)
def test_bad_quote_is_refused_like_the_purchase(till, fields, status, code):
    answer = till.post("quotes/", {**a_quote(), **fields})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_key_without_the_scope_is_quoted_nothing(till):
    stranger = Till(Membership.objects.get().program, scopes=["purchases:write", "purchases:read"])

    assert stranger.post("quotes/", a_quote()).json()["code"] == "scope-missing"


def test_quote_takes_the_same_queries_with_one_purchase_behind_it_and_with_five(till, django_assert_num_queries):
    till.post("purchases/", a_purchase("r-0", member="external_id:42", occurred_at="2026-05-01T00:00:00Z"))
    drain()
    till.post("quotes/", a_quote())
    for number in range(1, 5):
        till.post("purchases/", a_purchase(f"r-{number}", member="external_id:42", occurred_at="2026-05-02T00:00:00Z"))
        if number == 4:
            drain()
        with django_assert_num_queries(QUERIES):
            till.post("quotes/", a_quote())


QUERIES = 17


@pytest.mark.django_db(transaction=True)
def test_quote_outside_any_transaction_is_read_as_of_one_moment():
    program = make_shop(clock=CLOCK)
    make_member(program=program, external_id="42", joined_at=datetime(2026, 1, 1, tzinfo=UTC))

    answer = Till(program).post("quotes/", a_quote())

    assert (answer.status_code, [award["amount"] for award in answer.json()["awards"]]) == (200, ["10"])
