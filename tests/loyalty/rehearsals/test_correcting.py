"""A wrong version superseded: what it judged is judged again, shown first, then posted once and to the last unit."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from loyalty.ledger.models import Account, Entry, Lot, Standing, Transaction
from loyalty.ledger.verify import verify
from loyalty.purchases.models import Rejudgement
from loyalty.rehearsals import actions, running, working
from loyalty.rehearsals.models import Adjustment, Correction
from programs.actions import publish
from programs.models import UnitTerms
from tests.factories import RuleSpec, make_member, make_program, make_shop, make_user, make_version
from tests.factories.activity import JOINED, drain, record
from tests.factories.rehearsals import back_test, make_draft, post, rate, supersede
from tests.loyalty.presets.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """1 point for each 1.00 since 1990, in any tier; it should have been 2."""
    program = make_program()
    make_version(program=program, rules=[RuleSpec()])
    return program


@pytest.fixture
def member(shop):
    return make_member(program=shop, external_id="m", joined_at=JOINED)


def available(member, unit="points"):
    return Account.objects.get(membership=member, unit__code=unit, kind="available").balance


def adjusted(program):
    return Transaction.objects.filter(program=program, kind="adjust").count()


def in_order(program):
    report = verify(programs=[program])
    return report.faults == []


def test_effect_is_shown_before_anything_is_posted(shop, member):
    record(member, "r1", 10_000)
    drain()
    entries = Entry.objects.count()

    run = supersede(shop.versions.get(), make_draft(shop, rate("base", "2")))

    (row,) = run.members.all()
    assert row.shown == {"units": {"points": 100}, "before": "basic", "after": "basic", "count": 1}
    assert (Entry.objects.count(), Rejudgement.objects.count(), available(member)) == (entries, 0, 100)
    assert (run.right.number, run.right.is_draft, run.phase, run.can_be_posted) == (2, False, "preview", True)


@pytest.mark.parametrize(("right", "balance"), [("2", 200), ("0.5", 50), ("1", 100)])
def test_correction_is_posted_as_one_transaction_and_a_whole_return_then_leaves_nothing(shop, member, right, balance):
    record(member, "r1", 10_000)
    drain()

    run = post(supersede(shop.versions.get(), make_draft(shop, rate("base", right))))

    assert (available(member), adjusted(shop), in_order(shop)) == (balance, int(balance != 100), True)
    assert [row.posted == row.shown and not row.differs for row in run.members.all()] == [True] * (balance != 100)
    record(member, "back", 10_000, days=9, kind="refund", purchase="r1")
    drain()
    assert (available(member), in_order(shop)) == (0, True)
    assert Lot.objects.filter(remaining__gt=0).count() == 0


def test_partial_returns_before_and_after_sum_to_the_whole(shop, member):
    record(member, "r1", 10_001)
    record(member, "back1", 3_334, days=1, kind="refund", purchase="r1")
    drain()

    post(supersede(shop.versions.get(), make_draft(shop, rate("base", "1.5"))))

    assert available(member) == 100  # 66.67 at 1.5
    for number, part in enumerate((3_333, 3_334)):
        record(member, f"back{number + 2}", part, days=9 + number, kind="refund", purchase="r1")
        drain()
    assert (available(member), in_order(shop)) == (0, True)


def test_tier_reached_under_the_right_terms_is_what_later_purchases_earned_at(shop, member):
    record(member, "r1", 40_000)
    record(member, "r2", 10_000, days=1)
    drain()

    def silver_earns_double(draft):
        rule = draft.rules.get()
        rule.tier_rates.create(tier=draft.tiers.get(code="silver"), rate=2)

    post(supersede(shop.versions.get(), make_draft(shop, silver_earns_double)))

    assert available(member) == 400 + 200


def test_credit_that_the_right_terms_count_brings_the_tier(shop, member):
    record(member, "r1", 40_000, tax=6_000)  # Without the tax it is 340.00, which is not silver.
    drain()
    assert Standing.objects.get(pk=member.pk).tier == "basic"
    wrong = shop.versions.get()

    def tax_earns(draft):
        draft.tax_earns = True
        draft.save()

    run = supersede(wrong, make_draft(shop, tax_earns))
    assert [(one.shown["before"], one.shown["after"]) for one in run.members.all()] == [("basic", "silver")]
    post(run)

    standing = Standing.objects.get(pk=member.pk)
    assert (standing.tier, standing.credit["spend"], available(member)) == ("silver", {"2025": 40_000}, 400)
    record(member, "back", 40_000, days=3, kind="refund", purchase="r1")
    drain()
    standing.refresh_from_db()
    assert (standing.tier, standing.credit, available(member), in_order(shop)) == ("basic", {}, 0, True)


def test_limit_counts_what_the_right_terms_use_of_it(member, shop):
    wrong = shop.versions.get()
    wide = make_draft(shop, lambda draft: draft.rules.get().caps.create(window="lifetime", amount=150))
    record(member, "r1", 10_000)
    record(member, "r2", 10_000, days=1)
    drain()

    post(supersede(wrong, wide))

    assert available(member) == 150
    record(member, "r3", 10_000, days=800)
    drain()
    assert available(member) == 150
    record(member, "back", 10_000, days=801, kind="refund", purchase="r1")
    drain()
    assert (available(member), in_order(shop)) == (50, True)


@pytest.mark.parametrize(
    ("debt", "balance", "owed"), [("owe", -50, {}), ("remember", 0, {"points": 50}), ("waive", 0, {})]
)
def test_units_already_gone_follow_the_policy_on_debts(shop, member, debt, balance, owed):
    record(member, "r1", 10_000)
    drain()
    spend(member, 100)

    def half(draft):
        rate("base", "0.5")(draft)
        UnitTerms.objects.filter(version=draft).update(debt=debt)

    post(supersede(shop.versions.get(), make_draft(shop, half)))

    assert (available(member), Standing.objects.get(pk=member.pk).memory.get("owed", {})) == (balance, owed)
    assert in_order(shop)
    row = Adjustment.objects.get()
    assert (row.amount, row.moved) == (-50, balance)


def spend(member, amount):
    """Take units out of the member's books as a redemption does."""
    own = Account.objects.get(membership=member, kind="available")
    sink = Account.objects.get(program=member.program, membership=None, kind="redeemed")
    moved = Transaction.objects.create(
        program=member.program, membership=member, kind="redeem", occurred_at=JOINED, posted_at=JOINED
    )
    own.balance -= amount
    own.save()
    for account, signed, after in ((own, -amount, own.balance), (sink, amount, None)):
        Entry.objects.create(
            program=member.program, transaction=moved, account=account, amount=signed, balance_after=after
        )
    Lot.objects.filter(membership=member).update(remaining=0)


def test_return_between_the_showing_and_the_posting_is_seen(shop, member):
    record(member, "r1", 10_000)
    record(member, "r2", 10_000, days=1)
    drain()
    run = supersede(shop.versions.get(), make_draft(shop, rate("base", "2")))
    record(member, "back", 10_000, days=2, kind="refund", purchase="r1")
    drain()

    post(run)

    (row,) = run.members.all()
    assert (row.shown["units"], row.posted["units"], row.differs) == ({"points": 200}, {"points": 100}, True)
    assert (available(member), in_order(shop)) == (200, True)


def test_what_a_later_version_judged_is_left_alone(shop, member):
    wrong = shop.versions.get()
    record(member, "r1", 10_000)
    drain()
    second = publish(version=make_draft(shop, rate("base", "3")), by=None)
    later = record(member, "r2", 10_000)
    later.occurred_at = second.in_force_from
    later.save()
    drain()
    assert available(member) == 400

    post(supersede(wrong, make_draft(shop, rate("base", "2"))))

    assert (available(member), in_order(shop)) == (500, True)


def test_correction_that_was_wrong_itself_is_superseded(shop, member):
    record(member, "r1", 10_000)
    drain()
    first = post(supersede(shop.versions.get(), make_draft(shop, rate("base", "2"))))

    post(supersede(first.right, make_draft(shop, rate("base", "3"))))

    assert (available(member), in_order(shop)) == (300, True)
    record(member, "back", 10_000, days=9, kind="refund", purchase="r1")
    drain()
    assert (available(member), in_order(shop)) == (0, True)


def test_same_correction_again_finds_only_what_came_late(shop, member):
    wrong = shop.versions.get()
    record(member, "r1", 10_000)
    drain()
    first = post(supersede(wrong, make_draft(shop, rate("base", "2"))))
    record(member, "r2", 5_000, days=1)
    drain()
    assert available(member) == 250

    again = supersede(wrong, first.right)
    assert [one.shown["units"] for one in again.members.all()] == [{"points": 50}]
    post(again)

    assert (available(member), adjusted(shop), in_order(shop)) == (300, 2, True)


@pytest.fixture
def three(shop):
    members = [make_member(program=shop, external_id=f"n{number}", joined_at=JOINED) for number in range(3)]
    for one in members:
        record(one, f"r-{one.external_id}", 10_000)
    drain()
    return members


def test_posting_that_was_stopped_midway_goes_on_and_counts_nothing_twice(shop, three, monkeypatch):
    run = supersede(shop.versions.get(), make_draft(shop, rate("base", "2")))
    monkeypatch.setattr("loyalty.rehearsals.reading.MEMBERS_A_BATCH", 1)
    monkeypatch.setattr(running, "SLICE", -1)
    actions.post(correction=run, by=make_user())
    assert working.correction(run.pk) is not None
    actions.cancel(run=run, by=make_user())
    assert working.correction(run.pk) is None
    assert sorted(map(available, three)) == [100, 100, 200]

    post(run)

    assert ([available(one) for one in three], adjusted(shop), in_order(shop)) == ([200] * 3, 3, True)


def test_worker_killed_within_a_batch_leaves_nothing_of_it(shop, three, monkeypatch):
    run = supersede(shop.versions.get(), make_draft(shop, rate("base", "2")))
    actions.post(correction=run, by=make_user())
    with monkeypatch.context() as broken:
        broken.setattr("loyalty.rehearsals.posting._tell", lambda *_given: 1 / 0)
        working.correction(run.pk)
    run.refresh_from_db()
    assert (run.status, adjusted(shop), Rejudgement.objects.count()) == ("failed", 0, 0)

    post(run)

    assert (adjusted(shop), [available(one) for one in three]) == (3, [200] * 3)


def test_second_posting_is_refused(shop, three):
    run = post(supersede(shop.versions.get(), make_draft(shop, rate("base", "2"))))

    with pytest.raises(actions.NotShownError):
        actions.post(correction=run, by=make_user())


def test_database_takes_an_adjustment_of_member_and_unit_but_once(shop, three):
    run = post(supersede(shop.versions.get(), make_draft(shop, rate("base", "2"))))
    row = Adjustment.objects.first()

    with pytest.raises(IntegrityError), transaction.atomic():
        Adjustment.objects.create(
            program=shop,
            correction=run,
            membership=row.membership,
            unit=row.unit,
            amount=1,
            moved=1,
            posted_at=JOINED,
        )


def test_two_corrections_of_a_program_at_once_are_refused(shop, three):
    right = publish(version=make_draft(shop, rate("base", "2")), by=None)
    wrong = shop.versions.get(number=1)
    actions.supersede(wrong=wrong, right=right, reason="Wrong", by=make_user())

    with pytest.raises(actions.AtWorkError):
        actions.supersede(wrong=wrong, right=right, reason="Wrong", by=make_user())


def test_earlier_version_another_programs_and_no_reason_are_refused(shop):
    second = publish(version=make_draft(shop, rate("base", "2")), by=None)
    wrong = shop.versions.get(number=1)
    user = make_user()

    with pytest.raises(actions.NotLaterError):
        actions.supersede(wrong=second, right=wrong, reason="Wrong", by=user)
    with pytest.raises(actions.NotLaterError):
        actions.supersede(wrong=wrong, right=make_draft(make_shop()), reason="Wrong", by=user)
    with pytest.raises(actions.NoReasonError):
        actions.supersede(wrong=wrong, right=second, reason=" ", by=user)
    with pytest.raises(actions.NotPublishedError):
        actions.supersede(wrong=make_draft(shop), right=second, reason="Wrong", by=user)
    assert Correction.objects.count() == 0


def test_members_of_a_batch_are_put_right_in_a_fixed_number_of_queries(shop, three, django_assert_num_queries):
    from loyalty.rehearsals import correcting, posting

    run = supersede(shop.versions.get(), make_draft(shop, rate("base", "2")))
    setting = correcting.setting_of(run)
    for few in ([three[0].pk], [three[1].pk, three[2].pk]):
        with django_assert_num_queries(26), transaction.atomic():
            posting._post(setting, few, ({}, {}))


def test_total_adjusted_is_what_the_corrections_say(shop, three):
    post(supersede(shop.versions.get(), make_draft(shop, rate("base", "2"))))

    moved = Entry.objects.filter(program=shop, account__kind="adjusted").aggregate(total=Sum("amount"))["total"]
    assert (moved, Adjustment.objects.aggregate(total=Sum("moved"))["total"]) == (-300, 300)


def stay(quantity):
    return {"category": "stay", "brand": "Grand Atlas", "quantity": quantity, "amount": "200.00"}


@pytest.mark.parametrize(
    ("preset", "bought"),
    [
        ("beauty_insider", [("2025-05-01", "400.00"), ("2025-05-02", "99.99")]),
        ("vipeak", [("2025-05-01", "3600.00"), ("2025-05-02", "3600.00"), ("2025-05-03", "99.00")]),
        ("coffee_stars", [("2025-05-01", "620.50"), ("2025-05-02", "10.00")]),
        ("hotel_nights", [("2025-05-01", None, stay("12")), ("2025-05-02", None, stay("3"))]),
        ("cashback", [("2025-12-24", None, {"amount": "300.00", "category": "travel"}), ("2025-12-24", "2900.00")]),
        ("punch_card", [("2025-05-01", None, {"amount": "60.00", "category": "coffee", "quantity": "3"})]),
    ],
)
def test_preset_corrected_equals_having_had_the_right_terms_and_a_whole_return_leaves_nothing(preset, bought):
    def more(draft):
        for rule in draft.rules.filter(trigger="purchase"):
            rule.rate *= 3
            rule.save(update_fields=["rate"])
            for row in rule.tier_rates.all():
                row.rate *= 3
                row.save(update_fields=["rate"])

    stage = Stage(preset)
    receipts = stage.buy_all(bought)
    stage.at("2025-12-31")
    wrong = stage.program.versions.get()
    draft = make_draft(stage.program, more)
    expected = back_test(draft, "2024-12-31").result["sides"][1]["months"]

    post(supersede(wrong, draft))

    units = {unit.pk: unit.code for unit in stage.program.units.all()}
    held: dict[str, int] = {}
    for account in Account.objects.filter(membership__external_id="ana", kind__in=["available", "pending"]):
        held[units[account.unit_id]] = held.get(units[account.unit_id], 0) + account.balance
    assert {unit: amount for unit, amount in held.items() if amount} == expected["2025-12"]
    for receipt in receipts:
        stage.give_back(receipt, "2026-01-02")
    left = Account.objects.filter(membership__external_id="ana").exclude(balance=0)
    assert (list(left), in_order(stage.program)) == ([], True)
