"""A draft tried on the past: what it says equals what would have happened, and nothing else changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from loyalty.ledger.models import Entry
from loyalty.rehearsals import actions, running, working
from loyalty.rehearsals.models import BackTest, Mover
from loyalty.rehearsals.tasks import sweep_task
from programs.models import RuleClause
from tests.factories import RuleSpec, make_member, make_program, make_shop, make_user, make_version
from tests.factories.activity import JOINED, drain, record
from tests.factories.events import publish as publish_since_ever
from tests.factories.rehearsals import ask_for_test, back_test, make_draft, rate
from tests.loyalty.presets.stage import Stage

pytestmark = pytest.mark.django_db


def issued(program, account="issued"):
    rows = Entry.objects.filter(program=program, account__kind=account).values_list("account__unit__code")
    return {unit: abs(total) for unit, total in rows.annotate(total=Sum("amount")) if total}


def sides(test, name):
    """Return what both sides came to, by unit."""
    return [{unit: sums[name] for unit, sums in side["units"].items() if sums[name]} for side in test.result["sides"]]


def at_the_end(test):
    return [list(side["months"].values())[-1] for side in test.result["sides"]]


def beauty(stage):
    stage.buy_all(
        [("2025-01-10", "349.99"), ("2025-02-01", "200.50"), ("2025-03-01", "600.00"), ("2025-04-01", "80.00")]
    )
    bought = stage.buy("2025-05-01", "99.90")
    stage.give_back(bought, "2025-05-09")


def vipeak(stage):
    stage.buy_all([("2025-01-10", "3499.00"), ("2025-02-01", "1.00"), ("2025-03-01", "4000.00")])
    bought = stage.buy("2025-05-01", None, {"amount": "500.00", "quantity": "2"}, {"amount": "100.00"})
    stage.give_back(bought, "2025-06-01", lines=[{"line": 1, "quantity": "1"}])


def xplr(stage):
    stage.buy_all([("2025-01-10", "149.99"), ("2025-02-01", "20.50")])
    stage.report_all("check_in", [(f"2025-03-{day:02}", {"place": "Prague"}) for day in range(1, 24)])


def coffee(stage):
    stage.buy_all([("2025-01-10", "49.99"), ("2025-02-01", "620.50"), ("2025-09-01", "12.00")])


def hotel(stage):
    stay = {"category": "stay", "brand": "Grand Atlas", "quantity": "12", "amount": "200.00"}
    stage.buy_all([("2025-05-01", None, stay), ("2025-06-10", None, {**stay, "brand": "Residence Inn"})])


def cashback(stage):
    stage.buy_all([("2025-01-10", None, {"amount": "300.00", "category": "travel"}), ("2025-01-11", "2900.00")])


def punch(stage):
    stage.buy_all([(f"2025-03-{day:02}", None, {"amount": "60.00", "category": "coffee"}) for day in range(1, 8)])


PRESETS = {
    "beauty_insider": beauty,
    "vipeak": vipeak,
    "xplr_pass": xplr,
    "coffee_stars": coffee,
    "hotel_nights": hotel,
    "cashback": cashback,
    "punch_card": punch,
}


@pytest.mark.parametrize("preset", PRESETS)
def test_terms_in_force_tested_against_themselves_are_what_really_happened(preset):
    stage = Stage(preset)
    PRESETS[preset](stage)
    member = stage.at("2025-12-31 23:59")

    test = back_test(make_draft(stage.program))

    assert sides(test, "issued") == [issued(stage.program)] * 2
    assert sides(test, "taken_back") == [issued(stage.program, "reversed")] * 2
    assert sides(test, "expired") == [issued(stage.program, "expired")] * 2
    precision = {unit.code: unit.precision for unit in stage.program.units.all()}
    assert (
        at_the_end(test)
        == [
            {
                unit: steps
                for unit, one in member["balances"].items()
                if (steps := int((Decimal(one["available"]) + Decimal(one["pending"])).scaleb(precision[unit]))) > 0
            }
        ]
        * 2
    )
    tier = member["tier"]["code"] if member["tier"] else ""
    assert test.result["tiers"] == {tier: {tier: 1}}
    assert (test.result["units"], test.result["up"], test.result["down"], Mover.objects.count()) == ({}, 0, 0, 0)


@pytest.fixture
def shop():
    program = make_shop()
    for number in range(3):
        member = make_member(program=program, external_id=f"m{number}", joined_at=JOINED)
        record(member, f"a{number}", 20_000, days=3)
        record(member, f"b{number}", 10_000 * (number + 1), days=40)
    drain()
    return program


def test_doubled_rate_doubles_what_is_given_and_what_is_owed(shop):
    draft = make_draft(shop, lambda draft: draft.rules.update(rate=2))
    for row in draft.rules.get().tier_rates.all():
        row.rate *= 2
        row.save()

    test = back_test(draft, worth={"points": Decimal("0.01")})

    before, after = sides(test, "issued")
    assert (before, after) == ({"points": 1_200}, {"points": 2_400})
    assert [side["months"]["2025-12"]["points"] for side in test.result["sides"]] == [1_200, 2_400]
    assert test.result["units"]["points"]["more"] == 3
    assert (test.result["purchases"], test.result["sales"], test.done, test.total) == (6, 120_000, 6, 6)


def test_tables_by_rule_and_by_tier_sum_to_the_same_total(shop):
    test = back_test(make_draft(shop, rate("base", "3")))

    for side in test.result["sides"]:
        total = side["units"]["points"]["issued"]
        assert sum(units["points"] for units in side["rules"].values()) == total
        assert sum(units["points"] for units in side["tiers"].values()) == total


def test_purchase_before_the_period_counts_towards_tiers_and_its_return_within_takes_back_what_it_gave(shop):
    member = make_member(program=shop, joined_at=JOINED)
    record(member, "early", 40_000)
    record(member, "back", 40_000, days=60, kind="refund", purchase="early")
    record(member, "then", 10_000, days=35)
    drain()

    test = back_test(make_draft(shop, rate("base", "10")), "2025-02-01", "2025-03-31")

    assert [taken["points"] for taken in sides(test, "taken_back")] == [400, 400]
    assert test.result["sides"][0]["tiers"]["silver"] == {"points": 125}


def test_lower_limit_moves_members_up_and_names_them(shop):
    draft = make_draft(shop, lambda draft: draft.tiers.get(code="silver").conditions.update(threshold=300))

    test = back_test(draft)

    assert test.result["tiers"] == {"basic": {"silver": 1}, "silver": {"silver": 2}}
    assert (test.result["up"], test.result["down"]) == (1, 0)
    (mover,) = test.movers.all()
    assert (mover.membership.external_id, mover.before, mover.after, mover.is_up) == ("m0", "basic", "silver", True)


def dated(value):
    def edit(draft):
        RuleClause.objects.create(rule=draft.rules.get(code="base"), kind="dates", value=value)

    return edit


@pytest.mark.parametrize(
    ("moves", "gives", "row"),
    [
        (
            True,
            {"points": 600},
            {"years": -2, "first": "2025-01-02", "last": "2025-01-31", "fires": True, "movable": False},
        ),
        (False, {}, {"years": 0, "first": "2027-01-02", "last": "2027-01-31", "fires": False, "movable": True}),
    ],
)
def test_rule_with_dates_to_come_fires_only_where_its_dates_are_moved_into_the_period(shop, moves, gives, row):
    draft = make_draft(shop, dated("2027-01-02..2027-01-31"))

    test = back_test(draft, moves_dates=moves)

    assert sides(test, "issued")[1] == gives
    assert test.result["dated"] == [{"rule": "base", "name": "Base", **row}]


def test_edits_after_the_request_are_not_tested(shop):
    draft = make_draft(shop, rate("base", "2"))
    test = ask_for_test(draft)
    rate("base", "50")(draft)
    working.back_test(test.pk)
    test.refresh_from_db()

    assert sides(test, "issued")[1] == {"points": 2_400}


def test_each_day_as_it_was_differs_from_the_version_in_force_all_along(shop):
    from programs.actions import publish

    publish(version=make_draft(shop, rate("base", "5")), by=None)
    draft = make_draft(shop)

    assert sides(back_test(draft), "issued") == [{"points": 6_000}] * 2
    assert sides(back_test(draft, against=None), "issued") == [{"points": 1_200}, {"points": 6_000}]


def test_slices_come_to_the_same_as_one_run(shop, monkeypatch):
    monkeypatch.setattr(running, "SLICE", -1)
    monkeypatch.setattr(running, "SAVES", 1e-9)
    monkeypatch.setattr("loyalty.rehearsals.reading.MEMBERS_A_BATCH", 1)
    test = ask_for_test(make_draft(shop, rate("base", "2")))
    seen = []
    while left := working.back_test(test.pk):
        seen.append(left.done)
    test.refresh_from_db()

    assert seen == [2, 4, 6]
    assert (test.status, sides(test, "issued")[1]) == ("done", {"points": 2_400})


def test_test_is_cancelled_midway_and_writes_nothing_to_the_ledger(shop, monkeypatch):
    monkeypatch.setattr(running, "SLICE", -1)
    monkeypatch.setattr(running, "SAVES", 1e-9)
    monkeypatch.setattr("loyalty.rehearsals.reading.MEMBERS_A_BATCH", 1)
    before = ledger_rows()
    test = ask_for_test(make_draft(shop, lambda draft: draft.tiers.get(code="silver").conditions.update(threshold=1)))
    assert working.back_test(test.pk) is not None
    taken = running.take(BackTest, test.pk)

    assert actions.cancel(run=test, by=make_user()) is True
    with pytest.raises(running.LostError):
        running.save(taken, done=5)
    assert working.back_test(test.pk) is None
    test.refresh_from_db()
    assert (test.status, test.result, test.done) == ("cancelled", None, 2)
    assert ledger_rows() == before
    assert actions.cancel(run=test, by=make_user()) is False


def ledger_rows():
    from django.apps import apps

    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for label in ("ledger", "purchases")
        for model in apps.get_app_config(label).get_models()
    }


def test_two_workers_do_not_run_the_same_test(shop):
    test = ask_for_test(make_draft(shop))
    first = running.take(BackTest, test.pk)

    assert first is not None
    assert running.take(BackTest, test.pk) is None
    assert working.back_test(test.pk) is None


def test_worker_that_died_is_noticed_and_the_one_that_was_only_slow_writes_nothing(shop, monkeypatch):
    handed = []
    monkeypatch.setattr("loyalty.rehearsals.tasks.hand_on", lambda run: handed.append(run.pk))
    test = ask_for_test(make_draft(shop))
    slow = running.take(BackTest, test.pk)
    assert sweep_task() == 0
    BackTest.objects.update(beat_at=datetime.now(UTC) - timedelta(minutes=5))

    assert (sweep_task(), sweep_task(), handed) == (1, 0, [test.pk])
    assert working.back_test(test.pk) is None
    with pytest.raises(running.LostError):
        running.save(slow, done=1)
    test.refresh_from_db()
    assert (test.status, test.done) == ("done", 6)


def test_failure_is_kept_in_words(shop, monkeypatch):
    def broken(*_given):
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr("loyalty.rehearsals.backtest.step", broken)
    test = ask_for_test(make_draft(shop))
    working.back_test(test.pk)
    test.refresh_from_db()

    assert (test.status, test.detail) == ("failed", "ZeroDivisionError: no such number")


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("2025-02-01", "2025-01-01", actions.PeriodError),
        ("2025-02-01", "2990-01-01", actions.PeriodToComeError),
    ],
)
def test_period_that_is_not_past_is_refused(shop, first, last, error):
    with pytest.raises(error):
        ask_for_test(make_draft(shop), first, last)


def test_draft_with_faults_and_published_version_are_refused(shop):
    with pytest.raises(actions.NotADraftError):
        ask_for_test(shop.versions.get(), against=None)
    draft = make_draft(shop, dated("2027-01-31..2027-01-02"))
    with pytest.raises(actions.DraftHasFaultsError):
        ask_for_test(draft)


def test_past_of_a_batch_is_read_in_a_fixed_number_of_queries(shop, django_assert_num_queries):
    from loyalty.rehearsals import reading
    from programs.models import Membership
    from programs.terms import schedule_of

    schedule, now = schedule_of(shop), datetime.now(UTC)
    activity = reading.judged_before(shop, until=now, known_by=now)
    members = Membership.objects.filter(program=shop)
    with django_assert_num_queries(2):
        ids = reading.next_members(members, activity, after=None)
    for few in (ids[:1], ids):
        with django_assert_num_queries(4):
            reading.pasts(few, activity, schedule=schedule)


@pytest.mark.parametrize(("first", "given"), [("2025-01-01", {"points": 350}), ("2025-02-01", {"points": 50})])
def test_limit_that_the_program_shares_is_used_up_once_on_each_side(first, given):
    program = make_program()
    version = make_version(program=program, rules=[RuleSpec()], is_published=False)
    version.rules.get().caps.create(window="lifetime", amount=350, scope="program")
    publish_since_ever(version)
    for number in range(3):
        member = make_member(program=program, joined_at=JOINED)
        record(member, f"a{number}", 10_000, days=3)
        record(member, f"b{number}", 10_000, days=40)
    drain()
    assert issued(program) == {"points": 350}

    test = back_test(make_draft(program), first)

    assert sides(test, "issued") == [given] * 2
    assert test.result["shares_limits"] is True
