"""Rewards, redemptions and vouchers as tills see them: each refusal in words, and nothing half done."""

from __future__ import annotations

import re
import uuid
from datetime import date

import pytest
import time_machine

from loyalty.ledger.models import Account, Entry, Standing
from loyalty.rewards import guesses, pools, stocks
from loyalty.rewards.models import PoolCode, Redemption, RewardStock, Voucher
from programs import codes, lifecycle
from programs.engine.spending import MOST_AT_ONCE
from programs.models import Membership
from programs.outstanding import outstanding_of
from tests.factories import make_key, make_user
from tests.loyalty.api.client import Till
from tests.loyalty.presets.stage import Stage, available, earned, refused, reward

pytestmark = pytest.mark.django_db
COFFEE = {"category": "coffee", "amount": "75.00"}
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}")


@pytest.fixture
def stage():
    """Ana has 500 Stars at Gold, and it is noon of 10 March 2026."""
    stage = Stage("coffee_stars", "2026-01-01 00:00")
    stage.buy("2026-03-10", "500.00")
    return stage


def whole_state():
    """Return all that spending could change."""
    return (
        list(Account.objects.order_by("pk").values_list("pk", "balance")),
        Entry.objects.count(),
        list(Standing.objects.order_by("pk").values_list("pk", "counters", "memory")),
        list(Redemption.objects.order_by("pk").values_list("pk", "status")),
        list(Voucher.objects.order_by("pk").values_list("pk", "status")),
        list(RewardStock.objects.order_by("pk").values_list("pk", "claimed")),
    )


# --- Reserve, capture, release ---------------------------------------------------------------------------------------


def test_reserved_units_are_held_for_15_minutes_and_then_free_again(stage):
    held = stage.reserve("stars_100")

    assert CODE.fullmatch(held["code"])
    assert {name: held[name] for name in ("status", "units", "unit", "value", "quantity", "expires_at")} == {
        "status": "reserved",
        "units": "100",
        "unit": "stars",
        "value": None,
        "quantity": 1,
        "expires_at": "2026-03-10T12:15:00-07:00",
    }
    assert stage.member()["balances"]["stars"] == {
        "available": "400", "pending": "0", "held": "100", "next_expiry": None
    }  # fmt: skip

    balances = stage.at("2026-03-10 12:15")["balances"]["stars"]

    assert (balances["available"], balances["held"]) == ("500", "0")
    shown = stage.till.get(f"redemptions/{held['id']}/").json()
    assert (shown["status"], shown["reason"]) == ("released", "The time was up, so the units are free again.")
    assert stage.books() == []


def test_capture_spends_and_may_be_repeated(stage):
    held = stage.reserve("stars_100")

    answers = [stage.till.post(f"redemptions/{held['id']}/capture/") for _ in range(3)]

    assert [(one.status_code, one.json()["status"]) for one in answers] == [(200, "captured")] * 3
    assert available(stage.member(), "stars") == "400"
    assert refused(stage.till.post(f"redemptions/{held['id']}/release/")) == (409, "redemption-captured")
    assert stage.books() == []


def test_release_gives_free_and_may_be_repeated(stage):
    held = stage.reserve("stars_100")

    answers = [stage.till.post(f"redemptions/{held['id']}/release/") for _ in range(3)]

    assert [(one.status_code, one.json()["status"]) for one in answers] == [(200, "released")] * 3
    assert available(stage.member(), "stars") == "500"
    assert refused(stage.till.post(f"redemptions/{held['id']}/capture/")) == (409, "redemption-released")
    assert stage.books() == []


def test_capture_after_the_end_is_refused_and_leaves_the_units_free(stage):
    held = stage.reserve("stars_100")
    stage.at("2026-03-10 12:14:59")
    other = stage.reserve("stars_25")
    stage.at("2026-03-10 12:15")

    late = stage.till.post(f"redemptions/{held['id']}/capture/")

    assert refused(late) == (409, "hold-expired")
    assert late.json()["detail"] == "The time to redeem this is up"
    assert stage.till.post(f"redemptions/{held['id']}/release/").json()["status"] == "released"
    assert stage.till.post(f"redemptions/{other['id']}/capture/").status_code == 200
    assert available(stage.member(), "stars") == "475"
    assert stage.books() == []


def test_code_stands_for_the_redemption(stage):
    held = stage.reserve("stars_100")

    captured = stage.till.post(f"redemptions/{held['code'].lower().replace('-', ' ')}/capture/")

    assert (captured.status_code, captured.json()["id"]) == (200, held["id"])


def test_purchase_not_yet_judged_counts_before_units_are_refused(stage):
    body = {"external_id": "r", "member": "external_id:ana", "currency": "USD", "total": "100.00"}
    stage.till.post("purchases/", body | {"occurred_at": "2026-03-10T12:00:00-07:00"})

    assert stage.ask("stars_400").status_code == 201
    assert stage.ask("stars_200").status_code == 201


def test_entries_name_what_units_were_spent_on(stage):
    stage.redeem("stars_100")

    entries = stage.till.get("members/external_id:ana/entries/").json()["results"]

    told = [(one["kind"], one["account"], one["amount"], one["source"]["type"], one["reason"]) for one in entries]
    assert sorted(told[:3]) == [
        ("hold", "available", "-100", "redemption", "Set aside: Coffee, tea or bakery"),
        ("hold", "held", "100", "redemption", "Set aside: Coffee, tea or bakery"),
        ("redeem", "held", "-100", "redemption", "Spent: Coffee, tea or bakery"),
    ]


# --- Refusals --------------------------------------------------------------------------------------------------------


def prepared(stage, code):
    """Bring about a refusal of this code; return what is asked for then."""
    if code == "not-enough-units":
        return {"reward": "stars_400", "quantity": 1}, "stars_400"
    if code == "sold-out":
        stage.revise(reward("stars_25", stock=1))
        stage.reserve("stars_25")
    elif code == "not-open":
        stage.revise(reward("stars_25", weekdays="wed"))
    elif code == "limit-reached":
        stage.redeem("free_addon")
        return {}, "free_addon"
    elif code == "basket-share":
        stage.revise(reward("stars_60", most_share="10"))
        return {"basket_total": "19.99"}, "stars_60"
    elif code == "tier-too-low":
        stage.revise(reward("stars_25", from_tier="reserve"))
    return {}, "stars_25"


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("sold-out", "All of them are gone."),
        ("not-open", "It is closed now; it opens on 11\u00a0Mar\u00a02026, 00:00."),
        ("limit-reached", "It is given once a calendar month."),
        ("basket-share", "The basket is too small for it."),
        ("tier-too-low", "This is for members from Reserve on."),
    ],
)
def test_refusal_says_why_and_leaves_nothing_half_done(stage, code, detail):
    body, wanted = prepared(stage, code)
    before = whole_state()

    answer = stage.ask(wanted, **body)

    assert refused(answer) == (409, code)
    assert answer.json()["detail"] == detail
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert whole_state() == before
    assert stage.books() == []


def test_units_that_are_missing_are_told_and_nothing_is_taken(stage):
    stage.redeem("stars_400")
    before = whole_state()

    answer = stage.ask("stars_200")

    assert refused(answer) == (409, "not-enough-units")
    assert answer.json()["detail"] == "100\u00a0Stars are missing."
    assert whole_state() == before


def test_one_missing_unit_is_told_in_the_singular(stage):
    stage.redeem("stars_300")
    stage.revise(reward("stars_200", price="201"))

    assert stage.ask("stars_200").json()["detail"] == "1\u00a0Star is missing."


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"reward": "no-such"}, "unknown-reward", "/reward"),
        ({"member": "external_id:nobody"}, "unknown-member", "/member"),
        ({"quantity": 2}, "one-at-a-time", "/quantity"),
        ({"quantity": 0}, "wrong-type", "/quantity"),
        ({"quantity": "2"}, "wrong-type", "/quantity"),
        ({"amount": "5.00"}, "no-amount", "/amount"),
        ({"amount": "-5.00"}, "not-positive", "/amount"),
        ({"amount": "1.001"}, "too-precise", "/amount"),
        ({"amount": "1.00", "quantity": 1}, "quantity-and-amount", "/quantity"),
        ({"basket_total": "-1.00"}, "not-positive", "/basket_total"),
        ({"basket_total": "1e9"}, "not-a-number", "/basket_total"),
        ({"reward": "a\x00b"}, "nul-character", "/reward"),
        ({"colour": "red"}, "unknown-field", "/colour"),
    ],
)
def test_bad_body_is_refused_with_a_pointer(stage, body, code, pointer):
    before = whole_state()

    answer = stage.till.post("redemptions/", {"member": "external_id:ana", "reward": "stars_25", **body})

    assert answer.json()["code"] == code
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert whole_state() == before


@pytest.mark.parametrize(("status", "code"), [("blocked", "member-blocked"), ("closed", "member-closed")])
def test_blocked_and_closed_members_spend_nothing(stage, status, code):
    Membership.objects.update(status=status)

    assert refused(stage.ask("stars_25")) == (409, code)


def test_same_idempotency_key_reserves_once(stage):
    body = {"member": "external_id:ana", "reward": "stars_25"}

    first, again = (stage.till.post("redemptions/", body, Idempotency_Key="k") for _ in range(2))

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Redemption.objects.count() == 1


# --- Paying a purchase -----------------------------------------------------------------------------------------------


def test_purchase_captures_what_pays_for_it_and_earns_on_the_rest(stage):
    held = stage.reserve("stars_60")

    bought = stage.buy("2026-03-10", "12.00", redemptions=[held["id"]])

    assert (earned(bought), bought["paid"], bought["redemptions"]) == ({"base": "12"}, "2.00", [held["id"]])
    assert available(stage.member(), "stars") == "452"
    assert stage.books() == []


def test_quote_says_the_part_that_is_paid(stage):
    held = stage.reserve("stars_60")
    before = whole_state()
    body = {"member": "external_id:ana", "currency": "USD", "total": "12.00", "redemptions": [held["id"]]}

    quote = stage.till.post("quotes/", body).json()

    assert (quote["arithmetic"]["paid"], quote["arithmetic"]["earns"]) == ("2.00", "10.00")
    assert whole_state() == before


def test_redemption_pays_for_one_purchase(stage):
    paid = stage.redeem("stars_60")
    stage.buy("2026-03-10", "12.00", redemptions=[paid["id"]])
    body = {"external_id": "other", "member": "external_id:ana", "currency": "USD", "total": "12.00"}
    body |= {"occurred_at": "2026-03-10T12:00:00-07:00", "redemptions": [paid["id"]]}

    assert refused(stage.till.post("purchases/", body)) == (409, "redemption-used")
    assert refused(stage.till.get("purchases/other/"))[0] == 404


def test_in_a_batch_only_the_purchase_that_cannot_be_paid_fails(stage):
    held, over = stage.reserve("stars_60"), stage.reserve("stars_25")
    stage.till.post(f"redemptions/{over['id']}/release/")
    common = {"member": "external_id:ana", "currency": "USD", "total": "12.00"}
    common |= {"occurred_at": "2026-03-10T12:00:00-07:00"}
    bodies = [
        {"external_id": "a", **common, "redemptions": [held["id"], over["id"]]},
        {"external_id": "b", **common, "redemptions": [held["id"]]},
        {"external_id": "c", **common, "vouchers": ["0000-0000-0000"]},
    ]

    results = stage.till.post("purchases/batch/", {"purchases": bodies}).json()["results"]

    assert [(one["status"], one.get("code")) for one in results] == [
        ("refused", "redemption-released"),
        ("recorded", None),
        ("refused", "unknown-voucher"),
    ]
    assert Redemption.objects.get(pk=held["id"]).status == "captured"
    assert stage.books() == []


def test_redemption_and_voucher_of_another_member_pay_nothing(stage):
    stage.join("ben", "2026-01-01 00:00")
    held = stage.reserve("stars_60")
    body = {"external_id": "b", "member": "external_id:ben", "currency": "USD", "total": "12.00"}
    body |= {"occurred_at": "2026-03-10T12:00:00-07:00"}

    theirs = stage.till.post("purchases/", body | {"redemptions": [held["id"]]})
    guests = stage.till.post("purchases/", body | {"member": None, "redemptions": [held["id"]]})
    unknown = stage.till.post("purchases/", body | {"redemptions": [str(uuid.uuid4())]})

    assert [refused(one) for one in (theirs, guests, unknown)] == [
        (409, "not-the-members"),
        (409, "not-the-members"),
        (404, "unknown-redemption"),
    ]


def test_return_can_only_give_back_what_was_spent_on_its_purchase(stage):
    first, held = stage.redeem("stars_60"), stage.reserve("stars_25")
    bought = stage.buy("2026-03-10", "12.00", redemptions=[first["id"]])
    other = stage.buy("2026-03-10", "12.00")
    body = {"external_id": "back", "purchase": other["external_id"], "occurred_at": "2026-03-11T12:00:00-07:00"}

    assert refused(stage.till.post("refunds/", body | {"redemptions": [first["id"]]})) == (409, "not-the-purchases")
    assert refused(stage.till.post("refunds/", body | {"redemptions": [held["id"]]})) == (409, "redemption-not-spent")
    stage.give_back(bought, "2026-03-11", redemptions=[first["id"]])
    assert Redemption.objects.get(pk=first["id"]).status == "returned"
    assert stage.books() == []


def test_return_before_its_purchase_gives_back_what_it_names(stage):
    paid = stage.redeem("stars_60")
    back = {"external_id": "back", "purchase": "later", "occurred_at": "2026-03-11T12:00:00-07:00"}
    stage.till.post("refunds/", back | {"redemptions": [paid["id"]]})

    stage.buy("2026-03-10", "12.00", external_id="later", redemptions=[paid["id"]])

    assert available(stage.member(), "stars") == "500"
    assert Redemption.objects.get(pk=paid["id"]).status == "returned"
    assert stage.books() == []


# --- Pools and stocks ------------------------------------------------------------------------------------------------


def test_code_of_a_pool_becomes_the_members_voucher_when_it_is_captured(stage):
    stage.revise(reward("stars_100", kind="pool", pool="cinema", lives_months=3))
    pools.add_codes(program=stage.program, pool="cinema", codes=[pools.PoolRow("Kino-77 x")], by=None)
    assert stage.rewards()["stars_100"]["stock"] == 1

    held = stage.reserve("stars_100")
    assert (held["voucher"], refused(stage.ask("stars_100"))) == (None, (409, "sold-out"))
    captured = stage.till.post(f"redemptions/{held['id']}/capture/").json()

    assert captured["voucher"] == "Kino-77 x"
    (voucher,) = stage.vouchers()
    assert (voucher["code"], voucher["expires_at"]) == ("Kino-77 x", "2026-06-11T00:00:00-07:00")
    assert stage.use("KINO77X").json()["status"] == "redeemed"


def test_code_of_a_pool_is_free_again_when_nobody_captures(stage):
    stage.revise(reward("stars_100", kind="pool", pool="cinema"))
    pools.add_codes(program=stage.program, pool="cinema", codes=[pools.PoolRow("A")], by=None)
    stage.reserve("stars_100")
    assert stage.rewards()["stars_100"]["reason_code"] == "sold-out"

    stage.at("2026-03-10 12:15")

    assert stage.rewards()["stars_100"]["stock"] == 1
    assert PoolCode.objects.get().state == "free"


def test_added_stock_can_be_given_out_at_once(stage):
    stage.revise(reward("stars_25", stock=0))
    assert refused(stage.ask("stars_25")) == (409, "sold-out")

    stocks.add_stock(program=stage.program, reward="stars_25", count=2, by=make_user())

    assert stage.rewards()["stars_25"]["stock"] == 2
    assert stage.ask("stars_25").status_code == 201
    assert stage.rewards()["stars_25"]["stock"] == 1


# --- Codes, strangers, keys ------------------------------------------------------------------------------------------


def test_codes_carry_a_check_character_and_are_read_as_people_type_them():
    drawn = {codes.new_code() for _ in range(200)}

    assert len(drawn) == 200
    for code in list(drawn)[:50]:
        assert codes.normal(codes.shown(code).lower().replace("0", "O").replace("1", "l")) == code
        wrong = [code[:place] + char + code[place + 1 :] for place in range(12) for char in codes.ALPHABET]
        assert [codes.normal(one) for one in wrong if one != code] == [None] * (12 * 31)


@pytest.fixture
def at_the_start_of_a_window():
    with time_machine.travel(1_800_000_000 // guesses.WINDOW * guesses.WINDOW + 90, tick=False):
        yield


GUESS = "0000-0000-0000"


def spend(till, what, code):
    """Return the answer to a call that names a code, whichever call it is."""
    basket = {"member": "external_id:ana", "currency": "USD", "total": "9.00", "vouchers": [code]}
    dated = {"external_id": "g", "occurred_at": "2026-03-10T12:00:00-07:00"}
    if what == "batch":
        return till.post("purchases/batch/", {"purchases": [basket | dated]})
    if what == "refund":
        return till.post("refunds/", dated | {"purchase": "p", "redemptions": [code]})
    if what == "redeem":
        return till.post(f"vouchers/{code}/redeem/", {"redemption_ref": "r"})
    calls = {"purchase": ("purchases/", basket | dated), "quote": ("quotes/", basket)}
    return till.post(*calls[what]) if what in calls else till.get(f"{what}/{code}/")


@pytest.mark.parametrize("what", ["vouchers", "redemptions", "redeem", "purchase", "quote", "refund", "batch"])
def test_guessing_codes_is_stopped_for_the_key_whatever_the_call(stage, what, at_the_start_of_a_window):
    other = Till(stage.program)
    for _ in range(guesses.MOST):
        assert spend(stage.till, what, GUESS).status_code == (200 if what == "batch" else 404)

    stopped = [spend(stage.till, one, GUESS) for one in ("vouchers", "redeem", "purchase", "quote", "refund")]

    assert [refused(one) for one in stopped] == [(429, "too-many-requests")] * 5
    assert stopped[0].headers["Retry-After"] == str(guesses.WINDOW - 90)
    (batched,) = spend(stage.till, "batch", GUESS).json()["results"]
    assert (batched["status"], batched["code"]) == ("refused", "too-many-requests")
    assert spend(other, "vouchers", GUESS).status_code == 404


def test_misread_code_is_no_guess(stage, at_the_start_of_a_window):
    for _ in range(guesses.MOST + 5):
        assert stage.till.get("vouchers/0000-0000-0001/").status_code == 404


def test_stranger_sees_and_moves_nothing(stage):
    held = stage.reserve("stars_25")
    stranger = Till(Stage("punch_card").program)
    body = {"member": "external_id:ana", "reward": "stars_25"}

    answers = [
        stranger.get(f"redemptions/{held['id']}/"),
        stranger.get(f"redemptions/{held['code']}/"),
        stranger.post(f"redemptions/{held['id']}/capture/"),
        stranger.post(f"redemptions/{held['id']}/release/"),
        stranger.post("redemptions/", body),
        stranger.get("vouchers/0000-0000-0000/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert Redemption.objects.get().status == "reserved"


@pytest.mark.parametrize(
    ("method", "address", "scope"),
    [
        ("GET", "members/external_id:ana/rewards/", "rewards:read"),
        ("GET", "members/external_id:ana/vouchers/", "rewards:read"),
        ("GET", "vouchers/0000-0000-0000/", "rewards:read"),
        ("POST", "vouchers/0000-0000-0000/redeem/", "vouchers:write"),
        ("POST", "redemptions/", "redemptions:write"),
        ("GET", f"redemptions/{uuid.UUID(int=7)}/", "rewards:read"),
        ("POST", f"redemptions/{uuid.UUID(int=7)}/capture/", "redemptions:write"),
        ("POST", f"redemptions/{uuid.UUID(int=7)}/release/", "redemptions:write"),
    ],
)
def test_call_needs_its_scope(stage, method, address, scope):
    others = [one for one in ("rewards:read", "redemptions:write", "vouchers:write", "members:read") if one != scope]
    without = Till(stage.program, secret=make_key(program=stage.program, scopes=others)[1])

    assert refused(without.send(method, address, {} if method == "POST" else None)) == (403, "scope-missing")
    assert refused(Till(stage.program, secret="loy_nobody_x").send(method, address)) == (401, "key-unknown")


# --- Lists and costs -------------------------------------------------------------------------------------------------


def test_vouchers_are_listed_by_page_newest_first():
    stage = Stage("punch_card")
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "27"})

    first = stage.till.get("members/external_id:ana/vouchers/?page_size=2").json()
    rest = stage.till.client.get(first["next"], headers={"Authorization": f"Bearer {stage.till.secret}"}).json()

    assert [len(page["results"]) for page in (first, rest)] == [2, 1]
    assert len({one["code"] for page in (first, rest) for one in page["results"]}) == 3


def test_rewards_speak_the_callers_language_where_it_is_spoken(stage):
    answer = stage.till.get("members/external_id:ana/rewards/", Accept_Language="en").json()

    assert [one["available"] for one in answer["results"]] == [True] * 7
    assert (answer["next"], answer["previous"]) == (None, None)


def test_calls_cost_the_same_whatever_the_history(stage, django_assert_num_queries):
    stage.rewards()
    for count in (0, 30):
        stage.buy_all([("2026-03-10", "5.00")] * count) if count else None
        with django_assert_num_queries(QUERIES_FOR_REWARDS):
            stage.rewards()
        with django_assert_num_queries(QUERIES_TO_RESERVE):
            stage.reserve("stars_25")


QUERIES_FOR_REWARDS, QUERIES_TO_RESERVE = 13, 22


# --- Programs that stand still or have ended ------------------------------------------------------------------------


def test_paused_program_gives_out_nothing_and_finishes_what_was_begun(stage):
    held, other = stage.reserve("stars_25"), stage.reserve("stars_60")
    lifecycle.pause(program=stage.program, by=None)

    assert refused(stage.ask("stars_25")) == (409, "program-paused")
    assert stage.till.post(f"redemptions/{held['id']}/capture/").json()["status"] == "captured"
    assert stage.till.post(f"redemptions/{other['id']}/release/").json()["status"] == "released"

    lifecycle.resume(program=stage.program, by=None)
    assert stage.ask("stars_25").status_code == 201
    assert stage.books() == []


def test_closed_program_gives_out_up_to_its_last_day_then_all_units_are_gone(stage):
    stage.at("2026-03-10 12:00")
    lifecycle.close(program=stage.program, last_day=date(2026, 3, 12), by=None)
    assert stage.ask("stars_25").status_code == 201
    stage.at("2026-03-12 23:59")
    held = stage.reserve("stars_60")

    balances = stage.at("2026-03-13 00:20")["balances"]["stars"]

    assert (balances["available"], balances["held"]) == ("0", "0")
    assert refused(stage.ask("stars_25")) == (409, "program-closed")
    assert refused(stage.till.post(f"redemptions/{held['id']}/capture/")) == (409, "hold-expired")
    assert stage.books() == []


def test_voucher_is_good_for_nothing_while_the_program_stands_still():
    stage = Stage("punch_card")
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "9"})
    code = stage.vouchers()[0]["code"]
    lifecycle.pause(program=stage.program, by=None)

    assert refused(stage.use(code)) == (409, "program-paused")
    assert [line.what for line in outstanding_of(stage.program)] == ["Vouchers that can still be used"]


# --- What a purchase really is ---------------------------------------------------------------------------------------


def test_product_named_without_lines_pays_nothing_of_the_rest(stage):
    syrup = stage.reserve("stars_25")

    bought = stage.buy("2026-03-10", "40.00", redemptions=[syrup["id"]])

    assert (earned(bought), bought["paid"]) == ({"base": "48"}, "0.00")


@pytest.mark.parametrize(
    ("claims", "total", "lines"),
    [
        ([("120.00", "400.00"), ("120.00", "400.00")], "400.00", None),
        ([("300.00", "1000.00")], "400.00", None),
        ([("120.00", "400.00")], "300.00", [{"amount": "399.99"}, {"amount": "-99.99"}]),
    ],
)
def test_share_of_the_basket_is_that_of_the_purchase(claims, total, lines):
    stage = Stage("vipeak")
    stage.buy("2025-03-10", "8000.00")
    held = [stage.reserve("points_cash", amount=amount, basket_total=basket) for amount, basket in claims]
    body = {"external_id": "x", "member": "external_id:ana", "currency": "HKD", "total": total, "lines": lines}
    body |= {"occurred_at": "2025-03-10T12:00:00+08:00", "redemptions": [one["id"] for one in held]}
    before = whole_state()

    assert refused(stage.till.post("purchases/", body)) == (409, "basket-share")
    assert whole_state() == before


def test_discount_in_a_line_of_its_own_leaves_the_original_price():
    stage = Stage("vipeak")
    stage.buy("2025-03-10", "8000.00")
    held = stage.reserve("points_cash", amount="120.00", basket_total="400.00")

    bought = stage.buy("2025-03-10", None, {"amount": "400.00"}, {"amount": "-100.00"}, redemptions=[held["id"]])

    assert (bought["paid"], bought["total"]) == ("120.00", "300.00")


def test_order_too_small_for_the_birthday_is_refused_when_it_is_posted():
    stage = Stage("xplr_pass", "2025-05-02 00:00", birth_date="1990-05-20")
    held = stage.reserve("birthday_25", basket_total="125.00")
    body = {"external_id": "x", "member": "external_id:ana", "currency": "USD", "total": "100.00"}
    body |= {"occurred_at": "2025-05-02T00:01:00-07:00", "redemptions": [held["id"]]}

    assert refused(stage.till.post("purchases/", body)) == (409, "basket-share")
    assert stage.till.get(f"redemptions/{held['id']}/").json()["status"] == "reserved"


def test_credit_is_never_more_than_the_basket():
    stage = Stage("cashback", "2026-01-01 00:00")
    stage.buy("2026-02-01", "500.00")
    stage.at("2026-02-15 12:00")
    assert refused(stage.ask("credit", amount="4.00", basket_total="3.00")) == (409, "basket-share")
    held = stage.reserve("credit", amount="4.00")
    body = {"external_id": "x", "member": "external_id:ana", "currency": "EUR", "total": "3.00"}
    body |= {"occurred_at": "2026-02-15T12:01:00+01:00", "redemptions": [held["id"]]}

    assert refused(stage.till.post("purchases/", body)) == (409, "basket-share")


@pytest.mark.parametrize(("when", "status"), [("2026-03-10 12:14:59", 201), ("2026-03-10 12:15", 409)])
def test_purchase_comes_after_all_that_fell_due_by_its_own_moment(stage, when, status):
    held = stage.reserve("stars_60")
    body = {"external_id": "x", "member": "external_id:ana", "currency": "USD", "total": "9.00"}
    body |= {"occurred_at": stage.moment(when).isoformat(), "redemptions": [held["id"]]}

    answer = stage.till.post("purchases/", body)

    assert answer.status_code == status
    assert status == 201 or answer.json()["code"] == "hold-expired"


def test_voucher_is_judged_by_the_purchases_moment():
    stage = Stage("xplr_pass")
    stage.buy("2025-03-01", "200.00")
    stage.at("2025-06-20")
    late, offline = (one["code"] for one in stage.vouchers())
    body = {"member": "external_id:ana", "currency": "USD", "total": "50.00"}
    used = body | {"occurred_at": "2026-05-16T00:00:00-07:00", "vouchers": [late]}

    assert refused(stage.till.post("purchases/", used | {"external_id": "a"})) == (409, "voucher-expired")
    stage.at("2026-08-01")
    in_time = body | {"occurred_at": "2026-05-15T23:00:00-07:00", "vouchers": [offline]}
    assert stage.till.post("purchases/", in_time | {"external_id": "b"}).status_code == 201


@pytest.mark.parametrize(
    "lines",
    [
        [{"category": "cake", "amount": "90.00"}],
        [COFFEE | {"quantity": "0.5"}],
    ],
)
def test_voucher_is_not_burned_for_nothing(lines):
    stage = Stage("punch_card")
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "9"})
    (voucher,) = stage.vouchers()
    body = {"external_id": "x", "member": "external_id:ana", "currency": "CZK", "total": lines[0]["amount"]}
    body |= {"occurred_at": "2025-03-02T12:00:00+01:00", "vouchers": [voucher["code"]], "lines": lines}

    assert refused(stage.till.post("purchases/", body)) == (409, "nothing-to-pay")
    assert [one["status"] for one in stage.vouchers()] == ["issued"]


def test_second_voucher_needs_a_second_coffee_and_the_dearest_within_its_worth_is_free():
    stage = Stage("punch_card")
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "18"})
    both = [one["code"] for one in stage.vouchers()]
    lines = [COFFEE | {"amount": "130.00"}, COFFEE | {"amount": "110.00"}]
    body = {"external_id": "x", "member": "external_id:ana", "currency": "CZK", "total": "110.00", "vouchers": both}
    body |= {"occurred_at": "2025-03-02T12:00:00+01:00"}

    assert refused(stage.till.post("purchases/", body | {"lines": lines[1:]})) == (409, "nothing-to-pay")
    assert stage.buy("2025-03-02", None, *lines, vouchers=both[:1])["paid"] == "110.00"
    assert stage.buy("2025-03-02", None, lines[0], vouchers=both[1:])["paid"] == "120.00"


def test_gift_brings_what_it_promised_when_it_was_asked_for():
    stage = Stage("beauty_insider", birth_date="1990-05-20")
    stage.join("ben", "2025-01-01 00:00", birth_date="1990-05-20")
    stage.at("2025-05-20 12:00")
    gifts = [stage.reserve("birthday_points", member=name) for name in ("ana", "ben")]
    stage.revise(reward("birthday_points", gives=100))
    stage.at("2025-05-20 12:01")
    stage.till.post(f"redemptions/{gifts[0]['id']}/capture/")
    stage.revise(lambda draft: draft.rewards.filter(code="birthday_points").delete())
    stage.at("2025-05-20 12:02")
    stage.till.post(f"redemptions/{gifts[1]['id']}/capture/")

    assert [available(stage.member(name), "points") for name in ("ana", "ben")] == ["250", "250"]


def test_quote_refuses_what_the_purchase_would():
    stage = Stage("punch_card")
    stage.buy("2025-03-01", None, COFFEE | {"quantity": "9"})
    (voucher,) = stage.vouchers()
    stage.use(voucher["code"])
    body = {"member": "external_id:ana", "currency": "CZK", "total": "75.00", "vouchers": [voucher["code"]]}

    assert refused(stage.till.post("quotes/", body)) == (409, "voucher-used")


def test_points_that_would_have_ended_meanwhile_do_not_come_back():
    stage = Stage("beauty_insider", "2022-01-01 00:00")
    stage.buy("2022-02-28", "600.00")
    cash = stage.redeem("bi_cash")
    bought = stage.buy("2022-02-28", "20.00", redemptions=[cash["id"]])
    stage.buy("2024-01-01", "0.00")

    stage.give_back(bought, "2024-01-02", redemptions=[cash["id"]])

    assert available(stage.member(), "points") == "0"
    assert stage.books() == []


def test_returns_that_name_one_redemption_give_it_back_once(stage):
    paid = stage.redeem("stars_60")
    bought = stage.buy("2026-03-10", "12.00", redemptions=[paid["id"]])
    stage.give_back(bought, "2026-03-11", redemptions=[paid["id"]], amount="5.00")
    body = {"external_id": "again", "purchase": bought["external_id"], "redemptions": [paid["id"]]}

    again = stage.till.post("refunds/", body | {"occurred_at": "2026-03-12T12:00:00-07:00"})

    assert refused(again) == (409, "redemption-returned")
    assert stage.books() == []


def test_early_return_that_names_what_did_not_pay_is_set_aside_with_its_reason(stage):
    paid = stage.redeem("stars_60")
    stage.buy("2026-03-10", "12.00", redemptions=[paid["id"]])
    back = {"external_id": "back", "purchase": "later", "occurred_at": "2026-03-11T12:00:00-07:00"}
    stage.till.post("refunds/", back | {"redemptions": [paid["id"]]})

    stage.buy("2026-03-10", "12.00", external_id="later")

    told = stage.read("refunds", "back")
    assert (told["status"], told["detail"]) == ("failed", "This redemption did not pay for that purchase")
    assert Redemption.objects.get(pk=paid["id"]).returned_by is None


def test_typing_error_at_a_till_does_not_fill_the_tables():
    stage = Stage("punch_card")

    stage.buy("2025-03-01", "100.00", COFFEE | {"amount": "100.00", "quantity": "1000000"})

    assert Voucher.objects.count() == MOST_AT_ONCE
    assert available(stage.member(), "stamps") == str(1_000_000 - 9 * MOST_AT_ONCE)
