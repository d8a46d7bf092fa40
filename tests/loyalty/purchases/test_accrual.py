"""Accrual against the real tables: what is recorded becomes awards, entries, lots, balances and tiers, once."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from loyalty.ledger import triggers
from loyalty.ledger.models import Account, Entry, Lot, Standing, TierPeriod, Transaction
from loyalty.ledger.verify import verify
from loyalty.purchases import accrual
from loyalty.purchases.entry_reasons import entry_reason
from loyalty.purchases.event_names import event_names
from loyalty.purchases.models import Activity, Award, Judgement
from programs.actions import publish, start_draft
from programs.models import EventType, Program, Rule, RuleClause, Store, TierCondition, UnitTerms
from tests.factories import (
    EVER_SINCE,
    LADDER,
    RuleSpec,
    UnitSpec,
    make_member,
    make_program,
    make_shop,
    make_unit,
    make_user,
    make_version,
)
from tests.factories.activity import JOINED, drain, record

pytestmark = pytest.mark.django_db

BATCH_QUERIES = 19


def available(member, unit="points"):
    return Account.objects.get(membership=member, unit__code=unit, kind="available").balance


@contextmanager
def triggers_off():
    triggers.remove(connection)
    yield
    triggers.install(connection)


def assert_books_hold():
    assert verify(programs=list(Program.objects.all())).faults == []


def test_purchase_is_judged_awarded_and_posted_once():
    member = make_member(program=make_shop(), joined_at=JOINED)
    one = record(member, "r1", 1_099)

    drain()
    drain()

    one.refresh_from_db()
    assert (one.status, available(member)) == ("accrued", 10)
    assert list(one.awards.values_list("rule", "amount")) == [("base", 10)]
    assert list(Transaction.objects.values_list("kind", "activity_id", "occurred_at")) == [
        ("earn", one.pk, one.occurred_at)
    ]
    assert sorted(Entry.objects.values_list("account__kind", "amount", "balance_after")) == [
        ("available", 10, 10),
        ("issued", -10, None),
    ]
    assert list(Lot.objects.values_list("amount", "remaining", "activity_id")) == [(10, 10, one.pk)]
    assert Judgement.objects.get().facts["credit"] == {
        "spend": {"2025": 1_099},
        "visits": {"2025": 1},
        "unit:points": {"2025": 10},
    }
    assert_books_hold()


def test_purchase_that_reaches_a_tier_changes_it_with_the_reason():
    member = make_member(program=make_shop(), joined_at=JOINED)
    one = record(member, "r1", 35_000, days=3)

    drain()

    standing = Standing.objects.get(membership=member)
    assert (standing.tier, str(standing.tier_since), str(standing.tier_until)) == ("silver", "2025-01-04", "2026-12-31")
    assert list(TierPeriod.objects.order_by("starts_at").values_list("tier", "reason", "activity_id")) == [
        ("basic", "joined", None),
        ("silver", "reached", one.pk),
    ]


def test_purchase_of_zero_is_accrued_and_earns_nothing():
    member = make_member(program=make_shop(), joined_at=JOINED)
    one = record(member, "r1", 0)

    drain()

    one.refresh_from_db()
    assert (one.status, Award.objects.count(), Transaction.objects.count()) == ("accrued", 0, 0)
    assert_books_hold()


def test_tax_is_taken_off_before_earning():
    member = make_member(program=make_shop(), joined_at=JOINED)
    record(member, "r1", 12_100, tax=2_100)

    drain()

    assert available(member) == 100


def test_batch_takes_the_same_queries_for_one_member_and_for_five(django_assert_num_queries):
    program = make_shop()
    members = [make_member(program=program, joined_at=JOINED) for _ in range(6)]
    record(members[0], "warm", 100)
    drain()
    for number, member in enumerate(members[1:2]):
        record(member, f"a{number}", 1_000)
    with django_assert_num_queries(BATCH_QUERIES):
        accrual.accrue_batch()
    for number, member in enumerate(members[1:]):
        record(member, f"b{number}", 1_000)
        record(member, f"c{number}", 1_000)
    with django_assert_num_queries(BATCH_QUERIES):
        accrual.accrue_batch()


def test_refund_takes_everything_back_and_frees_the_tier():
    member = make_member(program=make_shop(), joined_at=JOINED)
    buy = record(member, "r1", 40_000)
    drain()
    back = record(member, "b1", 40_000, days=1, kind="refund", purchase="r1")

    drain()

    buy.refresh_from_db()
    back.refresh_from_db()
    assert (buy.is_void, buy.returned, back.status, available(member)) == (True, 40_000, "accrued", 0)
    assert list(back.awards.values_list("rule", "amount")) == [("base", -400)]
    standing = Standing.objects.get(membership=member)
    assert (standing.tier, standing.active_at, standing.credit) == ("basic", None, {})
    assert_books_hold()


def test_refund_dated_before_its_purchase_is_judged_after_it():
    member = make_member(program=make_shop(), joined_at=JOINED)
    record(member, "r1", 5_000, days=10)
    record(member, "b1", 5_000, days=2, kind="refund", purchase="r1")

    drain()

    assert (available(member), set(Activity.objects.values_list("status", flat=True))) == (0, {"accrued"})
    assert_books_hold()


def test_refund_of_expired_points_leaves_no_debt():
    program = make_program()
    make_version(program=program, units=[UnitSpec(expiry="inactivity", expiry_months=2)])
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r1", 5_000)
    record(member, "b1", 5_000, days=200, kind="refund", purchase="r1")

    drain()

    assert available(member) == 0
    assert list(Transaction.objects.order_by("posted_at").values_list("kind", flat=True)) == ["earn", "expire"]
    assert_books_hold()


def test_late_purchase_is_judged_by_the_tier_of_its_day():
    member = make_member(program=make_shop(), joined_at=JOINED)
    record(member, "r1", 35_000, days=30)
    drain()
    late = record(member, "r2", 10_000, days=10)

    drain()

    assert late.judgement.tier == "basic"
    assert available(member) == 350 + 100


def test_late_points_that_inactivity_had_ended_are_written_and_forfeited_at_once():
    program = make_program()
    make_version(program=program, units=[UnitSpec(expiry="inactivity", expiry_months=12)])
    member = make_member(program=program, joined_at=JOINED - timedelta(days=900))
    record(member, "r1", 10_000)
    drain()
    record(member, "late", 5_000, days=-800)
    record(member, "later", 2_000, days=-100)

    drain()

    assert available(member) == 120
    assert_books_hold()


def test_activity_that_breaks_the_books_is_set_aside_and_the_rest_goes_on():
    program = make_program()
    make_version(program=program, rules=[RuleSpec(rate="99999999")], tiers=())
    members = [make_member(program=program, joined_at=JOINED) for _ in range(4)]
    for number, member in enumerate(members):
        record(member, f"a{number}", 1_000)
    record(members[2], "huge", 2**62, days=1)  # Earns more than a column holds.
    record(members[2], "after", 1_000, days=2)

    drain()

    assert list(Activity.objects.failed().values_list("external_id", flat=True)) == ["huge"]
    assert [available(member) for member in members] == [999_999_990, 999_999_990, 1_999_999_980, 999_999_990]
    assert_books_hold()


def test_activity_before_the_first_terms_is_set_aside_with_its_reason_and_can_be_retried():
    program = make_program()
    make_version(program=program, in_force_from=JOINED)
    member = make_member(program=program, joined_at=JOINED)
    early = record(member, "r1", 1_000, days=-1)
    drain()
    early.refresh_from_db()
    assert (early.status, early.what_is_wrong) == ("failed", "The program had no terms at that time")
    Activity.objects.filter(pk=early.pk).update(occurred_at=JOINED)

    assert accrual.retry(activities=[early], by=make_user()) == 1
    drain()

    early.refresh_from_db()
    assert (early.status, early.detail, available(member)) == ("accrued", "", 10)


def test_return_that_took_too_much_cannot_be_tried_again():
    member = make_member(program=make_shop(), joined_at=JOINED)
    back = record(member, "b1", 0, kind="refund", purchase="r1", status="failed")
    Activity.objects.filter(pk=back.pk).update(membership=None, total=None, detail="exceeds-purchase")

    assert accrual.retry(activities=[back], by=make_user()) == 0


def test_refund_waits_while_its_purchase_failed_and_follows_its_retry():
    program = make_program()
    make_version(program=program, in_force_from=JOINED)
    member = make_member(program=program, joined_at=JOINED)
    early = record(member, "r1", 1_000, days=-1)
    back = record(member, "b1", 1_000, days=1, kind="refund", purchase="r1")
    drain()
    back.refresh_from_db()
    assert back.status == "waiting"
    Activity.objects.filter(pk=early.pk).update(occurred_at=JOINED)

    accrual.retry(activities=[early], by=make_user())
    drain()

    back.refresh_from_db()
    assert (back.status, available(member)) == ("accrued", 0)


def test_purchase_in_the_future_waits_for_its_moment():
    member = make_member(program=make_shop(), joined_at=JOINED)
    one = record(member, "r1", 1_000)
    Activity.objects.filter(pk=one.pk).update(due_at=datetime.now(UTC) + timedelta(hours=1))

    assert accrual.accrue_batch().moved is False


# --- What is judged --------------------------------------------------------------------------------------------------


def make_rules(*rules, events=()):
    """Return a program whose rules ask for something: (code, rule's columns, conditions)."""
    program = make_program()
    version = make_version(program=program, tiers=(), rules=(), is_published=False)
    unit = make_unit(program=program)
    for code in events:
        EventType.objects.create(version=version, code=code, name=code.title())
    for place, (code, columns, conditions) in enumerate(rules):
        rule = Rule.objects.create(version=version, code=code, name=code.title(), unit=unit, position=place, **columns)
        for kind, value in conditions:
            RuleClause.objects.create(rule=rule, kind=kind, value=value)
    return put_in_force(version)


def put_in_force(version):
    version.status, version.in_force_from = "published", EVER_SINCE
    version.published_at = datetime.now(UTC)
    version.save(update_fields=["status", "in_force_from", "published_at"])
    return version.program


def test_lines_store_channel_and_attributes_are_judged_and_a_line_that_comes_back_is_taken_back():
    program = make_rules(
        ("tea", {"rate": "2"}, [("category", "Tea")]),
        ("tagged", {"rate": "3"}, [("tag", "NEW")]),
        ("brno", {"rate": "5", "effect": "fixed"}, [("store", "Brno"), ("channel", "App")]),
        ("place", {"rate": "7", "effect": "fixed"}, [("attribute", "Place=Square")]),
    )
    member = make_member(program=program, joined_at=JOINED)
    one = record(member, "r1", 3_000)
    lines = [{"amount": 1_000, "category": "TEA"}, {"amount": 2_000, "quantity": 2_000, "tags": ["new"]}]
    store = Store.objects.create(business=program.business, code="BRNO")
    Activity.objects.filter(pk=one.pk).update(lines=lines, store=store, channel="app", attributes={"place": "square"})
    drain()
    assert list(one.awards.order_by("rule").values_list("rule", "amount")) == [
        ("brno", 5),
        ("place", 7),
        ("tagged", 60),
        ("tea", 20),
    ]
    for number, days in ((1, 1), (2, 2)):
        back = record(member, f"b{number}", 1_000, days=days, kind="refund", purchase="r1")
        Activity.objects.filter(pk=back.pk).update(lines=[{"line": 2, "quantity": 1_000, "amount": 1_000}])
        drain()
        assert list(back.awards.values_list("rule", "amount")) == [("tagged", -30)]

    assert available(member) == 32
    assert_books_hold()


def test_event_is_judged_by_its_type_and_can_be_retried_from_the_shelf():
    program = make_rules(
        ("check_in", {"rate": "5", "effect": "fixed", "trigger": "event", "event": "check_in"}, []),
        ("review", {"rate": "9", "effect": "fixed", "trigger": "event", "event": "review"}, []),
        events=("check_in", "review"),
    )
    member = make_member(program=program, joined_at=JOINED)
    one = record(member, "e1", 0, kind="event", event_type="check_in")
    failed = record(member, "e2", 0, kind="event", event_type="review", status="failed")

    drain()
    retried = accrual.retry(activities=[failed], by=make_user())
    drain()

    assert (retried, available(member)) == (1, 14)
    assert list(one.awards.values_list("rule", "amount")) == [("check_in", 5)]
    names = event_names([one, failed], program=program)
    assert names == {one.pk: "Check_In", failed.pk: "Review"}
    assert entry_reason(kind="earn", activity=one, event=names[one.pk]) == "Earned: Check_In"
    assert_books_hold()


@pytest.mark.parametrize("given", [{"kind": "event"}, {"kind": "purchase", "event_type": "review"}])
def test_database_refuses_an_event_without_a_type_and_a_type_without_an_event(given):
    member = make_member(program=make_shop(), joined_at=JOINED)

    with pytest.raises(IntegrityError, match="purchases_activity_event_has_type"), transaction.atomic():
        record(member, "e1", 0, **given)


def test_debt_that_a_return_leaves_for_the_next_units_is_kept_with_its_facts():
    version = make_version(program=make_program(), is_published=False)
    UnitTerms.objects.filter(version=version).update(debt="remember")
    member = make_member(program=put_in_force(version), joined_at=JOINED)
    record(member, "r1", 5_000)
    drain()
    Lot.objects.update(remaining=20)
    Account.objects.filter(membership=member, kind="available").update(balance=20)  # The rest was spent.
    back = record(member, "b1", 5_000, days=1, kind="refund", purchase="r1")

    drain()

    assert (available(member), back.judgement.facts["remembered"]) == (0, {"points": 30})


def test_judgement_from_before_conditions_were_kept_still_lets_its_purchase_come_back():
    member = make_member(program=make_shop(), joined_at=JOINED)
    one = record(member, "r1", 5_000)
    drain()
    facts = {key: value for key, value in one.judgement.facts.items() if key != "barred"}
    with triggers_off():
        Judgement.objects.filter(activity=one).update(facts=facts)
    record(member, "b1", 5_000, days=1, kind="refund", purchase="r1")

    drain()

    assert available(member) == 0
    assert_books_hold()


# --- Time ------------------------------------------------------------------------------------------------------------


def cashback_member(**extra):
    program = make_program(currency="EUR", **extra)
    rule = RuleSpec(code="default", unit="cash", rate="1", effect="percent", caps={"purchase": "500", "month": "3000"})
    make_version(
        program=program, units=[UnitSpec("cash", precision=2, is_money=True, pending_days=14)], tiers=(), rules=[rule]
    )
    return make_member(program=program, joined_at=JOINED)


def test_run_due_lets_pending_units_arrive_and_moves_the_sandbox_clock():
    member = cashback_member(clock=JOINED)
    record(member, "r1", 20_000)
    drain()
    assert available(member, "cash") == 0

    report = accrual.run_due(program=member.program, as_of=JOINED + timedelta(days=14))

    assert (report.members, available(member, "cash"), member.program.clock) == (1, 200, JOINED + timedelta(days=14))
    assert_books_hold()


@pytest.mark.parametrize("days", [(0, 20, 40), (0, 5, 30, 31, 400, 600)])
def test_units_that_arrive_between_the_purchases_of_one_batch_need_no_second_try(days):
    member = cashback_member()
    record(member, "old", 10_000, days=-1)
    accrual._accrue_locked([member.pk])
    for number, day in enumerate(days):
        record(member, f"r{number}", 20_000, days=day)

    report = accrual._accrue_locked([member.pk])
    accrual.bring_up_to_date(memberships=[member])

    assert (report.judged, available(member, "cash")) == (len(days), 100 + 200 * len(days))
    assert_books_hold()


def test_points_forfeited_between_the_purchases_of_a_new_members_batch_need_no_second_try():
    program = make_program()
    make_version(program=program, units=[UnitSpec(expiry="inactivity", expiry_months=12)])
    member = make_member(program=program, joined_at=JOINED - timedelta(days=800))
    for number, day in enumerate((-800, -790, -300)):
        record(member, f"r{number}", 1_000, days=day)

    assert accrual._accrue_locked([member.pk]).judged == 3
    assert (available(member), Lot.objects.filter(expired__gt=0).count()) == (10, 2)
    assert_books_hold()


def test_due_work_of_one_bad_member_does_not_stop_the_others():
    member = cashback_member()
    others = [make_member(program=member.program, joined_at=JOINED) for _ in range(4)]
    for one in (member, *others):
        record(one, f"r{one.pk}", 20_000)
    drain()
    Account.objects.filter(membership=others[1], unit__code="cash", kind="available").update(balance=2**63 - 1)

    report = accrual.run_due(program=member.program, as_of=JOINED + timedelta(days=14))

    assert (report.members, report.failed) == (4, 1)
    assert [available(one, "cash") for one in (member, others[0], *others[2:])] == [200] * 4
    with pytest.raises(CommandError, match="1 member"):
        call_command("run_due", program=member.program.slug, as_of="2025-01-16")


def test_run_due_a_moment_before_what_was_done_changes_nothing():
    member = cashback_member(clock=JOINED)
    record(member, "r1", 20_000)
    drain()
    accrual.run_due(program=member.program, as_of=JOINED + timedelta(days=20))

    report = accrual.run_due(program=member.program, as_of=JOINED + timedelta(days=10))

    assert (report.members, member.program.clock) == (0, JOINED + timedelta(days=20))


def test_member_is_brought_up_to_date_before_being_shown():
    member = cashback_member()
    record(member, "r1", 20_000)
    drain()

    accrual.bring_up_to_date(memberships=[member])

    assert available(member, "cash") == 200


def test_backfill_leaves_due_work_to_the_members_own_activity():
    member = cashback_member()
    Program.objects.filter(pk=member.program_id).update(backfill_touched_at=datetime.now(UTC))
    member.program.refresh_from_db()
    record(member, "r1", 20_000)
    drain()

    accrual.bring_up_to_date(memberships=[member])

    assert available(member, "cash") == 0


def test_published_terms_with_a_new_unit_open_its_accounts_for_those_who_are_members_already():
    program = make_program(clock=JOINED)
    make_version(program=program)
    member = make_member(program=program, joined_at=JOINED)
    draft = start_draft(program=program, by=None)
    stamp = make_unit(program=program, spec=UnitSpec("stamps"))
    UnitTerms.objects.create(version=draft, unit=stamp)
    Rule.objects.create(version=draft, code="stamp", name="Stamp", unit=stamp, position=1, rate="0.1")
    publish(version=draft, by=None)
    record(member, "r1", 2_000, days=1)

    drain()

    assert (available(member), available(member, "stamps")) == (20, 2)
    assert_books_hold()


def test_published_terms_review_every_member_when_they_come_into_force():
    program = make_program(clock=JOINED + timedelta(days=60))
    make_version(program=program, tiers=LADDER)
    member = make_member(program=program, joined_at=JOINED)
    record(member, "r1", 30_000)
    drain()
    draft = start_draft(program=program, by=None)
    TierCondition.objects.filter(tier__version=draft, tier__code="silver").update(threshold="200")

    publish(version=draft, by=None)
    accrual.bring_up_to_date(memberships=[member])

    standing = Standing.objects.get(membership=member)
    assert (standing.tier, standing.version_id, str(standing.tier_since)) == ("silver", draft.pk, "2025-03-02")
